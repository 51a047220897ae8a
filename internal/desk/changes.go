package desk

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// RowChange is what a request changed of the records of a row, or was to.
type RowChange struct {
	Action access.Action
	// Outcome is "" where the answer isn't at hand.
	Outcome access.Outcome
	// Fields are those that were written, as the profile names them; Unlisted counts
	// those that it doesn't name.
	Fields   []string
	Unlisted int
	// Same counts fields that were written as they were stored, More further ones.
	Same, More int
	// Unread says that the profile doesn't say which fields were written.
	Unread bool

	is []func(name string) bool
}

// takeChanges adds what an answer says of changes: with a record, of that one alone.
func (r *Row) takeChanges(e *audit.Entry, record string) {
	for i := range e.Changes {
		c := &e.Changes[i]
		if record != "" && !ofRecord(c, e.Disclosure, record) {
			continue
		}
		one := r.change(c)
		for n := range c.Fields {
			f := &c.Fields[n]
			one.is = append(one.is, func(name string) bool { return e.IsField(f, name) })
			switch {
			case f.Name == "":
				one.Unlisted++
			case !slices.Contains(one.Fields, f.Name):
				one.Fields = append(one.Fields, f.Name)
			}
		}
		for _, id := range c.IDs {
			if one := (access.Record{Entity: c.Entity, Type: c.Type, ID: id}); record == "" || isNamed(one, record) {
				r.changed = append(r.changed, one.String())
			}
		}
	}
}

// ofRecord reports whether a change is one of a record. Where several new ones were made
// at once, the answer names them, and not which is which.
func ofRecord(c *access.Change, d *access.Disclosure, record string) bool {
	named := func(id string) bool {
		return isNamed(access.Record{Entity: c.Entity, Type: c.Type, ID: id}, record)
	}
	if len(c.IDs) > 0 || c.Action != access.Create || d == nil {
		return slices.ContainsFunc(c.IDs, named)
	}
	return slices.ContainsFunc(d.Records, func(r access.DisclosedRecord) bool { return r.Type == c.Type && named(r.ID) })
}

// change is the row's line for a change: one for all records of which the same is said.
func (r *Row) change(c *access.Change) *RowChange {
	i := slices.IndexFunc(r.Changes, func(o RowChange) bool { return o.Action == c.Action && o.Outcome == c.Outcome && o.Unread == c.Unread })
	if i < 0 {
		i = len(r.Changes)
		r.Changes = append(r.Changes, RowChange{Action: c.Action, Outcome: c.Outcome, Unread: c.Unread})
	}
	one := &r.Changes[i]
	one.Same, one.More = max(one.Same, c.Same), max(one.More, c.More)
	return one
}

// tried adds what an intent alone tells of changes. Where its answer isn't at hand, what
// became of them isn't told.
func (r *Row) tried(e *audit.Entry, record string) {
	for i := range e.Accesses {
		a := &e.Accesses[i]
		c := access.Change{Entity: a.Entity, Type: a.Type, IDs: a.IDs, Action: a.Action}
		switch a.Action {
		case access.Create, access.Update, access.Delete:
		default:
			continue
		}
		if record != "" && !ofRecord(&c, nil, record) {
			continue
		}
		one := r.change(&c)
		for _, f := range a.Refs {
			if f.Role != access.RefWrite {
				continue
			}
			if slices.Contains(f.Categories, access.Unclassified) || f.Field == "?" {
				one.Unlisted++
				continue
			}
			if !slices.Contains(one.Fields, f.Field) {
				one.Fields = append(one.Fields, f.Field)
			}
			name := f.Field
			one.is = append(one.is, func(s string) bool { return strings.EqualFold(s, name) })
		}
	}
}

// changes reports whether the row tells of a change of a field.
func (r *Row) changes(field string) bool {
	return slices.ContainsFunc(r.Changes, func(c RowChange) bool {
		return slices.ContainsFunc(c.is, func(is func(string) bool) bool { return is(field) })
	})
}
