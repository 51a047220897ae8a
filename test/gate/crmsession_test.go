package gate_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// crmCookie is the CRM's own session in a browser.
func crmCookie(t *testing.T, b *browser) string {
	t.Helper()
	u, _ := url.Parse(b.site.url)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == "kontor_session" {
			return c.Value
		}
	}
	t.Fatal("the CRM gave no session out")
	return ""
}

// signedIn is the gateway's cookie of a browser, with others beside it.
func (b *browser) signedInWith(more ...string) http.Header {
	var own []string
	for c := range strings.SplitSeq(b.cookies(), "; ") {
		if strings.Contains(c, "crmgate") {
			own = append(own, c)
		}
	}
	return http.Header{"Cookie": {strings.Join(append(own, more...), "; ")}}
}

// fresh is a browser of an employee's own, with a CRM session of its own.
func fresh(t *testing.T, s *site, login string) *browser {
	t.Helper()
	b := newBrowser(s)
	if err := b.signIn(login); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignInCRMSessionStaysWithWhomItWasGivenTo(t *testing.T) {
	t.Parallel()
	vera, sven := fresh(t, env.plain, "vera"), fresh(t, env.plain, "sven")
	hers := "kontor_session=" + crmCookie(t, vera)
	for _, path := range []string{"/api/contacts/1001", "/static/app.css"} {
		t.Run("C16-foreign-crm-session"+path, func(t *testing.T) {
			for _, cookies := range [][]string{{hers}, {"kontor_session=" + crmCookie(t, sven), hers}, {strings.Replace(hers, "_", ".", 1)}, {strings.ToUpper(hers[:14]) + hers[14:]}} {
				sc := newScene(t, nil)
				r := newBrowser(env.plain).do(t, ask{path: path, scene: sc, header: sven.signedInWith(cookies...)}).want(t, http.StatusForbidden)
				if !strings.Contains(string(r.body), "foreign_crm_session") {
					t.Errorf("got %s", r)
				}
				r.logged(t).refused(t, "foreign_crm_session")
				if c := r.header.Get("Set-Cookie"); !strings.HasPrefix(c, "kontor_session=; Path=/; Max-Age=0") {
					t.Errorf("the browser keeps the cookie: %q", c)
				}
				sc.nothing(t)
			}
		})
		t.Run("C16-crm-session-of-nobody"+path, func(t *testing.T) {
			for _, planted := range []string{"kontor_session=planted", `kontor_session="` + hers[15:] + `"`, hers + ".node2", "kontor_session=", "Kontor_Session=planted"} {
				sc := newScene(t, nil)
				newBrowser(env.plain).do(t, ask{path: path, scene: sc, header: sven.signedInWith(planted, "theme=dark")}).want(t, http.StatusOK)
				if got := sc.requests()[0].header.Get("Cookie"); strings.Contains(strings.ToLower(got), "session") || !strings.Contains(got, "theme=dark") {
					t.Errorf("with %s the CRM got the cookies %q", planted, got)
				}
			}
		})
		sc := newScene(t, nil)
		vera.do(t, ask{path: path, scene: sc}).want(t, http.StatusOK)
		if got := sc.requests()[0].header.Get("Cookie"); got != hers {
			t.Errorf("her own session reached the CRM as %q", got)
		}
	}
}

// A session is bound wherever the CRM gives it out, and comes back under the name
// that it was given out by alone.
func TestSignInCRMSessionIsBoundWhereItIsGivenOut(t *testing.T) {
	t.Parallel()
	vera := fresh(t, env.plain, "vera")
	for path, answer := range map[string]http.HandlerFunc{
		"/api/contacts/1001": jsonAnswer(http.StatusOK, contact(1001)), "/static/app.css": jsonAnswer(http.StatusOK, ""),
		"/api/contacts/9999": jsonAnswer(http.StatusNotFound, `{"error":"x"}`), "/contacts/1002": typed("text/html", http.StatusInternalServerError, "<p>x"),
	} {
		given := "kontor_session=given-at" + strings.ReplaceAll(path, "/", "-")
		vera.do(t, ask{path: path, scene: newScene(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", given+"; Path=/; HttpOnly")
			answer(w, r)
		})})
		for sent, want := range map[string]string{given: given, strings.Replace(given, "_", ".", 1): "", given + "; " + strings.ToUpper(given[:14]) + given[14:]: ""} {
			sc := newScene(t, nil)
			newBrowser(env.plain).do(t, ask{path: "/static/app.css", scene: sc, header: vera.signedInWith(sent)}).want(t, http.StatusOK)
			if got := sc.requests()[0].header.Get("Cookie"); got != want {
				t.Errorf("given out at %s and sent as %q, it reached the CRM as %q", path, sent, got)
			}
		}
	}
}

