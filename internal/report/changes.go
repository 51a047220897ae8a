package report

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Changed is what a request changed of a person's records, or was to: names of fields,
// never values and never a hash of one.
type Changed struct {
	Action  access.Action  `json:"action"`
	Outcome access.Outcome `json:"outcome"`
	// Fields are those that were written; Unlisted counts those that the profile doesn't
	// list by name, or of which there were too many.
	Fields   []string `json:"fields,omitempty"`
	Unlisted int      `json:"unlisted,omitempty"`
	// Unread says that the profile doesn't say which fields were written.
	Unread bool `json:"unread,omitempty"`
}

// changed adds what an answer says of changes of the person's records.
func (m *accessMaker) changed(one *seen, e *audit.Entry) {
	for i := range e.Changes {
		c := &e.Changes[i]
		own := false
		for _, id := range c.IDs {
			name := m.own(access.Record{Entity: c.Entity, Type: c.Type, ID: id})
			own = own || name != ""
			one.add(name)
		}
		if c.Action == access.Create && len(c.IDs) == 0 && e.Disclosure != nil {
			// One of several new ones: the answer doesn't say which is which.
			own = slices.ContainsFunc(e.Disclosure.Records, func(r access.DisclosedRecord) bool {
				return r.Type == c.Type && m.own(r.Record) != ""
			})
		}
		if own {
			one.change(c)
		}
	}
}

func (s *seen) change(c *access.Change) {
	i := slices.IndexFunc(s.changes, func(o Changed) bool { return o.Action == c.Action && o.Outcome == c.Outcome })
	if i < 0 {
		i = len(s.changes)
		s.changes = append(s.changes, Changed{Action: c.Action, Outcome: c.Outcome})
	}
	to := &s.changes[i]
	to.Unread = to.Unread || c.Unread
	to.Unlisted += c.More
	for n := range c.Fields {
		switch name := c.Fields[n].Name; {
		case name == "":
			to.Unlisted++
		case !slices.Contains(to.Fields, name):
			to.Fields = append(to.Fields, name)
		}
	}
}

// saves reports whether a change of a row was saved.
func (r *AccessRow) saves() bool {
	return slices.ContainsFunc(r.Changes, func(c Changed) bool { return c.Outcome == access.Changed })
}
