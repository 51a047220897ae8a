package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// noting appends what the Manager tells to a list.
func noting(to *[]session.Notice) func(context.Context, session.Notice) {
	var mu sync.Mutex
	return func(_ context.Context, n session.Notice) {
		mu.Lock()
		defer mu.Unlock()
		*to = append(*to, n)
	}
}

// provider is an identity provider that rotates refresh tokens: one that is sent
// twice takes the whole family down.
type provider struct {
	now *clock

	mu      sync.Mutex
	newest  string
	n       int
	asked   int
	dead    bool
	fail    error
	roles   []string
	subject string
	// during runs while a renewal is on its way.
	during func()
	lasts  time.Duration
}

func newProvider(h house) *provider {
	return &provider{now: h.now, newest: ada().RefreshToken, roles: ada().Roles, subject: ada().Subject, lasts: 5 * time.Minute}
}

func (p *provider) Renew(_ context.Context, old session.Identity) (session.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.during != nil {
		p.during()
	}
	if p.fail != nil {
		return session.Identity{}, p.fail
	}
	if p.dead || old.RefreshToken != p.newest {
		p.dead = true
		return session.Identity{}, &session.Final{Code: "invalid_grant", Grant: true, Err: errors.New("refused")}
	}
	p.n++
	p.newest = fmt.Sprintf("refresh-%d", p.n)
	old.RefreshToken, old.AccessToken, old.Expiry = p.newest, "access", p.now.Now().Add(p.lasts)
	old.Roles, old.Subject, old.IDToken, old.SID = p.roles, p.subject, "", ""
	return old, nil
}

func (p *provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// newRenewing is a house with a session in use whose tokens last five minutes.
func newRenewing(t *testing.T) (h house, p *provider, id string, told *[]session.Notice) {
	t.Helper()
	h = newHouse(t)
	told = new([]session.Notice)
	h.cfg.Notify = noting(told)
	h.store.Now = h.now.Now
	h.Manager = h.node(t)
	id = h.signIn(t)
	want(t, h.Manager, id, nil)
	return h, newProvider(h), id, told
}

func TestTokensAreRenewedShortlyBeforeTheirEnd(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	h.now.Advance(3*time.Minute + 30*time.Second)
	if h.Renew(t.Context(), p); p.asked != 0 {
		t.Error("tokens are renewed long before their end")
	}
	h.now.Advance(45 * time.Second)
	h.Renew(t.Context(), p)
	h.Renew(t.Context(), p)
	if p.asked != 1 {
		t.Errorf("the provider was asked %d times, want once", p.asked)
	}
	tokens, err := h.Tokens(t.Context(), id)
	if err != nil || tokens.Refresh != "refresh-1" || tokens.Access != "access" || tokens.ID != ada().IDToken {
		t.Errorf("Tokens = %+v, %v", tokens, err)
	}
	for range 20 {
		h.now.Advance(4 * time.Minute)
		want(t, h.Manager, id, nil)
		h.Renew(t.Context(), p)
	}
	if p.asked != 21 || p.dead || len(*told) != 0 {
		t.Errorf("asked %d times, family dead %v, told %v", p.asked, p.dead, *told)
	}
	if n, err := h.RevokeSID(t.Context(), ada().Issuer, ada().SID); n != 1 || err != nil {
		t.Errorf("after renewal the session at the provider finds %d sessions (%v)", n, err)
	}
}

func TestLongLivedTokensAreRenewedEveryHour(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	p.lasts = 24 * time.Hour
	h.now.Advance(4*time.Minute + 15*time.Second)
	h.Renew(t.Context(), p)
	for range 4 {
		h.now.Advance(25 * time.Minute)
		want(t, h.Manager, id, nil)
		h.Renew(t.Context(), p)
	}
	if p.asked != 2 {
		t.Errorf("asked %d times in 100 minutes, want once more", p.asked)
	}
}

func TestSessionNobodyUsesIsNotRenewed(t *testing.T) {
	t.Parallel()
	h, p, _, _ := newRenewing(t)
	h.now.Advance(h.Idle())
	h.Renew(t.Context(), p)
	other := ada()
	other.RefreshToken = ""
	id, _, err := h.Create(t.Context(), session.SignedIn{Identity: other, StateID: "without"})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		want(t, h.Manager, id, nil)
		h.now.Advance(20 * time.Minute)
		h.Renew(t.Context(), p)
	}
	if p.asked != 0 {
		t.Errorf("asked %d times, want never: one is idle, one has no refresh token", p.asked)
	}
	want(t, h.Manager, id, nil)
}

// Two nodes, each with several rounds at once: with rotating refresh tokens one
// that is sent twice ends the person's sign-in.
func TestRotatingTokensNeverRace(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	nodes := []*session.Manager{h.Manager, h.node(t), h.node(t)}
	for range 30 {
		for _, m := range nodes {
			want(t, m, id, nil)
		}
		h.now.Advance(4*time.Minute + 30*time.Second)
		var all sync.WaitGroup
		for _, m := range nodes {
			for range 3 {
				all.Go(func() { m.Renew(t.Context(), p) })
			}
		}
		all.Wait()
	}
	if p.dead || p.asked != 30 || len(*told) != 0 {
		t.Errorf("asked %d times for 30 renewals, family dead: %v, told %v", p.asked, p.dead, *told)
	}
}

