package gate

import (
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// sessionsPath shows an employee's own sessions.
const sessionsPath = ownPrefix + "/sessions"

// The field of the page's buttons: the name of a session, or othersValue.
const (
	endField    = "end"
	othersValue = "others"
	// endBody is the longest body of a button in bytes.
	endBody = 1 << 10
)

// ownSessions shows where the employee is signed in, and ends what they say.
func (q *request) ownSessions() {
	q.route = "sessions"
	if !q.login() {
		return
	}
	switch q.r.Method {
	case http.MethodPost:
		q.endOwn()
		return
	case http.MethodGet, http.MethodHead:
		q.listOwn()
		return
	}
	q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textRequestBody, header: map[string]string{"Allow": "GET, HEAD, POST"}})
}

func (q *request) listOwn() {
	list, ok := q.mine()
	if !ok {
		return
	}
	p := page.Page{
		Status: http.StatusOK, Title: page.Text{DE: "Ihre Sitzungen", EN: "Your sessions"},
		Text: page.Text{
			DE: "Hier sind Sie gerade angemeldet. Kennen Sie eine Sitzung nicht, beenden Sie sie und sagen Sie Ihrer Administration Bescheid.",
			EN: "This is where you are signed in at present. If you don't recognise a session, end it and tell your administrator.",
		},
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
	}
	if q.administrates() {
		p.Also = &page.Link{Href: allSessionsPath, Text: page.Text{DE: "Alle Sitzungen", EN: "All sessions"}}
	}
	for _, l := range list {
		p.Rows = append(p.Rows, sessionRow(l))
	}
	if len(list) > 1 {
		p.Form = &page.Form{
			Action: sessionsPath, Name: endField, Value: othersValue,
			Text: page.Text{DE: "Alle anderen beenden", EN: "End all others"},
		}
	}
	q.showPage(p)
}

// mine lists the employee's sessions, or answers that it can't be done.
func (q *request) mine() ([]session.Listed, bool) {
	s := q.employee.session
	list, err := q.o.sessions.List(q.r.Context(), s.Identity.Issuer, s.Identity.Subject, s.Ref())
	if err != nil {
		q.h.logger.Error("listing sessions", zap.String("request", q.id), zap.Error(err))
		q.unavailable("session_store")
		return nil, false
	}
	return list, true
}

func sessionRow(l session.Listed) page.Row {
	row := page.Row{
		Title: page.Text{DE: "Unbekannter Browser", EN: "Unknown browser"},
		Facts: []page.Fact{
			{Name: page.Text{DE: "Angemeldet", EN: "Signed in"}, Value: moment(l.Created)},
			{Name: page.Text{DE: "Zuletzt benutzt", EN: "Last used"}, Value: moment(l.Used)},
			{Name: page.Text{DE: "Endet spätestens", EN: "Ends at the latest"}, Value: moment(l.Expires)},
		},
		Form: &page.Form{
			Action: sessionsPath, Name: endField, Value: l.Ref,
			Text: page.Text{DE: "Sitzung beenden", EN: "End session"},
		},
	}
	if l.From.Agent != "" {
		row.Title = page.Text{DE: l.From.Agent, EN: l.From.Agent}
	}
	if l.From.IP != "" {
		row.Facts = append(row.Facts, page.Fact{
			Name: page.Text{DE: "Adresse", EN: "Address"}, Value: page.Text{DE: l.From.IP, EN: l.From.IP},
		})
	}
	if l.Current {
		row.Mark = page.Text{DE: "diese Sitzung", EN: "this session"}
		row.Form = &page.Form{Action: ownPrefix + "/sign-out", Text: page.Text{DE: "Abmelden", EN: "Sign out"}}
	}
	return row
}

// moment shows a time in the server's zone, which it names.
func moment(t time.Time) page.Text {
	t = t.Local()
	return page.Text{DE: t.Format("02.01.2006, 15:04 Uhr (MST)"), EN: t.Format("2 Jan 2006, 15:04 (MST)")}
}

// endOwn ends another one of the employee's sessions, or all others. What other
// sites send is refused, and they couldn't name a session: no answer that they
// can read holds its name.
func (q *request) endOwn() {
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return
	}
	which, ok := q.endWhich()
	if !ok {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	list, ok := q.mine()
	if !ok {
		return
	}
	me := q.employee.session.Identity
	for _, l := range list {
		if l.Current || (which != othersValue && l.Ref != which) {
			continue
		}
		there, err := q.o.sessions.RevokeRef(q.r.Context(), me.Issuer, me.Subject, l.Ref)
		if err != nil {
			q.h.logger.Error("ending a session", zap.String("request", q.id), zap.Error(err))
			q.unavailable("session_store")
			return
		}
		if there {
			q.endedRef(me, l.Ref, crmgate.LogoutOther)
		}
	}
	q.backTo(sessionsPath)
}

// endWhich reads which session is meant.
func (q *request) endWhich() (string, bool) {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, endBody)
	if no := q.readBody(); no != nil || q.media != "application/x-www-form-urlencoded" {
		return "", false
	}
	v, err := url.ParseQuery(string(q.body))
	if err != nil || len(v[endField]) != 1 || v[endField][0] == "" {
		return "", false
	}
	return v[endField][0], true
}
