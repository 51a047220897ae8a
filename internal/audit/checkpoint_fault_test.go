package audit

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// shelfFault makes the operations on checkpoints fail, and them alone.
func shelfFault(d *disk, on *atomic.Bool, fault func(op string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = func(op, name string) error {
		if !on.Load() || !strings.Contains(name, checkpointDir) {
			return nil
		}
		return fault(op)
	}
}

// Where checkpoints can't be kept for too long, new requests are refused, the
// disclosures of those that were let through are not, and the log goes on by
// itself.
func logWithoutCheckpointsRefusesIntents(t *testing.T) {
	release := make(chan struct{})
	for name, c := range map[string]struct {
		fault func(d *disk) func(op string) error
		says  string
	}{
		"full":   {func(*disk) func(string) error { return func(string) error { return syscall.ENOSPC } }, "no space"},
		"broken": {func(*disk) func(string) error { return func(string) error { return syscall.EIO } }, "input/output"},
		"hanging": {func(d *disk) func(string) error {
			return func(op string) error {
				if op == "sync" {
					d.mu.Unlock()
					<-release
					d.mu.Lock()
				}
				return nil
			}
		}, ErrUnsigned.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			d, ring := newDisk(), testRing(t)
			opts := onDisk(d)
			opts.patience = 50 * time.Millisecond
			l := mustOpen(t, "disk", ring, opts)
			eventually(t, "the start is covered", func() bool { return l.Checkpoint().Size == 1 && l.notary.since.Load() == 0 })
			var on atomic.Bool
			on.Store(true)
			shelfFault(d, &on, c.fault(d))
			first := mustAppend(t, l, intentOf("open"))
			var err error
			eventually(t, "intents are refused", func() bool {
				_, err = l.Append(t.Context(), intentOf("r"))
				return err != nil
			})
			if !errors.Is(err, ErrUnsigned) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want ErrUnsigned that says %q", err, c.says)
			}
			mustAppend(t, l, &Entry{Kind: Disclosure, Request: "open", Intent: first.Seq})
			on.Store(false)
			if name == "hanging" {
				close(release)
			}
			eventually(t, "the log goes on", func() bool {
				_, err := l.Append(t.Context(), intentOf("after"))
				return err == nil
			})
			mustClose(t, l)
			report, err := verifyDisk(t, d, ring)
			if err != nil || report.Anchored != report.Size {
				t.Errorf("Verify = %+v, %v, want all of it anchored", report, err)
			}
			d.cut()
			if err := check(t, d.reboot(loseAll, 0), ring, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// An append never waits for a checkpoint, however slow its disk.
func TestAppendDoesNotWaitForACheckpoint(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	var on atomic.Bool
	hung, release := make(chan struct{}, 100), make(chan struct{})
	on.Store(true)
	shelfFault(d, &on, func(string) error {
		d.mu.Unlock()
		defer d.mu.Lock()
		hung <- struct{}{}
		<-release
		return nil
	})
	mustAppend(t, l, intentOf("first"))
	<-hung
	for i := range 50 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	on.Store(false)
	close(release)
	mustClose(t, l)
}
