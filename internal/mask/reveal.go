package mask

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// reveal shows a field clear that is revealed for a while. Nothing reveals what is
// dropped, of which nobody is to know that it is there, nor a credential, nor what may
// not be kept any longer.
func (d *decision) reveal(f *access.FoundField) {
	if !f.Revealed || f.Overdue || d.tr == access.Clear || d.tr == access.Drop || slices.Contains(f.Categories, access.Credential) {
		return
	}
	d.masked, d.tr, d.revealed = d.tr, access.Clear, true
}

// reveal leaves one value as it is, and keeps it as a secret for the rest of the
// answer: another record that holds the same, a title or a link show as little of
// it as they would without this.
func (p *pass) reveal(node int, f *access.FoundField, d decision) {
	p.state[node] |= revealed
	if at := int(p.owner[node]) - 1; !slices.Contains(p.shownAlone, at) {
		p.shownAlone = append(p.shownAlone, at)
	}
	kind, text := p.t.Nodes[node].Kind, p.t.Text(node)
	if !p.opts.SecondPass || kind == doc.Bool {
		return
	}
	if partText(f.Categories, f.Shape, kind, text, d.masked) {
		p.partSecrets(f, text)
		return
	}
	if v, drop := value(d.cat, f.Shape, kind, text, d.masked, p.names); drop || v.Kind != kind || v.Text != text {
		p.secret(text, d.cat, v)
	}
}

// partSecrets keeps what is found in a free text.
func (p *pass) partSecrets(f *access.FoundField, text string) {
	_, found := inPart(p.detector, text, p.textAbout(f), p.names)
	for _, one := range found {
		if one.tr != access.Clear {
			p.secret(one.text, one.cat, doc.Value{Kind: doc.String, Text: one.with})
		}
	}
}
