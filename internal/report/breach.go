package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Breach is the body of a report on what a breach concerned: what one account did,
// or all of them in a period.
type Breach struct {
	// Account is the pseudonym; empty for all accounts.
	Account string `json:"account,omitempty"`
	Clock   *Clock `json:"clock,omitempty"`
	// Accounts counts those that asked for anything; who they are isn't said.
	Accounts int `json:"accounts"`
	// Requests is how many were made, Refused how many of them were refused,
	// Answers how many answers were released, with how many bytes.
	Requests int     `json:"requests"`
	Refused  int     `json:"refused"`
	Answers  int     `json:"answers"`
	Bytes    int64   `json:"bytes"`
	Sites    []Count `json:"sites"`
	Roles    []Count `json:"roles"`
	Actions  []Count `json:"actions"`
	// Shown counts records in answers, as often as they were shown; Unnamed those
	// rows among them that bear no id, so that nobody can tell them apart.
	Shown   int `json:"shown"`
	Unnamed int `json:"unnamed"`
	// Unread counts answers that a site released unread while it only observed:
	// anything can have been in them.
	Unread int `json:"unread"`
	// Withheld counts texts that were replaced as a whole.
	Withheld int `json:"withheld"`
	// Distinct is how many different records were shown, Clear those of which
	// something was in clear. AtLeast says that there were more than are told apart.
	Distinct int  `json:"distinct"`
	Clear    int  `json:"clear"`
	AtLeast  bool `json:"at_least,omitempty"`
	// Entities and Categories count different records.
	Entities   []Concerned `json:"entities"`
	Categories []Concerned `json:"categories"`
	// Records are those that are listed, those with something in clear first;
	// Unlisted counts the others.
	Records  []BreachRecord `json:"records"`
	Unlisted int            `json:"unlisted"`
	// Exports are requests that took records out, the newest first, and
	// UnlistedExports counts further ones.
	Exports         []Taken `json:"exports"`
	UnlistedExports int     `json:"unlisted_exports"`
	// Time is the line of time, Unit how long each step is: hour, day, week, month.
	Unit string `json:"unit"`
	Time []Step `json:"time"`
	// Account's own events (sign-ins, second factors), the newest first, and the
	// addresses it came from.
	Events    []Event `json:"events,omitempty"`
	Addresses []Count `json:"addresses,omitempty"`
}

// Clock is the one of Art. 33 (1): 72 hours from when the breach became known.
type Clock struct {
	Known    time.Time `json:"known"`
	Deadline time.Time `json:"deadline"`
	// Left are the seconds that were left when the report was made; below zero it
	// was overdue.
	Left int64 `json:"left_seconds"`
}

// NotifyWithin is how long Art. 33 (1) gives.
const NotifyWithin = 72 * time.Hour

// Overdue reports whether the time is up.
func (c Clock) Overdue() bool { return c.Left < 0 }

// Concerned counts the different records of an entity, or with a category.
type Concerned struct {
	Name  string `json:"name"`
	Clear int    `json:"clear"`
	// Masked are those of which it was masked each time.
	Masked int `json:"masked"`
}

// BreachRecord is a record that was shown.
type BreachRecord struct {
	Record string `json:"record"`
	Entity string `json:"entity"`
	// Answers is how many held it.
	Answers int               `json:"answers"`
	Clear   []access.Category `json:"clear"`
	Masked  []access.Category `json:"masked"`
	First   time.Time         `json:"first"`
	Last    time.Time         `json:"last"`
}

// Taken is an export.
type Taken struct {
	Time    time.Time `json:"time"`
	Node    string    `json:"node"`
	Entry   uint64    `json:"entry"`
	Site    string    `json:"site"`
	Entity  string    `json:"entity"`
	Records int       `json:"records"`
	Clear   int       `json:"clear"`
	Bytes   int64     `json:"bytes"`
}

// Event is what an account did with its sign-in.
type Event struct {
	Time    time.Time   `json:"time"`
	Event   audit.Event `json:"event"`
	Address string      `json:"address,omitempty"`
	Factor  string      `json:"factor,omitempty"`
}

// How much is listed beside records, and kept of requests on their way.
const (
	maxEvents    = 200
	maxAddresses = 50
	maxAccounts  = 100_000
	maxPending   = 100_000
)

// pending is what the answers of a request held, until its intent is read.
type pending struct {
	records, clear int
	bytes          int64
}

type breachMaker struct {
	body   *Breach
	bounds Bounds
	known  Names
	node   string
	// answers are those whose intents come later, that is earlier in the log.
	answers   map[uint64]*pending
	accounts  map[string]struct{}
	sites     map[string]int
	roles     map[string]int
	actions   map[string]int
	addresses map[string]int
	records   *recordSet
	time      *timeline
}

func (r *Report) breach(ctx context.Context, sources []Source, q Query, known Names, b Bounds) error {
	m := &breachMaker{
		body: &Breach{Account: q.Employee, Exports: []Taken{}}, bounds: b, known: known,
		accounts: map[string]struct{}{}, sites: map[string]int{}, roles: map[string]int{}, actions: map[string]int{}, addresses: map[string]int{},
		records: newRecordSet(b), time: newTimeline(time.Local),
	}
	r.Breach = m.body
	if q.Known.IsZero() {
		r.gap("known_not_stated")
	} else {
		known := q.Known.UTC()
		m.body.Clock = &Clock{Known: known, Deadline: known.Add(NotifyWithin), Left: int64(known.Add(NotifyWithin).Sub(r.Made) / time.Second)}
	}
	for _, what := range []string{"persons_not_told_apart", "consequences", "measures", "contact"} {
		r.gap(what)
	}
	query := audit.Query{Employee: q.Employee, Since: q.Since, Until: q.Until}
	if err := r.read(ctx, sources, []audit.Query{query}, m); err != nil {
		return err
	}
	m.settle()
	return nil
}

