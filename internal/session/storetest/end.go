package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/session"
)

// Spend implements session.Store.
func (m *Memory) Spend(ctx context.Context, spent session.Spent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "spend"); err != nil {
		return err
	}
	if _, ok := m.spent[spent.ID]; ok {
		return session.ErrUsed
	}
	m.spent[spent.ID] = spent.Until
	return nil
}

// IsSpent implements session.Store.
func (m *Memory) IsSpent(ctx context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "isSpent"); err != nil {
		return false, err
	}
	_, ok := m.spent[id]
	return ok, nil
}

// Indexed implements session.Store.
func (m *Memory) Indexed(ctx context.Context, index string) ([]session.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "indexed"); err != nil || index == "" {
		return nil, err
	}
	return m.find(index), nil
}

func spends(t *testing.T, s session.Store) {
	t.Helper()
	what := spent()
	if ok, err := s.IsSpent(t.Context(), what.ID); ok || err != nil {
		t.Errorf("IsSpent before = %v, %v", ok, err)
	}
	var won atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := s.Spend(t.Context(), what)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, session.ErrUsed) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 spent it", won.Load())
	}
	if ok, err := s.IsSpent(t.Context(), what.ID); !ok || err != nil {
		t.Errorf("IsSpent after = %v, %v", ok, err)
	}
	if err := add(t.Context(), s, record(), what); !errors.Is(err, session.ErrUsed) {
		t.Errorf("Create with what is spent = %v", err)
	}
	if _, err := s.Sweep(t.Context(), what.Until, epochAt()); err != nil {
		t.Fatal(err)
	}
	if err := s.Spend(t.Context(), what); err != nil {
		t.Errorf("Spend after Until = %v", err)
	}
}

func finds(t *testing.T, s session.Store) {
	t.Helper()
	a := create(t, s, record())
	b := record()
	b.Subject, b.SID = a.Subject, ""
	create(t, s, b)
	other := record()
	other.SID = ""
	create(t, s, other)
	want := func(index string, keys ...session.Key) {
		t.Helper()
		list, err := s.Indexed(t.Context(), index)
		if err != nil || len(list) != len(keys) {
			t.Fatalf("Indexed = %d records, %v, want %d", len(list), err, len(keys))
		}
		for _, rec := range list {
			if there := wantThere(t, s, rec.Key); there.Subject != rec.Subject || there.SID != rec.SID ||
				!there.Expires.Equal(rec.Expires) || !there.Created.Equal(rec.Created) || string(there.Sealed) != string(rec.Sealed) {
				t.Errorf("Indexed = %+v, Load = %+v", rec, there)
			}
		}
	}
	want(a.Subject, a.Key, b.Key)
	want(a.SID, a.Key)
	want("")
	want("nobody")
}

// Each implements session.Store.
func (m *Memory) Each(ctx context.Context, visit func(session.Record) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "each"); err != nil {
		return err
	}
	for _, rec := range m.records {
		if err := visit(rec); err != nil {
			return err
		}
	}
	return nil
}

func visits(t *testing.T, s session.Store) {
	t.Helper()
	want := map[session.Key]string{}
	for range 20 {
		rec := create(t, s, record())
		want[rec.Key] = rec.Subject
	}
	err := s.Each(t.Context(), func(rec session.Record) error {
		if want[rec.Key] != rec.Subject {
			t.Errorf("visited %+v", rec)
		}
		delete(want, rec.Key)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%d records weren't visited, %v", len(want), err)
	}
	enough := errors.New("enough")
	n := 0
	if err := s.Each(t.Context(), func(session.Record) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("Each = %v after %d", err, n)
	}
}