// A node that finds a session renewed already must not keep the others from the
// next renewal.
func TestShortLivedTokensAreRenewedInTimeOnTwoNodes(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	other := h.node(t)
	want(t, other, id, nil)
	p.lasts = 20 * time.Second
	h.now.Advance(5 * time.Minute)
	for range 20 {
		h.Renew(t.Context(), p)
		other.Renew(t.Context(), p)
		want(t, other, id, nil)
		h.now.Advance(16 * time.Second)
	}
	if p.asked != 20 {
		t.Errorf("asked %d times in 20 lives of a token", p.asked)
	}
}

func TestPassingFaultsLeaveTheSessionAlone(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	p.fail = errors.New("503")
	for range 5 * 60 { // five hours
		h.now.Advance(time.Minute)
		want(t, h.Manager, id, nil)
		h.Renew(t.Context(), p)
	}
	if len(*told) != 1 || (*told)[0].Kind != session.RenewFailed || (*told)[0].Code != "provider" {
		t.Errorf("told %v, want one failure", *told)
	}
	p.set(func() { p.fail = nil })
	h.now.Advance(2 * time.Minute)
	want(t, h.Manager, id, nil)
	h.Renew(t.Context(), p)
	if tokens, err := h.Tokens(t.Context(), id); err != nil || tokens.Refresh != "refresh-1" {
		t.Errorf("after the fault: %+v, %v", tokens, err)
	}
	p.set(func() { p.fail = errors.New("503") })
	h.now.Advance(5 * time.Minute)
	h.Renew(t.Context(), p)
	if len(*told) != 2 {
		t.Errorf("the next fault isn't told: %v", *told)
	}
}

// A provider that rotates the token, and then fails to say who the person is.
func TestNewerRefreshTokenIsKeptThoughTheRenewalFailed(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	h.now.Advance(5 * time.Minute)
	h.Renew(t.Context(), renewerFunc(func(ctx context.Context, old session.Identity) (session.Identity, error) {
		got, err := p.Renew(ctx, old)
		got.Roles, got.Subject = []string{"boss"}, "u-3"
		return got, errors.Join(err, errors.New("userinfo: 503"))
	}))
	s, err := h.Lookup(t.Context(), id)
	if err != nil || !slices.Equal(s.Identity.Roles, ada().Roles) || s.Identity.Subject != "u-1" {
		t.Errorf("Lookup = %+v, %v", s, err)
	}
	h.now.Advance(2 * time.Minute)
	want(t, h.Manager, id, nil)
	h.Renew(t.Context(), p)
	if p.dead || p.asked != 2 || len(*told) != 1 {
		t.Errorf("family dead %v, asked %d times, told %v", p.dead, p.asked, *told)
	}
}

func TestRefusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	p.dead = true
	h.now.Advance(5 * time.Minute)
	h.Renew(t.Context(), p)
	want(t, h.Manager, id, session.ErrNone)
	if len(*told) != 1 || (*told)[0].Kind != session.RenewRefused || (*told)[0].Code != "invalid_grant" || (*told)[0].Session.Identity.Subject != "u-1" {
		t.Errorf("told %+v", *told)
	}
}

// A node that hung for longer than its lease comes back with a refusal of a token
// that another node has replaced since.
func TestRefusalOfAnOldTokenIsNotFatal(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	other := h.node(t)
	want(t, other, id, nil)
	h.now.Advance(5 * time.Minute)
	slow := renewerFunc(func(ctx context.Context, old session.Identity) (session.Identity, error) {
		h.now.Advance(2 * time.Minute)
		other.Renew(ctx, p)
		return session.Identity{}, &session.Final{Code: "invalid_grant", Grant: true, Err: errors.New("used")}
	})
	h.Renew(t.Context(), slow)
	if p.asked != 1 {
		t.Fatalf("the other node asked %d times", p.asked)
	}
	want(t, h.Manager, id, nil)
	if len(*told) != 0 {
		t.Errorf("told %v", *told)
	}
}

type renewerFunc func(context.Context, session.Identity) (session.Identity, error)

func (f renewerFunc) Renew(ctx context.Context, old session.Identity) (session.Identity, error) {
	return f(ctx, old)
}

func TestOtherPersonsTokensEndTheSession(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	p.subject = "u-2"
	h.now.Advance(5 * time.Minute)
	h.Renew(t.Context(), p)
	want(t, h.Manager, id, session.ErrNone)
	if len(*told) != 1 || (*told)[0].Code != "other_subject" {
		t.Errorf("told %v", *told)
	}
}

