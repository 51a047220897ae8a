package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/retain"
)

// deleteTime is how long a deletion may take, with what is read before and after.
const deleteTime = time.Minute

// confirm is the second person's consent: the record is read once more, judged, and
// deleted in their own CRM session.
func (d *doing) confirm(url.Values) {
	if err := d.it.MayDecide(d.said.By); err != nil {
		d.done(nil, err)
		return
	}
	q := d.q
	own, err := q.h.profile.OwnDelete(d.it.Record)
	if err != nil {
		d.wrong(http.StatusConflict, page.Text{DE: "Wie dieser Datensatz gelöscht wird, sagt das Profil nicht mehr.", EN: "The profile doesn't say any more how this record is deleted."})
		return
	}
	if !d.clock() || !d.toCRM() {
		return
	}
	leave := d.undisturbed()
	defer leave()
	gone, ok := d.stillOverdue()
	if !ok {
		return
	}
	if !d.entry("consents to delete, asked by " + d.it.Ask.By + ": " + d.it.Ask.Why + "; " + overdueRule(d.it)) {
		return
	}
	// From here on the record is on its way, whatever happens to this process: of any
	// number of posts one gets here.
	it, err := d.site.list.Confirm(q.r.Context(), d.name, d.said)
	if !d.done(it, err) {
		return
	}
	if gone {
		d.end(true, "")
		return
	}
	a, err := q.own(&own, "the gateway's own deletion, asked by "+it.Ask.By+", consented to by "+d.said.By)
	d.note(retain.DidDelete, a)
	if err == nil && own.Failed(a.status, a.body) && a.status < 500 && a.status >= 400 {
		d.back(page.Text{
			DE: fmt.Sprintf("Das CRM hat die Löschung abgelehnt (Antwort %d). Sind Sie dort angemeldet, und dürfen Sie dort löschen? Es wurde nichts gelöscht.", a.status),
			EN: fmt.Sprintf("The CRM refused the deletion (answer %d). Are you signed in there, and may you delete there? Nothing was deleted.", a.status),
		})
		return
	}
	if err != nil {
		q.h.logger.Warn("deleting an overdue record", zap.String("request", q.id), zap.Error(err))
	}
	d.look(string(own.Remains))
}

// undisturbed lets what was begun end, though the browser goes away.
func (d *doing) undisturbed() (leave func()) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.q.r.Context()), deleteTime)
	d.q.r = d.q.r.WithContext(ctx)
	return cancel
}

// toCRM reports whether this person's own CRM session may be used; else it has answered.
func (d *doing) toCRM() bool { return d.q.introducible() && d.q.ownCRMSession() }

// stillOverdue reads the record once more. ok is false where it has answered: nothing is
// deleted then.
func (d *doing) stillOverdue() (gone, ok bool) {
	q := d.q
	if !q.h.profile.CanRead(d.it.Record.Type) {
		d.wrong(http.StatusConflict, page.Text{
			DE: "Das Profil sagt nicht, wie das Gateway diesen Datensatz liest; ungeprüft wird nichts gelöscht. Löschen Sie ihn im CRM.",
			EN: "The profile doesn't say how the gateway reads this record; nothing is deleted unchecked. Delete it in the CRM.",
		})
		return false, false
	}
	dates, facts, a, err := q.o.retain.readRecord(q, d.it.Record, "the gateway's own read, before an overdue record is deleted")
	switch {
	case errors.Is(err, errGone):
		return true, true
	case errors.Is(err, errLog):
		q.unavailable("log")
		return false, false
	case err != nil:
		q.h.logger.Warn("reading an overdue record", zap.String("request", q.id), zap.Error(err))
		d.wrong(http.StatusConflict, textNotShown(a.status))
		return false, false
	}
	v := q.h.retention.Judge(d.it.Record.Entity, dates, facts, time.Now())
	if v.Overdue {
		return false, true
	}
	if !d.entry("not deleted: no longer overdue") {
		return false, false
	}
	if err := d.site.list.Drop(q.r.Context(), d.name); err != nil && !errors.Is(err, retain.ErrStage) {
		visitor{q}.Failed("store", err)
		return false, false
	}
	d.wrong(http.StatusConflict, page.Text{
		DE: "Die Frist dieses Datensatzes läuft noch: Sein Datum hat sich geändert, oder eine Ausnahme gilt. Er ist von der Liste genommen, und es wurde nichts gelöscht.",
		EN: "This record's period isn't over: its date has changed, or an exception holds. It was taken off the list, and nothing was deleted.",
	})
	return false, false
}

