package oidc

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestExamineSaysWhatTheProviderCan(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.now.Advance(time.Since(p.now.Now())) // the server's Date is the real one
	e, err := p.Examine(t.Context())
	if err != nil || !e.EndSession || e.BackChannel || len(e.Factors) > 0 || !e.ClockKnown || e.Ahead > time.Minute || e.Ahead < -time.Minute {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	p = newParty(t)
	p.op.set(func() {
		p.op.meta = func(m map[string]any) {
			m["backchannel_logout_supported"] = true
			m["claims_supported"] = []string{"sub", "name"}
			delete(m, "end_session_endpoint")
		}
	})
	e, err = p.Examine(t.Context())
	if err != nil || e.EndSession || !e.BackChannel || len(e.Factors) != 1 || !strings.Contains(e.Factors[0], "amr") {
		t.Errorf("Examine = %+v, %v", e, err)
	}
	if e.Ahead < time.Hour && e.Ahead > -time.Hour {
		t.Errorf("the clocks differ by %s", e.Ahead)
	}
	p.op.set(func() { p.op.down = true })
	q := newParty(t)
	q.op.set(func() { q.op.down = true })
	if _, err := q.Examine(t.Context()); !errors.Is(err, ErrProviderDown) {
		t.Errorf("Examine = %v", err)
	}
}

func TestExamineDoubtsContextsThatAreNotOffered(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Factor = Factor{AMR: []string{"mfa"}, ACR: []string{"gold", "silver"}} })
	p.op.set(func() { p.op.meta = func(m map[string]any) { m["acr_values_supported"] = []string{"silver"} } })
	e, err := p.Examine(t.Context())
	if err != nil || len(e.Factors) != 1 || !strings.Contains(e.Factors[0], `"gold"`) {
		t.Errorf("Examine = %+v, %v", e, err)
	}
}

func TestRedirectIsTriedWithoutASecret(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var asked *http.Request
	p.op.authorizeBy(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		if r.FormValue("redirect_uri") == site+CallbackPath {
			http.Redirect(w, r, site+CallbackPath+"?error=login_required", http.StatusSeeOther)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	if ok, err := p.TakesRedirect(t.Context(), site); !ok || err != nil {
		t.Errorf("registered: %v, %v", ok, err)
	}
	if asked.FormValue("prompt") != "none" || strings.Contains(asked.URL.RawQuery, clientSecret) || asked.Header.Get("Authorization") != "" {
		t.Errorf("asked %s", asked.URL.RawQuery)
	}
	if ok, err := p.TakesRedirect(t.Context(), "https://other.example.de"); ok || err != nil {
		t.Errorf("another site: %v, %v", ok, err)
	}
}

// authorizeBy answers the authorization endpoint.
func (op *fakeOP) authorizeBy(h http.HandlerFunc) {
	op.t.Helper()
	next := op.srv.Config.Handler
	op.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/authorize" {
			h(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
