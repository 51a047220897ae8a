package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// pairsAt is where a record's fields stand as pairs of a name and a value.
type pairsAt struct {
	at, name, value path
	list            string // the record's member that holds them
	public          []string
}

func (c *compiler) pairs(where string, s *pairsSpec) *pairsAt {
	if s.At == "" && s.Name == "" && s.Value == "" {
		return nil
	}
	p := &pairsAt{at: c.path(where, s.At), name: c.path(where, s.Name), value: c.path(where, s.Value), public: s.Public}
	if len(p.at) == 0 || p.at[0].kind != stepKey || len(p.at[0].keys) != 1 || len(p.name) == 0 || len(p.value) == 0 {
		c.fail(where, "pairs need `at`, a path that begins with a member of the record, and below it `name` and `value`")
		return nil
	}
	p.list = p.at[0].keys[0]
	return p
}

// isPairs reports whether a record's member holds its pairs.
func (r *recordAt) isPairs(key string) bool { return r != nil && r.pairs != nil && r.pairs.list == key }

// pairs calls yield for each pair that has one name, a text or a number, and one value.
func (f *finder) pairs(r *recordAt, record int, yield func(name string, nameNode, value int)) {
	if r == nil || r.pairs == nil {
		return
	}
	only := func(p path, pair int) int {
		found, count := -1, 0
		p.each(f.t, pair, func(n int) {
			found = n
			count++
		})
		if count != 1 {
			return -1
		}
		return found
	}
	r.pairs.at.each(f.t, record, func(pair int) {
		name, value := only(r.pairs.name, pair), only(r.pairs.value, pair)
		if name < 0 || value < 0 {
			return
		}
		if leaf := doc.Leaf(f.t, name); f.t.Nodes[leaf].Kind == doc.String || f.t.Nodes[leaf].Kind == doc.Number {
			yield(strings.TrimSpace(f.t.Text(leaf)), name, value)
		}
	})
}

// listed finds the fields in the pairs below one member of the record. What in it
// isn't a pair is unclassified, as is a name that doesn't look like one.
func (m *members) listed(node int) {
	f := m.f
	known := map[int]bool{} // nodes of names and values
	cover := func(n int) {
		for i := n; i < int(f.t.Nodes[n].Next); i++ {
			known[i] = true
		}
	}
	f.pairs(m.r, m.node, func(name string, nameNode, value int) {
		if value <= node || value >= int(f.t.Nodes[node].Next) {
			return // in another member of this name
		}
		cover(value)
		if leaf := doc.Leaf(f.t, nameNode); isWord(name) || m.ent != nil && m.ent.exact[name] != nil {
			cover(nameNode)
			if f.marked != nil {
				f.marks(nameNode, leaf, m.rec, nil, name)
			}
		}
		m.pair(name, value)
	})
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		k := f.t.Nodes[n].Kind
		if k != doc.String && f.marked == nil && m.ent != nil && m.ent.unknownNo.public() {
			continue
		}
		if !known[n] && k != doc.Object && k != doc.Array && !f.silent(n, false) && !contains(m.r.pairs.public, f.t.Key(n)) {
			f.field(n, m.rec, m.ent, f.t.Key(n), unclassified(), "")
		}
	}
}

// pair finds what the field of that name holds at the value of a pair.
func (m *members) pair(key string, value int) {
	f, name := m.f, m.name(key)
	switch {
	case name == "":
	case f.marked != nil && name == m.ent.id && m.id != "" && m.isID(value):
	case f.marked != nil:
		m.value(name, value)
	case name == m.ent.id && f.isID(value) && f.t.Text(value) == m.id:
	case name == "?":
		f.field(value, m.rec, m.ent, key, unclassified(), "")
	default:
		f.memberAs(name, value, -1, m.rec, m.ent)
	}
}

// isWord reports whether a text can be a field's name and not much else.
func isWord(s string) bool {
	const most = 128
	for _, c := range s {
		if c != '_' && c != '.' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= most && s[0] > '9'
}

// idInPairs is the id of a JSON record that has it among its pairs.
func (m *members) idInPairs() string {
	if n := m.member(m.ent.id); n >= 0 && m.f.isID(n) && !isOwn(m.f.t.Text(n)) {
		return m.f.t.Text(n)
	}
	return ""
}