func textNotShown(status int) page.Text {
	answer, wasAnswered := "", ""
	if status > 0 {
		answer, wasAnswered = fmt.Sprintf(" (Antwort %d)", status), fmt.Sprintf(" (answer %d)", status)
	}
	return page.Text{
		DE: "Das CRM hat den Datensatz nicht gezeigt" + answer + ". Melden Sie sich in diesem Browser am CRM an und versuchen Sie es noch einmal; oder die Administration gibt Ihrer Rolle ein upstream_credential. Es wurde nichts gelöscht.",
		EN: "The CRM didn't show the record" + wasAnswered + ". Sign in to the CRM in this browser and try again; or the administrator gives your role an upstream_credential. Nothing was deleted.",
	}
}

// note writes down on the list what was sent to the CRM.
func (d *doing) note(what retain.Word, a ownAnswer) {
	it, err := d.site.list.Note(d.q.r.Context(), d.name, retain.Said{What: what, By: d.said.By, At: time.Now().UTC(), Audit: a.audit, Status: a.status})
	if err != nil {
		d.q.h.logger.Error("writing down what became of an overdue record", zap.String("request", d.q.id), zap.Error(err))
		return
	}
	d.it = it
}

// back puts the record back on the list.
func (d *doing) back(wrong page.Text) {
	if !d.entry("not deleted: it is there still") {
		return
	}
	if it, err := d.site.list.Back(d.q.r.Context(), d.name, d.said); d.done(it, err) {
		d.wrong(http.StatusConflict, wrong)
	}
}

// check looks whether a record is gone that somebody deleted, or whose deletion didn't
// come to its end.
func (d *doing) check(url.Values) {
	if d.it.Stage != retain.Deleting && d.it.Stage != retain.Claimed {
		d.done(nil, retain.ErrStage)
		return
	}
	if d.q.h.profile.CanRead(d.it.Record.Type) {
		if d.toCRM() {
			defer d.undisturbed()()
			d.look(d.remains())
		}
		return
	}
	last := d.it.Rest[len(d.it.Rest)-1]
	if last.By == d.said.By || !d.q.h.Overdue.confirms(d.q.employee.roles()) {
		d.done(nil, retain.ErrSame)
		return
	}
	d.end(false, d.remains())
}

func (d *doing) remains() string {
	own, err := d.q.h.profile.OwnDelete(d.it.Record)
	if err != nil {
		return ""
	}
	return string(own.Remains)
}

// look reads the record after its deletion, and ends it where it is gone.
func (d *doing) look(remains string) {
	q := d.q
	_, _, a, err := q.o.retain.readRecord(q, d.it.Record, "the gateway's own read, to see that a record is gone")
	if errors.Is(err, errLog) {
		q.unavailable("log")
		return
	}
	d.note(retain.DidCheck, a)
	switch {
	case errors.Is(err, errGone):
		d.end(true, remains)
	case err != nil:
		q.h.logger.Warn("looking whether a record is gone", zap.String("request", q.id), zap.Error(err))
		d.wrong(http.StatusBadGateway, page.Text{
			DE: "Ob der Datensatz fort ist, ließ sich nicht feststellen. Sehen Sie es später noch einmal nach.",
			EN: "Whether the record is gone couldn't be found out. Look again later.",
		})
	default:
		d.back(page.Text{DE: "Der Datensatz ist im CRM noch da. Er steht wieder auf der Liste.", EN: "The record is still there in the CRM. It is back on the list."})
	}
}

// end makes the proof.
func (d *doing) end(gone bool, remains string) {
	q, word := d.q, "deleted, and gone as a read shows"
	if !gone {
		word = "deleted, as two people say"
	}
	if remains != "" {
		word += "; in the CRM it is " + remains
	}
	if !d.entry(word + "; " + overdueRule(d.it)) {
		return
	}
	got := q.received(d.it.Record)
	it, err := d.site.list.End(q.r.Context(), d.name, gone, remains, got)
	if !d.done(it, err) {
		return
	}
	if err := d.site.known.Forget(q.r.Context(), it.Record); err != nil {
		q.h.logger.Warn("forgetting a deleted record's dates", zap.String("request", q.id), zap.Error(err))
	}
	q.backTo(desk.OverdueRow{Name: d.name, Item: it}.Path())
}

