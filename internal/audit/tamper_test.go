package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
)

// tamperLog makes a closed log of several segments with one entry a group, and
// returns where each entry's frame stands.
func tamperLog(t *testing.T) (*disk, *keys.Ring, []spot) {
	t.Helper()
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	s := newSampler(1)
	for range 80 {
		a, b := s.request(3)
		a.Session = s.hash() + s.hash()
		r := mustAppend(t, l, a)
		b.Intent = r.Seq
		mustAppend(t, l, b)
	}
	mustClose(t, l)
	return d, ring, places(t, d)
}

type spot struct {
	segment uint32
	entryFrame
}

func places(t *testing.T, d *disk) []spot {
	t.Helper()
	segments, err := listSegments(d)
	if err != nil {
		t.Fatal(err)
	}
	var all []spot
	w := &walk{files: d, segments: segments}
	w.visit = func(segment uint32, g *group) error {
		for _, e := range g.entries {
			e.envelope = slices.Clone(e.envelope)
			all = append(all, spot{segment, e})
		}
		return nil
	}
	if err := w.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	return all
}

func (p spot) frame() []byte {
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], p.seq)
	return appendFrame(nil, frameEntry, seq[:], p.envelope)
}

// whatever is done to an entry, verify names it, with and without keys.
func tamperedEntryIsNamed(t *testing.T) {
	const victim = 40
	for name, tamper := range map[string]func(d *disk, at []spot){
		"flipped byte": func(d *disk, at []spot) {
			p := at[victim]
			d.edit(segmentName(p.segment), func(b []byte) { b[p.offset+30] ^= 1 })
		},
		"flipped byte of the length": func(d *disk, at []spot) {
			p := at[victim]
			d.edit(segmentName(p.segment), func(b []byte) { b[p.offset+3] ^= 1 })
		},
		"zeroed entry": func(d *disk, at []spot) {
			p := at[victim]
			d.edit(segmentName(p.segment), func(b []byte) { clear(b[p.offset : p.offset+int64(len(p.frame()))]) })
		},
		"rewritten with its checksum": func(d *disk, at []spot) {
			p := at[victim]
			p.envelope = slices.Clone(p.envelope)
			p.envelope[len(p.envelope)/2] ^= 1
			d.edit(segmentName(p.segment), func(b []byte) { copy(b[p.offset:], p.frame()) })
		},
		"another entry in its place": func(d *disk, at []spot) {
			p := at[victim]
			i := slices.IndexFunc(at, func(o spot) bool { return o.seq != p.seq && len(o.envelope) == len(p.envelope) })
			other := at[i]
			other.seq = p.seq
			d.edit(segmentName(p.segment), func(b []byte) { copy(b[p.offset:], other.frame()) })
		},
		"changed number": func(d *disk, at []spot) {
			p := at[victim]
			p.seq += 2
			d.edit(segmentName(p.segment), func(b []byte) { copy(b[p.offset:], p.frame()) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ring, at := tamperLog(t)
			tamper(d, at)
			for _, r := range []*keys.Ring{ring, nil} {
				report, err := verifyDisk(t, d, r)
				if !errors.Is(err, ErrTampered) || report.Damage == nil || report.Damage.Seq != at[victim].seq ||
					report.Damage.Segment != at[victim].segment || report.Damage.Offset != at[victim].offset {
					t.Errorf("keys %v: error = %v, want one that names entry %d in segment %d at %d",
						r != nil, err, at[victim].seq, at[victim].segment, at[victim].offset)
				}
			}
			n := 0
			var last error
			for s, err := range read(t.Context(), d, ring) {
				if last = err; err == nil {
					n++
					if s.Seq >= at[victim].seq {
						t.Errorf("entry %d was read", s.Seq)
					}
				}
			}
			if n != int(at[victim].seq) || !errors.Is(last, ErrTampered) {
				t.Errorf("%d entries were read, then %v", n, last)
			}
		})
	}
}

// Two entries change places within one segment, checksums and numbers right.
func swappedEntriesAreNamed(t *testing.T) {
	d, ring, at := tamperLog(t)
	i, j := -1, -1
	for a := 10; a < len(at) && i < 0; a++ {
		for b := a + 1; b < len(at); b++ {
			if at[a].segment == at[b].segment && len(at[a].envelope) == len(at[b].envelope) {
				i, j = a, b
				break
			}
		}
	}
	if i < 0 {
		t.Fatal("no two entries of one length")
	}
	x, y := at[i], at[j]
	x.envelope, y.envelope = y.envelope, x.envelope
	d.edit(segmentName(x.segment), func(b []byte) {
		copy(b[x.offset:], x.frame())
		copy(b[y.offset:], y.frame())
	})
	report, err := verifyDisk(t, d, ring)
	if err == nil || report.Damage.Seq != x.seq {
		t.Errorf("error = %v, want one that names entry %d", err, x.seq)
	}
}

func damageInTheMiddleStopsTheStart(t *testing.T) {
	d, ring, at := tamperLog(t)
	last := at[len(at)-1].segment
	var victim spot
	for _, p := range at {
		if p.segment == last {
			victim = p
			break
		}
	}
	d.edit(segmentName(victim.segment), func(b []byte) { b[victim.offset+40] ^= 1 })
	before := slices.Clone(d.names[segmentName(last)].live)
	_, err := Open(t.Context(), "disk", ring, onDisk(d))
	var damage *Damage
	if !errors.As(err, &damage) || damage.Seq != victim.seq {
		t.Fatalf("error = %v, want one that names entry %d", err, victim.seq)
	}
	if !slices.Equal(before, d.names[segmentName(last)].live) {
		t.Error("the refused log was changed")
	}
}

func rootMismatchStopsTheStart(t *testing.T) {
	d, ring, at := tamperLog(t)
	p := at[len(at)-1]
	p.envelope = slices.Clone(p.envelope)
	p.envelope[20] ^= 1
	d.edit(segmentName(p.segment), func(b []byte) { copy(b[p.offset:], p.frame()) })
	if _, err := Open(t.Context(), "disk", ring, onDisk(d)); !errors.Is(err, ErrTampered) {
		t.Fatalf("error = %v, want ErrTampered", err)
	}
}

// Of the last group, only what a torn write can do is forgiven: sectors that are
// still zeros. A changed byte in it is not.
func changedByteInTheLastGroupStopsTheStart(t *testing.T) {
	d, ring, at := tamperLog(t)
	p := at[len(at)-1]
	d.edit(segmentName(p.segment), func(b []byte) { b[p.offset+25] ^= 1 })
	if _, err := Open(t.Context(), "disk", ring, onDisk(d)); !errors.Is(err, ErrTampered) {
		t.Fatalf("error = %v, want ErrTampered", err)
	}
}

func missingOrExchangedSegmentIsNamed(t *testing.T) {
	for name, tamper := range map[string]func(d *disk) (want uint32){
		"first gone":    func(d *disk) uint32 { delete(d.names, segmentName(1)); return 1 },
		"second gone":   func(d *disk) uint32 { delete(d.names, segmentName(2)); return 2 },
		"second zeroed": func(d *disk) uint32 { clear(d.names[segmentName(2)].live); return 2 },
		"exchanged": func(d *disk) uint32 {
			d.names[segmentName(2)], d.names[segmentName(3)] = d.names[segmentName(3)], d.names[segmentName(2)]
			return 2
		},
		"repeated": func(d *disk) uint32 {
			d.names[segmentName(3)] = d.names[segmentName(2)]
			return 3
		},
		"cut to an earlier commit": func(d *disk) uint32 {
			r, _ := newGroupReader(&diskFile{disk: d, node: d.names[segmentName(2)]})
			for range 5 {
				if _, err := r.next(); err != nil {
					panic(err)
				}
			}
			clear(d.names[segmentName(2)].live[r.off:])
			return 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ring, at := tamperLog(t)
			var first uint64
			want := tamper(d)
			for _, p := range at {
				if p.segment == want {
					first = p.seq
					break
				}
			}
			report, err := verifyDisk(t, d, ring)
			if err == nil || report.Damage.Segment != want {
				t.Fatalf("error = %v, want one that names segment %d", err, want)
			}
			if name != "cut to an earlier commit" && report.Damage.Seq != first {
				t.Errorf("error = %v, want one that names entry %d", err, first)
			}
		})
	}
}

