package profile

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// locateCall reads the envelope of a remote call's answer.
func (f *finder) locateCall() error {
	t, tr := f.t, f.x.tr
	if t.Nodes[doc.Root].Kind != doc.Object {
		return ErrShape
	}
	result, failed := tr.result.first(t, doc.Root), tr.failure.at.first(t, doc.Root)
	if (result < 0) == (failed < 0) {
		return ErrShape
	}
	for c := range t.Children(doc.Root) {
		if c != result && c != failed && !contains(tr.envelope, t.Key(c)) {
			return ErrShape
		}
	}
	if failed >= 0 {
		f.locateFailure(failed)
		return nil
	}
	for i := range f.x.op.records {
		f.locateAt(&f.x.op.records[i], result)
	}
	if f.x.op.question && len(f.found.Records) == 0 {
		f.found.Rows = max(f.found.Rows, 1)
	}
	f.coverRest(result, false)
	return nil
}

// locateFailure withholds the texts of an error that could carry values.
func (f *finder) locateFailure(node int) {
	tr := f.x.tr
	name := tr.failure.name.first(f.t, node)
	if name >= 0 {
		if paths, ok := tr.failure.known[f.t.Text(name)]; ok {
			for _, p := range paths {
				p.each(f.t, node, f.withhold)
			}
			return
		}
	}
	f.withhold(node)
}

// withhold replaces every text below a node.
func (f *finder) withhold(node int) {
	text := f.x.p.withheld
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		switch f.t.Nodes[n].Kind {
		case doc.String:
			if f.t.Text(n) != "" {
				f.found.Withheld = append(f.found.Withheld, access.Withheld{Node: n, Entity: f.entityName(), Text: text})
			}
		case doc.Number:
			f.field(n, -1, f.x.ent, "", []access.Category{access.Unclassified}, access.ShapeNumber)
		}
	}
}

func (f *finder) entityName() access.Entity {
	if f.x.ent == nil {
		return access.Entity(f.x.typ)
	}
	return f.x.ent.name
}