// received are those to whom the log says that a record was disclosed; nil where it
// can't be read.
func (q *request) received(r access.Record) *retain.Received {
	rep, err := q.o.retain.services.Report(q.r.Context(), q.h.app, report.Query{Kind: report.AccessKind, Records: []string{r.String()}, Purpose: "request"}, q.auditID,
		report.Bounds{Time: 20 * time.Second, Rows: 1000, Distinct: 1000})
	if err != nil || rep.Access == nil {
		q.h.logger.Warn("reading who got a record", zap.String("request", q.id), zap.Error(err))
		return nil
	}
	got := &retain.Received{Cut: rep.Access.Unlisted > 0}
	for _, l := range rep.Logs {
		got.Cut = got.Cut || l.Cut != nil || l.Unread != "" || len(l.Destroyed) > 0
	}
	for _, by := range rep.Access.Recipients {
		got.By = append(got.By, retain.Recipient{Machine: by.Kind == "machine", Name: by.Name, Answers: by.N, Clear: by.Clear})
	}
	for i := range rep.Access.Rows {
		row := &rep.Access.Rows[i]
		exports := false
		for _, a := range row.Actions {
			exports = exports || a == access.Export
		}
		if !exports {
			continue
		}
		by := strings.Join(row.Roles, ", ")
		if row.Machine != "" {
			by = row.Machine
		}
		got.Exports = append(got.Exports, retain.Export{At: row.Time, By: by, Audit: fmt.Sprintf("%s/%d", row.Node, row.Entry)})
	}
	return got
}

const (
	// clockSlack is what two clocks may differ by, clockGap how long the log may have been
	// silent, and clockLook how far back it is looked.
	clockSlack = 2 * time.Minute
	clockGap   = 31 * 24 * time.Hour
	clockLook  = 24 * time.Hour
	clockMost  = 5000
)

// clock reports whether the time of day can be believed; else it has answered: nothing
// is deleted by a clock that goes wrong. It is wrong where the log or the list know a
// later time, where it was set within the last day, or where it leapt a month ahead.
func (d *doing) clock() bool {
	q, now := d.q, time.Now()
	wrong := now.Before(d.it.Since.Add(-clockSlack)) || d.it.Ask != nil && now.Before(d.it.Ask.At.Add(-clockSlack))
	logs, err := q.o.retain.services.Logs(q.r.Context())
	for i := 0; err == nil && i < len(logs) && !wrong; i++ {
		n, last := 0, now
		for e, bad := range logs[i].Newest(q.r.Context(), audit.Query{}, 0) {
			if err = bad; err != nil {
				break
			}
			at := e.Entry.Time
			if n++; logs[i].Own {
				wrong = wrong || last.Sub(at) > clockGap && now.Sub(last) < clockLook || e.Entry.Event == audit.ClockStep && now.Sub(at) < clockLook
			}
			wrong = wrong || at.After(now.Add(clockSlack))
			if last = at; wrong || n >= clockMost || now.Sub(at) > clockLook {
				break
			}
		}
	}
	switch {
	case err != nil:
		visitor{q}.Failed("log_read", err)
	case wrong:
		d.wrong(http.StatusConflict, page.Text{
			DE: "Die Uhr dieses Servers geht falsch oder wurde in den letzten 24 Stunden gestellt: Das Protokoll kennt andere Zeiten. Bis das geklärt ist, wird nichts gelöscht.",
			EN: "This server's clock is wrong, or was set within the last 24 hours: the log knows other times. Nothing is deleted until that is settled.",
		})
	default:
		return true
	}
	return false
}

// sawDeletion notes on the list that somebody deleted a record in the CRM itself: it has
// to be looked whether it is gone.
func (q *request) sawDeletion(status int) {
	r := q.o.retain
	if r == nil || q.x == nil || status < 200 || status >= 300 {
		return
	}
	for _, a := range q.x.Accesses {
		if a.Action != access.Delete || !q.h.retained(a.Entity) {
			continue
		}
		site, err := r.at(q.c.Host)
		if err != nil {
			return
		}
		for _, id := range a.IDs {
			name := site.list.Name(access.Record{Entity: a.Entity, Type: a.Type, ID: id})
			_, err := site.list.Claim(context.WithoutCancel(q.r.Context()), name, retain.Said{
				By: q.employee.pseudonym, At: time.Now().UTC(), Audit: q.auditID, Status: status,
			})
			if err != nil && !errors.Is(err, retain.ErrNotThere) && !errors.Is(err, retain.ErrStage) {
				r.complain(q, err)
			}
		}
	}
}
