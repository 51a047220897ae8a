package audit

import (
	"fmt"
	"slices"
)

// erased follows, through a verification, the entries whose data key was
// destroyed: each destruction has to be an entry itself. A key that somebody took
// away, with a note that says it was destroyed, is found by that.
type erased struct {
	keys map[uint32]*erasure
	// said are the keys that each retention_run names.
	said map[uint64][]uint32
	// told are the entries that tombstones name: true for one whose own key was
	// destroyed since.
	told map[uint64]bool
	// older says that the keys may be younger than the log: a backup's.
	older bool
}

type erasure struct {
	*Destroyed
	segment uint32
	first   entryFrame
}

func newErased(keys *dataKeys) (*erased, error) {
	e := &erased{keys: map[uint32]*erasure{}, said: map[uint64][]uint32{}, told: map[uint64]bool{}}
	all, err := keys.tombstones()
	for _, d := range all {
		e.told[d.Entry] = false
	}
	return e, err
}

// entry takes an entry that can't be opened any more.
func (e *erased) entry(segment uint32, f entryFrame, d *Destroyed) error {
	known := e.keys[d.Key]
	if known == nil {
		known = &erasure{Destroyed: new(Destroyed), segment: segment, first: f}
		*known.Destroyed = *d
		known.first.envelope = nil
		e.keys[d.Key] = known
	}
	known.Entries++
	if _, ok := e.told[f.seq]; ok {
		e.told[f.seq] = true
	}
	return nil
}

// named takes an entry that may name keys.
func (e *erased) named(s *Stored) {
	if s.Entry.Event != RetentionRun || s.Entry.Keeping == nil {
		return
	}
	for _, k := range s.Entry.Keeping.Keys {
		e.said[s.Seq] = append(e.said[s.Seq], k.Key)
	}
}

// judge returns what was destroyed, or the first entry that no entry accounts for.
func (e *erased) judge(w *walk) ([]*Destroyed, error) {
	var all []*Destroyed
	var bad *Damage
	for _, k := range e.keys {
		all = append(all, k.Destroyed)
		what := ""
		switch {
		case k.Origin != w.origin() && !slices.ContainsFunc(w.joints, func(j Joint) bool { return j.Origin == k.Origin }):
			what = fmt.Sprintf("the note that its key was destroyed is of %s", k.Origin)
		case slices.Contains(e.said[k.Entry], k.Key), e.told[k.Entry], e.older && k.Entry >= w.tree.size:
		default:
			what = fmt.Sprintf("%v, but that entry doesn't say so", k.Destroyed)
		}
		if what == "" {
			continue
		}
		if d := k.damage(what); bad == nil || d.Seq < bad.Seq {
			bad = d
		}
	}
	slices.SortFunc(all, func(a, b *Destroyed) int { return int(a.Key) - int(b.Key) })
	if bad != nil {
		return all, bad
	}
	return all, nil
}

func (k *erasure) damage(what string) *Damage {
	return &Damage{
		Seq: k.first.seq, Last: k.first.seq, Segment: k.segment, Offset: k.first.offset, What: what,
		Remedy: "put the data key back from a backup of the keys",
	}
}
