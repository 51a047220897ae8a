package gate

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/retain"
)

// overdueDo does what somebody pressed a button for.
func (q *request) overdueDo(site *retainSite) {
	form, ok := visitor{q}.Form()
	if !ok {
		return
	}
	it := q.onList(site, form.Get("name"))
	if it == nil {
		return
	}
	do := overdueDos()[form.Get("do")]
	if do.do == nil {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	o, roles := q.h.Overdue, q.employee.roles()
	if may := do.asks && o.sees(roles) || do.confirms && o.confirms(roles); !may {
		q.refuse(refusal{reason: "no_officer", text: textNoOfficer})
		return
	}
	d := &doing{q: q, site: site, it: it, name: form.Get("name"), said: retain.Said{By: visitor{q}.Employee()}}
	if do.why {
		var plain bool
		if d.said.Why, plain = retain.Reason(form.Get("why")); !plain {
			d.wrong(http.StatusBadRequest, textWhyMissing)
			return
		}
	}
	do.do(d, form)
}

var textWhyMissing = page.Text{
	DE: "Es fehlt ein Grund: 5 bis 300 Zeichen, in einer Zeile.",
	EN: "A reason is missing: 5 to 300 characters, in one line.",
}

// overdueDoing is what a button does, and whose it is.
type overdueDoing struct {
	// asks is for those who see overdue records, confirms for the second person.
	asks, confirms bool
	why            bool
	do             func(d *doing, form url.Values)
}

func overdueDos() map[string]overdueDoing {
	return map[string]overdueDoing{
		"ask":     {asks: true, why: true, do: (*doing).ask},
		"hold":    {asks: true, why: true, do: (*doing).hold},
		"release": {asks: true, why: true, do: (*doing).release},
		"claim":   {asks: true, why: true, do: (*doing).claim},
		"confirm": {confirms: true, do: (*doing).confirm},
		"refuse":  {confirms: true, do: (*doing).refuse},
		"check":   {asks: true, confirms: true, do: (*doing).check},
	}
}

// doing is what somebody does to a record of the list.
type doing struct {
	q    *request
	site *retainSite
	it   *retain.Item
	name string
	said retain.Said
}

// entry makes durable what is about to be done.
func (d *doing) entry(detail string) bool {
	rec, ok := d.q.overdueEntry(audit.Erasure, detail, []access.Record{d.it.Record})
	if !ok {
		d.q.unavailable("log")
		return false
	}
	d.q.auditID = rec.String()
	d.said.At, d.said.Audit = time.Now().UTC(), d.q.auditID
	return true
}

// wrong shows the record's page with what can't be done.
func (d *doing) wrong(status int, t page.Text) { d.q.showRecord(d.site, d.it, status, t, page.Text{}) }

// done leads back to the record's page, or says why nothing was done.
func (d *doing) done(it *retain.Item, err error) bool {
	if it != nil {
		d.it = it
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, retain.ErrNotThere):
		d.q.notFound()
	case errors.Is(err, retain.ErrHeld):
		d.wrong(http.StatusConflict, page.Text{DE: "Für diesen Datensatz gilt eine Sperre. Es wurde nichts gelöscht.", EN: "A hold stands against this record. Nothing was deleted."})
	case errors.Is(err, retain.ErrSame):
		d.q.refuse(refusal{reason: "no_second_person", text: textSecondPerson})
	case errors.Is(err, retain.ErrStage):
		d.wrong(http.StatusConflict, page.Text{
			DE: "Der Datensatz ist inzwischen in einem anderen Stand; sehen Sie unten nach. Es wurde jetzt nichts gelöscht.",
			EN: "The record is in another state by now; see below. Nothing was deleted just now.",
		})
	default:
		visitor{d.q}.Failed("store", err)
	}
	return false
}

var textSecondPerson = text{
	"Dafür braucht es eine zweite Person: jemand anderen als die, die die Löschung beantragt hat.",
	"That takes a second person: somebody else than who asked for the deletion.",
}

// step is one that changes the list alone.
func (d *doing) step(detail string, change func() (*retain.Item, error)) {
	if !d.entry(detail) {
		return
	}
	if it, err := change(); d.done(it, err) {
		d.q.backTo(desk.OverdueRow{Name: d.name, Item: it}.Path())
	}
}

func (d *doing) ask(url.Values) {
	if d.it.Hold != nil {
		d.done(nil, retain.ErrHeld)
		return
	}
	if d.it.Stage != retain.Open {
		d.done(nil, retain.ErrStage)
		return
	}
	if _, err := d.q.h.profile.OwnDelete(d.it.Record); err != nil {
		d.wrong(http.StatusConflict, page.Text{
			DE: "Wie dieser Datensatz gelöscht wird, sagt das Profil nicht. Löschen Sie ihn im CRM.",
			EN: "The profile doesn't say how this record is deleted. Delete it in the CRM.",
		})
		return
	}
	d.step("asks to delete: "+d.said.Why, func() (*retain.Item, error) { return d.site.list.Ask(d.q.r.Context(), d.name, d.said) })
}

func (d *doing) refuse(url.Values) {
	if err := d.it.MayDecide(d.said.By); err != nil {
		d.done(nil, err)
		return
	}
	d.step("refuses to delete, asked by "+d.it.Ask.By, func() (*retain.Item, error) { return d.site.list.Refuse(d.q.r.Context(), d.name, d.said) })
}

func (d *doing) hold(url.Values) {
	d.step("holds against deletion: "+d.said.Why, func() (*retain.Item, error) { return d.site.list.Hold(d.q.r.Context(), d.name, d.said) })
}

func (d *doing) release(url.Values) {
	d.step("releases the hold: "+d.said.Why, func() (*retain.Item, error) { return d.site.list.Release(d.q.r.Context(), d.name, d.said) })
}

func (d *doing) claim(url.Values) {
	if d.it.Hold != nil {
		d.done(nil, retain.ErrHeld)
		return
	}
	d.step("says that it is deleted in the CRM: "+d.said.Why, func() (*retain.Item, error) { return d.site.list.Claim(d.q.r.Context(), d.name, d.said) })
}

// overdueRule names a record's rule for the log.
func overdueRule(it *retain.Item) string {
	s := fmt.Sprintf("retain %s %s", it.Record.Entity, it.Rule)
	if it.Unknown {
		s += " (date unknown)"
	}
	return s
}
