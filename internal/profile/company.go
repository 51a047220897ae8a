package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// legalForms are words that a company's name ends with and a person's doesn't.
// Those are missing that could be somebody's initials (SA, AB, AS, SE), or that a
// person does business under (e.K., GbR).
func legalForms() []string {
	return []string{
		"GmbH", "gGmbH", "mbH", "AG", "KG", "KGaA", "OHG", "UG", "eG", "e.V.", "(haftungsbeschränkt)",
		"Ltd", "Ltd.", "Limited", "LLC", "L.L.C.", "LLP", "Inc", "Inc.", "Corp", "Corp.", "Corporation", "PLC", "plc",
		"S.A.", "SARL", "S.A.R.L.", "SAS", "S.A.S.", "SASU", "B.V.", "BV", "N.V.", "S.p.A.", "SpA", "S.r.l.", "Srl",
		"S.L.", "S.L.U.", "Oy", "Oyj", "A/S", "ApS", "ASA", "o.o.", "s.r.o.", "a.s.", "Kft.", "Zrt.", "d.o.o.",
	}
}

// isCompany reports whether a name is a company's. With a comma, a bracket or a
// line break in it, it can name a person besides.
func isCompany(name string) bool {
	words := strings.Fields(name)
	return len(words) > 1 && !strings.ContainsAny(strings.TrimSuffix(name, "(haftungsbeschränkt)"), ",;:|()<>@\n\r\t") &&
		slices.Contains(legalForms(), words[len(words)-1])
}

// displayCompanies reports whether companies are known by the display of a type.
func (p *Profile) displayCompanies(typ string) bool {
	e := p.entityOf(typ)
	return e != nil && e.display != "" && e.lookup(e.display, false).companies
}

// isTagged reports whether a value is a list that begins with the field's tag.
func (f *finder) isTagged(node int, fd *field) bool {
	first := f.t.Element(node, 0)
	return fd.tag != "" && first >= 0 && f.t.Nodes[first].Kind == doc.String && f.t.Text(first) == fd.tag
}

// tagged finds the value in the elements behind the tag.
func (f *finder) tagged(node, object, rec int, ent *entity, name string, fd *field) {
	plain := *fd
	plain.tag = ""
	for c := range f.t.Children(node) {
		if c != f.t.Element(node, 0) {
			f.fieldValue(c, object, rec, ent, name, &plain)
		}
	}
}
