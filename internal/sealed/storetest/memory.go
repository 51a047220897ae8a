package storetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// Memory is a store for tests. The zero value is empty.
type Memory struct {
	mu   sync.Mutex
	docs map[place]sealed.Doc
	// Fault, if set, is what every call returns.
	Fault error
}

type place struct {
	kind string
	key  sealed.Key
}

// LoadDocs implements sealed.Store.
func (m *Memory) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(ctx); err != nil {
		return nil, err
	}
	var found []sealed.Doc
	for _, k := range keys {
		if d, ok := m.docs[place{kind, k}]; ok {
			found = append(found, d)
		}
	}
	return found, nil
}

// ListDocs implements sealed.Store.
func (m *Memory) ListDocs(ctx context.Context, kind string, group, after sealed.Key, most int) ([]sealed.Doc, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(ctx); err != nil {
		return nil, err
	}
	var found []sealed.Doc
	for at, d := range m.docs {
		if at.kind == kind && d.Group == group && bytes.Compare(d.Key[:], after[:]) > 0 {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b sealed.Doc) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return found[:min(len(found), most)], nil
}

// SaveDocs implements sealed.Store.
func (m *Memory) SaveDocs(ctx context.Context, docs []sealed.Doc) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(ctx); err != nil {
		return err
	}
	next := maps.Clone(m.docs)
	if next == nil {
		next = map[place]sealed.Doc{}
	}
	for _, d := range docs {
		at := place{d.Kind, d.Key}
		if next[at].Version != d.Version || d.Version == 0 && d.Sealed == nil {
			return sealed.ErrChanged
		}
		if d.Sealed == nil {
			delete(next, at)
			continue
		}
		d.Version++
		next[at] = d
	}
	m.docs = next
	return nil
}

// SweepDocs implements sealed.Store.
func (m *Memory) SweepDocs(ctx context.Context, now time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(ctx); err != nil {
		return 0, err
	}
	n := len(m.docs)
	maps.DeleteFunc(m.docs, func(_ place, d sealed.Doc) bool { return !d.Until.IsZero() && !d.Until.After(now) })
	return n - len(m.docs), nil
}

func (m *Memory) fault(ctx context.Context) error {
	if m.Fault != nil {
		return m.Fault
	}
	return ctx.Err()
}

var _ sealed.Store = (*Memory)(nil)
