package mask

import (
	"cmp"
	"slices"
	"sync"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask/detect"
)

// decision is how one found field is treated.
type decision struct {
	cat access.Category
	tr  access.Treatment
	// noted are the places of the field's categories in treated.
	noted uint64
	// revealed says that tr is clear for a while, where the plan says masked.
	revealed bool
	masked   access.Treatment
}

// What is settled about a node.
const (
	// edited nodes have an edit of their own, or lie in one.
	edited uint8 = 1 << iota
	// dropped members are taken out with their comma by their object. They are
	// edited, too.
	dropped
	// renamed members have an edit of their name.
	renamed
	// shown scalars are values that the plan, or an echo, leaves clear.
	shown
	// shownInPart scalars are free texts that endParts replaces.
	shownInPart
	// revealed scalars are shown for a while, here alone: their values are secrets
	// everywhere else.
	revealed
)

// pass is the masking of one document.
type pass struct {
	t     *doc.Tree
	found *access.Found
	plan  *access.Plan
	opts  *Options
	*scratch

	edits    []doc.Edit
	arena    []byte
	masked   int
	withheld int
	names    *names
	detector *detect.Detector
	parts    []partly
	persons  []access.Identifier
	secrets  []secret
	swept    *Sweep
	// shownAlone are the fields that are revealed, by index.
	shownAlone []int
	// hashes says whether the document can hold hashes: 0 not known yet, 1 yes,
	// -1 no.
	hashes int
}

