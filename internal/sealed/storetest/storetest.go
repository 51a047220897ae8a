// Package storetest holds stores to the contract of sealed.Store, and has one in
// memory for tests.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// Run checks a store: open makes an empty one at every call.
func Run(t *testing.T, open func(t *testing.T) sealed.Store) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, sealed.Store){
		"what-was-saved-comes-back":   comesBack,
		"all-or-none":                 allOrNone,
		"one-of-a-crowd-succeeds":     crowd,
		"a-group-is-listed-in-order":  lists,
		"many-are-read-at-once":       many,
		"sweep-takes-what-is-over":    sweeps,
		"kinds-have-nothing-together": kinds,
		"a-cancelled-context":         cancelled,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

func epochAt() time.Time { return time.Unix(1_700_000_000, 0) }

func newKey() (k sealed.Key) {
	rand.Read(k[:])
	return k
}

func newDoc() sealed.Doc {
	return sealed.Doc{Kind: "test", Key: newKey(), Group: newKey(), Until: epochAt().Add(time.Hour), Sealed: []byte("sealed " + rand.Text())}
}

func save(t *testing.T, s sealed.Store, docs ...sealed.Doc) {
	t.Helper()
	if err := s.SaveDocs(t.Context(), docs); err != nil {
		t.Fatalf("SaveDocs = %v", err)
	}
}

// load returns the document that is there, or nil.
func load(t *testing.T, s sealed.Store, kind string, k sealed.Key) *sealed.Doc {
	t.Helper()
	docs, err := s.LoadDocs(t.Context(), kind, []sealed.Key{k})
	if err != nil || len(docs) > 1 {
		t.Fatalf("LoadDocs = %v, %v", docs, err)
	}
	if len(docs) == 0 {
		return nil
	}
	return &docs[0]
}

func want(t *testing.T, s sealed.Store, d sealed.Doc, version int64) {
	t.Helper()
	got := load(t, s, d.Kind, d.Key)
	if got == nil || got.Kind != d.Kind || got.Key != d.Key || got.Group != d.Group || !got.Until.Equal(d.Until) || got.Version != version ||
		!bytes.Equal(got.Sealed, d.Sealed) {
		t.Errorf("LoadDocs = %+v, want %+v of version %d", got, d, version)
	}
}

func wantNone(t *testing.T, s sealed.Store, d sealed.Doc) {
	t.Helper()
	if got := load(t, s, d.Kind, d.Key); got != nil {
		t.Errorf("LoadDocs of what isn't there = %+v", got)
	}
}

func wantChanged(t *testing.T, s sealed.Store, docs ...sealed.Doc) {
	t.Helper()
	if err := s.SaveDocs(t.Context(), docs); !errors.Is(err, sealed.ErrChanged) {
		t.Errorf("SaveDocs = %v, want ErrChanged", err)
	}
}

func comesBack(t *testing.T, s sealed.Store) {
	d, forever := newDoc(), newDoc()
	forever.Until = time.Time{}
	wantNone(t, s, d)
	save(t, s, d, forever)
	want(t, s, d, 1)
	want(t, s, forever, 1)
	wantChanged(t, s, d) // it isn't new
	d.Version, d.Sealed, d.Until, d.Group = 1, []byte("again"), epochAt().Add(2*time.Hour), newKey()
	save(t, s, d)
	want(t, s, d, 2)
	wantChanged(t, s, d) // it isn't version 1
	d.Sealed = nil
	wantChanged(t, s, d)
	d.Version = 2
	save(t, s, d)
	wantNone(t, s, d)
	want(t, s, forever, 1)
	wantChanged(t, s, d) // it isn't there
}

func allOrNone(t *testing.T, s sealed.Store) {
	first, second, there := newDoc(), newDoc(), newDoc()
	save(t, s, there)
	wantChanged(t, s, first, there, second)
	wantNone(t, s, first)
	wantNone(t, s, second)
	want(t, s, there, 1)
}

func crowd(t *testing.T, s sealed.Store) {
	d := newDoc()
	for version := range int64(2) {
		d.Version = version
		won := make(chan bool, 16)
		var all sync.WaitGroup
		for range cap(won) {
			all.Go(func() {
				err := s.SaveDocs(t.Context(), []sealed.Doc{d})
				if err != nil && !errors.Is(err, sealed.ErrChanged) {
					t.Errorf("SaveDocs = %v", err)
				}
				won <- err == nil
			})
		}
		all.Wait()
		close(won)
		n := 0
		for w := range won {
			if w {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of a crowd saved version %d", n, version)
		}
	}
}

func lists(t *testing.T, s sealed.Store) {
	group := newKey()
	var keys []sealed.Key
	for range 7 {
		d := newDoc()
		d.Group = group
		keys = append(keys, d.Key)
		save(t, s, d, newDoc())
	}
	slices.SortFunc(keys, func(a, b sealed.Key) int { return bytes.Compare(a[:], b[:]) })
	var got []sealed.Key
	after := sealed.Key{}
	for {
		docs, err := s.ListDocs(t.Context(), "test", group, after, 3)
		if err != nil || len(docs) > 3 {
			t.Fatalf("ListDocs = %v, %v", docs, err)
		}
		if len(docs) == 0 {
			break
		}
		for i := range docs {
			got = append(got, docs[i].Key)
		}
		after = got[len(got)-1]
	}
	if !slices.Equal(got, keys) {
		t.Errorf("the group is listed as %x, want %x", got, keys)
	}
}

func many(t *testing.T, s sealed.Store) {
	var docs []sealed.Doc
	keys := []sealed.Key{newKey()}
	for range 1200 {
		d := newDoc()
		docs, keys = append(docs, d), append(keys, d.Key)
	}
	save(t, s, docs...)
	got, err := s.LoadDocs(t.Context(), "test", keys)
	if err != nil || len(got) != len(docs) {
		t.Errorf("LoadDocs found %d of %d, %v", len(got), len(docs), err)
	}
}

func sweeps(t *testing.T, s sealed.Store) {
	over, stays, forever := newDoc(), newDoc(), newDoc()
	over.Until, stays.Until, forever.Until = epochAt(), epochAt().Add(time.Second), time.Time{}
	save(t, s, over, stays, forever)
	if n, err := s.SweepDocs(t.Context(), epochAt()); n != 1 || err != nil {
		t.Errorf("SweepDocs = %d, %v, want 1", n, err)
	}
	wantNone(t, s, over)
	want(t, s, stays, 1)
	want(t, s, forever, 1)
}

func kinds(t *testing.T, s sealed.Store) {
	a := newDoc()
	b := a
	b.Kind, b.Sealed = "another", []byte("another")
	save(t, s, a, b)
	want(t, s, a, 1)
	want(t, s, b, 1)
	if docs, err := s.ListDocs(t.Context(), "another", a.Group, sealed.Key{}, 9); err != nil || len(docs) != 1 || docs[0].Kind != "another" {
		t.Errorf("ListDocs of a kind = %+v, %v", docs, err)
	}
	b.Version, b.Sealed = 1, nil
	save(t, s, b)
	want(t, s, a, 1)
}

func cancelled(t *testing.T, s sealed.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := newDoc()
	if err := s.SaveDocs(ctx, []sealed.Doc{d}); err == nil || errors.Is(err, sealed.ErrChanged) {
		t.Errorf("SaveDocs with a context that has ended = %v", err)
	}
	if _, err := s.LoadDocs(ctx, "test", []sealed.Key{d.Key}); err == nil {
		t.Error("LoadDocs with a context that has ended says nothing is there")
	}
	wantNone(t, s, d)
}
