package storetest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// Memory is a session.Store for tests. It keeps nothing when the process ends,
// so it keeps half of the contract only.
type Memory struct {
	mu      sync.Mutex
	records map[session.Key]session.Record
	spent   map[string]time.Time
	leases  map[session.Key]time.Time
	// Fail, if set, is asked before every operation; its error is returned.
	Fail func(operation string) error
	// Calls counts the operations by name.
	Calls map[string]int
	// Now is the clock of leases; the default is time.Now.
	Now func() time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{records: map[session.Key]session.Record{}, spent: map[string]time.Time{}, leases: map[session.Key]time.Time{}, Calls: map[string]int{}}
}

// SetFail changes Fail while the store is in use.
func (m *Memory) SetFail(fail func(operation string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Fail = fail
}

// Count returns how often an operation was called.
func (m *Memory) Count(operation string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Calls[operation]
}

// Records returns all records.
func (m *Memory) Records() []session.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []session.Record
	for _, rec := range m.records {
		all = append(all, rec)
	}
	return all
}

// Put writes a record as somebody with the database's password could.
func (m *Memory) Put(rec session.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[rec.Key] = rec
}

// begin is called with mu held.
func (m *Memory) begin(ctx context.Context, operation string) error {
	m.Calls[operation]++
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fail != nil {
		return m.Fail(operation)
	}
	return nil
}

// Create implements session.Store.
func (m *Memory) Create(ctx context.Context, rec session.Record, spent session.Spent, limit session.Limit, replaces ...session.Key) ([]session.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "create"); err != nil {
		return nil, err
	}
	if _, ok := m.spent[spent.ID]; ok {
		return nil, session.ErrUsed
	}
	m.spent[spent.ID] = spent.Until
	rec.Sealed, rec.Version = bytes.Clone(rec.Sealed), 1
	m.records[rec.Key] = rec
	for _, key := range replaces {
		delete(m.records, key)
	}
	if limit.Keep == 0 || rec.Subject == "" {
		return nil, nil
	}
	var ended []session.Key
	kept := 1
	for _, other := range m.find(rec.Subject) {
		if other.Key == rec.Key || other.Touched.Before(limit.Idle) {
			continue
		}
		if kept++; kept > limit.Keep {
			delete(m.records, other.Key)
			ended = append(ended, other.Key)
		}
	}
	return ended, nil
}

// find is called with mu held.
func (m *Memory) find(index string) []session.Record {
	var found []session.Record
	for _, rec := range m.records {
		if rec.Subject == index || rec.SID == index {
			found = append(found, rec)
		}
	}
	slices.SortFunc(found, func(a, b session.Record) int { return b.Created.Compare(a.Created) })
	return found[:min(len(found), session.IndexedLimit)]
}

// Lease implements session.Store.
func (m *Memory) Lease(ctx context.Context, key session.Key, version int64, lasting time.Duration) (session.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "lease"); err != nil {
		return session.Record{}, err
	}
	rec, ok := m.records[key]
	if !ok {
		return session.Record{}, session.ErrNone
	}
	if rec.Version != version {
		return session.Record{}, session.ErrRewritten
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	if now().Before(m.leases[key]) {
		return session.Record{}, session.ErrLeased
	}
	m.leases[key] = now().Add(lasting)
	return rec, nil
}

// Rewrite implements session.Store.
func (m *Memory) Rewrite(ctx context.Context, rec session.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "rewrite"); err != nil {
		return err
	}
	stored, ok := m.records[rec.Key]
	switch {
	case !ok:
		return session.ErrNone
	case stored.Version != rec.Version:
		return session.ErrRewritten
	}
	stored.Sealed, stored.SID = bytes.Clone(rec.Sealed), rec.SID
	stored.Version++
	m.records[rec.Key] = stored
	delete(m.leases, rec.Key)
	return nil
}

// DeleteVersion implements session.Store.
func (m *Memory) DeleteVersion(ctx context.Context, key session.Key, version int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "deleteVersion"); err != nil {
		return false, err
	}
	if rec, ok := m.records[key]; !ok || rec.Version != version {
		return false, nil
	}
	delete(m.records, key)
	return true, nil
}

// Load implements session.Store.
func (m *Memory) Load(ctx context.Context, key session.Key) (session.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "load"); err != nil {
		return session.Record{}, err
	}
	rec, ok := m.records[key]
	if !ok {
		return session.Record{}, session.ErrNone
	}
	return rec, nil
}

// Touch implements session.Store.
func (m *Memory) Touch(ctx context.Context, key session.Key, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "touch"); err != nil {
		return err
	}
	rec, ok := m.records[key]
	if !ok {
		return session.ErrNone
	}
	if at = time.Unix(at.Unix(), 0); at.After(rec.Touched) {
		rec.Touched = at
		m.records[key] = rec
	}
	return nil
}

// Delete implements session.Store.
func (m *Memory) Delete(ctx context.Context, key session.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "delete"); err != nil {
		return err
	}
	delete(m.records, key)
	return nil
}

// DeleteIndexed implements session.Store.
func (m *Memory) DeleteIndexed(ctx context.Context, index string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "deleteIndexed"); err != nil || index == "" {
		return 0, err
	}
	return m.remove(func(rec session.Record) bool { return rec.Subject == index || rec.SID == index }), nil
}

// Sweep implements session.Store.
func (m *Memory) Sweep(ctx context.Context, now, idle time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "sweep"); err != nil {
		return 0, err
	}
	for id, until := range m.spent {
		if !now.Before(until) {
			delete(m.spent, id)
		}
	}
	return m.remove(func(rec session.Record) bool { return !now.Before(rec.Expires) || rec.Touched.Before(idle) }), nil
}

func (m *Memory) remove(which func(session.Record) bool) int {
	n := 0
	for key, rec := range m.records {
		if which(rec) {
			delete(m.records, key)
			n++
		}
	}
	return n
}
