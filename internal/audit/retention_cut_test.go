package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// dueLog is a log on a disk whose first month is due, closed.
func dueLog(t *testing.T, ring *keys.Ring) (*disk, *turner) {
	t.Helper()
	d, c := newDisk(), newTurner("2026-01-10 09:00")
	l := mustOpen(t, "disk", ring, cutOptions(d, c))
	fillMonths(t, l, c, 3)
	mustClose(t, l)
	return d, c
}

func cutOptions(d *disk, c *turner) Options {
	o := onDisk(d)
	o.now = c.now
	return o
}

// cutDestruction opens a log, destroys a month, and stops where the power is cut.
func cutDestruction(d *disk, ring *keys.Ring, c *turner, t *testing.T) {
	t.Helper()
	l, err := Open(t.Context(), "disk", ring, cutOptions(d, c))
	if err != nil {
		return
	}
	c.run(2 * time.Hour)
	_, err = l.Retain(t.Context(), Retaining{Retention: Retention{Access: 1}, By: "the gateway"})
	// Until then others write to the disk, who may find the power off a moment later.
	l.Close()
	if err != nil && !d.off {
		t.Errorf("the power is on, and Retain says %v", err)
	}
}

// after judges what is left of a log whose month was being destroyed: it opens, all
// but that month is there, the month is there whole or gone, and the next run takes
// it.
func after(t *testing.T, d *disk, ring *keys.Ring, c *turner) error {
	t.Helper()
	l, err := Open(t.Context(), "disk", ring, cutOptions(d, c))
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	defer l.Close()
	_, gone := l.keys.get(3)
	if gone != nil && !errors.Is(gone, ErrDestroyed) {
		return gone
	}
	if n, _ := d.at(keyName(3)); gone != nil && n != nil {
		return errors.New("the key is destroyed, and its file there")
	}
	c.run(2 * time.Hour)
	if _, err := l.Retain(t.Context(), Retaining{Retention: Retention{Access: 1}, By: "the gateway"}); err != nil {
		return fmt.Errorf("destroying: %w", err)
	}
	if err := l.Close(); err != nil {
		return err
	}
	var left []string
	for s, err := range read(t.Context(), d, ring) {
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if s.Entry.Kind == Intent {
			left = append(left, s.Entry.Request)
		}
	}
	if want := []string{"r-2026-02", "r-2026-03"}; !slices.Equal(left, want) {
		return fmt.Errorf("%v is left, not %v", left, want)
	}
	if d.names[keyName(3)] != nil {
		return errors.New("the key's file is there")
	}
	r, err := verifyDisk(t, d, ring)
	if err == nil && len(r.Destroyed) != 1 {
		err = fmt.Errorf("verify says that %d keys are destroyed", len(r.Destroyed))
	}
	return err
}

// The power is cut before every operation of destroying a month.
func destructionMayBeCutAtEveryStep(t *testing.T) {
	ring := testRing(t)
	whole, _ := dueLog(t, ring)
	for at := 1; ; at += sparse {
		d := copyOf(whole)
		c := newTurner("2026-03-10 09:00")
		d.cutAt = at
		cutDestruction(d, ring, c, t)
		done := !d.off
		d.cut()
		for i, how := range []loss{loseAll, loseNothing, loseSome, loseSome, loseSome} {
			if err := after(t, d.reboot(how, uint64(at*7+i)), ring, newTurner("2026-03-11 09:00")); err != nil {
				t.Fatalf("cut before operation %d, loss %d: %v", at, how, err)
			}
		}
		if done {
			t.Logf("%d operations", at-1)
			return
		}
	}
}

// Without each of the syncs a cut would lose a month that nobody destroyed, or call
// one destroyed whose key is still there.
func lossOfADestructionIsNoticedWithoutEachSync(t *testing.T) {
	ring := testRing(t)
	whole, _ := dueLog(t, ring)
	for name, weaken := range map[string]func(*disk){
		"sync of the tombstone":       func(d *disk) { d.noSync = func(name string) bool { return strings.Contains(name, goneSuffix) } },
		"sync of the overwritten key": func(d *disk) { d.noSync = func(name string) bool { return strings.HasSuffix(name, keySuffix) } },
		"sync of the keys' directory": func(d *disk) { d.noSyncDir = func(dir string) bool { return dir == keyDir } },
	} {
		t.Run(name, func(t *testing.T) {
			secret := string(whole.names[keyName(3)].live[60:])
			for at := 1; at < 200; at++ {
				d := copyOf(whole)
				victim := d.names[keyName(3)]
				weaken(d)
				d.cutAt = at
				cutDestruction(d, ring, newTurner("2026-03-10 09:00"), t)
				done := !d.off
				d.cut()
				// The blocks of a file that was taken away stay as they were synced.
				if done && strings.Contains(string(victim.durable), secret) {
					t.Log("the key's bytes stay on the disk")
					return
				}
				for i, how := range []loss{loseAll, loseSome, loseSome} {
					after := after(t, d.reboot(how, uint64(at*7+i)), ring, newTurner("2026-03-11 09:00"))
					if after != nil {
						t.Logf("noticed when cut before operation %d: %v", at, after)
						return
					}
				}
				if done {
					break
				}
			}
			t.Error("it isn't missed")
		})
	}
}
