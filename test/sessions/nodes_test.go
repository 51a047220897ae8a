package sessions

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/test/stack"
)

// TestSignInOnTwoNodes has one pair of gateways, whose tokens last long enough
// not to matter.
func TestSignInOnTwoNodes(t *testing.T) {
	t.Parallel()
	s := start(t, 600, "session per_employee 3")
	t.Run("begun-at-one-finished-at-the-other", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		if in := s.events(t, audit.SignIn); len(in) != 1 {
			t.Errorf("%d entries of the sign-in, want one", len(in))
		}
	})
	t.Run("C15-signed-out-at-one-dead-at-the-other", func(t *testing.T) {
		vera, other := s.signIn(t, "vera"), s.signIn(t, "vera")
		s.works(t, vera)
		cookies := vera.Cookies(t)
		out := vera.Send(t, http.MethodPost, s.a.Base+"/.crmgate/sign-out", http.Header{"Sec-Fetch-Site": {"same-origin"}}, "")
		if out.Status != http.StatusOK {
			t.Fatalf("signing out answers %d", out.Status)
		}
		replay := func(n *node) int {
			return stack.NewPerson(t, n.Base, s.provider, "vera").
				Send(t, http.MethodGet, n.Base+"/api/contacts/1001", http.Header{"Cookie": {cookies}}, "").Status
		}
		if got := replay(s.a); got != http.StatusUnauthorized {
			t.Errorf("where it was signed out the cookie gets %d", got)
		}
		t.Logf("at the other node after %s; promised: %s", took(t, "the session is dead at the other node", func() bool {
			return replay(s.b) == http.StatusUnauthorized
		}), session.Staleness)
		s.works(t, other)
	})
	t.Run("C28-socket-at-one-closes-when-signed-out-at-the-other", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		ctx, cancel := context.WithTimeout(t.Context(), stack.Patience)
		defer cancel()
		c, _, err := websocket.Dial(ctx, strings.Replace(s.b.Base, "http", "ws", 1)+"/live", &websocket.DialOptions{
			HTTPClient: vera.Client, HTTPHeader: http.Header{"Origin": {s.b.Base}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, said, err := c.Read(ctx); err != nil || string(said) != "hello" {
			t.Fatalf("the socket says %q, %v", said, err)
		}
		vera.Send(t, http.MethodPost, s.a.Base+"/.crmgate/sign-out", http.Header{"Sec-Fetch-Site": {"same-origin"}}, "")
		t.Logf("closed after %s; promised: %s", took(t, "the socket is closed", func() bool {
			_, _, err := c.Read(ctx)
			return err != nil && ctx.Err() == nil
		}), session.Staleness)
	})
	t.Run("over-the-limit-the-oldest-ends", func(t *testing.T) {
		oldest := s.signIn(t, "markus")
		began := time.Now().Unix()
		stack.Poll(t, "the next second", func() bool { return time.Now().Unix() > began }) // which is how exactly their age is known
		for range 3 {
			s.works(t, s.signIn(t, "markus"))
		}
		stack.Poll(t, "the oldest is out at both nodes", func() bool {
			return at(t, s.a, oldest).Status == http.StatusUnauthorized && at(t, s.b, oldest).Status == http.StatusUnauthorized
		})
		if ended := s.events(t, audit.Revoked); len(ended) == 0 || ended[len(ended)-1].Session == "" {
			t.Errorf("the entries of its end are %+v", ended)
		}
	})
	t.Run("reload-and-new-keys-lose-nobody", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		s.a.command(t, "keys", "rotate", "--in", "0s")
		s.copyKeys(t)
		s.b.reload(t)
		s.a.reload(t)
		s.works(t, vera)
		paula := s.signIn(t, "paula")
		s.works(t, paula)
		for _, n := range []*node{s.a, s.b} {
			n.Stop(t)
			n.start()
		}
		s.works(t, vera)
		s.works(t, paula)
		if changes := s.events(t, audit.KeyChange); len(changes) != 4 {
			t.Errorf("the entries of the change are %+v, want one of each node and start", changes)
		}
	})
	t.Run("store-away-is-503-and-ends-nothing", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		s.database.Stop(t)
		stack.Poll(t, "503", func() bool { return at(t, s.a, vera).Status == http.StatusServiceUnavailable })
		if a := vera.Send(t, http.MethodGet, s.b.Base+"/.crmgate/ready", http.Header{}, ""); a.Status != http.StatusServiceUnavailable {
			t.Errorf("ready answers %d: %s", a.Status, a.Body)
		}
		s.database.Run(t)
		stack.Poll(t, "the session goes on", func() bool {
			return at(t, s.a, vera).Status == http.StatusOK && at(t, s.b, vera).Status == http.StatusOK
		})
		for _, n := range []*node{s.a, s.b} {
			if strings.Contains(n.String(), s.dsn) {
				t.Error("the process log holds the database's address")
			}
		}
	})
}

