package ownfactor_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/factor/softkey"
)

func invite(t *testing.T, who string) string {
	t.Helper()
	status, answer, err := env.administer("/crmgate/factors", map[string]any{"uid": 1, "employee": who})
	done, _ := answer["done"].([]any)
	if err != nil || status != http.StatusOK || len(done) != 1 {
		t.Fatalf("inviting: %d %v %v", status, answer, err)
	}
	one, _ := done[0].(map[string]any)
	code, _ := one["code"].(string)
	return code
}

func TestSignInOwnFactorFirstEnrolment(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.closed)
	s := b.signIn("anna", "/static/app.css")
	if _, _, ok := s.find("new_totp"); ok || !strings.Contains(s.body, "enrolment code") {
		t.Fatalf("without a code: %d %.800s", s.status, afterBody(s.body))
	}
	if csp := s.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	b.wantInside(false)
	t.Run("C27-a-password-alone-enrols-nothing", func(t *testing.T) {
		b := newBrowser(t, env.closed)
		s := b.signIn("anna", "/")
		v, _ := s.form(t, "invitation")
		for _, code := range []string{"", "AAAA-AAAA-AAAA-AAAA", invite(t, "another")} {
			if r := b.post(v, "code", code); r.status != http.StatusForbidden {
				t.Errorf("code %q: %d", code, r.status)
			}
		}
		for _, do := range []string{"new_totp", "new_passkey", "code", "passkey"} {
			if r := b.post(v, "do", do, "code", "123456", "answer", "{}"); r.status == http.StatusOK {
				t.Errorf("%s: %d", do, r.status)
			}
		}
		b.wantInside(false)
	})
	v, _ := s.form(t, "invitation")
	code := invite(t, "anna")
	s = b.post(v, "code", code)
	if s.status != http.StatusOK {
		t.Fatalf("with a code: %d %.800s", s.status, afterBody(s.body))
	}
	b.wantInside(false)
	if v, _ := s.form(t, "new_totp"); b.post(v, "code", "000000").status != http.StatusForbidden {
		t.Error("a wrong code enrols")
	}
	b.enrolApp(s)
	b.wantInside(true)
	if !slices.ContainsFunc(entries(t), func(e audit.Entry) bool { return e.Event == audit.Enrolled && e.Detail == "gateway:otp" }) {
		t.Error("the enrolment is no entry")
	}
	t.Run("C14-the-enrolment-code-works-once", func(t *testing.T) {
		if status, answer, err := env.administer("/crmgate/factors", map[string]any{"uid": 1, "employee": "ANNA", "reset": true}); err != nil || status != http.StatusOK {
			t.Fatalf("resetting: %d %v %v", status, answer, err)
		}
		b.wantInside(false) // C15: a reset ends the sessions
		s := b.signIn("anna", "/")
		v, _ := s.form(t, "invitation")
		if r := b.post(v, "code", code); r.status != http.StatusForbidden {
			t.Errorf("the used code: %d", r.status)
		}
	})
	t.Run("C20-nobody-and-pseudonyms-are-refused", func(t *testing.T) {
		for _, who := range []string{"", " ", "e-abcdef"} {
			if status, _, _ := env.administer("/crmgate/factors", map[string]any{"uid": 1, "employee": who}); status == http.StatusOK {
				t.Errorf("invited %q", who)
			}
		}
	})
}

