package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Access is the body of a report on a person's accesses. It names no employee:
// roles, and no pseudonyms, addresses, sessions or texts that somebody entered.
type Access struct {
	Records []string `json:"records"`
	// Requests is how many requests asked for the records or were shown them,
	// Refused those of them that were refused.
	Requests int `json:"requests"`
	Refused  int `json:"refused"`
	// First and Last are the times of the first and the last.
	First *time.Time `json:"first,omitempty"`
	Last  *time.Time `json:"last,omitempty"`
	// Categories are what was shown, over all requests.
	Categories []CategorySum `json:"categories"`
	// Recipients are who was shown something: roles and machines.
	Recipients []Recipient `json:"recipients"`
	// Exports is how many of the requests took the data out as an export.
	Exports int `json:"exports"`
	// Changes is how many of the requests changed the records.
	Changes int `json:"changes"`
	// Rows are the requests, the oldest first. Unlisted counts those before the
	// first row that are only in the sums.
	Rows     []AccessRow `json:"rows"`
	Unlisted int         `json:"unlisted"`
}

// CategorySum counts the requests in which a category was shown.
type CategorySum struct {
	Category access.Category `json:"category"`
	Clear    int             `json:"clear"`
	Masked   int             `json:"masked"`
	// LastClear is when it was shown in clear last.
	LastClear *time.Time `json:"last_clear,omitempty"`
}

// Recipient is a role, or a machine, and how many answers it was shown.
type Recipient struct {
	Kind string `json:"kind"` // role, machine, other
	Name string `json:"name,omitempty"`
	N    int    `json:"answers"`
	// Clear counts those answers in which something was in clear.
	Clear int `json:"clear"`
}

// The outcomes of a request.
const (
	OutcomeShown   = "shown"   // an answer held a record; Shown says how
	OutcomeNamed   = "named"   // an answer named it, and showed nothing of it
	OutcomeWrote   = "wrote"   // no answer held it, but one tells of a change: Changes says which
	OutcomeRefused = "refused" // nothing was forwarded
	OutcomeNone    = "none"    // no answer that holds it was logged
	OutcomeUnread  = "unread"  // the site only observed, and read no answer: take it for clear
)

// AccessRow is one request.
type AccessRow struct {
	Time time.Time `json:"time"`
	// Node and Entry are the place of its intent in the log.
	Node  string `json:"node"`
	Entry uint64 `json:"entry"`
	Site  string `json:"site"`
	// Roles are those of the employee that a policy names, OtherRoles counts the
	// others. Machine is set in place of an employee.
	Roles      []string        `json:"roles"`
	OtherRoles int             `json:"other_roles,omitempty"`
	Machine    string          `json:"machine,omitempty"`
	Actions    []access.Action `json:"actions"`
	// Records are those of the person that it was about.
	Records []string `json:"records"`
	Outcome string   `json:"outcome"`
	// Reason is the closed word of a refusal.
	Reason string `json:"reason,omitempty"`
	// Purpose is of a closed list, where somebody has stated one.
	Purpose string `json:"purpose,omitempty"`
	// Shown is how each category was shown, the most revealing first.
	Shown []Shown `json:"shown"`
	// Changes are what it changed of the records, or was to.
	Changes []Changed `json:"changes,omitempty"`
	// Observed says that the site masked and refused nothing then.
	Observed bool `json:"observed,omitempty"`
}

// seen is a request on its way into the report.
type seen struct {
	seq     uint64
	intent  *audit.Stored
	answer  *audit.Entry // the last that was found: for who it was
	records []string
	treated map[access.Category]access.Treatment
	held    bool
	changes []Changed
}

type accessMaker struct {
	report *Report
	body   *Access
	query  Query
	known  Names
	bounds Bounds
	src    Source
	node   string
	// open are requests of which more can follow, by the number of the intent: a
	// disclosure stands behind its intent.
	open map[uint64]*seen
	sums map[access.Category]*CategorySum
	to   map[Recipient]*Recipient
}

func (r *Report) access(ctx context.Context, sources []Source, q Query, known Names, b Bounds) error {
	m := &accessMaker{
		report: r, query: q, known: known, bounds: b, sums: map[access.Category]*CategorySum{}, to: map[Recipient]*Recipient{},
		body: &Access{Records: q.Records, Rows: []AccessRow{}, Categories: []CategorySum{}, Recipients: []Recipient{}},
	}
	r.Access = m.body
	r.gap("purposes_not_recorded")
	if err := r.read(ctx, sources, m.queries(), m); err != nil {
		return err
	}
	m.settle()
	return nil
}

func (r *Report) gap(what string) { r.Gaps = append(r.Gaps, Gap{What: what}) }

func (m *accessMaker) queries() []audit.Query {
	var all []audit.Query
	for _, record := range m.query.Records {
		all = append(all, audit.Query{Record: record, Since: m.query.Since, Until: m.query.Until})
	}
	return all
}

func (m *accessMaker) begin(src Source, node string) {
	m.src, m.node, m.open = src, node, map[uint64]*seen{}
}

// take takes an entry that names one of the records.
func (m *accessMaker) take(ctx context.Context, s *audit.Stored) error {
	if err := m.close(ctx, s.Seq); err != nil {
		return err
	}
	e := &s.Entry
	seq := s.Seq
	switch {
	case e.Kind == audit.Disclosure:
		seq = e.Intent
	case e.Kind != audit.Intent:
		return nil
	case e.Piece > 1:
		seq -= uint64(e.Piece - 1)
	}
	one := m.open[seq]
	if one == nil {
		one = &seen{seq: seq, treated: map[access.Category]access.Treatment{}}
		m.open[seq] = one
	}
	if e.Kind == audit.Intent {
		if e.Piece <= 1 {
			one.intent = slim(s)
		}
		m.asked(one, e)
		return nil
	}
	m.shown(one, e)
	return nil
}

