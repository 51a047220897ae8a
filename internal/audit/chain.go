package audit

import (
	"bytes"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/keys"
)

// chain are the names that a log has had, each from an entry on: one, and a further
// one for each time that it was restored.
type chain []link

type link struct {
	identity
	from uint64
}

// chainOf reads the names of a log from its segments; none where the first one has
// no header.
func chainOf(fsys files, segments []uint32) (chain, error) {
	var all chain
	for _, n := range segments {
		h, err := readHeader(fsys, n)
		if err != nil {
			return nil, err
		}
		if h == nil {
			break
		}
		if len(all) == 0 || all[len(all)-1].identity != h.identity {
			all = append(all, link{h.identity, h.before.size})
		}
	}
	return all, nil
}

// until returns the size at which the log of an origin ended, the largest number
// for the last one.
func (c chain) until(origin string) uint64 {
	for i, l := range c[:max(0, len(c)-1)] {
		if l.origin() == origin {
			return c[i+1].from
		}
	}
	return math.MaxUint64
}

// at returns the name that an entry was written under.
func (c chain) at(seq uint64) identity {
	id := c[0].identity
	for _, l := range c {
		if l.from <= seq {
			id = l.identity
		}
	}
	return id
}

// opened opens checkpoints that were kept elsewhere, of any of the names.
func (c chain) opened(ring *keys.Ring, notes map[string][]byte) ([]Checkpoint, error) {
	var all []Checkpoint
	for name, msg := range notes {
		var found *Checkpoint
		var last error
		for _, l := range c {
			key, err := newCheckpointKey(ring, l.origin())
			if err != nil {
				return nil, err
			}
			one, err := key.verifiedBy(msg)
			if err == nil {
				found = &one
				break
			}
			last = fmt.Errorf("%s: %w %s", name, err, l.origin())
		}
		if found == nil {
			return nil, last
		}
		found.Name = name
		all = append(all, *found)
	}
	return all, nil
}

// text is the chain as an export has it: a line for each name.
func (c chain) text() []byte {
	var b bytes.Buffer
	for _, l := range c {
		fmt.Fprintf(&b, "%d %s\n", l.from, l.origin())
	}
	return b.Bytes()
}

func parseChain(text []byte) (chain, error) {
	var all chain
	for line := range strings.Lines(string(text)) {
		number, origin, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		from, err := strconv.ParseUint(number, 10, 63)
		if err != nil {
			return nil, fmt.Errorf("reading the log's names: %w", err)
		}
		id, err := identityOf(origin)
		if err != nil {
			return nil, err
		}
		all = append(all, link{id, from})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it names no log", ErrCheckpoint)
	}
	return all, nil
}

// earlierDir holds the checkpoints of the names that a log had before.
const earlierDir = "earlier"

// earlier is the shelf of a log's earlier name.
func (s shelf) earlier(id identity) shelf {
	_, epoch, _ := strings.Cut(strings.TrimPrefix(id.origin(), "crmgate/"), "/")
	e := s
	e.dir, e.where = path.Join(s.dir, earlierDir, epoch), path.Join(s.where, earlierDir, epoch)
	if s.second != nil {
		second := s.second.earlier(id)
		e.second = &second
	}
	return e
}

// joined judges the entry at a joint: it has to say what the log goes on from.
func (v *verifier) joined(s *Stored, segment uint32) error {
	var said *Joint
	if s.Entry.Keeping != nil && s.Entry.Event == Restored {
		said = s.Entry.Keeping.Joint
	}
	for i := range v.walk.joints {
		j := &v.walk.joints[i]
		if j.Size != s.Seq {
			continue
		}
		if said == nil || said.Origin != j.Origin || said.Size != j.Size || said.Root != j.Root {
			break
		}
		j.Known, j.From = said.Known, said.From
		return nil
	}
	if said == nil && !v.walk.jointAt(s.Seq) {
		return nil
	}
	return &Damage{
		Seq: s.Seq, Last: s.Seq, Segment: segment,
		What: "the log goes on under another name, and no entry says from where it was restored",
	}
}

func (w *walk) jointAt(seq uint64) bool {
	for _, j := range w.joints {
		if j.Size == seq {
			return true
		}
	}
	return false
}