// Within a group, a key tells which entry it was; without one the group is named.
func entryWithinAGroupIsNamed(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	var batch []*pending
	for i := range 9 {
		p, err := l.prepare(intentOf(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, p)
	}
	mustClose(t, l)
	l = mustOpen(t, "disk", ring, onDisk(d))
	// One group, made by the writer's own goroutine having nothing to do.
	l.writer.write(batch)
	mustClose(t, l)
	at := places(t, d)
	p := at[7]
	p.envelope = slices.Clone(p.envelope)
	p.envelope[25] ^= 1
	d.edit(segmentName(p.segment), func(b []byte) { copy(b[p.offset:], p.frame()) })
	report, _ := verifyDisk(t, d, ring)
	if report.Damage == nil || report.Damage.Seq != 7 || report.Damage.Last != 7 {
		t.Errorf("with keys: %+v, want entry 7", report.Damage)
	}
	report, _ = verifyDisk(t, d, nil)
	if report.Damage == nil || report.Damage.Seq != 3 || report.Damage.Last != 11 {
		t.Errorf("without keys: %+v, want entries 3 to 11", report.Damage)
	}
}

// An entry more than was written, or one fewer, with all that follows moved along:
// checksums and frames are right, numbers or roots aren't.
func insertedOrRemovedEntryIsNamed(t *testing.T) {
	const victim = 40
	for name, change := range map[string]func(group []byte) []byte{
		"repeated": func(group []byte) []byte { return slices.Concat(group, group) },
		"removed":  func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			d, ring, at := tamperLog(t)
			p := at[victim]
			n := int64(len(p.frame()) + commitFrame)
			d.edit(segmentName(p.segment), func(b []byte) {
				moved := slices.Concat(change(slices.Clone(b[p.offset:p.offset+n])), b[p.offset+n:])
				clear(b[p.offset:])
				copy(b[p.offset:], moved)
			})
			want := at[victim].seq
			if name == "repeated" {
				want++
			}
			for _, r := range []*keys.Ring{ring, nil} {
				report, err := verifyDisk(t, d, r)
				if !errors.Is(err, ErrTampered) || report.Damage == nil || report.Damage.Seq != want {
					t.Errorf("keys %v: error = %v, want one that names entry %d", r != nil, err, want)
				}
			}
		})
	}
}