func TestSignInOwnFactorCodes(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.open)
	secret, codes := b.enrolApp(b.signIn("berta", "/static/app.css"))
	b.wantInside(true)
	now := codeAt(t, secret, time.Now())
	second := newBrowser(t, env.open)
	s := second.signIn("berta", "/static/app.css")
	second.wantInside(false)
	if _, _, ok := s.find("new_totp"); ok {
		t.Fatal("an enrolled employee may enrol by the password alone")
	}
	v, _ := s.form(t, "code")
	t.Run("C14-a-half-sign-in-is-one-browsers", func(t *testing.T) {
		thief := newBrowser(t, env.open)
		thief.signIn("mallory", "/")
		if r := thief.post(v, "code", now); r.status != http.StatusForbidden {
			t.Errorf("another browser: %d", r.status)
		}
		thief.wantInside(false)
	})
	t.Run("C14-a-half-sign-in-is-one-sites", func(t *testing.T) {
		other := newBrowser(t, env.closed)
		other.jar = second.jar // one host, so the cookies are the same
		if r := other.post(v, "code", now); r.status != http.StatusForbidden {
			t.Errorf("another site: %d", r.status)
		}
	})
	t.Run("C18-other-sites-post-nothing", func(t *testing.T) {
		r := second.do(http.MethodPost, second.site+"/.crmgate/factor", v, "Sec-Fetch-Site", "cross-site")
		if r.status != http.StatusForbidden || !strings.Contains(r.body, "cross_site") {
			t.Errorf("%d", r.status)
		}
	})
	if r := second.post(v, "code", now); r.status != http.StatusFound || r.location != "/static/app.css" {
		t.Fatalf("a right code: %d %.600s", r.status, afterBody(r.body))
	}
	second.wantInside(true)
	t.Run("C27-the-log-says-who-proved-it-and-how", func(t *testing.T) {
		all := entries(t)
		found := slices.ContainsFunc(all, func(e audit.Entry) bool {
			return e.Event == audit.SignIn && strings.HasPrefix(e.Factor, "amr=gateway:otp auth_time=") && e.Names != nil && e.Names.User == "berta"
		})
		if !found {
			t.Error("no sign-in by gateway:otp in the log")
		}
	})
	t.Run("C14-a-code-works-once", func(t *testing.T) {
		third := newBrowser(t, env.open)
		v, _ := third.signIn("berta", "/").form(t, "code")
		if r := third.post(v, "code", now); r.status != http.StatusForbidden || r.header.Get("Audit-Id") == "" {
			t.Errorf("the code again: %d", r.status)
		}
		if r := third.post(v, "code", codes[0]); r.status != http.StatusFound {
			t.Errorf("a recovery code: %d %.400s", r.status, afterBody(r.body))
		}
		third.wantInside(true)
		fourth := newBrowser(t, env.open)
		v, _ = fourth.signIn("berta", "/").form(t, "code")
		if r := fourth.post(v, "code", codes[0]); r.status != http.StatusForbidden {
			t.Errorf("the recovery code again: %d", r.status)
		}
		fourth.wantInside(false)
	})
	t.Run("C16-a-half-sign-in-makes-one-session", func(t *testing.T) {
		b := newBrowser(t, env.open)
		v, _ := b.signIn("berta", "/").form(t, "code")
		if r := b.post(v, "code", codes[1]); r.status != http.StatusFound {
			t.Fatalf("%d", r.status)
		}
		b.do(http.MethodPost, b.site+"/.crmgate/sign-out", nil)
		b.wantInside(false)
		if r := b.post(v, "code", codes[2]); r.status != http.StatusForbidden {
			t.Errorf("the half again: %d", r.status)
		}
		b.wantInside(false)
	})
}

func TestSignInOwnFactorBrake(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.open)
	_, codes := b.enrolApp(b.signIn("carla", "/"))
	thief := newBrowser(t, env.open)
	v, _ := thief.signIn("carla", "/").form(t, "code")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			one := url.Values{"half": {v.Get("half")}, "do": {"code"}, "code": {"AAAAAA"}}
			thief.do(http.MethodPost, thief.site+"/.crmgate/factor", one)
		})
	}
	all.Wait()
	counts := map[string]int{}
	who := ""
	for _, e := range entries(t) {
		if e.Event == audit.SignIn && e.Names != nil && e.Names.User == "carla" {
			who = e.Employee
		}
	}
	for _, e := range entries(t) {
		if e.Employee == who && e.Event == audit.Refused {
			counts[e.Error]++
		}
	}
	if counts["factor_wrong"] != 5 || counts["factor_wait"] != 45 {
		t.Errorf("C23: refusals %v, want 5 judged and 45 waiting", counts)
	}
	if r := thief.post(v, "code", codes[0]); r.status != http.StatusForbidden {
		t.Errorf("a right code during the wait: %d", r.status)
	}
	b.wantInside(true) // who is signed in is not disturbed
}

