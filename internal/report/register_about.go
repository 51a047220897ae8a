package report

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/transfer"
)

// Party is a company, an office or a person, with what it takes to reach them.
type Party struct {
	Name    string `json:"name,omitempty"`
	Contact string `json:"contact,omitempty"`
}

// line is a party as a line of the register says it.
func (p *Party) line() string {
	if p == nil {
		return ""
	}
	return strings.Trim(p.Name+", "+p.Contact, ", ")
}

// RegisterAbout is what the configuration states of a site, or of all: what nobody could
// read out of anything else. What isn't stated is missing.
type RegisterAbout struct {
	// System is how the system is called.
	System     string `json:"system,omitempty"`
	Controller *Party `json:"controller,omitempty"`
	// Joint is a joint controller (Art. 26), Representative one in the EU (Art. 27).
	Joint          *Party `json:"joint_controller,omitempty"`
	Representative *Party `json:"representative,omitempty"`
	// Officer is the data protection officer. Without a name the contact is the
	// reason why there is none.
	Officer *Party `json:"dpo,omitempty"`
	// Responsible is who answers for the system in the house.
	Responsible *Party            `json:"responsible,omitempty"`
	Purposes    []RegisterPurpose `json:"purposes,omitempty"`
	// Subjects are the categories of data subjects, Retention the periods for erasure.
	Subjects  []RegisterStated `json:"subjects,omitempty"`
	Retention []RegisterStated `json:"retention,omitempty"`
	// Measures are those that the configuration states beside what the gateway enforces.
	Measures []string `json:"stated_measures,omitempty"`
}

// RegisterPurpose is a purpose with its legal bases.
type RegisterPurpose struct {
	// Of is an entity, `category:` and a category, or * for all. Required.
	Of string `json:"of"`
	// Bases are letters of Art. 6 (1) or 9 (2) GDPR (6a to 6f, 9a to 9j), or 88 for
	// employment. At least one.
	Bases []string `json:"legal_bases"`
	// Text says which purpose. Required.
	Text string `json:"purpose"`
}

// RegisterStated is a text about an entity, `category:` and a category, or * for all.
type RegisterStated struct {
	Of   string `json:"of"`
	Text string `json:"text"`
}

// LegalBases lists every legal basis that a purpose can have.
func LegalBases() []string {
	return []string{
		"6a", "6b", "6c", "6d", "6e", "6f", "9a", "9b", "9c", "9d", "9e", "9f", "9g", "9h", "9i", "9j", "88",
	}
}

// CategoryOf is the prefix of what is stated of a category.
const CategoryOf = "category:"

// The kinds of systems.
const (
	SystemCRM       = "crm"
	SystemGateway   = "gateway"
	SystemStore     = "store"
	SystemProvider  = "idp"
	SystemSink      = "sink"
	SystemMachine   = "machine"
	SystemMail      = "mail"
	SystemRecipient = "recipient"
)

// RegisterSystem is a system that holds or receives personal data: who runs it, where, and
// under which contract.
type RegisterSystem struct {
	// Kind is crm, gateway, store, idp, sink, machine, mail (of consents), or recipient
	// for any other.
	Kind string `json:"kind"`
	// Name tells it from others of its kind.
	Name string `json:"name,omitempty"`
	// At is where it is reached, or kept.
	At []string `json:"at,omitempty"`
	// Operator is who runs it; Self says that the controller does. Both unset: nobody said.
	Operator *Party `json:"operator,omitempty"`
	Self     bool   `json:"run_by_controller,omitempty"`
	// Contract is where that with the operator is to be found (Art. 28).
	Contract string `json:"contract,omitempty"`
	// Purpose says what it gets data for.
	Purpose   string              `json:"purpose,omitempty"`
	Places    []transfer.Place    `json:"locations"`
	Transfers []transfer.Transfer `json:"transfers,omitempty"`
}

// Called names a system among those of its site.
func (s *RegisterSystem) Called() string { return strings.TrimSpace(s.Kind + " " + s.Name) }

