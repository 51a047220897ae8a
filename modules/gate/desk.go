package gate

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// deskModule is the module that serves the pages of auditors.
const deskModule = "crmgate.desk"

// deskForm is the longest form of the desk in bytes.
const deskForm = 8 << 10

func (h *Handler) unmarshalDesk(d *caddyfile.Dispenser) error {
	if h.DeskRaw != nil {
		return d.Err("desk stands once in crm_gate: put all into one block")
	}
	module, err := caddyfile.UnmarshalModule(d, deskModule)
	if err != nil {
		return err
	}
	h.DeskRaw = caddyconfig.JSON(module, nil)
	return nil
}

// loadDesk loads the desk where the configuration has one.
func (h *Handler) loadDesk(ctx caddy.Context) error {
	if h.DeskRaw == nil {
		return nil
	}
	mod, err := ctx.LoadModuleByID(deskModule, h.DeskRaw)
	if err != nil {
		return fmt.Errorf("desk: %w", err)
	}
	desk, ok := mod.(crmgate.Desk)
	if !ok {
		return fmt.Errorf("the module %s is %T", deskModule, mod)
	}
	h.desk = desk
	return nil
}

// serveDesk hands a request to the desk, once it is known whose it is.
func (q *request) serveDesk() {
	if q.h.desk == nil {
		q.notFound()
		return
	}
	q.route = "desk"
	if !q.login() {
		return
	}
	if no := q.inAdvance(); no != nil {
		q.refuse(*no)
		return
	}
	switch q.r.Method {
	case http.MethodGet, http.MethodPost:
		q.h.desk.Serve(visitor{q})
	default:
		q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textNoSuchPage, header: map[string]string{"Allow": "GET, POST"}})
	}
}

// toDesk leads those who have a desk there: auditors may sign in at the CRM's own
// address, which refuses them.
func (q *request) toDesk() *page.Link {
	if q.h.desk == nil || q.employee == nil || isDesk(q.c.Path) {
		return nil
	}
	for _, w := range q.h.desk.Ways(q.employee.roles()) {
		if w.Path == crmgate.DeskPath {
			return &page.Link{Href: w.Path, Text: page.Text{DE: w.DE, EN: w.EN}}
		}
	}
	return nil
}

func isDesk(path string) bool {
	return path == crmgate.DeskPath || strings.HasPrefix(path, crmgate.DeskPath+"/") || path == crmgate.OwnPath
}

// visitor is a request at the desk.
type visitor struct{ q *request }

func (v visitor) Request() *http.Request { return v.q.r }
func (v visitor) Path() string           { return v.q.c.Path }
func (v visitor) Lang() string           { return v.q.lang() }
func (v visitor) Roles() []string        { return v.q.employee.roles() }

func (v visitor) Beside() []crmgate.Way {
	if w, ok := v.q.overdueWay(); ok {
		return []crmgate.Way{w}
	}
	return nil
}

// Employee is known from the first entry on.
func (v visitor) Employee() string {
	v.q.entry(audit.Control)
	return v.q.employee.pseudonym
}

func (v visitor) Query() url.Values {
	all := url.Values{}
	for _, p := range v.q.c.Query {
		all.Add(p.Name, p.Value)
	}
	return all
}

func (v visitor) Append(event audit.Event, detail string, keyed ...string) (string, bool) {
	e := v.q.entry(audit.Control)
	e.Event, e.Detail, e.Keyed = event, detail, keyed
	rec, ok := v.q.append(e)
	if !ok {
		v.q.unavailable("log")
		return "", false
	}
	v.q.auditID = rec.String()
	return v.q.auditID, true
}

func (v visitor) AlarmSeen(id, said string) bool {
	e := v.q.entry(audit.Control)
	e.Event, e.Detail, e.Alarm = audit.AlarmSeen, said, &audit.Alarm{Entry: id}
	e.Keyed = []string{v.q.o.log.Keyed(alarm.Word())}
	if _, ok := v.q.append(e); !ok {
		v.q.unavailable("log")
		return false
	}
	return true
}

func (v visitor) Form() (url.Values, bool) {
	q := v.q
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return nil, false
	}
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, deskForm)
	if no := q.readBody(); no == nil && q.media == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(q.body)); err == nil {
			return form, true
		}
	}
	q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
	return nil, false
}

func (v visitor) Page(status int, body []byte, policy string) {
	q := v.q
	h := q.w.Header()
	v.own(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	q.status = status
	q.write(status, body)
}

func (v visitor) own(h http.Header) {
	ownHeaders(h)
	if v.q.auditID != "" {
		h.Set("Audit-Id", v.q.auditID)
	}
}

func (v visitor) Reload(seconds int) { v.q.w.Header().Set("Refresh", strconv.Itoa(seconds)) }

func (v visitor) File(mediaType, name string) io.Writer {
	q := v.q
	h := q.w.Header()
	v.own(h)
	h.Set("Content-Type", mediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	q.status = http.StatusOK
	q.w.WriteHeader(http.StatusOK)
	return q.w
}

func (v visitor) Back(path string) { v.q.backTo(path) }

func (v visitor) Refuse(reason, de, en string) {
	v.q.refuse(refusal{reason: reason, text: text{de, en}})
}

func (v visitor) NotFound() { v.q.notFound() }

func (v visitor) Failed(reason string, err error) {
	v.q.h.logger.Error("serving the desk", zap.String("request", v.q.id), zap.String("reason", reason), zap.Error(err))
	v.q.answer(plain{
		status: http.StatusServiceUnavailable, reason: reason, text: textDeskFailed,
		header: map[string]string{"Retry-After": "5"},
	})
}

var textDeskFailed = text{
	"Das Protokoll ließ sich gerade nicht lesen. Es wird nichts angezeigt. Nennen Sie Ihrer Administration die Kennung dieser Seite.",
	"The log could not be read right now. Nothing is shown. Give this page's reference to your administrator.",
}

// startDesk hands the desk what it reads.
func (h *Handler) startDesk(s *crmgate.Services) error {
	if h.desk == nil {
		return nil
	}
	return h.desk.Open(h.app, s)
}

var _ crmgate.Visitor = visitor{}