// TestSignInIsRenewed has tokens that last six seconds.
func TestSignInIsRenewed(t *testing.T) {
	t.Parallel()
	s := start(t, 6)
	t.Run("family-survives-parallel-refresh-from-two-nodes", func(t *testing.T) {
		people := []*stack.Person{s.signIn(t, "vera"), s.signIn(t, "vera"), s.signIn(t, "paula"), s.signIn(t, "markus")}
		began := s.refreshes(t)
		stack.Poll(t, "four rotations of each", func() bool {
			var all sync.WaitGroup
			for _, p := range people {
				for _, n := range []*node{s.a, s.b} {
					all.Go(func() {
						if a := at(t, n, p); a.Status != http.StatusOK {
							t.Errorf("%s answers %d", n.Base, a.Status)
						}
					})
				}
			}
			all.Wait()
			return t.Failed() || s.refreshes(t) >= began+4*len(people)
		})
		for _, e := range s.events(t, audit.RefreshFailed) {
			// A provider that is slow to answer has revoked nothing.
			if e.Error != "provider_down" {
				t.Errorf("a refresh failed: %+v", e)
			}
		}
	})
	t.Run("C17-role-taken-at-the-provider-masks-at-both-nodes", func(t *testing.T) {
		paula := s.signIn(t, "paula")
		iban := func(n *node) bool { return strings.Contains(at(t, n, paula).Body, `"iban":"DE`) }
		if !iban(s.a) || !iban(s.b) {
			t.Fatalf("master_data doesn't see the IBAN: %.600s", at(t, s.a, paula).Body)
		}
		s.provider.ChangeAccount(t, "paula", map[string]any{"roles": []string{"sales"}})
		t.Logf("masked after %s; tokens last 6 s", took(t, "the IBAN is masked", func() bool { return !iban(s.a) && !iban(s.b) }))
		if iban(s.a) || iban(s.b) {
			t.Error("the IBAN is shown again")
		}
		s.works(t, paula)
	})
	t.Run("provider-away-ends-nothing", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		began := s.refreshes(t)
		s.provider.Behave(t, map[string]any{"fail": map[string]int{"*": 503}})
		stack.Poll(t, "an entry says so", func() bool {
			s.works(t, vera)
			return s.refreshes(t) > began && len(s.events(t, audit.RefreshFailed)) > 0
		})
		s.provider.Behave(t, map[string]any{"fail": nil})
		s.works(t, vera)
		for _, e := range s.events(t, audit.RefreshFailed) {
			if e.Error != "provider_down" || e.Detail != "the session goes on with what it has" {
				t.Errorf("the entry is %+v", e)
			}
		}
	})
	t.Run("keys-of-the-provider-change-in-mid-session", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		s.provider.RotateKeys(t, false)
		s.provider.ChangeAccount(t, "vera", map[string]any{"roles": []string{"master_data"}})
		stack.Poll(t, "she was renewed under the new keys", func() bool {
			s.works(t, vera)
			return strings.Contains(at(t, s.b, vera).Body, `"iban":"DE`)
		})
	})
}

// TestSignInEndsWithTheProvider has sessions that the provider's answer to a
// refresh ends.
func TestSignInEndsWithTheProvider(t *testing.T) {
	t.Parallel()
	s := start(t, 6)
	t.Run("C27-factor-taken-back-ends-the-session", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		s.works(t, vera)
		s.provider.Behave(t, map[string]any{"refreshed": map[string]any{"set": map[string]any{"acr": "urn:crmgate:test:password", "amr": []string{"pwd"}}}})
		ends(t, s, vera, "mfa_missing")
		s.provider.Behave(t, map[string]any{"refreshed": map[string]any{}})
	})
	t.Run("C15-grant-taken-back-ends-the-session", func(t *testing.T) {
		markus := s.signIn(t, "markus")
		s.works(t, markus)
		s.provider.Forget(t, "markus")
		ends(t, s, markus, "refresh_gone")
	})
}

// ends wants a person to be out at both nodes, and an entry that says why.
func ends(t *testing.T, s *site, p *stack.Person, why string) {
	t.Helper()
	stack.Poll(t, "the session has ended", func() bool {
		return at(t, s.a, p).Status == http.StatusUnauthorized && at(t, s.b, p).Status == http.StatusUnauthorized
	})
	// Either node may have asked, and each has a log of its own.
	stack.Poll(t, "an entry says "+why, func() bool {
		return slices.ContainsFunc(s.events(t, audit.RefreshFailed), func(e audit.Entry) bool {
			return e.Error == why && e.Detail == "the session was ended" && e.Employee != ""
		})
	})
}
