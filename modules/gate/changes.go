package gate

import (
	"net/http"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// changing is what is known of what a request changes.
type changing struct {
	// before are its writes as they are judged, before they are forwarded.
	before map[*profile.Write]restore.Before
	// read says that the CRM's answer was read; failed that it is an error, and partly
	// that it reports one beside a result.
	read, failed, partly bool
}

// judged keeps what a write was compared with, for its entry.
func (c *changing) judged(w *profile.Write, s restore.Stored, kept []int) {
	if c.before == nil {
		c.before = map[*profile.Write]restore.Before{}
	}
	c.before[w] = restore.Before{Stored: s, Kept: kept}
}

// answered takes what the CRM's answer says of it. Of reads it isn't asked.
func (c *changing) answered(x *profile.Exchange, t *doc.Tree, status int) {
	if !slices.ContainsFunc(x.Accesses, func(a access.Access) bool { return restore.Changing(a.Action) }) {
		return
	}
	c.failed, c.partly = x.Failed(t, status)
	c.read = true
}

// changes is what the request changes, with what has become of it.
func (q *request) changes(became access.Outcome) []access.Change {
	all := restore.Changes(q.x, q.changing.before)
	for i := range all {
		all[i].Outcome = became
	}
	return all
}

// became is what a request's answer says of its changes: that they were saved where the
// CRM says so, that they weren't where it refuses, and else that nobody knows.
func (l *release) became() access.Outcome {
	x, c, status := l.q.x, &l.q.changing, l.resp.status
	switch {
	case status == 0, status >= http.StatusInternalServerError, status == http.StatusRequestTimeout,
		status == http.StatusTemporaryRedirect, status == http.StatusPermanentRedirect, status == http.StatusMultiStatus:
		return access.Unsure
	case status >= http.StatusBadRequest, c.failed:
		return access.Unchanged
	case c.partly:
		return access.Unsure
	case x != nil && (x.Call != "" || x.Operations()) && !c.read, x != nil && x.Batch() != nil:
		return access.Unsure // their status says that there is an answer, and no more
	case x != nil && x.Type == "html" && status == http.StatusOK && l.q.r.Method == http.MethodPost:
		return access.Unsure // a form that was saved leads on; one that is shown again may say why it wasn't
	}
	return access.Changed
}

// changed is what a disclosure tells of changes: once, where an answer is released in
// parts.
func (l *release) changed() []access.Change {
	if l.q.x == nil || l.s != nil && l.s.released {
		return nil
	}
	return l.q.changes(l.became())
}

// nameNew gives a new record the id by which the answer names it, where there is one
// of each.
func nameNew(changes []access.Change, records []access.DisclosedRecord) {
	created := map[string]int{}
	for i := range changes {
		if changes[i].Action == access.Create {
			created[changes[i].Type]++
		}
	}
	for i := range changes {
		c := &changes[i]
		if c.Action != access.Create || len(c.IDs) > 0 || c.Outcome != access.Changed || created[c.Type] > 1 {
			continue
		}
		var ids []string
		for _, r := range records {
			if r.Type == c.Type && r.ID != "" && !slices.Contains(ids, r.ID) {
				ids = append(ids, r.ID)
			}
		}
		if len(ids) == 1 {
			c.IDs = ids
		}
	}
}

// unlisted stands for a name that the profile doesn't list, in the fields that an intent
// says are written: it is the client's own word, and could be a person's name.
const unlisted = "?"

// listedNames are the accesses without names of written fields that the client made up.
func (q *request) listedNames(all []access.Access) []access.Access {
	own := func(a *access.Access) func(access.Ref) bool {
		return func(r access.Ref) bool { return r.Role == access.RefWrite && !q.h.profile.NamesField(a.Type, r.Field) }
	}
	copied := false
	for i := range all {
		if !slices.ContainsFunc(all[i].Refs, own(&all[i])) {
			continue
		}
		if !copied {
			all, copied = slices.Clone(all), true
		}
		a := &all[i]
		is := own(a)
		a.Refs = slices.Clone(a.Refs)
		for n := range a.Refs {
			if is(a.Refs[n]) {
				a.Refs[n].Field = unlisted
			}
		}
	}
	return all
}
