package crmgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/desk"
)

// ConsentsPath is the route by which an administrator's command brings consents in that
// were given before.
const ConsentsPath = "/crmgate/consents"

// MostRows is how many rows are brought in at a time.
const MostRows = 200

// ConsentsAsked is what an administrator's command asks of the running gateway.
type ConsentsAsked struct {
	// DataDir is the directory that is meant: another gateway must not take the
	// question for its own.
	DataDir string `json:"data_dir"`
	UID     int    `json:"uid"`
	// Ledger names the ledger; "" is the only one.
	Ledger string `json:"ledger,omitempty"`
	// Name is that of the file, for the proofs.
	Name string `json:"name"`
	// Dry only says what would become of the rows.
	Dry  bool          `json:"dry,omitempty"`
	Rows []consent.Row `json:"rows"`
}

func (a *ConsentsAsked) check() error {
	if len(a.Rows) == 0 || len(a.Rows) > MostRows {
		return fmt.Errorf("1 to %d rows are brought in at a time", MostRows)
	}
	if !desk.Plain(a.Name, 80) || a.Name == "" {
		return errors.New("the file's name takes 1 to 80 letters: it stands in each proof")
	}
	return nil
}

// adminConsents brings consents in.
func adminConsents(w http.ResponseWriter, r *http.Request) error {
	var q ConsentsAsked
	app, err := readAsked(w, r, &q, &q.DataDir, q.check)
	if err != nil {
		return err
	}
	report, err := app.importConsents(context.WithoutCancel(r.Context()), &q)
	return sendAnswer(w, "report", report, err)
}

func (a *App) importConsents(ctx context.Context, q *ConsentsAsked) (report *consent.Report, err error) {
	_, release, err := a.hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	var names []string
	var l *consent.Ledger
	for _, one := range a.Ledgers() {
		names = append(names, one.Site)
		if q.Ledger == one.Site || q.Ledger == "" {
			l = one
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("no gate here keeps a ledger of consents: crm_gate { consent { … } }")
	case l == nil || q.Ledger == "" && len(names) > 1:
		return nil, fmt.Errorf("name the ledger by --ledger: there are %s", strings.Join(names, ", "))
	}
	return l.Import(ctx, q.Rows, fmt.Sprintf("%s, by uid %d", q.Name, q.UID), q.Dry)
}
