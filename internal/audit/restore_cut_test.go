package audit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
)

func jointNeedsItsEntry(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	mustClose(t, mustOpen(t, "disk", ring, onDisk(d)))
	opts := onDisk(d)
	kept := opts.shelf("disk", ring)
	if err := opts.fill("disk"); err != nil {
		t.Fatal(err)
	}
	found, err := recoverLog(t.Context(), opts, newDataKeys(d, ring), kept)
	if err != nil {
		t.Fatal(err)
	}
	was := found.identity
	found.node, found.epoch[0] = "n1.r1", found.epoch[0]+1
	found.number, found.previousEnd, found.end, found.headed, found.spare = found.number+1, found.end, 0, false, false
	if found.anchor, err = (&restoration{ring: ring, kept: kept, found: *found, joint: Joint{Size: found.tree.size, Root: found.tree.root()}}).anchor(); err != nil {
		t.Fatal(err)
	}
	opts.restored = found
	l, err := open(t.Context(), "disk", ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	if _, err := verifyDisk(t, d, ring); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "no entry says from where") {
		t.Errorf("verify of a log that was %s says %v", was.origin(), err)
	}
}

func restorationMayBeCutAtEveryStep(t *testing.T) {
	ring, c := testRing(t), newTurner("2026-01-10 09:00")
	was := newDisk()
	l := mustOpen(t, "disk", ring, cutOptions(was, c))
	fillMonths(t, l, c, 2)
	if err := l.KeepCursor(Cursor{Name: "siem", Next: 1}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	out, ks := newDisk(), newDisk()
	b := &backup{log: was, kept: cutOptions2(was).shelf("disk", ring), ring: ring, how: Backing{out: out, keys: ks}}
	if err := b.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	restore := func(d *disk) error {
		_, err := Restore(t.Context(), "backup", "disk", ring, cutOptions(d, newTurner("2026-03-10 09:00")), Restoring{By: "uid 0", out: out, keys: ks})
		return err
	}
	cut := 0
	for at := 1; ; at += sparse {
		d := newDisk()
		d.cutAt = at
		err := restore(d)
		done := !d.off
		if done && err != nil {
			t.Fatal(err)
		}
		d.cut()
		for i, how := range []loss{loseAll, loseNothing, loseSome} {
			after := d.reboot(how, uint64(at*3+i))
			if err := afterRestoration(t, after, ring, done, restore); err != nil {
				t.Fatalf("cut before operation %d, loss %d: %v", at, how, err)
			}
		}
		if done {
			t.Logf("%d operations", cut)
			return
		}
		cut++
	}
}

func cutOptions2(d *disk) *Options {
	o := onDisk(d)
	return &o
}

func afterRestoration(t *testing.T, d *disk, ring *keys.Ring, done bool, restore func(*disk) error) error {
	t.Helper()
	if segments, err := listSegments(d); err == nil && len(segments) > 0 {
		probe := copyOf(d)
		l, err := Open(t.Context(), "disk", ring, cutOptions(probe, newTurner("2026-03-10 09:00")))
		if err == nil {
			l.Close()
			if l.Node() != "n1.r1" {
				return fmt.Errorf("it opens as %s", l.Node())
			}
			done = true
		} else if done || !errors.Is(err, errRestoring) {
			return fmt.Errorf("it isn't restored, and opening says %w", err)
		}
	} else if done {
		return errors.New("the restored log is gone")
	}
	if !done {
		if err := restore(d); err != nil {
			return fmt.Errorf("restoring again: %w", err)
		}
	}
	r, err := verifyDisk(t, d, ring)
	if err == nil && (len(r.Joints) != 1 || r.Intents != 2) {
		err = fmt.Errorf("verify says %+v", r)
	}
	return err
}
