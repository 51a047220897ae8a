package gate

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/reveal"
)

// On revealPath employees ask for a field and see what became of it; on
// revealWishesPath others decide.
const (
	revealPath       = ownPrefix + "/reveal"
	revealWishesPath = revealPath + "/wishes"
)

// serveReveal answers the addresses of revealing.
func (q *request) serveReveal() {
	if q.o.revealer == nil {
		q.notFound()
		return
	}
	q.route = "reveal"
	if !q.login() {
		return
	}
	if no := q.inAdvance(); no != nil {
		q.refuse(*no)
		return
	}
	ask, decide, ok := q.mayReveal()
	switch {
	case !ok:
		return
	case q.c.Path == revealPath && !ask, q.c.Path == revealWishesPath && !decide:
		q.refuse(refusal{reason: "no_reveal", text: textNoReveal})
	case q.r.Method == http.MethodPost:
		q.postReveal()
	case q.r.Method != http.MethodGet && q.r.Method != http.MethodHead:
		q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textNoSuchPage, header: map[string]string{"Allow": "GET, HEAD, POST"}})
	case q.c.Path == revealWishesPath:
		q.showWishes(page.Text{})
	default:
		q.showReveal(visitor{q}.Query().Get("record"), revealEntered{})
	}
}

// mayReveal says whether the employee may ask for anything, and decide on anything. It
// has answered when ok is false.
func (q *request) mayReveal() (ask, decide, ok bool) {
	if q.employee.machine != "" {
		return false, false, true
	}
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil {
		visitor{q}.Failed("undecided", err)
		return false, false, false
	}
	return may.anything(), q.o.revealer.rules.Decides(q.employee.roles()), true
}

// revealWays lead to the pages that the employee has.
func (q *request) revealWays() []page.Link {
	if q.o.revealer == nil {
		return nil
	}
	var ways []page.Link
	if may, err := q.h.mayReveal(q.employee.roles()); err == nil && may.anything() {
		ways = append(ways, page.Link{Href: revealPath, Text: textReveal.onPage()})
	}
	if q.o.revealer.rules.Decides(q.employee.roles()) {
		ways = append(ways, page.Link{Href: revealWishesPath, Text: textWishes.onPage()})
	}
	return ways
}

func (q *request) postReveal() {
	form, ok := visitor{q}.Form()
	if !ok {
		return
	}
	do := form.Get("do")
	if q.c.Path == revealWishesPath {
		if do != "allow" && do != "refuse" {
			q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
			return
		}
		q.decideReveal(form.Get("wish"), do == "allow")
		return
	}
	switch do {
	case "find":
		q.findReveal(form.Get("address"))
	case "ask":
		q.askReveal(form)
	case "begin":
		q.beginReveal(form.Get("wish"))
	case "end":
		q.endReveal(form.Get("wish"))
	default:
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
	}
}

// revealEntered is what was entered before, to be shown once more with what is wrong.
type revealEntered struct {
	wrong               page.Text
	field, reason, note string
	// found are the records of an address, where one was pasted.
	found  []seen
	pasted bool
}

// maxAddress is the longest address that is looked at, in bytes.
const maxAddress = 2000

func (q *request) findReveal(address string) {
	list, ok := q.saw()
	if !ok {
		return
	}
	in := revealEntered{pasted: true}
	if len(address) <= maxAddress {
		in.found = inAddress(list, address)
	}
	if len(in.found) == 0 {
		in.wrong = textNotSeen.onPage()
	}
	q.showReveal("", in)
}

// saw lists what the employee has just seen masked. It has answered when ok is false.
func (q *request) saw() (list []seen, ok bool) {
	list, err := q.o.revealer.saw(q.r.Context(), q.c.Host, visitor{q}.Employee())
	if err != nil {
		visitor{q}.Failed("log_read", err)
		return nil, false
	}
	return list, true
}

