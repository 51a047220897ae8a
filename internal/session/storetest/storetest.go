// Package storetest holds every session.Store to the interface's contract. A
// store's own tests call Run.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// Run checks the stores that open makes: an empty one at every call.
func Run(t *testing.T, open func(t *testing.T) session.Store) {
	t.Helper()
	tests := []struct {
		name string
		run  func(t *testing.T, s session.Store)
	}{
		{"a-record-comes-back-as-it-was", comesBack},
		{"a-sign-in-makes-one-session", onceOnly},
		{"of-many-callbacks-one-succeeds", oneOfMany},
		{"a-new-session-replaces-the-old", replaces},
		{"a-used-sign-in-replaces-nothing", usedReplacesNothing},
		{"touch-moves-forward-only", touchForward},
		{"touch-of-nothing-is-none", touchNothing},
		{"delete-is-final-and-repeatable", deletes},
		{"sessions-are-found-by-index", indexed},
		{"something-is-spent-once", spends},
		{"records-are-found-by-index", finds},
		{"every-record-is-visited", visits},
		{"sweep-takes-what-has-ended", sweeps},
		{"a-swept-sign-in-can-be-forgotten", sweepsSpent},
		{"a-cancelled-context-is-an-error", cancelled},
		{"over-the-limit-the-oldest-go", limited},
		{"the-limit-holds-for-many-at-once", limitedAtOnce},
		{"the-newest-is-found-first", newestFirst},
		{"a-lease-is-one-caller's", leases},
		{"of-many-callers-one-gets-the-lease", leasesOnce},
		{"a-rewrite-needs-the-version-it-read", rewrites},
		{"only-the-version-read-is-deleted", deletesVersion},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// epochAt is when the tests happen.
func epochAt() time.Time { return time.Unix(1_800_000_000, 0) }

// record makes a record with its own key.
func record() session.Record {
	rec := session.Record{
		Created: epochAt(), Touched: epochAt().Add(time.Minute), Expires: epochAt().Add(10 * time.Hour),
		Subject: "subject-" + rand.Text(), SID: "sid-" + rand.Text(), Sealed: []byte("sealed\x00\xff"),
	}
	rand.Read(rec.Key[:])
	return rec
}

func spent() session.Spent {
	return session.Spent{ID: rand.Text(), Until: epochAt().Add(time.Hour)}
}

// add creates a record without a limit.
func add(ctx context.Context, s session.Store, rec session.Record, once session.Spent, replaces ...session.Key) error {
	_, err := s.Create(ctx, rec, once, session.Limit{}, replaces...)
	return err
}

func create(t *testing.T, s session.Store, rec session.Record) session.Record {
	t.Helper()
	if err := add(t.Context(), s, rec, spent()); err != nil {
		t.Fatalf("Create = %v", err)
	}
	return rec
}

func wantNone(t *testing.T, s session.Store, key session.Key) {
	t.Helper()
	if rec, err := s.Load(t.Context(), key); !errors.Is(err, session.ErrNone) {
		t.Errorf("Load = %+v, %v, want ErrNone", rec, err)
	}
}

func wantThere(t *testing.T, s session.Store, key session.Key) session.Record {
	t.Helper()
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Errorf("Load = %v", err)
	}
	return rec
}

func comesBack(t *testing.T, s session.Store) {
	for _, rec := range []session.Record{create(t, s, record()), create(t, s, func() session.Record {
		bare := record()
		bare.Subject, bare.SID = "", ""
		return bare
	}())} {
		got := wantThere(t, s, rec.Key)
		if got.Key != rec.Key || !got.Created.Equal(rec.Created) || !got.Touched.Equal(rec.Touched) ||
			!got.Expires.Equal(rec.Expires) || got.Subject != rec.Subject || got.SID != rec.SID || !bytes.Equal(got.Sealed, rec.Sealed) {
			t.Errorf("Load = %+v, want %+v", got, rec)
		}
	}
	wantNone(t, s, record().Key)
}

func onceOnly(t *testing.T, s session.Store) {
	once := spent()
	first, second := record(), record()
	if err := add(t.Context(), s, first, once); err != nil {
		t.Fatal(err)
	}
	if err := add(t.Context(), s, second, once); !errors.Is(err, session.ErrUsed) {
		t.Errorf("a second Create = %v, want ErrUsed", err)
	}
	wantThere(t, s, first.Key)
	wantNone(t, s, second.Key)
}

func oneOfMany(t *testing.T, s session.Store) {
	once := spent()
	var made, used atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			switch err := add(t.Context(), s, record(), once); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, session.ErrUsed):
				used.Add(1)
			default:
				t.Errorf("Create = %v", err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || used.Load() != 15 {
		t.Errorf("of 16 callbacks %d made a session, %d found it used", made.Load(), used.Load())
	}
}

func replaces(t *testing.T, s session.Store) {
	old, other := create(t, s, record()), create(t, s, record())
	rec := record()
	if err := add(t.Context(), s, rec, spent(), old.Key, record().Key); err != nil {
		t.Fatal(err)
	}
	wantThere(t, s, rec.Key)
	wantNone(t, s, old.Key)
	wantThere(t, s, other.Key)
}

func usedReplacesNothing(t *testing.T, s session.Store) {
	old := create(t, s, record())
	once := spent()
	if err := add(t.Context(), s, record(), once); err != nil {
		t.Fatal(err)
	}
	if err := add(t.Context(), s, record(), once, old.Key); !errors.Is(err, session.ErrUsed) {
		t.Errorf("Create = %v, want ErrUsed", err)
	}
	wantThere(t, s, old.Key)
}

func touchForward(t *testing.T, s session.Store) {
	rec := create(t, s, record())
	later := rec.Touched.Add(time.Hour)
	for _, at := range []time.Time{later, rec.Touched} {
		if err := s.Touch(t.Context(), rec.Key, at); err != nil {
			t.Fatal(err)
		}
		if got := wantThere(t, s, rec.Key); !got.Touched.Equal(later) {
			t.Errorf("Touched = %v, want %v", got.Touched, later)
		}
	}
}

func touchNothing(t *testing.T, s session.Store) {
	if err := s.Touch(t.Context(), record().Key, epochAt()); !errors.Is(err, session.ErrNone) {
		t.Errorf("Touch = %v, want ErrNone", err)
	}
}

func deletes(t *testing.T, s session.Store) {
	rec, other := create(t, s, record()), create(t, s, record())
	for range 2 {
		if err := s.Delete(t.Context(), rec.Key); err != nil {
			t.Fatal(err)
		}
	}
	wantNone(t, s, rec.Key)
	wantThere(t, s, other.Key)
	if err := s.Touch(t.Context(), rec.Key, epochAt()); !errors.Is(err, session.ErrNone) {
		t.Errorf("Touch after Delete = %v, want ErrNone", err)
	}
}

func indexed(t *testing.T, s session.Store) {
	a, b, c, bare := record(), record(), record(), record()
	b.Subject = a.Subject
	bare.Subject, bare.SID = "", ""
	for _, rec := range []session.Record{a, b, c, bare} {
		create(t, s, rec)
	}
	want := func(index string, count int) {
		t.Helper()
		if n, err := s.DeleteIndexed(t.Context(), index); err != nil || n != count {
			t.Errorf("DeleteIndexed = %d, %v, want %d", n, err, count)
		}
	}
	want("", 0)
	want("nobody", 0)
	want(a.Subject, 2)
	wantNone(t, s, a.Key)
	wantNone(t, s, b.Key)
	want(c.SID, 1)
	wantNone(t, s, c.Key)
	wantThere(t, s, bare.Key)
}

func sweeps(t *testing.T, s session.Store) {
	now := epochAt().Add(2 * time.Hour)
	live, idle, old := record(), record(), record()
	live.Touched, live.Expires = now, now.Add(time.Second)
	idle.Touched, idle.Expires = now.Add(-time.Hour-time.Second), now.Add(time.Hour)
	old.Touched, old.Expires = now, now
	for _, rec := range []session.Record{live, idle, old} {
		create(t, s, rec)
	}
	if n, err := s.Sweep(t.Context(), now, now.Add(-time.Hour)); err != nil || n != 2 {
		t.Errorf("Sweep = %d, %v, want 2", n, err)
	}
	wantThere(t, s, live.Key)
	wantNone(t, s, idle.Key)
	wantNone(t, s, old.Key)
}

func sweepsSpent(t *testing.T, s session.Store) {
	once := spent()
	if err := add(t.Context(), s, record(), once); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(t.Context(), once.Until.Add(-time.Second), epochAt()); err != nil {
		t.Fatal(err)
	}
	if err := add(t.Context(), s, record(), once); !errors.Is(err, session.ErrUsed) {
		t.Errorf("a sign-in was forgotten before its time: %v", err)
	}
	if _, err := s.Sweep(t.Context(), once.Until, epochAt()); err != nil {
		t.Fatal(err)
	}
	if err := add(t.Context(), s, record(), once); err != nil {
		t.Errorf("a sign-in is kept for ever: %v", err)
	}
}

func cancelled(t *testing.T, s session.Store) {
	rec := create(t, s, record())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, rec.Key); err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("Load = %v", err)
	}
	if err := add(ctx, s, record(), spent()); err == nil || errors.Is(err, session.ErrUsed) {
		t.Errorf("Create = %v", err)
	}
	if err := s.Delete(ctx, rec.Key); err == nil {
		t.Error("Delete did nothing and said nothing")
	}
	wantThere(t, s, rec.Key)
}
