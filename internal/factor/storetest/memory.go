package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/factor"
)

// Memory is a factor.Store for tests.
type Memory struct {
	mu      sync.Mutex
	records map[string]factor.Record
}

var _ factor.Store = (*Memory)(nil)

func (m *Memory) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	m.mu.Lock()
	if m.records == nil {
		m.records = map[string]factor.Record{}
	}
	return m.mu.Unlock, nil
}

// LoadFactor implements factor.Store.
func (m *Memory) LoadFactor(ctx context.Context, index string) (factor.Record, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return factor.Record{}, err
	}
	defer unlock()
	rec, ok := m.records[index]
	if !ok {
		return factor.Record{}, factor.ErrNone
	}
	return rec, nil
}

// WriteFactor implements factor.Store.
func (m *Memory) WriteFactor(ctx context.Context, rec factor.Record) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if m.records[rec.Index].Version != rec.Version {
		return factor.ErrRewritten
	}
	rec.Version++
	rec.Sealed = slices.Clone(rec.Sealed)
	m.records[rec.Index] = rec
	return nil
}

// DeleteFactor implements factor.Store.
func (m *Memory) DeleteFactor(ctx context.Context, index string, version int64) (bool, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	rec, ok := m.records[index]
	if !ok || version != 0 && rec.Version != version {
		return false, nil
	}
	delete(m.records, index)
	return true, nil
}

// Factors implements factor.Store.
func (m *Memory) Factors(ctx context.Context, after string) ([]factor.Record, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var list []factor.Record
	for _, rec := range m.records {
		if rec.Person && rec.Index > after {
			list = append(list, rec)
		}
	}
	slices.SortFunc(list, func(a, b factor.Record) int { return strings.Compare(a.Index, b.Index) })
	return list[:min(len(list), factor.FactorsLimit)], nil
}

// SweepFactors implements factor.Store.
func (m *Memory) SweepFactors(ctx context.Context, now time.Time) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for index, rec := range m.records {
		if !rec.Expires.IsZero() && rec.Expires.Before(now) {
			delete(m.records, index)
		}
	}
	return nil
}
