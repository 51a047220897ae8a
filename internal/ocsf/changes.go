package ocsf

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// changed is what a disclosure says of a change: names of fields that are the profile's,
// no hash of a value, and no name that a client made up.
type changed struct {
	Action  access.Action  `json:"action"`
	Outcome access.Outcome `json:"outcome"`
	Fields  []string       `json:"changed_fields,omitempty"`
	// Unlisted counts fields that aren't named here, Unnamed records.
	Unlisted int `json:"unlisted_fields,omitempty"`
	Unnamed  int `json:"unnamed,omitempty"`
}

// changes tells of what was changed. The event is that of its first change.
func (v *event) changes(e *audit.Entry) {
	for i := range e.Changes {
		c := &e.Changes[i]
		if i == 0 {
			v.ActivityID, v.ActivityName = activity(c.Action)
			v.became(c.Outcome)
		}
		data := &changed{Action: c.Action, Outcome: c.Outcome, Unlisted: c.More}
		for n := range c.Fields {
			f := &c.Fields[n]
			if f.Name == "" || slices.Contains(f.Categories, access.Unclassified) {
				data.Unlisted++
				continue
			}
			data.Fields = append(data.Fields, f.Name)
		}
		v.changedRecords(c, data)
	}
}

func (v *event) changedRecords(c *access.Change, data *changed) {
	first := true
	for _, id := range c.IDs {
		if !isID(id) {
			data.Unnamed++
			continue
		}
		r := webResource{UID: id, Name: c.Type + "/" + id, Type: string(c.Entity)}
		if first { // what was changed is said once
			r.Data, first = data, false
		}
		v.WebResources = append(v.WebResources, r)
	}
	if first {
		name := c.Type
		if name == "" {
			name = string(c.Entity)
		}
		v.WebResources = append(v.WebResources, webResource{Name: name, Type: string(c.Entity), Data: data})
	}
}

// became says what has become of a change.
func (v *event) became(o access.Outcome) {
	switch o {
	case access.Changed:
		v.Message = "changed"
	case access.Unchanged:
		v.StatusID, v.Message = statusFailure, "not changed"
	default:
		v.StatusID, v.Message = statusOther, "not known whether changed"
	}
}