func TestSignInOwnFactorPasskeys(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.strict)
	s := b.signIn("dora", "/static/app.css")
	if _, _, ok := s.find("new_totp"); ok {
		t.Fatal("phishing_resistant offers codes")
	}
	key, done := b.enrolKey(s)
	if done.status != http.StatusFound || len(done.codes()) != 0 {
		t.Fatalf("enrolment: %d %.600s", done.status, afterBody(done.body))
	}
	b.wantInside(true)
	attempt := func(want bool, bend func(*softkey.Key)) {
		t.Helper()
		b := newBrowser(t, env.strict)
		s := b.signIn("dora", "/static/app.css")
		k := key.Clone()
		bend(k)
		r := b.proveKey(s, k)
		if ok := r.status == http.StatusFound; ok != want {
			t.Errorf("%d %.500s", r.status, afterBody(r.body))
		}
		b.wantInside(want)
		if want {
			key.Counter = k.Counter
		}
	}
	attempt(true, func(*softkey.Key) {})
	t.Run("C14-wrong-origin", func(*testing.T) { attempt(false, func(k *softkey.Key) { k.Origin = "http://localhost:1" }) })
	t.Run("C14-wrong-challenge", func(*testing.T) { attempt(false, func(k *softkey.Key) { k.Challenge = "AAAAAAAAAAAAAAAAAAAAAA" }) })
	t.Run("C14-user-not-verified", func(*testing.T) { attempt(false, func(k *softkey.Key) { k.Unverified = true }) })
	t.Run("C14-cloned-counter", func(*testing.T) {
		attempt(true, func(k *softkey.Key) { k.Counter += 5 })
		attempt(false, func(k *softkey.Key) { k.Counter -= 3 })
	})
	t.Run("C14-other-employees-passkey", func(*testing.T) {
		other := newBrowser(t, env.strict)
		theirs, _ := other.enrolKey(other.signIn("elsa", "/"))
		attempt(false, func(k *softkey.Key) { *k = *theirs })
	})
	t.Run("C24-names-are-text", func(t *testing.T) {
		if r := b.get("/.crmgate/factor"); !strings.Contains(r.body, "Key &lt;b&gt;one&lt;/b&gt;") || strings.Contains(r.body, "<b>") {
			t.Errorf("%d %.1500s", r.status, afterBody(r.body))
		}
	})
}

func TestSignInOwnFactorOfAnotherSiteIsNotEnough(t *testing.T) {
	t.Parallel()
	// Sites share the store and a host's cookies: what was proven by an app opens
	// no site that takes passkeys alone.
	b := newBrowser(t, env.open)
	b.enrolApp(b.signIn("frieda", "/static/app.css"))
	b.wantInside(true)
	strict := newBrowser(t, env.strict)
	strict.jar = b.jar
	strict.wantInside(false)
}

func TestSignInOwnFactorFreshness(t *testing.T) {
	t.Parallel()
	t.Run("C27-an-old-sign-in-enrols-nothing", func(t *testing.T) {
		b := newBrowser(t, env.open)
		b.ago = "3600"
		s := b.signIn("greta", "/")
		if s.status != http.StatusForbidden || !strings.Contains(s.body, "not_fresh") {
			t.Fatalf("%d %.600s", s.status, afterBody(s.body))
		}
		env.op.mu.Lock()
		asked := slices.ContainsFunc(env.op.asked, func(q url.Values) bool { return slices.Contains(q["prompt"], "login") })
		env.op.mu.Unlock()
		if !asked {
			t.Error("the provider was not asked to have them sign in anew")
		}
		b.ago = "5"
		b.signIn("greta", "/").form(t, "new_totp")
	})
	t.Run("C27-an-old-sign-in-with-a-factor-is-fine", func(t *testing.T) {
		b := newBrowser(t, env.open)
		secret, _ := b.enrolApp(b.signIn("hanna", "/"))
		b = newBrowser(t, env.open)
		b.ago = "3600"
		v, _ := b.signIn("hanna", "/").form(t, "code")
		if r := b.post(v, "code", codeAt(t, secret, time.Now())); r.status != http.StatusFound {
			t.Errorf("%d", r.status)
		}
	})
}

