package crmgate

import (
	"net/http"
	"slices"

	"github.com/crmgate/crmgate/internal/consent"
)

// Consent is the ledger of consents with its pages and endpoints for visitors who aren't
// signed in. A gate loads the module `crmgate.consent`.
type Consent interface {
	// Open opens the ledger, at the start of its gate.
	Open(app *App, s *Services) error
	// Serve answers a request for consent.Path or what is below it.
	Serve(v Stranger)
	// Opened is the ledger, nil before Open. Its Site is what its methods are asked with.
	Opened() *consent.Ledger
	// Knows reports whether its configuration has such a purpose and channel. It can be
	// asked before Open.
	Knows(w consent.Wanted) bool
	// Says is what its configuration says, for the register. It can be asked before Open.
	Says() ConsentSays
}

// ConsentSays is what the register says of a ledger of consents: no secret.
type ConsentSays struct {
	// Mail is the mail server that takes the mails: host and port.
	Mail string
	// Words are those of the configuration, `purpose newsletter` with its channels
	// among them.
	Words map[string]string
}

// Stranger is somebody whom nobody knows, with their request.
type Stranger interface {
	Request() *http.Request
	// Path is the one that was judged.
	Path() string
	// Lang is de or en.
	Lang() string
	// IP is the client's address.
	IP() string
	// SameOrigin reports whether the request comes from a page of this site, or from
	// none.
	SameOrigin() bool
	// Navigates reports whether a browser shows the answer as a page.
	Navigates() bool
	// Body reads what was posted, up to so many bytes, and its media type; where it can't
	// be read it has answered when it returns false.
	Body(most int64) (body []byte, media string, ok bool)
	// Write answers, with the headers that the gateway's own answers have.
	Write(status int, header map[string]string, body []byte)
	// Answer answers with a page for a person, or problem details for a program.
	Answer(status int, reason, de, en string, header map[string]string)
	// Failed answers that it isn't possible right now, and says why in the process log
	// alone.
	Failed(reason string, err error)
}

// Consenting is a gate that may have a ledger of consents.
type Consenting interface {
	// Consent is nil where it has none.
	Consent() Consent
}

// Consents reports whether some gate of this server has a ledger of consents.
func (a *App) Consents() bool {
	return slices.ContainsFunc(a.gates, func(g Gate) bool {
		c, ok := g.(Consenting)
		return ok && c.Consent() != nil
	})
}

// Ledgers are the ledgers of consents of this server, each once.
func (a *App) Ledgers() []*consent.Ledger {
	var all []*consent.Ledger
	for _, g := range a.gates {
		c, ok := g.(Consenting)
		if !ok || c.Consent() == nil {
			continue
		}
		l := c.Consent().Opened()
		if l != nil && !slices.ContainsFunc(all, func(had *consent.Ledger) bool { return had.Site == l.Site }) {
			all = append(all, l)
		}
	}
	return all
}
