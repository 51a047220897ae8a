package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// eventually polls until ok or the test's patience ends.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within a minute", what)
		case <-tick.C:
		}
	}
}

// faulty is a disk whose operations on segments fail while err is set.
type faulty struct {
	*disk
	err atomic.Pointer[error]
}

func newFaulty(ops ...string) *faulty {
	f := &faulty{disk: newDisk()}
	f.fault = func(op, name string) error {
		err := f.err.Load()
		if err == nil || !strings.Contains(name, segmentSuffix) && op != "syncdir" {
			return nil
		}
		if slices.Contains(ops, op) {
			return *err
		}
		return nil
	}
	return f
}

func (f *faulty) set(err error) {
	if err == nil {
		f.err.Store(nil)
		return
	}
	f.err.Store(&err)
}

func intentOf(request string) *Entry { return &Entry{Kind: Intent, Request: request} }

// Whatever operation fails, no append is acknowledged while it does, all that
// was before is kept, and the log goes on by itself afterwards. The failed
// groups may be on the disk or not: neither may be in the way.
func failingDiskRefusesAndHealsByItself(t *testing.T) {
	for _, op := range []string{"write", "datasync"} {
		for _, before := range []int{0, 1, 40} {
			t.Run(fmt.Sprintf("%s after %d", op, before), func(t *testing.T) {
				d, ring := newFaulty(op), testRing(t)
				l := mustOpen(t, "disk", ring, onDisk(d.disk))
				acked := map[uint64]string{}
				add := func(request string) error {
					r, err := l.Append(t.Context(), intentOf(request))
					if err == nil {
						acked[r.Seq] = request
					}
					return err
				}
				for i := range before {
					if err := add(fmt.Sprint("before", i)); err != nil {
						t.Fatal(err)
					}
				}
				for round := range 3 {
					d.set(syscall.EIO)
					for i := range 5 {
						if err := add("during"); !errors.Is(err, ErrUnavailable) {
							t.Fatalf("append %d on a failing disk: error = %v, want ErrUnavailable", i, err)
						}
					}
					d.set(nil)
					eventually(t, "the log goes on", func() bool { return add(fmt.Sprint("after", round)) == nil })
				}
				mustClose(t, l)
				if err := check(t, d.disk, ring, acked); err != nil {
					t.Error(err)
				}
				d.cut()
				if err := check(t, d.reboot(loseAll, 1), ring, acked); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// An fsync that failed once must not be believed the second time: the pages
// are clean then, and the disk has nothing.
func failedSyncIsNotRetriedOnTheSameFile(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("kept"))
	d.mu.Lock()
	failed, again := "", false
	d.fault = func(op, name string) error {
		if op == "datasync" && failed == "" {
			failed = name
			// The pages are dropped, as ext4 does.
			d.names[name].dirty = map[int64]bool{}
			return syscall.EIO
		}
		again = again || op == "datasync" && name == failed
		return nil
	}
	d.mu.Unlock()
	if _, err := l.Append(t.Context(), intentOf("lost")); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("error = %v, want ErrUnavailable", err)
	}
	acked := map[uint64]string{1: "kept"}
	eventually(t, "the log goes on", func() bool {
		r, err := l.Append(t.Context(), intentOf("after"))
		acked[r.Seq] = "after"
		if err != nil {
			delete(acked, r.Seq)
		}
		return err == nil
	})
	d.mu.Lock()
	if again {
		t.Errorf("%s was synced again", failed)
	}
	d.mu.Unlock()
	d.cut()
	if err := check(t, d.reboot(loseAll, 0), ring, acked); err != nil {
		t.Error(err)
	}
}

// What a recovery reads may be in the page cache alone: pages that a failed sync
// left behind as clean. Entries that follow would stand on nothing.
func recoveryMakesDurableWhatItFinds(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("kept"))
	d.mu.Lock()
	d.fault = func(op, name string) error {
		if op != "datasync" {
			return nil
		}
		d.names[name].dirty = map[int64]bool{}
		return syscall.EIO
	}
	d.mu.Unlock()
	cached := intentOf("cached")
	for s := newSampler(1); len(cached.Session) < 3000; {
		cached.Session += s.hash() // several sectors
	}
	if _, err := l.Append(t.Context(), cached); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("error = %v, want ErrUnavailable", err)
	}
	next := d.restart() // killed before it could do anything about it
	l = mustOpen(t, "disk", ring, onDisk(next))
	r := mustAppend(t, l, intentOf("after"))
	next.cut()
	if err := check(t, next.reboot(loseAll, 0), ring, map[uint64]string{1: "kept", r.Seq: "after"}); err != nil {
		t.Error(err)
	}
}

// Where no further segment can be made, new requests are refused while there is
// still room for the disclosures of those that were let through.
func fullDiskRefusesIntentsBeforeDisclosures(t *testing.T) {
	d, ring := newFaulty("create", "write", "sync"), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d.disk))
	// Full for new segments: what is there can still be overwritten.
	inner := d.fault
	d.mu.Lock()
	d.fault = func(op, name string) error {
		if !strings.HasSuffix(name, tmpSuffix) {
			return nil
		}
		return inner(op, name)
	}
	d.mu.Unlock()
	d.set(syscall.ENOSPC)
	var open []Receipt
	var err error
	for range 10_000 {
		var r Receipt
		if r, err = l.Append(t.Context(), intentOf("r")); err != nil {
			break
		}
		open = append(open, r)
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "free space") {
		t.Fatalf("error = %v, want ErrFull", err)
	}
	for i := range 32 { // half of the smallest segment holds a few more: entries differ in length by some bytes
		_, err := l.Append(t.Context(), &Entry{
			Kind: Disclosure, Request: "r", Intent: open[len(open)-1-i].Seq, Status: 200, Disclosure: &access.Disclosure{Rows: 1},
		})
		if err != nil {
			t.Fatalf("disclosure %d on a full disk: %v", i, err)
		}
	}
	d.set(nil)
	eventually(t, "room is found again", func() bool {
		_, err := l.Append(t.Context(), intentOf("again"))
		return err == nil
	})
	mustClose(t, l)
	if _, err := verifyDisk(t, d.disk, ring); err != nil {
		t.Error(err)
	}
}

