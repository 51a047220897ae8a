package gate

import (
	"context"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/rules"
	"github.com/crmgate/crmgate/internal/session"
)

// opened is what exists from the app's start on.
type opened struct {
	log      entries
	sessions *session.Manager
	factors  *factor.Manager // nil: the provider proves the second factor
	masker   *mask.Masker
	// binder is nil where nothing is bound, and where somebody is explained.
	binder *binder
	// keeper is nil where the profile knows no handles.
	keeper *keeper
	// consents is nil where the site keeps none, and where somebody is explained.
	consents *consents
	// learners are asked about the records of every answer, in this order.
	learners []learner
	// rules knows who has acknowledged; nil: there is nothing to. rulesKey names the
	// answers to the questions.
	rules    *rules.Ledger
	rulesKey [32]byte
	// revealer is nil where nothing is revealed.
	revealer *revealer
	// retain is the last of them; nil where nothing is retained.
	retain *retaining
	// prover proves to who asks that this is a gateway.
	prover *prover
	// masked is told of every document that was masked; nil while serving.
	masked func(*doc.Tree, *access.Found, *access.Plan, mask.Result)
}

// entries is what the way of a request needs of the audit log.
type entries interface {
	Append(ctx context.Context, e *audit.Entry) (audit.Receipt, error)
	Employee(issuer, subject string) string
	Keyed(category, value string) string
}

// apply masks a document.
func (o *opened) apply(t *doc.Tree, found *access.Found, plan *access.Plan, opts mask.Options) (mask.Result, error) {
	res, err := o.masker.Apply(t, found, plan, opts)
	if err == nil && o.masked != nil && !opts.Seen.Gathering() {
		o.masked(t, found, plan, res)
	}
	return res, err
}
