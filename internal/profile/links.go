package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// hosts compiles the names of the vendor's hosts.
func (c *compiler) hosts() {
	for _, h := range c.spec.Hosts {
		if name := strings.TrimPrefix(h, "*."); !IsHostName(name) {
			c.fail("hosts", "%q: write a host's name, or `*.` and the domain of many: `*.example.com`", h)
		}
		c.p.hosts = append(c.p.hosts, strings.ToLower(h))
	}
}

// IsHostName reports whether s can be a host's name: no address, no pattern, no port.
func IsHostName(s string) bool {
	return s != "" && strings.Contains(s, ".") && !strings.ContainsAny(s, "/:*?#@\\[] \t") && !strings.HasPrefix(s, ".")
}

// IsHost reports whether a host is one of the vendor's, by its name without a port.
func (p *Profile) IsHost(name string) bool { return HostIn(p.hosts, name) }

// HostIn reports whether a name is among hosts, which are names in lower case or `*.`
// and a domain.
func HostIn(hosts []string, name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return slices.ContainsFunc(hosts, func(h string) bool {
		if domain, ok := strings.CutPrefix(h, "*"); ok {
			return strings.HasSuffix(name, domain)
		}
		return name == h
	})
}

// linkPlaces compiles where addresses stand in an answer.
func (c *compiler) linkPlaces(where string, op *operation, s *operationSpec) {
	for _, at := range s.Links {
		e := c.expr(where, at, nil)
		if e.origin != fromResponse && e.origin != fromResult {
			c.fail(where, "links are places of the answer: `$.next`, of a call's result `@.next`")
		}
		op.links = append(op.links, e)
	}
}

// HasLinks reports whether addresses that clients follow can stand in the answer.
func (x *Exchange) HasLinks() bool {
	return x.op != nil && len(x.op.links) > 0 || !x.passes() && x.p.annotations != nil || x.givesAddress() || x.isODataTwo()
}

func (x *Exchange) isODataTwo() bool { return x.rt != nil && x.rt.odataTwo }

func (x *Exchange) givesAddress() bool {
	return slices.ContainsFunc(x.gives, func(g gives) bool { return g.address })
}

func (x *Exchange) passes() bool { return x.op != nil && x.op.pass }

// Link is an address in an answer that clients follow.
type Link struct {
	Node int
	// Name says that clients don't ask it: it is the name of something. Record says
	// that it names a record, which is judged as that.
	Name, Record bool
}

// Links are the addresses in an answer that clients follow.
func (x *Exchange) Links(t *doc.Tree) []Link {
	var list []Link
	for n := range x.linkNodes(t) {
		list = append(list, Link{Node: n})
	}
	if x.p.annotations != nil && !x.passes() && t.Nodes[doc.Root].Kind == doc.Object {
		for n := range t.Nodes {
			if t.Nodes[n].Kind != doc.String || t.Nodes[n].KeyEnd == t.Nodes[n].KeyStart {
				continue
			}
			_, annotation, ok := strings.Cut(t.Key(n), "@")
			if !ok {
				continue
			}
			switch kind := x.p.annotations[annotation]; kind {
			case "next", "record", "context":
				list = append(list, Link{Node: n, Name: kind == "context", Record: kind == "record"})
			}
		}
	}
	if x.isODataTwo() {
		list = append(list, linksTwo(t)...)
	}
	slices.SortFunc(list, func(a, b Link) int { return a.Node - b.Node })
	return slices.CompactFunc(list, func(a, b Link) bool { return a.Node == b.Node })
}

// linksTwo are the addresses that OData v2 has in its answers: of the next page, of
// records, and of what belongs to them.
func linksTwo(t *doc.Tree) []Link {
	var list []Link
	for n := range t.Nodes {
		if t.Nodes[n].Kind != doc.String || t.Nodes[n].KeyEnd == t.Nodes[n].KeyStart {
			continue
		}
		switch t.Key(n) {
		case odataNext:
			list = append(list, Link{Node: n})
		case "uri", "id", "media_src", "edit_media":
			if around := int(t.Nodes[n].Parent); around > doc.Root && (t.Key(around) == odataAbout || t.Key(around) == odataLater) {
				list = append(list, Link{Node: n, Record: true})
			}
		}
	}
	return list
}

// linkNodes are the nodes that the profile itself calls links.
func (x *Exchange) linkNodes(t *doc.Tree) map[int]bool {
	if x.op == nil || len(x.op.links) == 0 && !x.givesAddress() {
		return nil
	}
	nodes := map[int]bool{}
	add := func(n int) {
		if n = doc.Leaf(t, n); n >= 0 && t.Nodes[n].Kind == doc.String {
			nodes[n] = true
		}
	}
	for i := range x.op.links {
		at, root := &x.op.links[i], doc.Root
		if at.origin == fromResult && x.tr != nil {
			root = x.tr.result.first(t, doc.Root)
		}
		at.path.each(t, root, add)
	}
	for i := range x.gives {
		if x.gives[i].address {
			x.gives[i].at.each(t, doc.Root, add)
		}
	}
	return nodes
}

// WithheldText is what stands in the place of a text that is withheld.
func (x *Exchange) WithheldText() string { return x.p.withheld }
