package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExamineSaysWhatTheProviderCan(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.now.Advance(time.Since(p.now.Now())) // the server's Date is the real one
	p.op.set(func() {
		p.op.meta = func(m map[string]any) {
			m["claims_supported"] = []string{"sub", "amr"}
			m["code_challenge_methods_supported"] = []string{"plain", "S256"}
			m["backchannel_logout_supported"] = true
		}
	})
	e, err := p.Examine(t.Context())
	if err != nil || !e.EndSession || !e.BackChannel || !e.PKCE || !e.Secret || e.Keys != 1 || e.KeysFault != nil || !slices.Equal(e.Algs, []string{"ES256"}) {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	if len(e.Doubts) > 0 || !slices.Equal(e.Announced, []string{"the claim amr"}) {
		t.Errorf("announced %q, doubts %q", e.Announced, e.Doubts)
	}
	if !e.ClockKnown || e.Ahead > time.Minute || e.Ahead < -time.Minute {
		t.Errorf("the clocks differ by %s, known %v", e.Ahead, e.ClockKnown)
	}
}

func TestExamineSaysWhatTheProviderCannot(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.meta = func(m map[string]any) {
			m["claims_supported"] = []string{"sub", "name"}
			m["code_challenge_methods_supported"] = []string{"plain"}
			m["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"}
			m["jwks_uri"] = p.op.srv.URL + "/nowhere"
			delete(m, "end_session_endpoint")
		}
	})
	e, err := p.Examine(t.Context())
	if err != nil || e.EndSession || e.BackChannel || e.PKCE || e.Secret || e.Keys != 0 || e.KeysFault == nil {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	if len(e.Announced) > 0 || len(e.Doubts) != 1 || !strings.Contains(e.Doubts[0].What, "(amr mfa)") || e.Doubts[0].Remedy == "" {
		t.Errorf("announced %q, doubts %q", e.Announced, e.Doubts)
	}
	if e.Ahead < time.Hour && e.Ahead > -time.Hour {
		t.Errorf("the clocks differ by %s", e.Ahead)
	}
	q := newParty(t)
	q.op.set(func() { q.op.down = true })
	if _, err := q.Examine(t.Context()); !errors.Is(err, ErrProviderDown) {
		t.Errorf("Examine = %v", err)
	}
}

func TestExamineCountsKeysThatCheckSignatures(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	keys := func(body string) {
		p.op.answerAt("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	}
	const point = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	keys(`{"keys":[{"use":"enc",` + point + `},{` + point + `},{"kty":"oct","k":"c2VjcmV0"}]}`)
	if e, err := p.Examine(t.Context()); err != nil || e.Keys != 1 || e.KeysFault != nil {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	p = newParty(t)
	keys(`<html>`)
	if e, err := p.Examine(t.Context()); err != nil || e.KeysFault == nil {
		t.Errorf("Examine = %+v, %v", e, err)
	}
}

func TestExamineDoubtsContextsThatAreNotOffered(t *testing.T) {
	t.Parallel()
	offers := func(p party, acr ...string) {
		p.op.set(func() { p.op.meta = func(m map[string]any) { m["acr_values_supported"] = acr } })
	}
	p := newParty(t, func(c *Config) { c.Factor = Factor{AMR: []string{"mfa"}, ACR: []string{"gold", "silver"}} })
	offers(p, "silver")
	e, err := p.Examine(t.Context())
	if err != nil || len(e.Doubts) != 1 || !strings.Contains(e.Doubts[0].What, `"gold"`) || !slices.Equal(e.Announced, []string{`the acr "silver"`}) {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	p = newParty(t, func(c *Config) { c.Factor, c.Preset = Factor{}, "keycloak" })
	offers(p, "0", "1", "2")
	if e, err = p.Examine(t.Context()); err != nil || len(e.Doubts) > 0 {
		t.Errorf("one acr of a preset is enough: Examine = %+v, %v", e, err)
	}
	p = newParty(t, func(c *Config) { c.Factor, c.Preset = Factor{ACR: []string{"c1"}}, "entra" })
	offers(p, "urn:other")
	if e, err = p.Examine(t.Context()); err != nil || len(e.Doubts) != 1 || !strings.Contains(e.Doubts[0].What, "(acr c1)") {
		t.Errorf("acrs are none of acr_values_supported: Examine = %+v, %v", e, err)
	}
}

func TestExamineDoubtsDemandsThatAreNotOffered(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.meta = func(m map[string]any) {
			m["acr_values_supported"], m["claims_supported"] = []string{"silver"}, []string{"sub", "amr"}
		}
	})
	demands := []Demand{{MaxAge: time.Hour}, {Proofs: []Proof{{ACR: []string{"silver", "gold"}}, {ACR: []string{"gold"}}}}}
	e, err := p.Examine(t.Context(), demands...)
	if err != nil || len(e.Doubts) != 2 || !strings.Contains(e.Doubts[0].What, "auth_time") || !strings.Contains(e.Doubts[1].What, `"gold", which step_up`) {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	if e, err = p.Examine(t.Context()); err != nil || len(e.Doubts) > 0 {
		t.Errorf("without demands: %+v, %v", e, err)
	}
	q := newParty(t, elsewhereConfig)
	q.op.set(func() { q.op.meta = func(m map[string]any) { m["acr_values_supported"] = []string{"silver"} } })
	if e, err = q.Examine(t.Context()); err != nil || len(e.Doubts)+len(e.Announced) > 0 {
		t.Errorf("where the gateway proves the factor: %+v, %v", e, err)
	}
}

func TestRedirectIsTriedWithoutASecret(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var asked *http.Request
	p.op.answerAt("/authorize", func(w http.ResponseWriter, r *http.Request) {
		asked = r
		if r.FormValue("redirect_uri") == site+CallbackPath {
			http.Redirect(w, r, site+CallbackPath+"?error=login_required", http.StatusSeeOther)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	if got, err := p.TakesRedirect(t.Context(), site); got != RedirectTaken || err != nil {
		t.Errorf("registered: %v, %v", got, err)
	}
	if asked.FormValue("prompt") != "none" || strings.Contains(asked.URL.RawQuery, clientSecret) || asked.Header.Get("Authorization") != "" {
		t.Errorf("asked %s", asked.URL.RawQuery)
	}
	if got, err := p.TakesRedirect(t.Context(), "https://other.example.de"); got != RedirectRefused || err != nil {
		t.Errorf("another site: %v, %v", got, err)
	}
	p.op.answerAt("/authorize", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login?for="+url.QueryEscape(r.FormValue("redirect_uri")), http.StatusSeeOther)
	})
	if got, err := p.TakesRedirect(t.Context(), site); got != RedirectUnclear || err != nil {
		t.Errorf("a page of the provider: %v, %v", got, err)
	}
}

// answerAt answers at a path instead of the provider.
func (op *fakeOP) answerAt(path string, h http.HandlerFunc) {
	op.t.Helper()
	next := op.srv.Config.Handler
	op.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			h(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