func fullDiskAtTheFirstStartIsAnError(t *testing.T) {
	d := newFaulty("create")
	d.set(syscall.ENOSPC)
	ring := testRing(t)
	if _, err := Open(t.Context(), "disk", ring, onDisk(d.disk)); !errors.Is(err, ErrFull) {
		t.Fatalf("error = %v, want ErrFull", err)
	}
	d.set(nil)
	mustClose(t, mustOpen(t, "disk", ring, onDisk(d.disk)))
}

// A disk that hangs must not hang the requests: each waits for its time and gets
// an error, and what gave up before it was written is not written later.
func hangingDiskRefusesInTime(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	opts := onDisk(d)
	opts.Timeout = 50 * time.Millisecond
	l := mustOpen(t, "disk", ring, opts)
	release, hung := make(chan struct{}), make(chan struct{}, 100)
	var hang atomic.Bool
	d.mu.Lock()
	d.fault = func(op, _ string) error {
		if op == "datasync" && hang.Load() {
			hung <- struct{}{}
			d.mu.Unlock()
			<-release
			d.mu.Lock()
		}
		return nil
	}
	d.mu.Unlock()
	hang.Store(true)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := l.Append(t.Context(), intentOf(fmt.Sprint(i))); !errors.Is(err, ErrBusy) {
				t.Errorf("error = %v, want ErrBusy", err)
			}
		})
		if i == 0 {
			<-hung // the others don't join its group
		}
	}
	wg.Wait()
	hang.Store(false)
	close(release)
	eventually(t, "the log goes on", func() bool {
		_, err := l.Append(t.Context(), intentOf("after"))
		return err == nil
	})
	mustClose(t, l)
	// The one that hung is there; those that waited behind it are not.
	intents := 0
	for _, s := range collect(t, read(t.Context(), d, ring)) {
		if s.Entry.Kind == Intent && s.Entry.Request != "after" {
			intents++
		}
	}
	if intents != 1 {
		t.Errorf("%d of 8 abandoned intents are in the log, want the first", intents)
	}
}

