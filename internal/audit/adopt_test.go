package audit

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
)

// withoutCheckpoints is a log whose checkpoints are lost.
func withoutCheckpoints(t *testing.T) (*disk, *keys.Ring) {
	t.Helper()
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("r"))
	mustClose(t, l)
	removeAll(d, checkpointSuffix)
	if err := d.syncDir(checkpointDir); err != nil {
		t.Fatal(err)
	}
	return d, ring
}

// The power is cut, and the disk fails, before every operation of an adoption: where
// there is a checkpoint afterwards, the log says that it was adopted, and where there
// is none, it is adopted again.
func adoptionMayBeCutAtEveryStep(t *testing.T) {
	was, ring := withoutCheckpoints(t)
	for _, fails := range []string{"cut", "fails"} {
		cut := 0
		for at := 1; ; at++ {
			d := copyOf(was)
			if fails == "cut" {
				d.cutAt = at
			} else {
				seen := 0
				d.fault = func(string, string) error {
					if seen++; seen >= at {
						return errPower
					}
					return nil
				}
			}
			_, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 7")
			done := err == nil
			d.cut()
			for i, how := range []loss{loseAll, loseNothing, loseSome} {
				if err := afterAdoption(t, d.reboot(how, uint64(at*3+i)), ring, done); err != nil {
					t.Fatalf("%s before operation %d, loss %d: %v", fails, at, how, err)
				}
			}
			if done {
				break
			}
			cut++
		}
		t.Logf("%s: %d operations", fails, cut)
	}
}

func afterAdoption(t *testing.T, d *disk, ring *keys.Ring, done bool) error {
	t.Helper()
	opts := onDisk(d)
	kept, err := opts.shelf("disk", ring).load()
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		if done {
			return errors.New("the log was adopted, and has no checkpoint")
		}
		if _, err := Open(t.Context(), "disk", ring, onDisk(d)); !errors.Is(err, ErrNoCheckpoint) {
			return fmt.Errorf("starting without a checkpoint: %w", err)
		}
		if _, err := Adopt(t.Context(), "disk", ring, onDisk(d), "uid 7"); err != nil {
			return fmt.Errorf("adopting again: %w", err)
		}
	}
	l, err := Open(t.Context(), "disk", ring, onDisk(d))
	if err != nil {
		return err
	}
	defer mustClose(t, l)
	for _, s := range collect(t, l.Read(t.Context())) {
		if s.Entry.Event == Adopted && strings.Contains(s.Entry.Detail, "uid 7") {
			return nil
		}
	}
	return errors.New("there are checkpoints, and no entry says that the log was adopted")
}

// A log in a database whose checkpoints are lost, there and on the node's disk, is
// adopted beside a disk that is new: both places have a checkpoint then.
func TestAdoptingMakesTheSecondDirectory(t *testing.T) {
	m, ring := newRowMemory(), testRing(t)
	opts := Options{Node: "one", Rows: m, SegmentSize: minSegment, Checkpoints: filepath.Join(t.TempDir(), "old")}
	l := mustOpen(t, "", ring, opts)
	mustAppend(t, l, intentOf("r"))
	mustClose(t, l)
	m.mu.Lock()
	for name := range m.files {
		if strings.HasSuffix(name, checkpointSuffix) {
			delete(m.files, name)
		}
	}
	m.mu.Unlock()
	opts.Checkpoints = filepath.Join(t.TempDir(), "a", "new")
	c, err := Adopt(t.Context(), "", ring, opts, "uid 7")
	if err != nil {
		t.Fatal(err)
	}
	kept := opts.shelf("", ring)
	kept.files = newRowFiles(m)
	for name, s := range map[string]shelf{"the database": {files: kept.files, dir: kept.dir, ring: ring}, "the disk": *kept.second} {
		if all, err := s.load(); err != nil || len(all) != 1 || all[0].Size <= c.Size {
			t.Errorf("%s has %v, %v", name, all, err)
		}
	}
	mustClose(t, mustOpen(t, "", ring, opts))
}