func TestSignInOwnFactorStepUp(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.open)
	_, codes := b.enrolApp(b.signIn("ida", "/static/app.css"))
	// A passkey is added with what was just proven.
	key, r := b.enrolKey(b.get("/.crmgate/factor"))
	if r.status != http.StatusSeeOther {
		t.Fatalf("adding a passkey: %d %.600s", r.status, afterBody(r.body))
	}
	t.Run("C27-a-code-does-not-meet-phishing-resistant", func(t *testing.T) {
		s := b.signIn("ida", "/leads")
		v, _ := s.form(t, "code")
		if r := b.post(v, "code", codes[0]); r.status != http.StatusForbidden {
			t.Fatalf("%d %.600s", r.status, afterBody(r.body))
		}
		if r := b.proveKey(s, key); r.status != http.StatusFound || r.location != "/leads" {
			t.Fatalf("%d %.600s", r.status, afterBody(r.body))
		}
		if r := b.get("/leads"); r.status == http.StatusFound {
			t.Errorf("stepped up, and asked again: %s", r.location)
		}
	})
	t.Run("C16-a-step-up-is-the-same-employees", func(t *testing.T) {
		other := newBrowser(t, env.open)
		other.enrolApp(other.signIn("jana", "/"))
		if s := other.signIn("ida", "/leads"); s.status != http.StatusForbidden {
			t.Errorf("%d %.600s", s.status, afterBody(s.body))
		}
	})
}

func TestSignInOwnFactorManage(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, env.open)
	secret, codes := b.enrolApp(b.signIn("karla", "/static/app.css"))
	s := b.get("/.crmgate/factor")
	remove, _ := s.form(t, "remove")
	if r := b.post(remove); r.status != http.StatusForbidden {
		t.Errorf("the only factor was removed: %d", r.status)
	}
	t.Run("C18-another-session-changes-nothing", func(t *testing.T) {
		other := newBrowser(t, env.open)
		other.enrolApp(other.signIn("lena", "/"))
		v, _ := s.form(t, "new_totp")
		v.Set("code", codeAt(t, s.secret(t), time.Now()))
		if r := other.post(v); r.status != http.StatusForbidden {
			t.Errorf("%d", r.status)
		}
		for _, do := range []string{"recovery", "remove"} {
			v, _ := s.form(t, do)
			if r := other.post(v); r.status != http.StatusForbidden || len(r.codes()) != 0 {
				t.Errorf("%s: %d", do, r.status)
			}
			v.Del("own")
			if r := other.post(v); r.status != http.StatusForbidden || len(r.codes()) != 0 {
				t.Errorf("%s without its form: %d", do, r.status)
			}
		}
		stranger := newBrowser(t, env.open)
		if r := stranger.post(v); r.status != http.StatusUnauthorized {
			t.Errorf("%d", r.status)
		}
	})
	t.Run("C14-a-form-of-the-session-is-no-half-sign-in", func(t *testing.T) {
		v, _ := s.form(t, "recovery")
		v.Set("half", v.Get("own"))
		v.Del("own")
		if r := b.post(v, "do", "code", "code", codes[5]); r.status != http.StatusForbidden {
			t.Errorf("%d", r.status)
		}
	})
	v, _ := s.form(t, "recovery")
	fresh := b.post(v).codes()
	if len(fresh) != 10 || slices.Contains(fresh, codes[0]) {
		t.Fatalf("new codes: %v", fresh)
	}
	v, _ = s.form(t, "new_totp")
	if r := b.post(v, "code", codeAt(t, s.secret(t), time.Now())); r.status != http.StatusSeeOther {
		t.Fatalf("another app: %d %.600s", r.status, afterBody(r.body))
	}
	n := newBrowser(t, env.open)
	v, _ = n.signIn("karla", "/").form(t, "code")
	if r := n.post(v, "code", codeAt(t, secret, time.Now())); r.status != http.StatusForbidden {
		t.Errorf("the app that was replaced: %d", r.status)
	}
	if r := n.post(v, "code", codes[7]); r.status != http.StatusForbidden {
		t.Errorf("a replaced recovery code: %d", r.status)
	}
	if r := n.post(v, "code", fresh[7]); r.status != http.StatusFound {
		t.Errorf("a recovery code: %d", r.status)
	}
}
