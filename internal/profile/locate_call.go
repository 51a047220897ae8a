package profile

import (
	"net/http"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// locateCall reads the envelope of a remote call's answer.
func (f *finder) locateCall(status int) error {
	t, tr := f.t, f.x.tr
	if tr.bare {
		if status >= http.StatusBadRequest {
			f.found.Failed = true
			f.locateFailure(doc.Root)
			return nil
		}
		f.locateResult(doc.Root)
		return nil
	}
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
		f.found.Failed = true
		f.locateFailure(failed)
		return nil
	}
	f.locateResult(result)
	return nil
}

// locateResult finds what a call's result holds.
func (f *finder) locateResult(result int) {
	for i := range f.x.op.records {
		f.locateAt(&f.x.op.records[i], result)
	}
	if f.x.op.question && len(f.found.Records) == 0 {
		f.found.Rows = max(f.found.Rows, 1)
	}
	f.coverRest(result, false)
}

// locateFailure withholds the texts of an error: all but those that the profile
// knows to hold no values.
func (f *finder) locateFailure(node int) {
	tr := f.x.tr
	stays := map[int]bool{}
	if name := tr.failure.name.first(f.t, node); name >= 0 {
		for _, p := range tr.failure.known[f.t.Text(name)] {
			p.each(f.t, node, func(n int) { stays[n] = true })
		}
	}
	f.withholdBut(node, stays)
}

// withhold replaces every text below a node.
func (f *finder) withhold(node int) { f.withholdBut(node, nil) }

func (f *finder) withholdBut(node int, stays map[int]bool) {
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		switch {
		case stays[n] || f.silent(n, false):
		case f.t.Nodes[n].Kind == doc.String && f.t.Text(n) != "":
			f.withholdText(n)
		case f.t.Nodes[n].Kind == doc.Number:
			f.field(n, -1, f.x.ent, "", unclassified(), access.ShapeNumber)
		}
	}
}

// withholdText withholds a text that can quote values of any entity: who may
// not see all of one of them doesn't see it.
func (f *finder) withholdText(node int) {
	for _, e := range f.x.p.entities {
		if !e.internal {
			f.found.Withheld = append(f.found.Withheld, access.Withheld{Node: node, Entity: e.name, Text: f.x.p.withheld})
		}
	}
	if f.x.ent == nil || f.x.ent.internal {
		f.found.Withheld = append(f.found.Withheld, access.Withheld{Node: node, Entity: f.entityName(), Text: f.x.p.withheld})
	}
}

func (f *finder) entityName() access.Entity {
	if f.x.ent == nil {
		return access.Entity(f.x.typ)
	}
	return f.x.ent.name
}
