package gate

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

// boundStore remembers in memory whose CRM sessions are, and counts its reads.
type boundStore struct {
	mu    sync.Mutex
	rows  map[[32]byte]session.Bound
	reads int
	fail  error
}

func (s *boundStore) Bind(_ context.Context, b session.Bound) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[b.ID] = b
	return s.fail
}

func (s *boundStore) LoadBound(_ context.Context, id [32]byte) (session.Bound, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	b, ok := s.rows[id]
	if !ok && s.fail == nil {
		return b, session.ErrNone
	}
	return b, s.fail
}

func (s *boundStore) SweepBound(context.Context, time.Time) (int, error) { return 0, s.fail }

// bindery is a binder with a clock that tests move.
func bindery() (*binder, *boundStore, *storetest.Memory, *time.Time) {
	rows, sessions, now := &boundStore{rows: map[[32]byte]session.Bound{}}, storetest.NewMemory(), time.Unix(1_800_000_000, 0)
	return &binder{
		store: rows, loader: sessions, idle: time.Hour, known: map[[32]byte]knownBound{}, now: func() time.Time { return now },
	}, rows, sessions, &now
}

func key(b byte) (k session.Key) { k[0] = b; return k }

func wantWhose(t *testing.T, b *binder, c caller, want whose) {
	t.Helper()
	if got, err := b.whose(t.Context(), [32]byte{1}, c); got != want || err != nil {
		t.Errorf("to %v it is %v, %v, want %v", c, got, err, want)
	}
}

func TestCRMSessionGoesOverOnlyWhenItsGatewaySessionHasEnded(t *testing.T) {
	b, _, sessions, now := bindery()
	first, second, other := caller{key(1), "e-vera"}, caller{key(2), "e-vera"}, caller{key(3), "e-sven"}
	wantWhose(t, b, first, nobodys)
	sessions.Put(session.Record{Key: first.session, Touched: *now, Expires: now.Add(10 * time.Hour)})
	if err := b.bind(t.Context(), [32]byte{1}, first); err != nil {
		t.Fatal(err)
	}
	wantWhose(t, b, first, ours)
	wantWhose(t, b, second, theirs)
	wantWhose(t, b, other, theirs)
	*now = now.Add(b.idle + idleSlack) // the first was idle for too long
	wantWhose(t, b, other, theirs)
	wantWhose(t, b, second, ours)
	sessions.Put(session.Record{Key: second.session, Touched: *now, Expires: now.Add(10 * time.Hour)})
	*now = now.Add(session.Staleness)
	wantWhose(t, b, first, theirs)
}

func TestCRMSessionCostsNoStoreOnTheCommonPath(t *testing.T) {
	b, rows, _, now := bindery()
	c := caller{key(1), "e-vera"}
	if err := b.bind(t.Context(), [32]byte{1}, c); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		wantWhose(t, b, c, ours)
	}
	if rows.reads != 0 {
		t.Errorf("the store was read %d times", rows.reads)
	}
	*now = now.Add(session.Staleness)
	rows.rows[[32]byte{1}] = session.Bound{Session: key(9), Owner: "e-sven"} // on another node
	wantWhose(t, b, c, theirs)
	*now = now.Add(2 * boundRefresh)
	rows.rows[[32]byte{1}] = session.Bound{Session: c.session, Owner: c.owner, Until: now.Add(boundFor - 2*boundRefresh)}
	wantWhose(t, b, c, ours)
	if until := rows.rows[[32]byte{1}].Until; !until.Equal(now.Add(boundFor)) {
		t.Errorf("one in use is forgotten at %v", until)
	}
}

func TestCRMSessionIsNobodysWhenTheStoreFails(t *testing.T) {
	b, rows, sessions, _ := bindery()
	rows.fail = errors.New("no disk")
	if w, err := b.whose(t.Context(), [32]byte{1}, caller{key(1), "e-vera"}); w == ours || err == nil {
		t.Errorf("it is %v, %v", w, err)
	}
	if err := b.bind(t.Context(), [32]byte{1}, caller{key(1), "e-vera"}); err == nil {
		t.Error("bound without a store")
	}
	rows.fail = nil
	sessions.SetFail(func(string) error { return errors.New("no disk") })
	if w, err := b.whose(t.Context(), [32]byte{1}, caller{key(2), "e-vera"}); w == ours || err == nil {
		t.Errorf("whether the other session goes on isn't known, and it is %v, %v", w, err)
	}
	if _, err := newBinder(mustHandler(t, "demo"), sessions, nil, time.Hour); err == nil {
		t.Error("a store that can't remember was taken")
	}
}

func mustHandler(t *testing.T, profile string) *Handler {
	t.Helper()
	h := &Handler{Profile: profile}
	if err := h.loadProfile(); err != nil {
		t.Fatal(err)
	}
	return h
}

// What is forwarded for nobody in particular carries nobody's CRM session.
func TestNobodysRequestCarriesNoCRMSession(t *testing.T) {
	for profile, h := range map[string]http.Header{
		"demo":   {"Cookie": {"theme=dark; kontor_session=x; kontor.session=y"}, "Authorization": {"Basic eDp5"}},
		"tryton": {"Cookie": {"theme=dark"}, "Authorization": {"session !dmVyYTo3OjAxMjNhYmNk"}},
	} {
		q := &request{h: mustHandler(t, profile), o: &opened{binder: new(binder)}}
		r := &http.Request{Header: h}
		q.nobodysRequest(r)
		if got := r.Header.Get("Cookie"); got != "theme=dark" {
			t.Errorf("%s: cookies %q", profile, got)
		}
		if got := r.Header.Get("Authorization"); (got != "") != (profile == "demo") {
			t.Errorf("%s: Authorization %q", profile, got)
		}
	}
}

func BenchmarkCRMSessionKnown(b *testing.B) {
	bind, _, _, _ := bindery()
	s, c := &profile.CRMSession{Cookie: "kontor_session"}, caller{key(1), "e-vera"}
	if err := bind.bind(b.Context(), bind.id("demo/1.0", s, "NCEQILVC5LJC6TUQAN2WLD47D5"), c); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if w, _ := bind.whose(b.Context(), bind.id("demo/1.0", s, "NCEQILVC5LJC6TUQAN2WLD47D5"), c); w != ours {
			b.Fatal(w)
		}
	}
}
