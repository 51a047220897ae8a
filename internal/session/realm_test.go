package session_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// site is a gateway over the same store whose configuration differs.
func (h house) site(t *testing.T, differs func(*session.Config)) *session.Manager {
	t.Helper()
	differs(&h.cfg)
	return h.node(t)
}

func TestRealmIsProviderClientAndClaims(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range [][4]string{
		{"https://a", "crm", "roles", "user"},
		{"https://b", "crm", "roles", "user"},
		{"https://a", "erp", "roles", "user"},
		{"https://a", "crm", "groups", "user"},
		{"https://a", "crm", "roles", "email"},
		{"https://a", "crm", "rolesuser", ""},
	} {
		seen[session.Realm(r[0], r[1], r[2], r[3])] = true
	}
	if len(seen) != 6 || seen[""] {
		t.Errorf("%d realms of 6", len(seen))
	}
	// Sessions outlive a reload, a restart and an upgrade.
	if got := session.Realm("https://a", "crm", "roles", "user"); got != "gjztVh9_GGdpIhRxDKBOMsWk9JggdUc5tCeU222r6no" {
		t.Errorf("Realm = %s: everybody is signed out", got)
	}
}

func TestSessionOfAnotherRealmOpensNothing(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	other := h.site(t, func(c *session.Config) { c.Realm = session.Realm("https://other.example", "crm", "roles", "user") })
	made, err := h.Lookup(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	h.now.Advance(4*time.Minute + 10*time.Second) // its tokens are due, and its use has to be written
	touched := h.store.Records()[0].Touched
	nothing := func(what string) {
		t.Helper()
		_, byUse := other.Lookup(t.Context(), id)
		_, byPeek := other.Peek(t.Context(), id)
		tokens, byTokens := other.Tokens(t.Context(), id)
		gone, cancel := context.WithCancel(t.Context())
		cancel() // a session that is there is watched until then
		for _, err := range []error{byUse, byPeek, byTokens, other.Watch(gone, made)} {
			if !errors.Is(err, session.ErrNone) {
				t.Errorf("%s: %v, want ErrNone", what, err)
			}
		}
		if tokens != (session.Tokens{}) {
			t.Errorf("%s: another site's tokens", what)
		}
	}
	nothing("a session of another site")
	if other.Renew(t.Context(), p); p.asked != 0 || len(*told) != 0 {
		t.Errorf("another site's provider was asked %d times for new tokens, told %v", p.asked, *told)
	}
	if now := h.store.Records()[0].Touched; !now.Equal(touched) {
		t.Error("another site keeps the session alive")
	}
	// What it was made for takes it on every node, and renews it.
	want(t, h.node(t), id, nil)
	want(t, h.Manager, id, nil)
	h.Renew(t.Context(), p)
	if p.asked != 1 {
		t.Errorf("its own provider was asked %d times", p.asked)
	}
	nothing("after a renewal")
	want(t, h.node(t), id, nil)
	if s, err := h.Lookup(t.Context(), id); err != nil || !h.Here(s) || other.Here(s) {
		t.Errorf("Here doesn't tell the sites apart (%v)", err)
	}
}

// Ending goes by the person: whoever is locked out at the provider is out at each
// of its sites.
func TestSessionsOfAllRealmsAreSeenAndEnded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	other := h.site(t, func(c *session.Config) { c.Realm = "another" })
	ends := map[string]func(id string) error{
		"by its name on the page": func(string) error {
			list, err := other.List(t.Context(), ada().Issuer, ada().Subject, "")
			if err != nil || len(list) != 1 {
				return fmt.Errorf("the list has %d, %w", len(list), err)
			}
			_, err = other.RevokeRef(t.Context(), ada().Issuer, ada().Subject, list[0].Ref)
			return err
		},
		"by an administrator": func(string) error {
			var keys []session.Key
			err := other.Each(t.Context(), func(s session.Session, _ time.Time) {
				if s.Identity.Subject == ada().Subject {
					keys = append(keys, s.Key)
				}
			})
			return errors.Join(err, other.RevokeKey(t.Context(), slices.Concat(keys, []session.Key{{}})[0]))
		},
		"by the provider": func(string) error {
			ended, err := other.End(t.Context(), ada().Issuer, ada().Subject, "")
			if len(ended) != 1 || ended[0].Identity.Subject != ada().Subject {
				return fmt.Errorf("ended %+v", ended)
			}
			return err
		},
		"by signing out": func(id string) error { return other.Revoke(t.Context(), id) },
		"by its next sign-in": func(id string) error {
			_, _, err := other.Create(t.Context(), session.SignedIn{Identity: session.Identity{Issuer: "x", Subject: "y"}, StateID: rand.Text(), Replaces: []string{id}})
			return err
		},
	}
	for name, end := range ends {
		id := h.signIn(t)
		want(t, h.Manager, id, nil)
		if err := end(id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		h.now.Advance(session.Staleness)
		want(t, h.Manager, id, session.ErrNone)
	}
}

func TestSessionWithoutTheProofOpensNothing(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	var asked []time.Time
	strict := h.site(t, func(c *session.Config) {
		c.Takes = func(id session.Identity, issued time.Time) bool {
			asked = append(asked, issued)
			return slices.Contains(id.AMR, "hwk")
		}
	})
	want(t, strict, id, session.ErrNone)
	if _, err := strict.Tokens(t.Context(), id); !errors.Is(err, session.ErrNone) {
		t.Errorf("Tokens = %v", err)
	}
	want(t, h.Manager, id, nil)
	if strict.Renew(t.Context(), p); p.asked != 0 {
		t.Error("a session that isn't taken is renewed")
	}
	strong := ada()
	strong.AMR = []string{"pwd", "hwk"}
	made := h.now.Now().Truncate(time.Second)
	id, _, err := h.Create(t.Context(), session.SignedIn{Identity: strong, StateID: "strong"})
	if err != nil {
		t.Fatal(err)
	}
	asked = nil
	for range 10 {
		want(t, strict, id, nil)
		want(t, h.Manager, id, nil)
	}
	if len(asked) != 1 || !asked[0].Equal(made) {
		t.Errorf("asked for %v, want once, for what was issued at %v", asked, made)
	}
}

// What a renewal says of the person counts from then on.
func TestRenewalWithoutTheProofEndsTheSessionHere(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	roles := func(id session.Identity, _ time.Time) bool { return slices.Contains(id.Roles, "sales") }
	strict := h.site(t, func(c *session.Config) { c.Takes = roles })
	want(t, strict, id, nil)
	h.now.Advance(4*time.Minute + 10*time.Second)
	p.set(func() { p.roles = []string{"other"} })
	if strict.Renew(t.Context(), p); p.asked != 1 {
		t.Fatalf("asked %d times", p.asked)
	}
	want(t, strict, id, session.ErrNone)
	want(t, h.node(t), id, nil)
}

func TestSessionEndsByTheLimitsOfTheSiteThatReadsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	short := h.site(t, func(c *session.Config) { c.Max = time.Hour })
	id := h.signIn(t)
	for range 3 {
		h.now.Advance(20 * time.Minute)
		want(t, h.Manager, id, nil)
	}
	want(t, short, id, session.ErrExpired)
	want(t, h.Manager, id, nil)
}

