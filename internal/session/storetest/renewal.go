package storetest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

func limited(t *testing.T, s session.Store) {
	idle := epochAt().Add(-time.Hour)
	of := func(subject string, age, touched time.Duration) session.Record {
		rec := record()
		rec.Subject, rec.Created, rec.Touched = subject, epochAt().Add(-age), epochAt().Add(-touched)
		return create(t, s, rec)
	}
	oldest, old, young := of("ada", 3*time.Minute, 0), of("ada", 2*time.Minute, time.Minute), of("ada", time.Minute, 0)
	dead := of("ada", 0, 2*time.Hour)
	other := of("eve", 4*time.Minute, 0)
	rec, sameSecond := record(), session.Key{}
	rec.Subject, rec.Created = "ada", young.Created // a tie: the new one stays
	ended, err := s.Create(t.Context(), rec, spent(), session.Limit{Keep: 2, Idle: idle})
	if err != nil || len(ended) != 2 || !slices.Contains(ended, oldest.Key) || !slices.Contains(ended, old.Key) {
		t.Errorf("Create = %x, %v, want the two oldest", ended, err)
	}
	for _, key := range []session.Key{oldest.Key, old.Key, sameSecond} {
		wantNone(t, s, key)
	}
	for _, key := range []session.Key{young.Key, rec.Key, dead.Key, other.Key} {
		wantThere(t, s, key)
	}
	last := record()
	last.Subject, last.Created = "ada", rec.Created
	if ended, err = s.Create(t.Context(), last, spent(), session.Limit{Keep: 1, Idle: idle}, rec.Key); err != nil || !slices.Equal(ended, []session.Key{young.Key}) {
		t.Errorf("Create = %x, %v, want the other one alone: what is replaced isn't ended", ended, err)
	}
	wantThere(t, s, last.Key)
}

func limitedAtOnce(t *testing.T, s session.Store) {
	var ended atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			rec := record()
			rec.Subject, rec.SID = "ada", ""
			gone, err := s.Create(t.Context(), rec, spent(), session.Limit{Keep: 3, Idle: epochAt()})
			if err != nil {
				t.Errorf("Create = %v", err)
			}
			ended.Add(int32(len(gone)))
		})
	}
	all.Wait()
	left, err := s.Indexed(t.Context(), "ada")
	if err != nil || len(left) != 3 || ended.Load() != 13 {
		t.Errorf("%d sessions are left (%v), %d were ended, want 3 and 13", len(left), err, ended.Load())
	}
}

func newestFirst(t *testing.T, s session.Store) {
	var want []session.Key
	for i := range 3 {
		rec := record()
		rec.Subject, rec.Created = "ada", epochAt().Add(-time.Duration(i)*time.Minute)
		want = append(want, create(t, s, rec).Key)
	}
	records, err := s.Indexed(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	var got []session.Key
	for _, rec := range records {
		if got = append(got, rec.Key); rec.Version != 1 {
			t.Errorf("version %d, want 1", rec.Version)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Indexed = %x, want %x", got, want)
	}
}

func leases(t *testing.T, s session.Store) {
	rec, other := create(t, s, record()), create(t, s, record())
	got, err := s.Lease(t.Context(), rec.Key, 1, time.Hour)
	if err != nil || got.Version != 1 || got.Key != rec.Key || string(got.Sealed) != string(rec.Sealed) || got.Subject != rec.Subject || got.SID != rec.SID {
		t.Errorf("Lease = %+v, %v, want the record", got, err)
	}
	if _, err := s.Lease(t.Context(), rec.Key, 1, time.Hour); !errors.Is(err, session.ErrLeased) {
		t.Errorf("a second Lease = %v, want ErrLeased", err)
	}
	if _, err := s.Lease(t.Context(), other.Key, 1, time.Millisecond); err != nil {
		t.Errorf("the lease of another record = %v", err)
	}
	if _, err := s.Lease(t.Context(), record().Key, 1, time.Hour); !errors.Is(err, session.ErrNone) {
		t.Errorf("the lease of nothing = %v, want ErrNone", err)
	}
	wantThere(t, s, rec.Key) // a lease keeps nobody from reading
	if err := s.Touch(t.Context(), rec.Key, rec.Touched.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := s.Lease(t.Context(), other.Key, 1, time.Hour)
		if err == nil {
			break
		}
		if !errors.Is(err, session.ErrLeased) || time.Now().After(deadline) {
			t.Fatalf("a lapsed lease: %v", err)
		}
	}
}

func leasesOnce(t *testing.T, s session.Store) {
	rec := create(t, s, record())
	var got atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := s.Lease(t.Context(), rec.Key, 1, time.Hour)
			if err == nil {
				got.Add(1)
			} else if !errors.Is(err, session.ErrLeased) {
				t.Errorf("Lease = %v", err)
			}
		})
	}
	all.Wait()
	if got.Load() != 1 {
		t.Errorf("%d callers have the lease", got.Load())
	}
}

func rewrites(t *testing.T, s session.Store) {
	create(t, s, record())
	rec, err := s.Lease(t.Context(), create(t, s, record()).Key, 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	rec.Sealed, rec.SID = []byte("new"), "another sid"
	if err := s.Rewrite(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	got := wantThere(t, s, rec.Key)
	if string(got.Sealed) != "new" || got.SID != "another sid" || got.Version != 2 || got.Subject != rec.Subject {
		t.Errorf("after Rewrite: %+v", got)
	}
	rec.Sealed = []byte("from what was read before")
	if err := s.Rewrite(t.Context(), rec); !errors.Is(err, session.ErrRewritten) {
		t.Errorf("Rewrite = %v, want ErrRewritten", err)
	}
	if got := wantThere(t, s, rec.Key); string(got.Sealed) != "new" {
		t.Error("an old version was written")
	}
	if _, err := s.Lease(t.Context(), rec.Key, 1, time.Hour); !errors.Is(err, session.ErrRewritten) {
		t.Errorf("a lease for an old version: %v", err)
	}
	if got, err := s.Lease(t.Context(), rec.Key, 2, time.Hour); err != nil || got.Version != 2 || string(got.Sealed) != "new" {
		t.Errorf("Rewrite left the lease: %+v, %v", got, err)
	}
	if err := s.Delete(t.Context(), rec.Key); err != nil {
		t.Fatal(err)
	}
	if err := s.Rewrite(t.Context(), got); !errors.Is(err, session.ErrNone) {
		t.Errorf("Rewrite of what is gone = %v, want ErrNone", err)
	}
	wantNone(t, s, rec.Key)
}

func deletesVersion(t *testing.T, s session.Store) {
	rec, err := s.Lease(t.Context(), create(t, s, record()).Key, 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Rewrite(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if ended, err := s.DeleteVersion(t.Context(), rec.Key, rec.Version); ended || err != nil {
		t.Errorf("DeleteVersion of an old one = %v, %v", ended, err)
	}
	wantThere(t, s, rec.Key)
	if ended, err := s.DeleteVersion(t.Context(), rec.Key, rec.Version+1); !ended || err != nil {
		t.Errorf("DeleteVersion = %v, %v", ended, err)
	}
	wantNone(t, s, rec.Key)
	if ended, err := s.DeleteVersion(t.Context(), rec.Key, rec.Version+1); ended || err != nil {
		t.Errorf("DeleteVersion of nothing = %v, %v", ended, err)
	}
}