// The same employee in another browser is another gateway session; when the
// first has ended they may go on.
func TestSignInCRMSessionMovesOnWithItsEmployee(t *testing.T) {
	t.Parallel()
	first, second := fresh(t, env.plain, "markus"), fresh(t, env.plain, "markus")
	his := "kontor_session=" + crmCookie(t, first)
	present := func() *reply {
		return newBrowser(env.plain).do(t, ask{path: "/static/app.css", header: second.signedInWith(his)})
	}
	present().want(t, http.StatusForbidden)
	first.do(t, ask{method: "POST", path: "/.crmgate/sign-out", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}})
	present().want(t, http.StatusOK)
	sven := fresh(t, env.plain, "sven")
	newBrowser(env.plain).do(t, ask{path: "/static/app.css", header: sven.signedInWith(his)}).want(t, http.StatusForbidden)
}

func TestSignInCRMSessionSurvivesARestart(t *testing.T) {
	t.Parallel()
	c := newChild(t, newStandInFor(t).url, "INFO")
	vera, sven := fresh(t, c.site, "vera"), fresh(t, c.site, "sven")
	hers := "kontor_session=" + crmCookie(t, vera)
	c.stop(t)
	c.start(t)
	r := newBrowser(c.site).do(t, ask{path: "/static/app.css", header: sven.signedInWith(hers)}).want(t, http.StatusForbidden)
	loggedIn(t, c.data(), r).refused(t, "foreign_crm_session")
	vera.do(t, ask{path: "/static/app.css"}).want(t, http.StatusOK)
}

// A CRM's answer takes a session back by setting it to what everybody gets.
func TestSignInCRMSessionTakenBackIsNobodys(t *testing.T) {
	t.Parallel()
	vera, sven := fresh(t, env.plain, "vera"), fresh(t, env.plain, "sven")
	sc := newScene(t, withHeaders(http.StatusOK, "", http.Header{"Set-Cookie": {"kontor_session=deleted; Max-Age=0; Path=/", "other=1"}}))
	r := vera.do(t, ask{path: "/static/app.css", scene: sc}).want(t, http.StatusOK)
	if len(r.header.Values("Set-Cookie")) != 2 {
		t.Errorf("cookies %q", r.header.Values("Set-Cookie"))
	}
	newBrowser(env.plain).do(t, ask{path: "/static/app.css", header: sven.signedInWith("kontor_session=deleted")}).want(t, http.StatusOK)
}

// authorize is the header in which Tryton's client sends its session.
func authorize(user, id, key string) http.Header {
	return http.Header{"Authorization": {"Session " + base64.StdEncoding.EncodeToString([]byte(user+":"+id+":"+key))}}
}

