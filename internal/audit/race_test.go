package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

func TestAppendsShareSyncs(t *testing.T) {
	const appenders, each = 64, 25
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, Options{SegmentSize: 256 << 10})
	counted := &countingFile{file: l.writer.seg}
	counted.running.Store(appenders)
	// The writer has nothing to do yet: Open has returned.
	l.writer.seg = counted
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]string{}
	for w := range appenders {
		wg.Go(func() {
			defer counted.running.Add(-1)
			for i := range each {
				id := fmt.Sprintf("%d.%d", w, i)
				counted.inside.Add(1)
				r, err := l.Append(t.Context(), intentOf(id))
				counted.inside.Add(-1)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[r.Seq] != "" {
					t.Errorf("entry %d was given to %s and %s", r.Seq, seen[r.Seq], id)
				}
				seen[r.Seq] = id
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	mustClose(t, l)
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		if id := seen[s.Seq]; id != s.Entry.Request {
			t.Errorf("entry %d was acknowledged as %q and is %q", s.Seq, id, s.Entry.Request)
		}
	}
	report, err := Verify(t.Context(), dir, ring, Check{})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != appenders*each || report.Groups > len(seen)/4 {
		t.Errorf("%d entries took %d groups", len(seen), report.Groups)
	}
	if syncs := int(counted.syncs.Load()); syncs == 0 || syncs > report.Groups {
		t.Errorf("%d syncs for %d groups", syncs, report.Groups)
	}
	t.Logf("%d entries, %d groups, %d syncs", len(seen), report.Groups, counted.syncs.Load())
}

// countingFile is a disk that is slow enough for all who append to wait for it.
type countingFile struct {
	file
	syncs           atomic.Int64
	running, inside atomic.Int64
}

func (c *countingFile) datasync() error {
	c.syncs.Add(1)
	for c.inside.Load() < c.running.Load() {
		runtime.Gosched()
	}
	return c.file.datasync()
}

// Readers see a prefix at every moment, and never damage, while entries are
// appended and segments change.
func logIsReadWhileItIsWritten(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, Options{SegmentSize: 32 << 10})
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			s := newSampler(uint64(w))
			for {
				select {
				case <-stop:
					return
				default:
				}
				e, _ := s.request(3)
				if _, err := l.Append(t.Context(), e); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for least := uint64(0); least < 1500; {
				least, _ = l.Head()
				n := uint64(0)
				for s, err := range Read(t.Context(), dir, ring) {
					if err != nil {
						t.Error(err)
						return
					}
					if s.Seq != n {
						t.Errorf("seq %d in place of %d", s.Seq, n)
						return
					}
					n++
				}
				if n < least {
					t.Errorf("%d entries were read, %d were durable before", n, least)
				}
				if _, err := Verify(t.Context(), dir, ring, Check{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
	mustClose(t, l)
}

func closeWaitsForWhatWasAccepted(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	var wg sync.WaitGroup
	var acked atomic.Int64
	for range 32 {
		wg.Go(func() {
			for {
				_, err := l.Append(t.Context(), intentOf("r"))
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				acked.Add(1)
			}
		})
	}
	eventually(t, "some are accepted", func() bool { return acked.Load() > 50 })
	mustClose(t, l)
	wg.Wait()
	all := collect(t, Read(t.Context(), dir, ring))
	if int64(len(all)) != acked.Load()+2 || all[len(all)-1].Entry.Event != Stop {
		t.Errorf("%d entries, %d were acknowledged; the last is %+v", len(all), acked.Load(), all[len(all)-1].Entry)
	}
}

// Nothing personal stands readable in any file: not the values of unnamed rows,
// not the names of employees, records or questions.
func nothingPersonalIsReadableInTheDirectory(t *testing.T) {
	canaries := []string{
		"kanarienvogel", "KANARIENVOGEL@example.de", "DE89370400440532013000", "+49 170 7654321",
		"Anna Kanari", "anna.kanari", "party.party/4711", "4711471147", "question about kanari",
	}
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	intent := mustAppend(t, l, &Entry{
		Kind: Intent, Request: "0198c0de-0000-7000-8000-000000000001", Employee: l.Employee("https://login.example.de", "anna.kanari"),
		Accesses: []access.Access{{Route: "rpc", Type: "party.party/4711", IDs: []string{"4711471147"}, Question: canaries[8]}},
	})
	mustAppend(t, l, &Entry{Kind: Control, Event: SignIn, Names: &Names{User: "anna.kanari", Email: canaries[1], Name: "Anna Kanari"}})
	d := &access.Disclosure{Rows: 1, Identifying: []access.Identifier{
		{Category: access.Name, Value: canaries[0]},
		{Category: access.Email, Value: canaries[1]},
		{Category: access.Bank, Value: canaries[2]},
		{Category: access.Phone, Value: canaries[3]},
		{Category: access.Name, Value: " "},
	}}
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "r", Intent: intent.Seq, Disclosure: d})
	mustClose(t, l)
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, c := range canaries {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(c))) {
				t.Errorf("%s holds %q", path, c)
			}
		}
		return err
	})
	if err != nil || files < 3 {
		t.Fatalf("%d files, %v", files, err)
	}
	// Sealed, identifying values are keyed hashes as well.
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		if s.Entry.Kind != Disclosure {
			continue
		}
		text := strings.ToLower(string(asJSON(t, &s.Entry)))
		for _, c := range canaries[:4] {
			if strings.Contains(text, strings.ToLower(c)) {
				t.Errorf("the disclosure holds %q", c)
			}
		}
		if len(s.Entry.Keyed) != 4 {
			t.Errorf("keyed = %v, want 4 hashes", s.Entry.Keyed)
		}
	}
}
