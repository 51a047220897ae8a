package profile

import (
	"net/http"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// Addressed is an address in an answer.
type Addressed struct {
	Node int
	// Text is the address; it has a host of its own.
	Text string
	// Categories are those of the entity's values that it can hold.
	Entity     access.Entity
	Categories []access.Category
}

// Withheld is what stands in place of a text that is withheld.
func (p *Profile) Withheld() string { return p.withheld }

// handles finds what the client can come back with: handles, and addresses that lead
// elsewhere. An answer that has something else in their place isn't released.
func (f *finder) handles(status int) error {
	for _, p := range f.x.op.addresses {
		if err := f.texts(p, func(n int) { f.address(n, nil) }); err != nil {
			return err
		}
	}
	if status >= 300 {
		return nil
	}
	for i := range f.x.gives {
		g := &f.x.gives[i]
		if g.header != "" {
			continue
		}
		err := f.texts(g.at, func(n int) {
			if f.t.Text(n) == "" || contains(g.none, f.t.Text(n)) {
				return
			}
			f.found.Given = append(f.found.Given, g.given(f.t.Text(n)))
			if g.address {
				f.address(n, nil)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// LeadsBack reports whether an answer that passes holds addresses, which have to be
// made the gateway's own.
func (x *Exchange) LeadsBack() bool { return x.Pass && len(x.op.addresses) > 0 }

// PassedAddresses are the addresses in such an answer.
func (x *Exchange) PassedAddresses(body []byte) (*doc.Tree, []Addressed, error) {
	t, err := parseJSON(body)
	if err != nil {
		return nil, nil, ErrShape
	}
	f := &finder{x: x, t: t, rows: -1}
	err = f.handles(http.StatusOK)
	return t, f.found.Addresses, err
}

// texts calls yield for what stands at a place: texts and numbers. What is null or
// false isn't there.
func (f *finder) texts(p path, yield func(node int)) error {
	var err error
	p.each(f.t, doc.Root, func(n int) {
		switch f.t.Nodes[n].Kind {
		case doc.String, doc.Number:
			yield(n)
			f.cover(n)
		case doc.Object, doc.Array:
			err = ErrShape
		default:
		}
	})
	return err
}

// address notes an address that has a host, or could have one to a client.
func (f *finder) address(node int, cats []access.Category) {
	text := f.t.Text(node)
	if f.t.Nodes[node].Kind != doc.String || !strings.Contains(text, "//") && !strings.Contains(text, `\`) && !hasScheme(text) {
		return
	}
	f.found.Addresses = append(f.found.Addresses, Addressed{node, text, entityName(f.x.ent, f.x.typ), cats})
}

// hasScheme reports whether an address begins with a scheme: a colon before any
// slash.
func hasScheme(text string) bool {
	at := strings.IndexAny(text, ":/?#")
	return at > 0 && text[at] == ':'
}