func crashNamesIntentsWithoutDisclosure(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	var first Receipt
	for i := range 300 { // through several segments
		r := mustAppend(t, l, intentOf(fmt.Sprint(i)))
		if i == 0 {
			first = r
		}
		if i != 0 && i != 200 {
			mustAppend(t, l, &Entry{Kind: Disclosure, Request: fmt.Sprint(i), Intent: r.Seq})
		}
	}
	refused := intentOf("refused")
	refused.Decision = &Decision{Refused: true}
	mustAppend(t, l, refused)
	observed := intentOf("observed")
	observed.Decision = &Decision{Refused: true, Observe: true}
	mustAppend(t, l, observed)
	part := mustAppend(t, l, intentOf("stream"))
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "stream", Intent: part.Seq, Part: 1})
	whole := mustAppend(t, l, intentOf("streamed"))
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "streamed", Intent: whole.Seq, Part: 1})
	mustAppend(t, l, &Entry{Kind: Disclosure, Request: "streamed", Intent: whole.Seq, Part: 2, Parts: 2})
	d.cut()
	after := d.reboot(loseNothing, 0)
	l = mustOpen(t, "disk", ring, onDisk(after))
	mustClose(t, l)
	var named []string
	unclean := 0
	for _, s := range collect(t, read(t.Context(), after, ring)) {
		if s.Entry.Event == UncleanStart {
			unclean++
			for _, u := range s.Entry.Unfinished {
				named = append(named, u.Request)
				if u.Request == "0" && u.Seq != first.Seq {
					t.Errorf("intent 0 is named as %d, want %d", u.Seq, first.Seq)
				}
			}
		}
	}
	if want := "0 200 observed stream"; strings.Join(named, " ") != want || unclean != 1 {
		t.Errorf("%d unclean starts name %v, want %q", unclean, named, want)
	}
	report, err := verifyDisk(t, after, ring)
	if err != nil || report.Unfinished != 4 || report.Pending != 0 {
		t.Errorf("Verify = %+v, %v, want 4 unfinished", report, err)
	}
	// Once named, they are not named again.
	again := mustOpen(t, "disk", ring, onDisk(after))
	mustAppend(t, again, intentOf("x"))
	after.cut()
	third := after.reboot(loseNothing, 0)
	mustClose(t, mustOpen(t, "disk", ring, onDisk(third)))
	all := collect(t, read(t.Context(), third, ring))
	last := all[len(all)-2].Entry
	if last.Event != UncleanStart || len(last.Unfinished) != 1 || last.Unfinished[0].Request != "x" {
		t.Errorf("the second unclean start is %+v", last)
	}
}

// However many intents a crash leaves open, the log starts again.
func manyUnfinishedIntentsDoNotStopTheStart(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	const n = 500
	s := newSampler(1)
	for range n {
		mustAppend(t, l, intentOf(s.id()))
	}
	d.cut()
	after := d.reboot(loseNothing, 0)
	mustClose(t, mustOpen(t, "disk", ring, onDisk(after)))
	named, unnamed := 0, 0
	for _, s := range collect(t, read(t.Context(), after, ring)) {
		if s.Entry.Event == UncleanStart {
			named += len(s.Entry.Unfinished)
			unnamed += s.Entry.Unnamed
		}
	}
	if named == 0 || named+unnamed != n {
		t.Errorf("%d intents are named and %d counted, want %d in all", named, unnamed, n)
	}
}

func tornTailIsDroppedAndCounted(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("kept"))
	end := l.writer.end
	d.cut()
	torn := d.reboot(loseNothing, 0)
	const length = 5000
	torn.edit(segmentName(1), func(b []byte) {
		copy(b[end:], appendFrame(nil, frameEntry, bytes.Repeat([]byte{7}, 9000))[:length])
	})
	if report, err := verifyDisk(t, torn, ring); err != nil || report.Torn != length {
		t.Errorf("before: Verify = %+v, %v", report, err)
	}
	mustClose(t, mustOpen(t, "disk", ring, onDisk(torn)))
	all := collect(t, read(t.Context(), torn, ring))
	if len(all) != 4 || all[2].Entry.Event != UncleanStart || all[2].Entry.Dropped != length {
		t.Errorf("entries = %+v", all)
	}
	if report, err := verifyDisk(t, torn, ring); err != nil || report.Torn != 0 {
		t.Errorf("after: Verify = %+v, %v", report, err)
	}
}
