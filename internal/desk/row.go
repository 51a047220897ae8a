package desk

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/report"
)

// Row is one line of the pages: a request with what its answer disclosed, or a
// control entry.
type Row struct {
	// Seq is the number of the intent, or of the control entry.
	Seq uint64
	// Node is the one whose log it stands in, "" where there is one log.
	Node     string
	Time     time.Time
	Employee string
	Roles    []string
	Site     string
	// Event is set for a control entry, with its Detail.
	Event  audit.Event
	Detail string

	Actions  []access.Action
	Entities []string
	// Records are the first few of the records that were shown or asked for,
	// More counts the others.
	Records []string
	More    int
	// Unnamed counts rows of the answer without a record.
	Unnamed int
	// Asked are the fields that the request asked about.
	Asked []string
	// Shown says how each category in the answer was treated, the most revealing
	// first.
	Shown []Shown

	// Changes are what it changed, or was to.
	Changes []RowChange

	Refused bool
	// Reason and Line say why; Status is what was answered, 0 where no answer of
	// this row was found.
	Reason, Line string
	Status       int
	Error        string
	// Observed says that nothing was masked or refused then.
	Observed bool

	// changed are records of changes, for an answer that names none.
	changed []string
	// entries are those that the row was made of, where they were asked for.
	entries []audit.Stored
}

// Shown is how a category was treated in an answer: its most revealing treatment.
type Shown = report.Shown

// shownRecords is how many records a row names on a page, writtenRecords in a CSV:
// a cell of a spreadsheet holds 32,767 characters.
const (
	shownRecords   = 4
	writtenRecords = 500
)

// newRow makes a row of a request's entries: of its intent, if there is one, and
// its disclosures. With a record, it tells of that one alone. It names so many
// records, 0: those of a page.
func newRow(intent *audit.Stored, disclosures []audit.Stored, record string, records int) *Row {
	r := &Row{}
	if intent != nil {
		r.takeIntent(intent)
	}
	var ids []string
	treated := map[access.Category]access.Treatment{}
	for i := range slices.Backward(disclosures) { // as they were written
		e := &disclosures[i].Entry
		if intent == nil && r.Seq == 0 {
			r.Seq = e.Intent
			r.takeWho(e)
		}
		r.Status, r.Error = e.Status, cmp.Or(r.Error, e.Error)
		if e.Disclosure != nil {
			r.Unnamed += e.Disclosure.Rows
			ids = append(ids, r.takeRecords(e.Disclosure.Records, record, treated)...)
		}
		r.takeChanges(e, record)
	}
	if intent != nil && len(disclosures) == 0 && !r.Refused {
		r.tried(&intent.Entry, record)
	}
	ids = append(ids, r.changed...)
	if ids != nil {
		r.Records = ids
	}
	r.settle(treated, cmp.Or(records, shownRecords))
	return r
}

// takeRecords adds how records were treated, and returns which they are.
func (r *Row) takeRecords(
	records []access.DisclosedRecord, record string, treated map[access.Category]access.Treatment,
) (ids []string) {
	for _, d := range records {
		if record != "" && !isNamed(d.Record, record) {
			continue
		}
		ids = append(ids, d.String())
		r.Entities = append(r.Entities, string(d.Entity), d.Type)
		for c, how := range d.Treated {
			if had, ok := treated[c]; !ok || how > had {
				treated[c] = how
			}
		}
	}
	return ids
}

func isNamed(r access.Record, record string) bool {
	return record == r.String() || record == string(r.Entity)+"/"+r.ID
}

func (r *Row) takeWho(e *audit.Entry) {
	r.Time, r.Employee, r.Roles, r.Site = e.Time, e.Employee, e.Roles, e.Gate
	r.Observed = e.Observed != nil && e.Event == ""
}

func (r *Row) takeIntent(s *audit.Stored) {
	e := &s.Entry
	r.Seq = s.Seq
	r.takeWho(e)
	r.Event, r.Detail, r.Error = e.Event, e.Detail, e.Error
	if d := e.Decision; d != nil {
		r.Refused, r.Reason, r.Line = d.Refused && !d.Observe, d.Reason, d.Line
	}
	for _, a := range e.Accesses {
		if a.Action != "" {
			r.Actions = append(r.Actions, a.Action)
		}
		if a.Entity != "" {
			r.Entities = append(r.Entities, string(a.Entity), a.Type)
		}
		for _, id := range a.IDs {
			r.Records = append(r.Records, a.Type+"/"+id)
		}
		for _, f := range a.Refs {
			if f.Role.Asks() {
				r.Asked = append(r.Asked, f.Field)
			}
		}
	}
}

// settle takes out what is said twice, and bounds the rest.
func (r *Row) settle(treated map[access.Category]access.Treatment, records int) {
	r.Actions, r.Entities = once(r.Actions), once(r.Entities)
	r.Records, r.Asked = once(r.Records), once(r.Asked)
	if len(r.Records) > records {
		r.Records, r.More = r.Records[:records], len(r.Records)-records
	}
	for _, c := range slices.Sorted(maps.Keys(treated)) {
		if c != access.Public {
			r.Shown = append(r.Shown, Shown{Category: c, Treatment: treated[c]})
		}
	}
	slices.SortStableFunc(r.Shown, func(a, b Shown) int { return cmp.Compare(b.Treatment, a.Treatment) })
}

// once keeps the first of equal ones, and none that is empty.
func once[T comparable](all []T) []T {
	var none T
	var out []T
	for _, v := range all {
		if v != none && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
