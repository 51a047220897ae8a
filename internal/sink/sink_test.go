package sink

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// canary stands where the log holds what must not leave it.
const canary = "kanarienvogel"

func quick() times {
	return times{
		poll: time.Millisecond, keep: time.Millisecond, deliver: time.Minute, first: time.Millisecond, most: 5 * time.Millisecond,
		alarm: time.Millisecond, remind: time.Hour, settle: time.Millisecond,
	}
}

func openLog(t testing.TB, dir string) *audit.Log {
	t.Helper()
	ring, err := keys.Open(dir + "/master")
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), dir+"/log", ring, audit.Options{Node: "n1", SegmentSize: 64 << 10, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func add(t testing.TB, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		_, err := l.Append(t.Context(), &audit.Entry{
			Kind: audit.Intent, Request: fmt.Sprintf("r-%d", i), Employee: "e-aaaaaaaaaaaaaaaaaaaaaaaaaa", Keyed: []string{canary},
			Accesses: []access.Access{{Action: access.Search, Entity: "contact", Type: "contacts", Question: canary}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// started is a Runner at work.
type started struct {
	*Runner
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
	free chan struct{} // closed when it has let go of the target

	mu   sync.Mutex
	news []News
}

func start(t testing.TB, l *audit.Log, target Target, set ...func(*Runner)) *started {
	t.Helper()
	s := &started{done: make(chan struct{}), free: make(chan struct{})}
	s.Runner = &Runner{Name: "test", To: "a test", Log: l, Target: target, Status: new(Status), FromStart: true, times: quick()}
	s.Tell = func(n News) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.news = append(s.news, n)
	}
	for _, f := range set {
		f(s.Runner)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		defer close(s.done)
		s.Run(ctx, func() { close(s.free) })
	}()
	t.Cleanup(s.end)
	return s
}

// end ends it and waits.
func (s *started) end() {
	s.stop()
	<-s.done
}

func (s *started) told(f func(News) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.news, f)
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// caughtUp waits until all that is in the log now is delivered.
func (s *started) caughtUp(t testing.TB) {
	t.Helper()
	until(t, "the sink begins", func() bool { return s.Status.State(time.Now()).Known })
	size, _ := s.Log.Head()
	until(t, "the sink catches up", func() bool { return s.Status.State(time.Now()).Next >= size })
}

// ids reads the entries' numbers out of lines of events, and looks for the canary.
func ids(t testing.TB, lines []byte) []uint64 {
	t.Helper()
	if bytes.Contains(lines, []byte(canary)) {
		t.Error("a value of the log is in the sink")
	}
	var all []uint64
	scan := bufio.NewScanner(bytes.NewReader(lines))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var e struct {
			Metadata struct {
				UID      string `json:"uid"`
				Sequence uint64 `json:"sequence"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil || e.Metadata.UID != fmt.Sprintf("n1/%d", e.Metadata.Sequence) {
			t.Fatalf("line %q: %v", scan.Text(), err)
		}
		all = append(all, e.Metadata.Sequence)
	}
	return all
}

// whole checks that no number from 0 to n is skipped: one may come again, and then
// all behind it do.
func whole(t testing.TB, got []uint64, n uint64) {
	t.Helper()
	next := uint64(0)
	for i, seq := range got {
		if seq > next || i > 0 && seq > got[i-1]+1 {
			t.Fatalf("entry %d comes where %d should", seq, next)
		}
		next = max(next, seq+1)
	}
	if next < n {
		t.Errorf("%d entries have come, of %d", next, n)
	}
}

func size(l *audit.Log) uint64 {
	n, _ := l.Head()
	return n
}

// stub is a target that a test can have fail.
type stub struct {
	deliver func(ctx context.Context, got []uint64) error
	settle  func() error

	mu       sync.Mutex
	waiting  []uint64
	got      []uint64
	closings int
}

func (s *stub) Add(e *audit.Stored) error {
	s.waiting = append(s.waiting, e.Seq)
	return nil
}

func (s *stub) Full() bool { return len(s.waiting) >= 7 }

func (s *stub) Deliver(ctx context.Context) error {
	if s.deliver != nil {
		if err := s.deliver(ctx, s.waiting); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.got = append(s.got, s.waiting...)
	s.mu.Unlock()
	s.Drop()
	return nil
}

func (s *stub) Drop() { s.waiting = nil }

func (s *stub) Settle() error {
	if s.settle != nil {
		return s.settle()
	}
	return nil
}

func (s *stub) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closings++
	return nil
}

func (s *stub) all() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint64(nil), s.got...)
}

func mustRead(t testing.TB, files ...string) []byte {
	t.Helper()
	var all []byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// changes are what the log says of sinks.
func changes(t testing.TB, l *audit.Log) []string {
	t.Helper()
	var all []string
	for s, err := range l.Read(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Entry.Event == audit.SinkChange {
			all = append(all, strings.TrimPrefix(s.Entry.Detail, "sink test "))
		}
	}
	return all
}
