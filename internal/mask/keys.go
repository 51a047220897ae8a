package mask

import (
	"strconv"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// maskKeys replaces the object keys below the fields whose keys hold values.
func (p *pass) maskKeys() {
	for _, i := range p.keys {
		f, d := &p.found.Fields[i], p.decisions[i]
		if d.tr == access.Clear {
			continue
		}
		end := int(p.t.Nodes[f.Node].Next)
		for node := f.Node; node < end; node++ {
			if p.t.Nodes[node].Kind == doc.Object && p.state[node]&edited == 0 {
				p.objectKeys(node, d)
			}
		}
	}
}

// objectKeys gives each member a name of its own, its place in the object, so
// that no name occurs twice.
func (p *pass) objectKeys(object int, d decision) {
	i := 0
	for c := range p.t.Children(object) {
		i++
		if p.state[c]&(dropped|renamed) != 0 || !p.named(c) {
			continue
		}
		was := p.t.Key(c)
		name := HiddenText
		if d.tr == access.Pseudonym {
			name = p.names.name(d.cat, was)
		}
		p.rename(c, name+"-"+strconv.Itoa(i))
		if p.opts.SecondPass {
			p.secret(was, d.cat, doc.Value{Kind: doc.String, Text: name})
		}
	}
}

// rename replaces a member's name.
func (p *pass) rename(node int, name string) {
	n := &p.t.Nodes[node]
	p.state[node] |= renamed
	p.masked++
	from := len(p.arena)
	p.arena = p.t.Format.EncodeKey(p.arena, p.t, node, name)
	p.edit(n.KeyStart, n.KeyEnd, p.arena[from:len(p.arena):len(p.arena)])
}
