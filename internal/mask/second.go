package mask

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// Seen carries masked values from one unit of a streamed response to the next.
// It belongs to one response and isn't safe for concurrent use. The oldest
// values are forgotten first.
type Seen struct {
	max int
	// old is made anew only when fresh is full: fresh takes in each unit's values
	// without looking at the others again.
	old, fresh *Sweep
	// names makes the pseudonyms of all units.
	names *names
	// gathered are the values that Gather takes in; gathering and settled say which
	// half of its work is done.
	gathered           []secret
	gathering, settled bool
}

// Gather returns a Seen for an answer of several documents each of which has to be
// searched for the values of all: they are masked twice. The first time their values
// are only taken in; from Search on they are searched, and no more are taken in.
func Gather() *Seen { return &Seen{gathering: true} }

// Gathering reports whether a document is masked for its values alone. What becomes
// of it then is no answer.
func (s *Seen) Gathering() bool { return s != nil && s.gathering }

// Search ends the gathering. It returns what finds the values.
func (s *Seen) Search() *Sweep {
	s.old = newSweep(s.gathered)
	s.gathered, s.gathering, s.settled = nil, false, true
	return s.old
}

// NewSeen returns a Seen of the last n values, n being seenBatch at least, and of
// up to a batch more.
func NewSeen(n int) *Seen { return &Seen{max: n} }

// seenBatch is how many values are collected before they join the old ones.
const seenBatch = 512

// sweeps are what is searched of earlier units.
func (s *Seen) sweeps() []*Sweep {
	list := make([]*Sweep, 0, 3)
	for _, one := range []*Sweep{s.old, s.fresh} {
		if one != nil && len(one.secrets) > 0 {
			list = append(list, one)
		}
	}
	return list
}

// add takes in a unit's secrets.
func (s *Seen) add(unit []secret) {
	for i := range unit {
		if unit[i].open || s.settled {
			continue
		}
		if s.gathering {
			s.gathered = append(s.gathered, unit[i])
			continue
		}
		if s.fresh == nil {
			s.fresh = growingSweep(seenBatch)
		}
		s.fresh.grow(unit[i])
		if len(s.fresh.secrets) == seenBatch {
			s.settle()
		}
	}
}

// settle joins the fresh values to the old ones.
func (s *Seen) settle() {
	var all []secret
	if s.old != nil {
		all = s.old.secrets[max(0, len(s.old.secrets)+seenBatch-max(s.max, seenBatch)):]
	}
	s.old, s.fresh = newSweep(append(slices.Clip(all), s.fresh.secrets...)), nil
}

// sweep masks, in what is left open, the values that were masked elsewhere, and
// returns what finds them.
func (p *pass) sweep() []*Sweep {
	var sweeps []*Sweep
	if seen := p.opts.Seen; seen != nil {
		sweeps = seen.sweeps()
		defer func() { seen.add(p.secrets) }()
	}
	p.swept = newSweep(p.secrets)
	p.swept.also = sweeps
	p.forgetShown()
	if len(p.secrets) > 0 {
		sweeps = append(sweeps, p.swept)
	}
	if len(sweeps) > 0 {
		p.sweepNodes(sweeps)
	}
	return sweeps
}

// forgetShown opens the document's own secrets that it shows this role somewhere
// else, by the plan: they are none. What an earlier unit masked stays one.
func (p *pass) forgetShown() {
	if len(p.secrets) == 0 {
		return
	}
	o := opening{s: p.swept}
	for i := range p.state {
		if p.state[i]&(shown|edited) == shown {
			o.show(p.t.Text(i))
		}
	}
	o.end()
}

func (p *pass) sweepNodes(sweeps []*Sweep) {
	nodes := p.t.Nodes
	verbatim, _ := p.t.Format.(doc.Verbatim)
	for i := 0; i < len(nodes); i++ {
		n := &nodes[i]
		if p.state[i]&(dropped|renamed) == 0 && p.named(i) {
			p.sweepKey(i, sweeps)
		}
		if p.state[i]&edited != 0 {
			i = int(n.Next) - 1
			continue
		}
		if p.state[i]&(shownInPart|revealed) != 0 {
			continue // endParts looks into it, or it is shown by itself
		}
		if verbatim != nil {
			if text, ok := verbatim.Verbatim(p.t, i); ok && allClean(sweeps, text) {
				continue
			}
		}
		p.sweepScalar(i, sweeps)
	}
}

func allClean(sweeps []*Sweep, text []byte) bool {
	for _, s := range sweeps {
		if !s.clean(text) {
			return false
		}
	}
	return true
}

func (p *pass) sweepScalar(node int, sweeps []*Sweep) {
	var skip []access.Category
	if p.state[node]&shown != 0 {
		// The plan shows this role values of these categories right here.
		skip = p.found.Fields[p.owner[node]-1].Categories
	}
	switch p.t.Nodes[node].Kind {
	case doc.String:
		if text, hit := maskAll(sweeps, p.t.Text(node), skip); hit {
			p.replace(node, doc.Value{Kind: doc.String, Text: text})
			p.masked++
		}
	case doc.Number:
		// A shorter number is equal by accident, an id for instance.
		digits := p.t.Text(node)
		if len(digits) < maxTail || !digitsOnly(digits) {
			return
		}
		if _, hit := maskAll(sweeps, digits, skip); hit {
			p.replace(node, doc.Value{Kind: doc.Null})
			p.masked++
		}
	}
}

// sweepKey masks a value in a member's name.
func (p *pass) sweepKey(node int, sweeps []*Sweep) {
	n := &p.t.Nodes[node]
	raw := p.t.Src[n.KeyStart:n.KeyEnd]
	known := &p.cleanKeys[placeOf(raw)%len(p.cleanKeys)]
	if bytes.Equal(p.t.Src[known[0]:known[1]], raw) {
		return
	}
	key := p.t.Key(node)
	name, hit := maskAll(sweeps, key, nil)
	if !hit && !IsPlaceholder(key) {
		*known = [2]int32{n.KeyStart, n.KeyEnd}
		return
	}
	// The node's number makes the name the only one of its kind: hence the
	// names that already look masked get one, too.
	p.rename(node, name+"-"+strconv.Itoa(node))
}

// placeOf spreads names over places by their ends and lengths.
func placeOf(name []byte) int {
	n := len(name)
	if n < 4 {
		return n
	}
	ends := binary.LittleEndian.Uint32(name) ^ bits.RotateLeft32(binary.LittleEndian.Uint32(name[n-4:]), 13)
	return int((ends + uint32(n)) * 0x9e3779b1 >> 16)
}

func maskAll(sweeps []*Sweep, text string, skip []access.Category) (string, bool) {
	hit := false
	for _, s := range sweeps {
		if masked, ok := s.mask(text, skip); ok {
			text, hit = masked, true
		}
	}
	return text, hit
}

func digitsOnly(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