// close makes rows of the requests that began behind a number. Their intents are
// read where they didn't name the record.
func (m *accessMaker) close(ctx context.Context, at uint64) error {
	for seq, s := range m.open {
		if seq <= at {
			continue
		}
		if err := m.ask(ctx, s); err != nil {
			return err
		}
		delete(m.open, seq)
		m.count(s)
	}
	return nil
}

// ask reads the intent of a request where it didn't name the record.
func (m *accessMaker) ask(ctx context.Context, s *seen) error {
	if s.intent != nil {
		return nil
	}
	found, err := m.src.One(ctx, s.seq)
	if err == nil && found != nil && found.Entry.Kind == audit.Intent {
		s.intent = slim(found)
	}
	return err
}

// end makes rows of the rest; what was cut off has no intent.
func (m *accessMaker) end(ctx context.Context) error {
	var failed error
	for _, s := range m.open {
		if failed == nil {
			failed = m.ask(ctx, s)
		}
		m.count(s)
	}
	return failed
}

// slim keeps of an intent what a row is made of: an access can name thousands of ids.
func slim(s *audit.Stored) *audit.Stored {
	e := s.Entry
	k := audit.Entry{Time: e.Time, Roles: e.Roles, Factor: e.Factor, Gate: e.Gate, Decision: e.Decision, Observed: e.Observed}
	for _, a := range e.Accesses {
		k.Accesses = append(k.Accesses, access.Access{Action: a.Action, Entity: a.Entity, Type: a.Type})
	}
	return &audit.Stored{Seq: s.Seq, Entry: k}
}

// asked adds the records that an intent asked for.
func (m *accessMaker) asked(one *seen, e *audit.Entry) {
	for _, a := range e.Accesses {
		for _, id := range a.IDs {
			one.add(m.own(access.Record{Entity: a.Entity, Type: a.Type, ID: id}))
		}
	}
}

// shown adds how the records were shown.
func (m *accessMaker) shown(one *seen, e *audit.Entry) {
	one.answer = &audit.Entry{Time: e.Time, Roles: e.Roles, Factor: e.Factor, Gate: e.Gate, Observed: e.Observed}
	m.changed(one, e)
	if e.Disclosure == nil {
		return
	}
	for _, d := range e.Disclosure.Records {
		if m.own(d.Record) == "" {
			continue
		}
		one.add(d.String())
		one.held = true
		for c, how := range d.Treated {
			if had, ok := one.treated[c]; !ok || how > had {
				one.treated[c] = how
			}
		}
	}
}

func (s *seen) add(record string) {
	if record != "" && !slices.Contains(s.records, record) {
		s.records = append(s.records, record)
	}
}

// own returns a record's name where it is one of the person's, "" for those of others.
func (m *accessMaker) own(r access.Record) string {
	if slices.ContainsFunc(m.query.Records, func(name string) bool { return named(r, name) }) {
		return r.String()
	}
	return ""
}

func (m *accessMaker) count(s *seen) {
	row := m.row(s)
	m.body.Requests++
	if row.Outcome == OutcomeRefused {
		m.body.Refused++
	}
	if slices.Contains(row.Actions, access.Export) && s.held {
		m.body.Exports++
	}
	if row.saves() {
		m.body.Changes++
	}
	at := row.Time
	if m.body.First == nil || at.Before(*m.body.First) {
		m.body.First = &at
	}
	if m.body.Last == nil || at.After(*m.body.Last) {
		m.body.Last = &at
	}
	clear := m.countShown(&row)
	if row.Outcome == OutcomeShown || row.Outcome == OutcomeUnread {
		m.countTo(&row, clear || row.Outcome == OutcomeUnread)
	}
	if len(m.body.Rows) >= m.bounds.Rows {
		m.body.Unlisted++
		return
	}
	m.body.Rows = append(m.body.Rows, row)
}

func (m *accessMaker) countShown(row *AccessRow) (clear bool) {
	for _, s := range row.Shown {
		sum := m.sums[s.Category]
		if sum == nil {
			sum = &CategorySum{Category: s.Category}
			m.sums[s.Category] = sum
		}
		if s.Treatment != access.Clear {
			sum.Masked++
			continue
		}
		clear = true
		sum.Clear++
		if at := row.Time; sum.LastClear == nil || at.After(*sum.LastClear) {
			sum.LastClear = &at
		}
	}
	return clear
}

func (m *accessMaker) countTo(row *AccessRow, clear bool) {
	var to []Recipient
	for _, role := range row.Roles {
		to = append(to, Recipient{Kind: "role", Name: role})
	}
	if row.Machine != "" {
		to = []Recipient{{Kind: "machine", Name: row.Machine}}
	} else if len(row.Roles) == 0 {
		to = []Recipient{{Kind: "other"}}
	}
	for _, key := range to {
		sum := m.to[key]
		if sum == nil {
			one := key
			sum = &one
			m.to[key] = sum
		}
		sum.N++
		if clear {
			sum.Clear++
		}
	}
}

// settle sorts what was found.
func (m *accessMaker) settle() {
	slices.SortStableFunc(m.body.Rows, func(a, b AccessRow) int { return a.Time.Compare(b.Time) })
	for _, c := range access.Categories() {
		if sum := m.sums[c]; sum != nil {
			m.body.Categories = append(m.body.Categories, *sum)
		}
	}
	for _, to := range m.to {
		m.body.Recipients = append(m.body.Recipients, *to)
	}
	slices.SortFunc(m.body.Recipients, func(a, b Recipient) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.Kind+a.Name, b.Kind+b.Name)
	})
}