// The provider's answer may hold the only refresh token that still works.
func TestAnswerIsWrittenThoughTheStoreStumblesAndTheGatewayStops(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	h.now.Advance(5 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	p.during = func() {
		stop()
		h.store.SetFail(func(op string) error {
			if op == "rewrite" && h.store.Calls["rewrite"] < 3 { // called with the store's lock held
				return errors.New("down")
			}
			return nil
		})
	}
	h.Renew(ctx, p)
	if tokens, err := h.Tokens(t.Context(), id); err != nil || tokens.Refresh != "refresh-1" {
		t.Errorf("Tokens = %+v, %v, want the new ones", tokens, err)
	}
}

func TestRevokedWhileRenewedStaysRevoked(t *testing.T) {
	t.Parallel()
	h, p, id, told := newRenewing(t)
	h.now.Advance(5 * time.Minute)
	p.during = func() {
		if err := h.Revoke(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	h.Renew(t.Context(), p)
	want(t, h.Manager, id, session.ErrNone)
	if len(h.store.Records()) != 0 || len(*told) != 0 {
		t.Errorf("%d records, told %v", len(h.store.Records()), *told)
	}
}

func staleClaims(t *testing.T) {
	t.Parallel()
	h, p, id, _ := newRenewing(t)
	other := h.node(t)
	want(t, other, id, nil)
	p.roles = []string{"support"}
	h.now.Advance(4*time.Minute + 30*time.Second)
	want(t, h.Manager, id, nil) // both know the session afresh
	want(t, other, id, nil)
	h.Renew(t.Context(), p)
	roles := func(m *session.Manager) []string {
		s, err := m.Lookup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s.Identity.Roles
	}
	if got := roles(h.Manager); !slices.Equal(got, p.roles) {
		t.Errorf("here the roles are %v at once, want %v", got, p.roles)
	}
	h.now.Advance(session.Staleness)
	if got := roles(other); !slices.Equal(got, p.roles) {
		t.Errorf("elsewhere the roles are %v after Staleness, want %v", got, p.roles)
	}
}

// watched starts watching and returns what Watch returns.
func watched(t *testing.T, m *session.Manager, id string) <-chan error {
	t.Helper()
	s, err := m.Peek(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Watch(t.Context(), s) }()
	synctest.Wait()
	return done
}

// ends wants a watch to end within d.
func ends(t *testing.T, watch <-chan error, d time.Duration, wanted error) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-watch:
		if !errors.Is(err, wanted) {
			t.Errorf("Watch = %v, want %v", err, wanted)
		}
	case <-timer.C:
		t.Errorf("what is watched goes on after %s", d)
	}
}

func socketsEnd(t *testing.T) {
	inBubble := func(name string, run func(t *testing.T, h house, other *session.Manager, id string)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.cfg.Now, h.cfg.Max = time.Now, 2*time.Hour
				h.Manager = h.node(t)
				run(t, h, h.node(t), h.signIn(t))
			})
		})
	}
	inBubble("revoked-here-at-once", func(t *testing.T, h house, _ *session.Manager, id string) {
		watch := watched(t, h.Manager, id)
		if err := h.Revoke(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		ends(t, watch, time.Nanosecond, session.ErrNone)
	})
	inBubble("revoked-elsewhere-within-staleness", func(t *testing.T, h house, other *session.Manager, id string) {
		watch := watched(t, other, id)
		if _, err := h.RevokeSubject(t.Context(), ada().Issuer, ada().Subject); err != nil {
			t.Fatal(err)
		}
		ends(t, watch, session.Staleness, session.ErrNone)
	})
	inBubble("idle", func(t *testing.T, h house, _ *session.Manager, id string) {
		ends(t, watched(t, h.Manager, id), h.Idle()+session.Staleness, session.ErrExpired)
	})
	inBubble("expired-though-used", func(t *testing.T, h house, _ *session.Manager, id string) {
		watch := watched(t, h.Manager, id)
		for range 12 {
			<-time.After(10*time.Minute - time.Second)
			want(t, h.Manager, id, nil)
		}
		ends(t, watch, time.Minute, session.ErrExpired)
	})
	inBubble("other-roles-elsewhere", func(t *testing.T, h house, other *session.Manager, _ string) {
		p, who := newProvider(h), ada()
		p.roles, who.Expiry = nil, time.Now().Add(5*time.Minute)
		id, _, err := h.Create(t.Context(), session.SignedIn{Identity: who, StateID: "short"})
		if err != nil {
			t.Fatal(err)
		}
		watch := watched(t, other, id)
		<-time.After(4 * time.Minute)
		want(t, h.Manager, id, nil)
		h.Renew(t.Context(), p)
		ends(t, watch, session.Staleness, session.ErrRoles)
	})
	inBubble("store-gone-for-longer-than-staleness", func(t *testing.T, h house, _ *session.Manager, id string) {
		watch := watched(t, h.Manager, id)
		h.store.SetFail(func(string) error { return errors.New("down") })
		ends(t, watch, session.Staleness+time.Second, session.ErrStore)
	})
	inBubble("a-store-that-stumbles-ends-nothing", func(t *testing.T, h house, _ *session.Manager, id string) {
		watch := watched(t, h.Manager, id)
		<-time.After(2 * time.Second)
		h.store.SetFail(func(string) error { return errors.New("down") })
		<-time.After(2 * time.Second)
		h.store.SetFail(nil)
		select {
		case err := <-watch:
			t.Errorf("Watch = %v", err)
		case <-time.After(20 * time.Minute):
		}
	})
}
