package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rowMemory is a database in memory, which a test can have fail around a commit.
type rowMemory struct {
	mu     sync.Mutex
	files  map[string][]byte
	sizes  map[string]int64
	groups map[string][]Part
	last   string // the segment that is written to
	mark   Mark
	writer int
	// before and after are called around a commit; an error of before is one of a
	// commit that wasn't done, one of after of a commit that was.
	before, after func() error
}

func newRowMemory() *rowMemory {
	none := func() error { return nil }
	return &rowMemory{files: map[string][]byte{}, sizes: map[string]int64{}, groups: map[string][]Part{}, before: none, after: none}
}

func (m *rowMemory) String() string { return "memory" }

func (m *rowMemory) Hold(context.Context) (Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writer++
	return &rowMemoryHeld{m, m.writer}, nil
}

func (m *rowMemory) Mark(context.Context) (Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, nil
}

func (m *rowMemory) List(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files)), nil
}

func (m *rowMemory) Stat(_ context.Context, name string) (size, end int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == nil {
		return 0, 0, fs.ErrNotExist
	}
	end = int64(len(m.files[name]))
	if parts := m.groups[name]; len(parts) > 0 {
		end = parts[len(parts)-1].Offset + int64(len(parts[len(parts)-1].Data))
	}
	return m.sizes[name], end, nil
}

func (m *rowMemory) Parts(_ context.Context, name string, from, to int64) (list []Part, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range append([]Part{{0, m.files[name]}}, m.groups[name]...) {
		if p.Offset < to && p.Offset+int64(len(p.Data)) > from {
			list = append(list, p)
		}
	}
	return list, nil
}

type rowMemoryHeld struct {
	*rowMemory
	writer int
}

func (h *rowMemoryHeld) Append(_ context.Context, name string, group Part, before, after Mark) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.before(); err != nil {
		return err
	}
	if h.rowMemory.writer != h.writer || h.mark.Size != before.Size || before.Size > 0 && h.mark != before {
		return ErrFenced
	}
	group.Data = slices.Clone(group.Data)
	h.groups[name], h.last, h.mark = append(h.groups[name], group), name, after
	return h.after()
}

func (h *rowMemoryHeld) Put(_ context.Context, name string, size int64, content []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[name], h.sizes[name] = append([]byte{}, content...), size
	return nil
}

func (h *rowMemoryHeld) Remove(_ context.Context, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.files, name)
	return nil
}

func (h *rowMemoryHeld) Resume(context.Context) (Mark, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rowMemory.writer != h.writer {
		return Mark{}, ErrFenced
	}
	return h.mark, nil
}

func (h *rowMemoryHeld) Scrub(context.Context) error { return nil }

func (h *rowMemoryHeld) Close() error { return nil }

var errGone = errors.New("the connection is gone")

// once fails one call, and lets all others through.
func once(err error) func() error {
	return func() (e error) { e, err = err, nil; return e }
}

// A commit whose answer is lost is the log's if it was done, and isn't if it
// wasn't. Nothing stands in the log twice, and the next start finds it whole.
func unknownCommitIsAskedFor(t *testing.T) {
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			m := newRowMemory()
			ring := testRing(t)
			opts := Options{Node: "one", Rows: m, SegmentSize: minSegment, Checkpoints: t.TempDir()}
			l := mustOpen(t, "", ring, opts)
			var want []string
			add := func(id string) bool {
				r, err := l.Append(t.Context(), &Entry{Kind: Intent, Request: id})
				if err == nil {
					want = append(want, fmt.Sprintf("%d %s", r.Seq, id))
				}
				return err == nil
			}
			for i := range 66 {
				add(fmt.Sprintf("r%d", i))
			}
			for i := range 15 { // one of them is the first of a segment
				size, _ := l.Head()
				m.mu.Lock()
				if done {
					m.after = once(errGone)
				} else {
					m.before = once(errGone)
				}
				m.mu.Unlock()
				id := fmt.Sprintf("lost%d", i)
				if add(id) {
					t.Fatal("a commit without an answer is acknowledged")
				}
				if done {
					want = append(want, fmt.Sprintf("%d %s", size, id))
				}
				next := fmt.Sprintf("next%d", i)
				eventually(t, "the log goes on", func() bool { return add(next) })
			}
			mustClose(t, l)
			opts.Checkpoints = filepath.Join(t.TempDir(), "new") // the node has another disk
			mustClose(t, mustOpen(t, "", ring, opts))
			if kept, err := os.ReadDir(opts.Checkpoints); err != nil || len(kept) == 0 {
				t.Errorf("no checkpoint on the node's new disk: %v", err)
			}
			var got []string
			for s, err := range ReadRows(t.Context(), m, ring) {
				if err != nil {
					t.Fatal(err)
				}
				if s.Entry.Kind == Intent {
					got = append(got, fmt.Sprintf("%d %s", s.Seq, s.Entry.Request))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the log has %v, want %v", got, want)
			}
			if r, err := Verify(t.Context(), "", ring, Check{Rows: m, Checkpoints: opts.Checkpoints}); err != nil || r.Segments < 2 {
				t.Errorf("verify: %+v, %v", r, err)
			}
		})
	}
}

// A disclosure whose commit lost its answer has closed its intent: no stop names it.
func unknownDisclosureClosesItsIntent(t *testing.T) {
	m := newRowMemory()
	ring := testRing(t)
	l := mustOpen(t, "", ring, Options{Node: "one", Rows: m})
	r, err := l.Append(t.Context(), &Entry{Kind: Intent, Request: "r"})
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.after = once(errGone)
	m.mu.Unlock()
	if _, err := l.Append(t.Context(), &Entry{Kind: Disclosure, Request: "r", Intent: r.Seq}); !errors.Is(err, ErrDatabase) {
		t.Errorf("a disclosure without an answer: %v", err)
	}
	eventually(t, "the log goes on", func() bool {
		_, err := l.Append(t.Context(), &Entry{Kind: Control, Event: Consent})
		return err == nil
	})
	mustClose(t, l)
	for s, err := range ReadRows(t.Context(), m, ring) {
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Entry.Unfinished) > 0 {
			t.Errorf("%s names %v", s.Entry.Event, s.Entry.Unfinished)
		}
	}
}

// A database that has lost entries, and one that another process writes to.
func databaseThatLostEntriesIsRefused(t *testing.T) {
	m := newRowMemory()
	ring := testRing(t)
	dir := t.TempDir()
	opts := Options{Node: "one", Rows: m, Checkpoints: dir}
	l := mustOpen(t, "", ring, opts)
	add := func() error {
		_, err := l.Append(t.Context(), &Entry{Kind: Intent, Request: "r"})
		return err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	mark, groups := m.mark, slices.Clone(m.groups[m.last])
	m.mu.Unlock()
	if err := add(); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	newer := m.mark
	all := m.groups[m.last]
	m.mark, m.groups[m.last] = mark, groups
	m.mu.Unlock()
	eventually(t, "the loss is seen", func() bool { return errors.Is(add(), ErrBehind) })
	m.mu.Lock()
	m.mark, m.groups[m.last] = newer, all
	m.mu.Unlock()
	eventually(t, "the log goes on", func() bool { return add() == nil })
	mustClose(t, l)
	// What this node kept shows it after a start, too, where the database's own
	// checkpoints went back with the log.
	m.mark, m.groups[m.last] = mark, groups
	for name := range m.files {
		if strings.HasPrefix(name, checkpointDir) {
			delete(m.files, name)
		}
	}
	if _, err := Open(t.Context(), "", ring, opts); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "are missing") {
		t.Errorf("a start on the older database: %v", err)
	}
}
