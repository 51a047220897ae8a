package gate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

// signedInRequest is a request of somebody who is signed in, beside twenty
// cookies of the CRM, at a gate with two step_up lines.
func signedInRequest(tb testing.TB) (*request, *storetest.Memory) {
	tb.Helper()
	ring, err := keys.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	store := storetest.NewMemory()
	provider, err := oidc.New(oidc.Config{
		Issuer: "https://login.example.de", ClientID: "crm", ClientSecret: "x", Preset: "keycloak", Seal: ring,
	})
	if err != nil {
		tb.Fatal(err)
	}
	h := &Handler{provider: provider, StepUps: []StepUp{
		{Actions: []string{"export"}, MaxAge: caddy.Duration(5 * time.Minute)},
		{Paths: []string{"/contacts/*"}, MaxAge: caddy.Duration(10 * time.Minute), PhishingResistant: true},
	}}
	sessions, err := session.New(session.Config{Store: store, Sealer: ring, Realm: h.realm(), Takes: h.proven})
	if err != nil {
		tb.Fatal(err)
	}
	id, _, err := sessions.Create(context.Background(), session.SignedIn{StateID: "s", Identity: session.Identity{
		Issuer: "https://login.example.de", Subject: "u-1", Roles: []string{"sales", "support"},
		AMR: []string{"pwd", "hwk", "mfa"}, ACR: "gold", AuthTime: time.Now(),
	}})
	if err != nil {
		tb.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "https://crm.example.de/contacts/1001", http.NoBody)
	r.Header.Set("Cookie", strings.Repeat("kontor_preference=0123456789abcdef; ", 20)+(session.Cookies{}).Session()+"="+id)
	return &request{
		h: h, o: &opened{sessions: sessions}, r: r, c: &canon.Canonical{Method: http.MethodGet, Path: "/contacts/1001"},
		x: &profile.Exchange{Accesses: []access.Access{{Entity: "contact", Action: access.Read}}},
	}, store
}

// A signed-in request costs no question to the store.
func TestSignedInRequestAsksNoStore(t *testing.T) {
	t.Parallel()
	q, store := signedInRequest(t)
	for i := range 1000 {
		q.employee = nil
		if !q.login() || !q.stepUp() {
			t.Fatal("nobody is signed in, or their proof isn't taken")
		}
		if n := store.Count("load") + store.Count("touch"); n != 1 {
			t.Fatalf("%d questions to the store after %d requests, want that of the first", n, i+1)
		}
	}
}

// BenchmarkSignedInRequest is what sign-in costs a request of somebody who is
// signed in: cookies, session, roles, and the proof that step_up takes.
func BenchmarkSignedInRequest(b *testing.B) {
	q, _ := signedInRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		q.employee = nil
		if !q.login() || !q.stepUp() {
			b.Fatal("nobody is signed in, or their proof isn't taken")
		}
	}
}
