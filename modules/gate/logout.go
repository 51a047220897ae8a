package gate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// logoutBody is the longest body of a back-channel logout in bytes.
const logoutBody = 20 << 10

// backChannel ends sessions because the provider says so (OpenID Connect
// Back-Channel Logout 1.0). Who asks is proven by the token's signature alone.
// The answer is the same whether or not anybody was signed in.
func (q *request) backChannel() {
	q.route = "backchannel_logout"
	if q.r.Method != http.MethodPost {
		q.w.Header().Set("Allow", http.MethodPost)
		q.logoutAnswer(http.StatusMethodNotAllowed, "invalid_request")
		return
	}
	raw, ok := q.logoutForm()
	if !ok {
		q.logoutAnswer(http.StatusBadRequest, "invalid_request")
		return
	}
	said, err := q.h.provider.VerifyLogout(q.r.Context(), raw)
	if err != nil {
		q.h.logger.Warn("back-channel logout refused", zap.String("request", q.id), zap.Error(err))
	}
	switch {
	case err == nil:
	case errors.Is(err, oidc.ErrLogoutToken):
		q.logoutAnswer(http.StatusBadRequest, "invalid_request")
		return
	default: // the provider's keys can't be had: it may ask again
		q.logoutAnswer(http.StatusServiceUnavailable, "temporarily_unavailable")
		return
	}
	// What is under way is finished although the provider hangs up: it may never
	// ask again.
	ctx := context.WithoutCancel(q.r.Context())
	err = q.o.sessions.Once(ctx, "logout token", q.h.provider.Issuer(), said.ID, said.Until, func() error {
		ended, err := q.o.sessions.End(ctx, q.h.provider.Issuer(), said.Subject, said.SID)
		q.ended(ended, crmgate.LogoutBackChannel)
		return err
	})
	if errors.Is(err, session.ErrUsed) {
		q.logoutAnswer(http.StatusBadRequest, "invalid_request")
		return
	}
	if err != nil {
		q.h.logger.Error("ending sessions for the provider", zap.String("request", q.id), zap.Error(err))
		q.logoutAnswer(http.StatusServiceUnavailable, "temporarily_unavailable")
		return
	}
	q.logoutAnswer(http.StatusOK, "")
}

// logoutForm reads the one parameter of a back-channel logout.
func (q *request) logoutForm() (token string, ok bool) {
	media, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" || q.r.ContentLength > logoutBody {
		return "", false
	}
	raw, err := io.ReadAll(io.LimitReader(q.r.Body, logoutBody+1))
	if err != nil || len(raw) > logoutBody {
		return "", false
	}
	return logoutParameter(string(raw))
}

// logoutParameter finds the logout token in a form. Unknown parameters are
// ignored, as the specification says; two tokens are none.
func logoutParameter(form string) (token string, ok bool) {
	v, err := url.ParseQuery(form)
	if err != nil || len(v["logout_token"]) != 1 || v["logout_token"][0] == "" {
		return "", false
	}
	return v["logout_token"][0], true
}

// logoutAnswer answers the provider.
func (q *request) logoutAnswer(status int, word string) {
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Cache-Control", "no-store")
	q.status, q.fault = status, word
	if word == "" {
		q.write(status, nil)
		return
	}
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	h.Set("Content-Type", "application/json")
	raw, err := json.Marshal(map[string]string{"error": word, "request": q.id})
	if err != nil {
		raw = []byte("{}")
	}
	q.write(status, raw)
}

// frontChannel ends the sessions that hang on a session at the provider (OpenID
// Connect Front-Channel Logout 1.0). The provider's page loads it in a frame,
// where the browser sends no cookie of ours, so the sid is all that names the
// session: it is as hard to guess as the provider makes it, and knowing one
// does no more than sign its person out.
func (q *request) frontChannel() {
	q.route = "frontchannel_logout"
	if q.r.Method != http.MethodGet {
		q.w.Header().Set("Allow", http.MethodGet)
		q.frameAnswer(http.StatusMethodNotAllowed)
		return
	}
	query := q.r.URL.Query() // each parameter once: hygiene has refused the others
	sid := query.Get("sid")
	if query.Get("iss") != q.h.provider.Issuer() || sid == "" || len(sid) > 255 {
		q.frameAnswer(http.StatusBadRequest)
		return
	}
	ended, err := q.o.sessions.End(context.WithoutCancel(q.r.Context()), q.h.provider.Issuer(), "", sid)
	if err != nil {
		q.h.logger.Error("ending sessions for the provider", zap.String("request", q.id), zap.Error(err))
		q.frameAnswer(http.StatusServiceUnavailable)
		return
	}
	q.ended(ended, crmgate.LogoutFrontChannel)
	q.frameAnswer(http.StatusOK)
}

// frameAnswer is an empty page that the provider alone may embed.
func (q *request) frameAnswer(status int) {
	h := q.w.Header()
	ownHeaders(h)
	h.Del("X-Frame-Options") // knows no list of origins; browsers take frame-ancestors
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+strings.Join(q.h.provider.LogoutHosts(), " "))
	q.status = status
	q.write(status, []byte(page.Frame))
}

// ended writes an entry for each session that was ended for its employee. They
// have ended already: an entry that can't be written stops nothing but the next
// request.
func (q *request) ended(list []session.Session, how crmgate.Logout) {
	for _, s := range list {
		q.endedRef(s.Identity, s.Ref(), how)
	}
}

func (q *request) endedRef(who session.Identity, ref string, how crmgate.Logout) {
	q.endedBy(who, ref, how, "")
}

// endedBy names in the entry's detail who ended the session, where that is
// somebody else. It reports whether there is an entry.
func (q *request) endedBy(who session.Identity, ref string, how crmgate.Logout, by string) bool {
	q.h.metrics.LoggedOut(how)
	e := q.entry(audit.Control)
	e.Event, e.Detail = audit.Revoked, how.Words()
	if by != "" { // what proves who asks is not the proof of whose session it was
		e.Detail, e.Factor, e.CRMUser = e.Detail+", "+by, "", ""
	}
	e.Employee, e.Roles = q.o.log.Employee(who.Issuer, who.Subject), who.Roles
	e.Session = q.o.log.Keyed("session", ref)
	rec, ok := q.append(e)
	if ok {
		q.auditID = rec.String()
	}
	return ok
}

// Sessions are the gate's, for an administrator; nil before the start.
func (h *Handler) Sessions() *session.Manager {
	if o := h.opened.Load(); o != nil {
		return o.sessions
	}
	return nil
}

// ActiveSessions is how many sessions this gate knows of.
func (h *Handler) ActiveSessions() int {
	if o := h.opened.Load(); o != nil {
		return o.sessions.Active()
	}
	return 0
}
