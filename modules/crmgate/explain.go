package crmgate

import (
	"context"
	"net/http"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Explainer is a gate that says what it would do with a recorded exchange. It
// takes the way that it takes every request, and opens nothing: no network, no
// key, no log, no session.
type Explainer interface {
	// Explain judges an exchange for an employee with these roles. The error
	// says that the exchange can't be judged at all; a refusal is an
	// Explanation.
	Explain(ctx context.Context, roles []string, x Exchange) (Explanation, error)
}

// Exchange is one recorded request and the CRM's own answer to it, as they go
// between the gate and the CRM. Both bodies are read.
type Exchange struct {
	// Request is one as a server gets it: RequestURI and Host are set.
	Request *http.Request
	// Response is the CRM's; nil where only the request is known.
	Response *http.Response
}

// Explanation is what a gate would do with an exchange. No value that the roles
// may not see is in it.
type Explanation struct {
	Profile string   `json:"profile"`
	Policy  string   `json:"policy"`
	Roles   []string `json:"roles"`
	// Route and Call are the profile's names, empty where it knows none.
	Route string `json:"route,omitempty"`
	Call  string `json:"call,omitempty"`
	// Pass says that the profile knows the route to hold no personal data.
	Pass     bool            `json:"pass,omitempty"`
	Accesses []access.Access `json:"accesses,omitempty"`
	// Narrowed says that the request would be narrowed before it is forwarded.
	Narrowed bool     `json:"narrowed,omitempty"`
	Decision Decision `json:"decision"`
	// Forwarded says that the CRM would be asked.
	Forwarded bool `json:"forwarded"`
	// Categories are those found in the answer.
	Categories []ExplainedCategory `json:"categories,omitempty"`
	// Masked are the places of the answer that are changed.
	Masked []MaskedPlace `json:"masked,omitempty"`
	// Answer is what the employee would get.
	Answer Answer `json:"answer"`
	// Entries are what would be written to the audit log. What identifies
	// somebody is keyed there; here a word in brackets stands for it.
	Entries []audit.Entry `json:"entries"`
	// Notes say what the exchange doesn't tell.
	Notes []string `json:"notes,omitempty"`
}

// Decision is what the policy says of the request.
type Decision struct {
	Refused bool   `json:"refused"`
	Reason  string `json:"reason,omitempty"`
	Text    string `json:"text,omitempty"`
	// Line is the policy line that decided.
	Line string `json:"line,omitempty"`
}

// ExplainedCategory says how a category of an entity is treated and why.
type ExplainedCategory struct {
	Entity    access.Entity   `json:"entity"`
	Category  access.Category `json:"category"`
	Treatment string          `json:"treatment"`
	// Line is the policy line that decided, or the default that did.
	Line string `json:"line"`
	// Considered are all lines that speak of the category for these roles.
	Considered []string `json:"considered,omitempty"`
	// Fields counts the values of it in the answer.
	Fields int `json:"fields"`
}

// MaskedPlace is one place of the answer where something else would stand.
type MaskedPlace struct {
	// Record is type/id, empty where the value belongs to no record.
	Record string `json:"record,omitempty"`
	// Field is the CRM's own name.
	Field     string          `json:"field,omitempty"`
	Category  access.Category `json:"category,omitempty"`
	Treatment string          `json:"treatment"`
	Line      string          `json:"line,omitempty"`
	// Shown is what stands there instead, as the document spells it; empty
	// where the value is taken out.
	Shown string `json:"shown"`
}

// Answer is a response.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}
