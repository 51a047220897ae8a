package provider

import (
	"errors"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The cookies: which browser this is, and who is signed in there.
const (
	cookieBrowser = "demo_idp_browser"
	cookieSession = "demo_idp_session"
)

// formMax bounds the body of a sign-in form.
const formMax = 16 << 10

// begin shows the page that the request needs next, or none at all where the
// browser's session is good enough.
func (p *pages) begin(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	browser := cookie(r, cookieBrowser)
	if browser == "" {
		browser = newID()
		p.setCookie(w, cookieBrowser, browser)
	}
	req, err := p.state.open(id, browser)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if req.pending.subject != "" {
		p.askCode(w, r, req, http.StatusOK, notice{})
		return
	}
	earlier := p.state.session(cookie(r, cookieSession))
	next := req.next(earlier, p.state.bySubject(earlier.subject), p.config.Now())
	switch {
	case next == stageDone:
		if err := p.state.reuse(id, browser, earlier); err != nil {
			p.refuse(w, r, err)
			return
		}
		p.back(w, r, id)
	case req.prompts(oidc.PromptNone):
		op.AuthRequestError(w, r, &req, oidc.ErrLoginRequired(), p.library)
	case next == stageCode:
		if err := p.state.await(id, browser, earlier); err != nil {
			p.refuse(w, r, err)
			return
		}
		p.toLogin(w, r, id)
	default:
		p.askPassword(w, r, req, http.StatusOK, notice{})
	}
}

// password takes the first form.
func (p *pages) password(w http.ResponseWriter, r *http.Request) {
	req, ok := p.posted(w, r)
	if !ok {
		return
	}
	login := normalLogin(r.PostFormValue("login"))
	now := p.config.Now()
	e := p.state.byLogin(login)
	right, wait := p.state.attempts.try(login, now, func() bool {
		// An unknown login takes the same way: a comparison that fails.
		want := newID()
		if e != nil {
			want = e.Password
		}
		return same(r.PostFormValue("password"), want) && e != nil
	})
	switch {
	case wait > 0:
		p.askPassword(w, r, req, http.StatusTooManyRequests, notice{key: "locked", wait: wait, login: login})
	case !right:
		p.askPassword(w, r, req, http.StatusForbidden, notice{key: "wrong_password", login: login})
	case req.demanded != "" && req.demanded != e.Subject:
		p.askPassword(w, r, req, http.StatusForbidden, notice{key: "wrong_employee", login: login})
	case e.TOTPSecret != "" && req.wantsCode():
		if err := p.state.await(req.id, req.browser, proof{subject: e.Subject, authTime: now}); err != nil {
			p.refuse(w, r, err)
			return
		}
		p.toLogin(w, r, req.id)
	default:
		p.complete(w, r, req, e, proof{subject: e.Subject, authTime: now})
	}
}

// code takes the second form.
func (p *pages) code(w http.ResponseWriter, r *http.Request) {
	req, ok := p.posted(w, r)
	if !ok {
		return
	}
	e := p.state.bySubject(req.pending.subject)
	if e == nil {
		p.toLogin(w, r, req.id)
		return
	}
	now := p.config.Now()
	right, wait := p.state.attempts.try(e.Login, now, func() bool {
		return codeMatches(e.TOTPSecret, r.PostFormValue("code"), now)
	})
	switch {
	case wait > 0:
		p.askCode(w, r, req, http.StatusTooManyRequests, notice{key: "locked", wait: wait})
	case !right:
		p.askCode(w, r, req, http.StatusForbidden, notice{key: "wrong_code"})
	default:
		proved := req.pending
		proved.otp = true
		p.complete(w, r, req, e, proved)
	}
}

// restart goes back to the first form, as somebody else.
func (p *pages) restart(w http.ResponseWriter, r *http.Request) {
	req, ok := p.posted(w, r)
	if !ok {
		return
	}
	if err := p.state.await(req.id, req.browser, proof{}); err != nil {
		p.refuse(w, r, err)
		return
	}
	p.state.signOut(p.state.session(cookie(r, cookieSession)).sid)
	p.toLogin(w, r, req.id)
}

func (p *pages) complete(w http.ResponseWriter, r *http.Request, req request, e *Employee, proved proof) {
	c, err := p.state.finish(req.id, req.browser, cookie(r, cookieSession), proved)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.state.attempts.forget(e.Login)
	p.setCookie(w, cookieSession, c)
	p.back(w, r, req.id)
}

// callback lets only the browser that signed in collect the code.
func (p *pages) callback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "only GET here", http.StatusMethodNotAllowed)
		return
	}
	if _, err := p.state.of(r.URL.Query().Get("id"), cookie(r, cookieBrowser)); err != nil {
		p.refuse(w, r, err)
		return
	}
	p.library.ServeHTTP(w, r)
}

func (p *pages) askSignOut(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, view{Stage: "sign_out"})
}

func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	p.state.signOut(p.state.session(cookie(r, cookieSession)).sid)
	http.Redirect(w, r, p.config.Issuer+pathSignedOut, http.StatusSeeOther)
}

func (p *pages) signedOut(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, view{Stage: "signed_out"})
}

// posted reads a form and the request that it belongs to; where it can't, it
// has answered.
func (p *pages) posted(w http.ResponseWriter, r *http.Request) (request, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, formMax)
	if err := r.ParseForm(); err != nil {
		p.show(w, r, http.StatusBadRequest, view{Stage: "expired"})
		return request{}, false
	}
	req, err := p.state.of(r.PostFormValue("id"), cookie(r, cookieBrowser))
	if err != nil {
		p.refuse(w, r, err)
		return request{}, false
	}
	return req, true
}

func (p *pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errOtherBrowser) {
		p.show(w, r, http.StatusForbidden, view{Stage: "other_browser"})
		return
	}
	p.show(w, r, http.StatusBadRequest, view{Stage: "expired"})
}

func (p *pages) toLogin(w http.ResponseWriter, r *http.Request, id string) {
	http.Redirect(w, r, p.config.Issuer+pathLogin+"?id="+id, http.StatusSeeOther)
}

// back returns to the library, which makes the code.
func (p *pages) back(w http.ResponseWriter, r *http.Request, id string) {
	http.Redirect(w, r, p.config.Issuer+pathCallback+"?id="+id, http.StatusSeeOther)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (p *pages) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: p.issuer.Path + pathPrefix,
		MaxAge: int(sessionFor / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: p.issuer.Scheme == "https",
	})
}