// recordNamed finds a record by type/id among those that the employee has just seen.
func recordNamed(list []seen, name string) *seen {
	i := slices.IndexFunc(list, func(s seen) bool { return s.String() == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func (q *request) askReveal(form url.Values) {
	in := revealEntered{field: form.Get("field"), reason: form.Get("reason"), note: form.Get("note")}
	list, ok := q.saw()
	if !ok {
		return
	}
	record := recordNamed(list, form.Get("record"))
	if record == nil {
		in.wrong = textNotSeen.onPage()
		q.showReveal("", in)
		return
	}
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil {
		visitor{q}.Failed("undecided", err)
		return
	}
	fields := q.askable(may, record)
	i := slices.IndexFunc(fields, func(f askableField) bool { return f.name == in.field })
	if i < 0 {
		q.refuse(refusal{reason: "no_reveal", text: textNoReveal})
		return
	}
	note, ok := q.o.revealer.rules.Note(in.reason, in.note)
	if !ok {
		in.wrong = textWrongReveal.onPage()
		if len(in.note) > reveal.MaxNote {
			in.note = ""
		}
		q.showReveal(record.String(), in)
		return
	}
	q.wish(reveal.Wish{
		ID: q.id, Record: record.Record, Field: in.field, Categories: fields[i].cats, Reason: in.reason, Note: note,
		Session: q.employee.session.Ref(),
	})
}

// wish takes a wish in: it counts, then it is an entry, and then it shows the field or
// waits for somebody.
func (q *request) wish(w reveal.Wish) {
	r, ctx, id := q.o.revealer, q.r.Context(), q.employee.session.Identity
	of := reveal.Book{Name: id.Name, Employee: visitor{q}.Employee()}
	if of.Name == "" {
		of.Name = id.User
	}
	w, err := r.Draft(ctx, q.who(), of, w, &r.rules)
	switch {
	case errors.Is(err, reveal.ErrQuota):
		q.refuse(refusal{status: http.StatusTooManyRequests, reason: "reveal_quota", text: textRevealQuota(r.rules.Quota)})
		return
	case errors.Is(err, reveal.ErrThere):
		q.showReveal("", revealEntered{wrong: textRevealThere.onPage()})
		return
	case err != nil:
		visitor{q}.Failed("session_store", err)
		return
	}
	if r.rules.Needs(w.Categories) {
		if entry, ok := q.revealEntry(&w, "reveal asked"); ok {
			q.revealDone(r.Asked(ctx, q.who(), w.ID, entry), revealPath)
		}
		return
	}
	if entry, ok := q.revealEntry(&w, fmt.Sprintf("reveal for %s", r.rules.Lasts)); ok {
		q.revealDone(r.Begin(ctx, q.who(), w.ID, q.employee.session.Ref(), entry, &r.rules), revealPath)
	}
}

// revealEntry is the entry of a step: who, which field of which record, why.
func (q *request) revealEntry(w *reveal.Wish, what string) (string, bool) {
	e := q.entry(audit.Control)
	e.Event = audit.Revealed
	e.Accesses = []access.Access{{
		Route: "reveal", Action: access.Reveal, Entity: w.Record.Entity, Type: w.Record.Type, IDs: []string{w.Record.ID},
		Refs: []access.Ref{{Role: access.RefSelect, Entity: w.Record.Entity, Field: w.Field, Categories: w.Categories}},
	}}
	e.Detail = fmt.Sprintf("%s: %s (%s), reason %s: %s; wish %s", what, w.Field, joined(w.Categories), w.Reason, w.Note, w.ID)
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return "", false
	}
	q.auditID = rec.String()
	return q.auditID, true
}

// revealDone leads back to a page after a step, or says why it wasn't done.
func (q *request) revealDone(err error, to string) {
	switch {
	case err == nil:
		q.backTo(to)
	case errors.Is(err, reveal.ErrGone) && to == revealWishesPath:
		q.showWishes(textRevealGone.onPage())
	case errors.Is(err, reveal.ErrGone):
		q.showReveal("", revealEntered{wrong: textRevealGone.onPage()})
	default:
		visitor{q}.Failed("session_store", err)
	}
}

// own finds one of the employee's wishes. It has answered when it returns nil.
func (q *request) ownWish(id string) *reveal.Wish {
	book, err := q.o.revealer.Book(q.r.Context(), q.who())
	if err != nil {
		visitor{q}.Failed("session_store", err)
		return nil
	}
	w := book.Find(id)
	if w == nil {
		q.revealDone(reveal.ErrGone, revealPath)
	}
	return w
}

// beginReveal shows a field that somebody has allowed, from now on.
func (q *request) beginReveal(id string) {
	r, w := q.o.revealer, q.ownWish(id)
	if w == nil {
		return
	}
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil || !w.MayBegin(r.Now()) || !slices.ContainsFunc(w.Categories, func(c access.Category) bool { return may.perhaps(w.Record.Entity, c) }) {
		q.revealDone(reveal.ErrGone, revealPath)
		return
	}
	entry, ok := q.revealEntry(w, fmt.Sprintf("reveal for %s, allowed by %s", r.rules.Lasts, w.Decider))
	if !ok {
		return
	}
	q.revealDone(r.Begin(q.r.Context(), q.who(), w.ID, q.employee.session.Ref(), entry, &r.rules), revealPath)
}

// endReveal masks a field again, or takes a wish back. It takes effect before it is
// an entry: the other way round, a log that can't be written would keep a field shown.
func (q *request) endReveal(id string) {
	w := q.ownWish(id)
	if w == nil {
		return
	}
	if err := q.o.revealer.End(q.r.Context(), q.who(), id); err != nil {
		q.revealDone(err, revealPath)
		return
	}
	if _, ok := q.revealEntry(w, "reveal ended"); ok {
		q.backTo(revealPath)
	}
}

// decideReveal takes the second person's yes or no.
func (q *request) decideReveal(id string, yes bool) {
	r, ctx, me := q.o.revealer, q.r.Context(), visitor{q}.Employee()
	all, err := r.Pending(ctx, q.site())
	if err != nil {
		visitor{q}.Failed("session_store", err)
		return
	}
	i := slices.IndexFunc(all, func(p reveal.Pending) bool { return p.ID == id })
	if i < 0 {
		q.revealDone(reveal.ErrGone, revealWishesPath)
		return
	}
	p := &all[i]
	if p.Book.Employee == me {
		q.refuse(refusal{reason: "no_second_person", text: textNotOneself})
		return
	}
	if !r.rules.MayDecide(q.employee.roles(), p.Categories) {
		q.refuse(refusal{reason: "no_reveal", text: textNoReveal})
		return
	}
	if err := r.Claim(ctx, p.Who, p.ID, me); err != nil {
		q.revealDone(err, revealWishesPath)
		return
	}
	what := "reveal refused to "
	if yes {
		what = "reveal allowed to "
	}
	if entry, ok := q.revealEntry(&p.Wish, what+p.Book.Employee); ok {
		q.revealDone(r.Decide(ctx, p.Who, p.ID, me, yes, entry), revealWishesPath)
	}
}
