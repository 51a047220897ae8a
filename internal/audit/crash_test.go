package audit

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
)

func onDisk(d *disk) Options {
	return Options{Node: "n1", SegmentSize: minSegment, Timeout: aMinute, files: d, every: 1}
}

// verifyDisk is Verify of a log and its checkpoints on a disk; without a ring, of
// the log alone.
func verifyDisk(t testing.TB, d *disk, ring *keys.Ring) (Report, error) {
	t.Helper()
	opts := onDisk(d)
	return verifyIn(t.Context(), d, ring, opts.shelf("disk", ring), Check{})
}

// workload appends until the power is cut, or to its end, and returns what was
// acknowledged: request id by seq. Every entry is bulky, so that segments change.
func workload(t *testing.T, d *disk, ring *keys.Ring, n int) map[uint64]string {
	t.Helper()
	acked := map[uint64]string{}
	l, err := Open(t.Context(), "disk", ring, onDisk(d))
	if err != nil {
		if !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		return acked
	}
	defer func() {
		l.Close()
		d.kept = l.Checkpoint().Size
	}()
	var mu sync.Mutex
	var wg sync.WaitGroup
	// Two appenders, so that groups of several entries are torn, too.
	for w := range 2 {
		wg.Go(func() {
			s := newSampler(uint64(w))
			for i := range n {
				e, _ := s.request(5)
				e.Request = fmt.Sprintf("%d-%d", w, i)
				for range 48 {
					e.Session += s.hash()
				}
				r, err := l.Append(t.Context(), e)
				if err != nil {
					continue
				}
				mu.Lock()
				acked[r.Seq] = e.Request
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// check recovers a disk and returns an error if anything acknowledged is gone, or
// if a segment stands in place whose room isn't on the disk yet.
func check(t *testing.T, d *disk, ring *keys.Ring, acked map[uint64]string) error {
	t.Helper()
	for name, node := range d.names {
		if strings.HasSuffix(name, segmentSuffix) && len(node.live) != minSegment {
			return fmt.Errorf("segment %s is in place with %d bytes", name, len(node.live))
		}
	}
	if err := checkKept(d, ring); err != nil {
		return err
	}
	defer func() {
		if len(d.lied) > 0 {
			t.Errorf("two roots were signed for one size: %v", d.lied)
		}
	}()
	l, err := Open(t.Context(), "disk", ring, onDisk(d))
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	found := map[uint64]string{}
	for s, err := range read(t.Context(), d, ring) {
		if err != nil {
			return err
		}
		if s.Seq != uint64(len(found)) {
			return fmt.Errorf("seq %d follows %d", s.Seq, len(found)-1)
		}
		found[s.Seq] = s.Entry.Request
	}
	for seq, request := range acked {
		if found[seq] != request {
			return fmt.Errorf("entry %d was acknowledged as %q and is %q", seq, request, found[seq])
		}
	}
	return nil
}

// checkKept returns an error if the last checkpoint that was told of as durable
// isn't there, nor a later one.
func checkKept(d *disk, ring *keys.Ring) error {
	opts := onDisk(d)
	all, err := opts.shelf("disk", ring).load()
	if err != nil || d.kept == 0 {
		return err
	}
	if len(all) == 0 || all[len(all)-1].Size < d.kept {
		return fmt.Errorf("the checkpoint of %d entries was durable, and is gone", d.kept)
	}
	return nil
}

const cutEntries = 20

// Power is cut before every single operation of a workload that goes through
// several segments; whatever of the unsynced the disk then holds, all that was
// acknowledged is there.
func acknowledgedSurvivesPowerLossAtEveryStep(t *testing.T) {
	ring := testRing(t)
	whole := newDisk()
	if acked := workload(t, whole, ring, cutEntries); len(acked) != 2*cutEntries {
		t.Fatalf("%d of %d entries were acknowledged without a fault", len(acked), 2*cutEntries)
	}
	if segments, _ := listSegments(whole); len(segments) < 4 {
		t.Fatalf("the workload fills %d segments only", len(segments))
	}
	t.Logf("%d operations", whole.ops)
	steps := whole.ops + 5 // concurrency shifts a few
	for at := 1; at <= steps; at += sparse {
		d := newDisk()
		d.cutAt = at
		acked := workload(t, d, ring, cutEntries)
		d.cut()
		for _, how := range []loss{loseAll, loseNothing, loseSome, loseSome} {
			seed := uint64(at) * 31
			if how == loseSome {
				seed += uint64(len(acked))
			}
			if err := check(t, d.reboot(how, seed), ring, acked); err != nil {
				t.Fatalf("cut before operation %d, loss %d: %v", at, how, err)
			}
		}
	}
}

// A second crash during the recovery from the first one.
func recoveryItselfMayBeCut(t *testing.T) {
	ring := testRing(t)
	d := newDisk()
	d.cutAt = 60
	acked := workload(t, d, ring, cutEntries)
	d.cut()
	for seed := range uint64(6) {
		for at := 1; ; at += sparse {
			again := d.reboot(loseSome, seed)
			again.cutAt = at
			l, err := Open(t.Context(), "disk", ring, onDisk(again))
			if err == nil {
				l.Close()
			}
			done := !again.off
			again.cut()
			if err := check(t, again.reboot(loseSome, seed+1), ring, acked); err != nil {
				t.Fatalf("seed %d, recovery cut before operation %d: %v", seed, at, err)
			}
			if done {
				break
			}
		}
	}
}

// The tests above are worth something only if they fail without each defence.
func lossIsNoticedWithoutEachSync(t *testing.T) {
	ring := testRing(t)
	for name, weaken := range map[string]func(*disk){
		"fdatasync of a group":               func(d *disk) { d.noDatasync = true },
		"sync of a made segment":             func(d *disk) { d.noSync = func(name string) bool { return strings.Contains(name, segmentSuffix) } },
		"sync of a made key":                 func(d *disk) { d.noSync = func(name string) bool { return strings.Contains(name, keySuffix) } },
		"sync of a checkpoint":               func(d *disk) { d.noSync = func(name string) bool { return strings.Contains(name, checkpointSuffix) } },
		"sync of the log's directory":        func(d *disk) { d.noSyncDir = func(dir string) bool { return dir == "." } },
		"sync of the keys' directory":        func(d *disk) { d.noSyncDir = func(dir string) bool { return dir == keyDir } },
		"sync of the checkpoints' directory": func(d *disk) { d.noSyncDir = func(dir string) bool { return dir == checkpointDir } },
	} {
		t.Run(name, func(t *testing.T) {
			for at := 10; at < 250; at++ {
				d := newDisk()
				weaken(d)
				d.cutAt = at
				acked := workload(t, d, ring, cutEntries)
				d.cut()
				if err := check(t, d.reboot(loseAll, 0), ring, acked); err != nil {
					t.Logf("noticed when cut before operation %d: %v", at, err)
					return
				}
			}
			t.Error("every acknowledged entry survived without it")
		})
	}
}