func TestSignInCRMSessionInAHeader(t *testing.T) {
	t.Parallel()
	vera, sven := env.calls.signedInAtCalls(t, "vera"), env.calls.signedInAtCalls(t, "sven")
	login := func(b *browser, answer string) *reply {
		return b.do(t, ask{
			method: "POST", path: "/crm/", scene: newScene(t, jsonAnswer(http.StatusOK, answer)),
			body: `{"id":1,"method":"common.db.login","params":["x",{"password":"y"}]}`,
		})
	}
	call := func(b *browser, h http.Header) (*reply, *scene) {
		sc := newScene(t, jsonAnswer(http.StatusOK, `{"id":2,"result":{"language":"de"}}`))
		return b.do(t, ask{method: "POST", path: "/crm/", scene: sc, header: h, body: `{"id":2,"method":"model.res.user.get_preferences","params":[true,{}]}`}), sc
	}
	for name, key := range map[string]string{"C16-issued-to-one": "0123abcd", "C16-issued-to-another": "4567"} {
		t.Run(name, func(t *testing.T) {
			answer := fmt.Sprintf(`{"id":1,"result":[7,%q]}`, key)
			if r := login(vera, answer).want(t, http.StatusOK); string(r.body) != answer {
				t.Errorf("the CRM's answer became %s", r)
			}
			r, sc := call(vera, authorize("vera", "7", key))
			if len(sc.requests()) != 1 || r.status != http.StatusOK {
				t.Fatalf("her own session: %s", r)
			}
			for name, c := range map[string]struct {
				b      *browser
				h      http.Header
				reason string
			}{
				"another employee":            {sven, authorize("vera", "7", key), "foreign_crm_session"},
				"another employee, as theirs": {sven, authorize("sven", "8", key), "foreign_crm_session"},
				"of nobody":                   {sven, authorize("sven", "8", "9999"), "unknown_crm_session"},
				"respelt": {sven, http.Header{"Authorization": {
					strings.Replace(authorize("vera", "7", key).Get("Authorization"), "Session ", "Session !", 1),
				}}, "unknown_crm_session"},
				"respelt words": {sven, http.Header{"Authorization": {
					strings.Replace(authorize("vera", "7", key).Get("Authorization"), " ", "  ", 1),
				}}, "unknown_crm_session"},
			} {
				r, sc := call(c.b, c.h)
				if r.status != http.StatusUnauthorized || !strings.Contains(string(r.body), c.reason) {
					t.Errorf("%s: %s, want 401 %s", name, r, c.reason)
				}
				r.logged(t).refused(t, c.reason)
				sc.nothing(t)
			}
		})
	}
	t.Run("the CRM's user is in the log", func(t *testing.T) {
		sc := newScene(t, jsonAnswer(http.StatusOK, `{"id":2,"result":[]}`))
		h := authorize("vera", "7", "0123abcd")
		r := vera.do(t, ask{method: "POST", path: "/crm/", scene: sc, header: h, body: `{"id":2,"method":"model.party.party.read","params":[[1],["name"],{}]}`})
		for _, s := range r.logged(t) {
			if !strings.HasPrefix(s.Entry.CRMUser, "crm_user:") || s.Entry.Employee == "" {
				t.Errorf("entry of %q as the CRM's user %q", s.Entry.Employee, s.Entry.CRMUser)
			}
		}
	})
	t.Run("a refused sign-in goes through", func(t *testing.T) {
		for _, answer := range []string{`{"id":1,"result":null}`, `{"id":1,"error":["LoginException",["password","x","char"]]}`} {
			if r := login(sven, answer).want(t, http.StatusOK); string(r.body) != answer {
				t.Errorf("%s became %s", answer, r)
			}
		}
		if r := login(sven, `{"id":1,"result":[7,0]}`); r.status != http.StatusBadGateway {
			t.Errorf("a session that can't be told: %s", r)
		}
	})
}

// signedInAtCalls is as for the site with remote calls.
func (s *site) signedInAtCalls(t *testing.T, login string) *browser {
	t.Helper()
	b := newBrowser(s)
	if _, err := b.throughProvider(login, "/"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.cookies(), "crmgate=") {
		t.Fatalf("%s isn't signed in", login)
	}
	return b
}
