package consentfacts

import (
	"context"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/consent"
)

type (
	// Subject is whom the ledger is asked about.
	Subject = consent.Subject
	// Wanted is what it is asked: a purpose, and a channel or "" for any.
	Wanted = consent.Wanted
)

// Ledger is what is needed of the ledger of consents. Every subject has an answer to
// everything that is wanted.
type Ledger interface {
	States(ctx context.Context, site string, subjects []Subject, wanted []Wanted) ([][]access.FactState, error)
	// Changes counts the changes that were made at this node.
	Changes() uint64
}
