package gate

import (
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/retain"
)

// overdueAny reports whether one of the records is overdue as far as this employee
// goes: what they see of it is masked.
func (q *request) overdueAny(e access.Entity, typ string, ids []string) bool {
	r := q.o.retain
	if r == nil || !q.h.retained(e) || q.h.Overdue.sees(q.employee.roles()) || q.h.Overdue.observes(time.Now()) {
		return false
	}
	site, err := r.at(q.c.Host)
	if err != nil {
		return true
	}
	var facts []retain.Fact
	now := time.Now()
	site.mu.Lock()
	for _, id := range ids {
		rec := access.Record{Entity: e, Type: typ, ID: id}
		if j, ok := site.judged[rec]; ok && now.Sub(j.at) < judgedFor && !now.Before(j.at) {
			if j.overdue {
				site.mu.Unlock()
				return true
			}
			continue
		}
		facts = append(facts, retain.Fact{Record: rec, Dates: retain.Dates{}})
	}
	site.mu.Unlock()
	r.find(q, site, facts, true)
	return slices.ContainsFunc(facts, func(f retain.Fact) bool { return r.h.retention.Judge(e, f.Dates, nil, now).Overdue })
}

// mayByAge refuses what the age of a record, or a hold on it, stands against.
func (q *request) mayByAge() bool {
	return q.o.retain == nil || q.overdueFile() && q.unheld()
}

// unheld refuses to delete a record on which there is a hold. A list that can't be read
// holds everything.
func (q *request) unheld() bool {
	for _, a := range q.x.Accesses {
		if a.Action != access.Delete || !q.h.retained(a.Entity) {
			continue
		}
		site, err := q.o.retain.at(q.c.Host)
		held := false
		if err == nil {
			held, err = site.list.Held(q.r.Context(), a.Entity, append(q.h.profile.Types(a.Entity), a.Type), a.IDs)
		}
		if err != nil {
			q.o.retain.complain(q, err)
		}
		if held || err != nil {
			q.refuse(refusal{reason: "held", text: textHeld})
			return false
		}
	}
	return true
}

var textHeld = text{
	"Für diesen Datensatz gilt eine Sperre: Er darf nicht gelöscht werden. Wenden Sie sich an den Datenschutz.",
	"A hold stands against this record: it must not be deleted. Ask your data protection officer.",
}

// overdueFile refuses what can't be masked (a file, a printed page) of a record that is
// overdue, or of records that nobody can name.
func (q *request) overdueFile() bool {
	if q.x.Type != "none" && !q.x.Image {
		return true
	}
	for _, a := range q.x.Accesses {
		if a.Action == access.Delete || a.Action == access.Update || a.Action == access.Create {
			continue
		}
		unnamed := len(a.IDs) == 0 && q.h.retained(a.Entity) && !q.h.Overdue.sees(q.employee.roles()) && !q.h.Overdue.observes(time.Now())
		if unnamed || q.overdueAny(a.Entity, a.Type, a.IDs) {
			q.refuse(refusal{reason: "overdue", text: textOverdueFile})
			return false
		}
	}
	return true
}

var textOverdueFile = text{
	"Dieser Datensatz hätte schon gelöscht sein sollen, oder sein Alter ist nicht bekannt. Was sich nicht verdecken lässt, wird deshalb nicht gezeigt. Wenden Sie sich an den Datenschutz.",
	"This record should have been deleted by now, or its age isn't known. What can't be masked of it is therefore not shown. Ask your data protection officer.",
}
