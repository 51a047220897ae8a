package storetest

import (
	"bytes"
	"context"
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
	// Fail, if set, is asked before every operation; its error is returned.
	Fail func(operation string) error
	// Calls counts the operations by name.
	Calls map[string]int
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{records: map[session.Key]session.Record{}, spent: map[string]time.Time{}, Calls: map[string]int{}}
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
func (m *Memory) Create(ctx context.Context, rec session.Record, spent session.Spent, replaces ...session.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(ctx, "create"); err != nil {
		return err
	}
	if _, ok := m.spent[spent.ID]; ok {
		return session.ErrUsed
	}
	m.spent[spent.ID] = spent.Until
	rec.Sealed = bytes.Clone(rec.Sealed)
	m.records[rec.Key] = rec
	for _, key := range replaces {
		delete(m.records, key)
	}
	return nil
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