// A session of an earlier version says nothing of where it was made.
func TestSessionWithoutARealmOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.cfg.Realm = ""
	h.Manager = h.node(t)
	before := h.signIn(t)
	rec := h.store.Records()[0]
	plain, err := h.cfg.Sealer.Open("session", rec.Sealed, rec.Key[:])
	var said map[string]any
	if err = errors.Join(err, json.Unmarshal(plain, &said)); err != nil {
		t.Fatal(err)
	}
	if _, ok := said["realm"]; ok {
		t.Fatalf("it has a realm: %s", plain)
	}
	now := h.site(t, func(c *session.Config) { c.Realm = "realm" })
	want(t, now, before, session.ErrNone)
	if _, _, err := now.Create(t.Context(), session.SignedIn{Identity: ada(), StateID: "anew", Replaces: []string{before}}); err != nil {
		t.Fatal(err)
	}
	if n := len(h.store.Records()); n != 1 {
		t.Errorf("%d sessions, want the new one alone", n)
	}
}

// One site's sweep must not end the sessions of another that is more patient.
func TestSweepGoesByTheLongestIdleOfTheStore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.cfg.Idle = 4 * time.Hour
	h.Manager = h.node(t)
	quick := h.site(t, func(c *session.Config) { c.Idle = 30 * time.Minute })
	id := h.signIn(t)
	h.now.Advance(2 * time.Hour)
	if n, err := quick.Sweep(t.Context(), h.Idle()); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	want(t, quick, id, session.ErrExpired)
	want(t, h.Manager, id, nil)
	h.now.Advance(4*time.Hour + 2*time.Minute)
	if n, err := quick.Sweep(t.Context(), h.Idle()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
}
