// Package storetest holds every implementation of factor.Store to its contract.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/factor"
)

// Run tests a store. open returns a new, empty one.
func Run(t *testing.T, open func(t *testing.T) factor.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, factor.Store){
		"what-was-written-is-loaded":                        written,
		"of-many-that-add-a-record-one-succeeds":            oneAdds,
		"of-many-that-replace-a-version-one-succeeds":       oneReplaces,
		"of-many-that-delete-a-version-one-succeeds":        oneDeletes,
		"enrolments-are-listed-in-order-and-no-invitations": listed,
		"what-expired-is-swept-and-nothing-else":            swept,
		"a-context-that-ended-is-an-error":                  ended,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func write(t *testing.T, s factor.Store, rec factor.Record) {
	t.Helper()
	if err := s.WriteFactor(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

func written(t *testing.T, s factor.Store) {
	if _, err := s.LoadFactor(t.Context(), "a"); !errors.Is(err, factor.ErrNone) {
		t.Fatalf("LoadFactor = %v, want ErrNone", err)
	}
	until := time.Unix(2_000_000_000, 0)
	write(t, s, factor.Record{Index: "a", Person: true, Expires: until, Sealed: []byte{0, 1, 255}})
	got, err := s.LoadFactor(t.Context(), "a")
	if err != nil || got.Index != "a" || !got.Person || !got.Expires.Equal(until) || !slices.Equal(got.Sealed, []byte{0, 1, 255}) || got.Version != 1 {
		t.Fatalf("LoadFactor = %+v, %v", got, err)
	}
	got.Sealed, got.Expires = []byte("b"), time.Time{}
	write(t, s, got)
	if got, err = s.LoadFactor(t.Context(), "a"); err != nil || string(got.Sealed) != "b" || got.Version != 2 || !got.Expires.IsZero() {
		t.Fatalf("LoadFactor = %+v, %v", got, err)
	}
	if gone, err := s.DeleteFactor(t.Context(), "a", 0); err != nil || !gone {
		t.Errorf("DeleteFactor = %t, %v", gone, err)
	}
	if err := s.WriteFactor(t.Context(), got); !errors.Is(err, factor.ErrRewritten) {
		t.Errorf("replacing what was deleted: %v, want ErrRewritten", err)
	}
}

// race calls f from many sides at once and returns how many succeeded; the
// others have to end with ErrRewritten.
func race(t *testing.T, f func(i int) (bool, error)) int {
	t.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			ok, err := f(i)
			if ok && err == nil {
				won.Add(1)
			} else if err != nil && !errors.Is(err, factor.ErrRewritten) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return int(won.Load())
}

func oneAdds(t *testing.T, s factor.Store) {
	n := race(t, func(i int) (bool, error) {
		return true, s.WriteFactor(t.Context(), factor.Record{Index: "a", Sealed: []byte{byte(i)}})
	})
	if n != 1 {
		t.Errorf("%d succeeded, want 1", n)
	}
}

func oneReplaces(t *testing.T, s factor.Store) {
	write(t, s, factor.Record{Index: "a", Sealed: []byte("0")})
	n := race(t, func(i int) (bool, error) {
		return true, s.WriteFactor(t.Context(), factor.Record{Index: "a", Sealed: []byte{byte(i)}, Version: 1})
	})
	if got, err := s.LoadFactor(t.Context(), "a"); n != 1 || err != nil || got.Version != 2 {
		t.Errorf("%d succeeded, version %d (%v), want 1 and 2", n, got.Version, err)
	}
}

func oneDeletes(t *testing.T, s factor.Store) {
	write(t, s, factor.Record{Index: "a", Sealed: []byte("0")})
	if gone, err := s.DeleteFactor(t.Context(), "a", 7); gone || err != nil {
		t.Errorf("another version was deleted: %t, %v", gone, err)
	}
	if n := race(t, func(int) (bool, error) { return s.DeleteFactor(t.Context(), "a", 1) }); n != 1 {
		t.Errorf("%d succeeded, want 1", n)
	}
}

func listed(t *testing.T, s factor.Store) {
	for i := range factor.FactorsLimit + 3 {
		write(t, s, factor.Record{Index: fmt.Sprintf("p%04d", i), Person: true, Sealed: []byte("x")})
	}
	write(t, s, factor.Record{Index: "p0000-invitation", Sealed: []byte("x")})
	first, err := s.Factors(t.Context(), "")
	if err != nil || len(first) != factor.FactorsLimit {
		t.Fatalf("Factors = %d, %v", len(first), err)
	}
	rest, err := s.Factors(t.Context(), first[len(first)-1].Index)
	if err != nil || len(rest) != 3 {
		t.Fatalf("Factors = %d, %v", len(rest), err)
	}
	all := append(first, rest...)
	if !slices.IsSortedFunc(all, func(a, b factor.Record) int { return strings.Compare(a.Index, b.Index) }) {
		t.Error("not sorted")
	}
	if slices.ContainsFunc(all, func(r factor.Record) bool { return !r.Person }) {
		t.Error("an invitation is listed")
	}
}

func swept(t *testing.T, s factor.Store) {
	now := time.Unix(1_900_000_000, 0)
	write(t, s, factor.Record{Index: "old", Expires: now.Add(-time.Second), Sealed: []byte("x")})
	write(t, s, factor.Record{Index: "new", Expires: now.Add(time.Second), Sealed: []byte("x")})
	write(t, s, factor.Record{Index: "ever", Sealed: []byte("x")})
	if err := s.SweepFactors(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for index, want := range map[string]error{"old": factor.ErrNone, "new": nil, "ever": nil} {
		if _, err := s.LoadFactor(t.Context(), index); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", index, err, want)
		}
	}
}

func ended(t *testing.T, s factor.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WriteFactor(ctx, factor.Record{Index: "a", Sealed: []byte("x")}); err == nil || errors.Is(err, factor.ErrRewritten) {
		t.Errorf("WriteFactor = %v", err)
	}
	if _, err := s.LoadFactor(ctx, "a"); err == nil || errors.Is(err, factor.ErrNone) {
		t.Errorf("LoadFactor = %v", err)
	}
}