// scratch are the slices that a pass leaves to the next one. They hold no
// values, only numbers and words of the policy.
type scratch struct {
	// decisions are the fields' own, by index in Found.Fields.
	decisions []decision
	// owner is, by node, 1 + the index of the field that the node belongs to.
	owner []int32
	state []uint8
	// treated holds, by record, how each category was treated (see note).
	treated []uint64
	drops   []int32
	keys    []int32
	// cleanKeys are where names of members stand in which no secret is: records
	// of one kind have the same again and again.
	cleanKeys [64][2]int32
	verdicts
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// maxPooled is the largest scratch, in nodes, that is kept.
const maxPooled = 1 << 17

func newPass(m *Masker, t *doc.Tree, found *access.Found, plan *access.Plan, opts *Options) *pass {
	s, _ := scratches.Get().(*scratch)
	s.decisions = slices.Grow(s.decisions[:0], len(found.Fields))[:len(found.Fields)]
	s.owner = slices.Grow(s.owner[:0], len(t.Nodes))[:len(t.Nodes)]
	s.state = slices.Grow(s.state[:0], len(t.Nodes))[:len(t.Nodes)]
	s.treated = slices.Grow(s.treated[:0], len(found.Records))[:len(found.Records)]
	clear(s.owner)
	clear(s.state)
	clear(s.treated)
	s.drops, s.keys = s.drops[:0], s.keys[:0]
	s.cleanKeys = [64][2]int32{}
	s.reset(plan)
	return &pass{
		t: t, found: found, plan: plan, opts: opts, scratch: s, detector: m.detector, names: namesFor(m, opts),
	}
}

// namesFor are those of the response that the document is a unit of, or its own.
func namesFor(m *Masker, opts *Options) *names {
	seen := opts.Seen
	if seen != nil && seen.names != nil && seen.names.key == m.key && seen.names.scope == opts.Scope {
		return seen.names
	}
	n := &names{key: m.key, scope: opts.Scope, picture: m.picture}
	if seen != nil {
		seen.names = n
	}
	return n
}

func (p *pass) release() {
	p.reset(nil)
	if cap(p.owner) <= maxPooled {
		scratches.Put(p.scratch)
	}
	p.scratch = nil
}

// decide settles each field's treatment and which node belongs to which field.
// A node that was located twice gets the less revealing one.
func (p *pass) decide() {
	masked, record, facts := 0, -1, access.Facts(nil)
	p.about(facts)
	for i := range p.found.Fields {
		f := &p.found.Fields[i]
		if f.Record != record {
			if record, facts = f.Record, nil; record >= 0 {
				facts = p.found.Records[record].Facts
			}
			p.about(facts)
		}
		d := &p.decisions[i]
		*d = p.decision(f, facts)
		d.reveal(f)
		if f.Overdue {
			d.overdue(f)
		}
		if d.tr != access.Clear {
			masked++
		}
		if was := p.owner[f.Node]; was == 0 || d.tr < p.decisions[was-1].tr {
			p.owner[f.Node] = int32(i) + 1
		}
		if f.Keys {
			p.keys = append(p.keys, int32(i))
		}
	}
	p.room(masked)
	p.inherit()
}

// room makes room for what masking so many fields takes, and some for what the
// second pass finds.
func (p *pass) room(masked int) {
	const perValue = 24 // bytes of a placeholder
	p.edits = make([]doc.Edit, 0, masked+masked/8+8)
	p.arena = make([]byte, 0, perValue*(masked+masked/8+8))
	if p.opts.SecondPass {
		p.secrets = make([]secret, 0, masked)
	}
}

// inherit hands each container's field down to what isn't found by itself.
// Parents stand before their children.
func (p *pass) inherit() {
	for i := 1; i < len(p.owner); i++ {
		if p.owner[i] == 0 {
			p.owner[i] = p.owner[p.t.Nodes[i].Parent]
		}
	}
}

func (p *pass) isScalar(node int) bool {
	k := p.t.Nodes[node].Kind
	return k != doc.Object && k != doc.Array
}

// withhold replaces texts that could carry any value. The outermost one wins.
func (p *pass) withhold() {
	if len(p.found.Withheld) == 0 {
		return
	}
	list := slices.Clone(p.found.Withheld)
	slices.SortStableFunc(list, func(a, b access.Withheld) int { return cmp.Compare(a.Node, b.Node) })
	shown := map[access.Entity]bool{}
	for _, w := range list {
		if p.state[w.Node]&edited != 0 {
			continue
		}
		if w.Masked {
			p.replace(w.Node, doc.Value{Kind: doc.String, Text: w.Text})
			continue
		}
		ok, known := shown[w.Entity]
		if !known {
			ok = everythingClear(p.plan, w.Entity)
			shown[w.Entity] = ok
		}
		if !ok {
			p.replace(w.Node, doc.Value{Kind: doc.String, Text: w.Text})
			p.withheld++
		}
	}
}

// replace puts v in the place of a node and all below it.
func (p *pass) replace(node int, v doc.Value) {
	n := &p.t.Nodes[node]
	for i := node; i < int(n.Next); i++ {
		p.state[i] |= edited
	}
	from := len(p.arena)
	p.arena = p.t.Format.Encode(p.arena, p.t, node, v)
	p.edit(n.Start, n.End, p.arena[from:len(p.arena):len(p.arena)])
}

func (p *pass) edit(start, end int32, with []byte) {
	p.edits = append(p.edits, doc.Edit{Start: start, End: end, With: with})
}

// walk treats every scalar that belongs to a field.
func (p *pass) walk() {
	nodes := p.t.Nodes
	for i := 0; i < len(nodes); {
		o := p.owner[i]
		if p.state[i]&edited != 0 {
			i = int(nodes[i].Next)
			continue
		}
		if o == 0 {
			i++
			continue
		}
		f, d := &p.found.Fields[o-1], p.decisions[o-1]
		if !p.isScalar(i) {
			p.note(f, d)
			i = p.container(i, f, o)
			continue
		}
		p.scalar(i, f, d)
		i++
	}
}

// container drops a container as a whole where its field is dropped and nothing
// in it is found by itself, and returns the node to go on with.
func (p *pass) container(node int, f *access.FoundField, o int32) int {
	next := int(p.t.Nodes[node].Next)
	if p.decisions[o-1].tr != access.Drop || f.Echo {
		return node + 1
	}
	for i := node; i < next; i++ {
		if p.owner[i] != o || p.state[i]&edited != 0 {
			return node + 1
		}
	}
	p.keep(node, f, p.decisions[o-1])
	p.drop(node)
	return next
}

// scalar treats one value of a field.
func (p *pass) scalar(node int, f *access.FoundField, d decision) {
	person, text := p.unnamed(f), ""
	if d.tr != access.Clear || d.revealed || person {
		text = p.t.Text(node)
	}
	if f.Echo && !f.Overdue && d.tr != access.Clear && p.opts.Echo.Has(f.Categories, text) {
		d.tr = access.Clear
	}
	p.note(f, d)
	if person {
		p.identify(f, text)
	}
	if d.revealed {
		p.reveal(node, f, d)
		return
	}
	if d.tr == access.Clear {
		p.state[node] |= shown
		return
	}
	kind := p.t.Nodes[node].Kind
	if partText(f.Categories, f.Shape, kind, text, d.tr) {
		p.showInPart(node, f, text)
		return
	}
	v, drop := value(d.cat, f.Shape, kind, text, d.tr, p.names)
	switch {
	case drop:
		p.drop(node)
	case v.Kind == kind && v.Text == text:
		return
	default:
		p.replace(node, v)
		p.masked++
	}
	if p.opts.SecondPass && kind != doc.Bool {
		p.secret(text, d.cat, v)
	}
}

// drop takes a member out, or leaves null where the place has to stay: in an
// array, in a row of columns, at the root.
func (p *pass) drop(node int) {
	p.masked++
	n := &p.t.Nodes[node]
	if p.named(node) {
		for i := node; i < int(n.Next); i++ {
			p.state[i] |= edited
		}
		p.state[node] |= dropped
		p.drops = append(p.drops, n.Parent)
		return
	}
	p.replace(node, doc.Value{Kind: doc.Null})
}

// named reports whether a node is a member with a name of its own in the
// document: a cell's column isn't.
func (p *pass) named(node int) bool {
	n := &p.t.Nodes[node]
	if n.Parent < 0 || n.KeyStart >= n.KeyEnd || n.KeyEnd > n.Start {
		return false
	}
	parent := &p.t.Nodes[n.Parent]
	return parent.Kind == doc.Object && n.KeyStart >= parent.Start
}

// dropMembers takes the dropped members out of their objects. A member goes
// with the separator behind it, the last ones with the separator before them.
func (p *pass) dropMembers() {
	slices.Sort(p.drops)
	for _, object := range slices.Compact(p.drops) {
		kept := -1
		for c := range p.t.Children(int(object)) {
			if p.state[c]&dropped == 0 {
				kept = c
			}
		}
		for c := range p.t.Children(int(object)) {
			if p.state[c]&dropped == 0 {
				continue
			}
			if c > kept {
				p.dropTail(kept, c)
				break
			}
			p.edit(p.t.Nodes[c].KeyStart, p.t.Nodes[p.t.After(c)].KeyStart, nil)
		}
	}
}

// dropTail takes out all members from the first one on.
func (p *pass) dropTail(kept, first int) {
	from := p.t.Nodes[first].KeyStart
	if kept >= 0 {
		from = p.t.Nodes[kept].End
	}
	last := first
	for c := first; c >= 0; c = p.t.After(c) {
		last = c
	}
	p.edit(from, p.t.Nodes[last].End, nil)
}