func (m *breachMaker) begin(_ Source, node string) { m.node, m.answers = node, map[uint64]*pending{} }

func (m *breachMaker) end(context.Context) error { return nil }

func (m *breachMaker) take(_ context.Context, s *audit.Stored) error {
	switch s.Entry.Kind {
	case audit.Intent:
		m.intent(s)
	case audit.Disclosure:
		m.disclosure(&s.Entry)
	case audit.Control:
		m.event(&s.Entry)
	}
	return nil
}

func (m *breachMaker) intent(s *audit.Stored) {
	e := &s.Entry
	if e.Piece > 1 {
		return
	}
	answer := m.answers[s.Seq]
	delete(m.answers, s.Seq)
	if answer == nil {
		answer = new(pending)
	}
	m.body.Requests++
	m.time.request(e.Time)
	m.who(e)
	if d := e.Decision; d != nil && d.Refused && !d.Observe {
		m.body.Refused++
		return
	}
	export := ""
	actions := map[string]bool{}
	for _, a := range e.Accesses {
		if a.Action != "" {
			actions[string(a.Action)] = true
		}
		if a.Action == access.Export {
			export = cmp.Or(export, string(a.Entity), a.Type, a.Route)
		}
	}
	for a := range actions {
		m.actions[a]++
	}
	if export == "" {
		return
	}
	if len(m.body.Exports) >= m.bounds.Rows {
		m.body.UnlistedExports++
		return
	}
	m.body.Exports = append(m.body.Exports, Taken{
		Time: e.Time, Node: m.node, Entry: s.Seq, Site: e.Gate, Entity: export, Records: answer.records, Clear: answer.clear, Bytes: answer.bytes,
	})
}

func (m *breachMaker) who(e *audit.Entry) {
	if len(m.accounts) < maxAccounts && e.Employee != "" {
		m.accounts[e.Employee] = struct{}{}
	}
	m.sites[e.Gate]++
	roles, others := m.known.split(e.Roles)
	for _, role := range roles {
		m.roles[role]++
	}
	if others > 0 {
		m.roles[""]++
	}
	m.address(e)
}

// address counts where an account came from. Of all accounts together it would be a
// list of everybody's addresses.
func (m *breachMaker) address(e *audit.Entry) {
	if _, had := m.addresses[e.SourceIP]; m.body.Account != "" && e.SourceIP != "" && (had || len(m.addresses) < maxAddresses) {
		m.addresses[e.SourceIP]++
	}
}

func (m *breachMaker) disclosure(e *audit.Entry) {
	if e.Piece <= 1 {
		if e.Part <= 1 {
			m.body.Answers++
		}
		m.body.Bytes += e.Bytes
	}
	p := m.answers[e.Intent]
	if p == nil {
		p = new(pending)
		if len(m.answers) < maxPending {
			m.answers[e.Intent] = p
		}
	}
	if e.Piece <= 1 {
		p.bytes += e.Bytes
	}
	d := e.Disclosure
	if d == nil {
		return
	}
	if e.Piece <= 1 {
		m.body.Unnamed, m.body.Shown, p.records = m.body.Unnamed+d.Rows, m.body.Shown+d.Rows, p.records+d.Rows
		m.body.Withheld += d.Withheld
		m.time.shown(e.Time, d.Rows, 0)
		if d.Unread {
			m.body.Unread++
		}
	}
	records, clear := 0, 0
	for i := range d.Records {
		r := &d.Records[i]
		if len(r.Treated) == 0 {
			continue // named only
		}
		records++
		if m.records.take(r, e.Time) {
			clear++
		}
	}
	m.body.Shown += records
	p.records, p.clear = p.records+records, p.clear+clear
	m.time.shown(e.Time, records, clear)
}

func (m *breachMaker) event(e *audit.Entry) {
	if m.body.Account == "" {
		return
	}
	m.address(e)
	switch e.Event {
	case audit.SignIn, audit.Refused, audit.StepUp, audit.SignOut, audit.Revoked, audit.RefreshFailed,
		audit.Enrolled, audit.FactorRemoved, audit.FactorReset, audit.Invited:
	default:
		return
	}
	if len(m.body.Events) < maxEvents {
		m.body.Events = append(m.body.Events, Event{Time: e.Time, Event: e.Event, Address: e.SourceIP, Factor: e.Factor})
	}
}

func (m *breachMaker) settle() {
	b := m.body
	b.Accounts = len(m.accounts)
	b.Sites, b.Roles, b.Actions = counts(m.sites), counts(m.roles), counts(m.actions)
	if len(m.addresses) > 0 {
		b.Addresses = counts(m.addresses)
	}
	m.records.settle(b)
	b.Unit, b.Time = m.time.steps()
	slices.SortStableFunc(b.Exports, func(x, y Taken) int { return y.Time.Compare(x.Time) })
	slices.SortStableFunc(b.Events, func(x, y Event) int { return y.Time.Compare(x.Time) })
}