// RegisterServed is an address of a site, and how the way of the employees to it is
// protected.
type RegisterServed struct {
	Address string `json:"address"`
	// Protection is tls, proxy (a trusted one says https), local, or clear.
	Protection string `json:"protection"`
	// Reason is the administrator's, where it is clear.
	Reason string `json:"reason,omitempty"`
}

// RegisterWay is where a site's requests are sent on to.
type RegisterWay struct {
	// To is an address, or what finds one at run time; "" is a handler of another
	// module, of which nothing is known.
	To string `json:"to"`
	// Protection is tls, unverified (nobody checks the certificate), local, clear, or
	// unknown.
	Protection string `json:"protection"`
	// Dynamic says that addresses are found at run time.
	Dynamic bool `json:"dynamic,omitempty"`
	// Around says that it doesn't lie behind the gate.
	Around bool `json:"around,omitempty"`
	// Reason is the administrator's, for what is unprotected or around the gate.
	Reason string `json:"reason,omitempty"`
	// Where are the places in the configuration, from the server down.
	Where []string `json:"where"`
}

// The protections of addresses and ways.
const (
	Protected   = "tls"
	ByProxy     = "proxy"
	LocalOnly   = "local"
	InClear     = "clear"
	Unverified  = "unverified"
	UnknownWays = "unknown"
)

// RegisterMeasure is one that the gateway enforces, as the configuration has it.
type RegisterMeasure struct {
	// What is a closed word.
	What string `json:"what"`
	// Value is how it is configured: words of the configuration.
	Value string `json:"value,omitempty"`
}

// about adds what is stated to the lines.
func (a *RegisterAbout) lines(add func(field, name, value string)) {
	add("system", "", a.System)
	for field, p := range map[string]*Party{
		"controller": a.Controller, "joint_controller": a.Joint, "representative": a.Representative, "responsible": a.Responsible,
	} {
		add(field, "", p.line())
	}
	if p := a.Officer; p != nil && p.Name == "" {
		add("dpo", "", "none: "+p.Contact)
	} else {
		add("dpo", "", p.line())
	}
	purposes := map[string][]string{}
	for _, p := range a.Purposes {
		purposes[p.Of] = append(purposes[p.Of], strings.Join(p.Bases, ", ")+": "+p.Text)
	}
	for of, all := range purposes {
		add("purpose", of, strings.Join(all, "; "))
	}
	stated(a.Subjects, "subjects", add)
	stated(a.Retention, "erasure", add)
	for _, m := range a.Measures {
		add("stated_measure", m, "")
	}
}

func stated(all []RegisterStated, field string, add func(field, name, value string)) {
	of := map[string][]string{}
	for _, s := range all {
		of[s.Of] = append(of[s.Of], s.Text)
	}
	for name, texts := range of {
		add(field, name, strings.Join(texts, "; "))
	}
}

func (s *RegisterSystem) lines(add func(field, name, value string)) {
	name := s.Called()
	parts := slices.Clone(s.At)
	slices.Sort(parts)
	add("kept_at", name, strings.Join(parts, ", "))
	if s.Self {
		add("operator", name, "the controller")
	} else if v := s.Operator.line(); v != "" {
		add("operator", name, v)
	}
	pair := func(field, value string) {
		if value != "" {
			add(field, name, value)
		}
	}
	pair("contract", s.Contract)
	pair("recipient_purpose", s.Purpose)
	for _, p := range s.Places {
		add("location", name+" · "+p.Country, p.String())
	}
	for i := range s.Transfers {
		add("transfer", name+" · "+s.Transfers[i].String(), "")
	}
}

// applies reports whether what is stated of something is stated of an entity.
func applies(of, entity string) bool { return of == "*" || of == entity }

// covered reports whether something is stated of each personal category of an entity: of
// the entity, of all, or of each category by itself.
func covered(e *RegisterEntity, of []string) bool {
	if slices.ContainsFunc(of, func(o string) bool { return applies(o, e.Name) }) {
		return true
	}
	return !slices.ContainsFunc(e.Categories, func(c access.Category) bool { return !slices.Contains(of, CategoryOf+string(c)) })
}
