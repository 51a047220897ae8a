// Package restore keeps a save from changing a value that its author couldn't
// see: an unchanged placeholder becomes the stored value or is taken out, an
// edited one is refused by name.
//
// A placeholder is recognised by masking the stored value again and comparing,
// not by its looks: a masked phone number with one more digit typed behind it
// looks like a placeholder too, and a stored value that was guessed right must
// not be told from one that was guessed wrong.
package restore

import (
	"slices"
	"sort"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// Plans are what the policy says of the employee: what is shown, and what may
// be written. Write is nil where nothing is saved.
type Plans struct {
	Shown, Write *access.Plan
	// Revealed reports whether a field of a record is shown to the author in clear
	// for the time being, whatever Shown hides; nil: nothing is. Only then is a
	// value compared with the stored one: to somebody who sees it, that tells
	// nothing. It opens no edit.
	Revealed func(id, field string, cats []access.Category) bool
}

// Stored are the stored records of a write: the CRM's answer to the gateway's
// own read, and the node of each record in it.
type Stored struct {
	Tree    *doc.Tree
	Records map[string]int
}

// Result are the changes to the request's document, or the fields that were
// edited without having been seen.
type Result struct {
	Edits   []doc.Edit
	Refused []string
	// Kept are the nodes of fields that came as what their author was shown of a stored
	// value: it stays.
	Kept []int
}

// Fields returns the names of the fields whose stored values are needed before
// the write may be judged; none means that it is fine as it is.
func Fields(body *doc.Tree, w *profile.Write, p Plans) []string {
	if w.Mode == profile.WriteCreate || w.Mode == profile.WriteCopy {
		return nil
	}
	var names []string
	for i := range w.Fields {
		if hidden(w.Entity, w.Fields[i].Categories, p) || masked(body, &w.Fields[i]) {
			names = append(names, w.Fields[i].Name)
		}
	}
	if w.Mode == profile.WriteFull {
		names = append(names, unseen(w, p)...)
	}
	names = append(names, w.Beside(names)...)
	sort.Strings(names)
	return slices.Compact(names)
}

// unseen are the fields of the entity that the employee can't see: a full write
// would empty those that it leaves out.
func unseen(w *profile.Write, p Plans) []string {
	return w.FieldNames(func(c access.Category) bool {
		return hidden(w.Entity, []access.Category{c}, p)
	})
}

// hidden reports whether a field is not clear to the employee, or may not be
// written by them.
func hidden(e access.Entity, cats []access.Category, p Plans) bool {
	for _, c := range cats {
		if v, clear := p.Shown.AlwaysClear(e, c); !clear || v.Treatment != access.Clear {
			return true
		}
		if p.Write == nil {
			continue
		}
		if _, clear := p.Write.AlwaysClear(e, c); !clear {
			return true
		}
	}
	return len(cats) == 0
}

// Judge compares the write's fields with the stored records. m masks as the
// response that the employee saw was masked; scope is their session's.
func Judge(m *mask.Masker, scope string, body *doc.Tree, w *profile.Write, s Stored, p Plans) Result {
	j := &judge{m: m, scope: scope, body: body, w: w, stored: s, plans: p}
	switch w.Mode {
	case profile.WriteCreate, profile.WriteCopy:
		j.create()
	case profile.WriteEcho:
		j.echo()
	case profile.WritePartial:
		j.partial()
	case profile.WriteFull:
		j.full()
	}
	sort.Strings(j.result.Refused)
	j.result.Refused = slices.Compact(j.result.Refused)
	return j.result
}

type judge struct {
	m      *mask.Masker
	scope  string
	body   *doc.Tree
	w      *profile.Write
	stored Stored
	plans  Plans
	result Result
}

// create refuses placeholders: there is nothing stored that they could stand
// for.
func (j *judge) create() {
	for i := range j.w.Fields {
		f := &j.w.Fields[i]
		if masked(j.body, f) {
			j.result.Refused = append(j.result.Refused, f.Name)
		}
	}
}

// partial takes unchanged placeholders out and refuses the rest.
func (j *judge) partial() {
	var out []int
	for i := range j.w.Fields {
		f := &j.w.Fields[i]
		switch {
		case j.free(f):
		case j.unchanged(f):
			out = append(out, f.Node)
			j.result.Kept = append(j.result.Kept, f.Node)
		default:
			j.result.Refused = append(j.result.Refused, f.Name)
		}
	}
	j.result.Edits = append(j.result.Edits, doc.RemoveMembers(j.body, j.w.Object, out)...)
}

// echo fills the stored values in, so that the CRM computes with them. What was
// typed for a new record stays. In a stored one, a value that its author can't
// see is refused as in a save: the CRM leaves out of its answer what computing
// didn't change, and so would tell a right guess from a wrong one.
func (j *judge) echo() {
	if len(j.w.IDs) == 0 {
		return
	}
	for i := range j.w.Fields {
		f := &j.w.Fields[i]
		switch {
		case j.free(f):
		case j.unchanged(f):
			j.fill(f)
		default:
			j.result.Refused = append(j.result.Refused, f.Name)
		}
	}
}

// full fills in the stored values of all fields that the employee can't see:
// those that came back unchanged, empty or not at all.
func (j *judge) full() {
	sent := map[string]bool{}
	for i := range j.w.Fields {
		f := &j.w.Fields[i]
		sent[f.Name] = true
		switch {
		case j.free(f):
		case j.stands() && (j.unchanged(f) || j.empty(f)):
			j.fill(f)
		default:
			j.result.Refused = append(j.result.Refused, f.Name)
		}
	}
	names := unseen(j.w, j.plans)
	sort.Strings(names)
	var missing []doc.Member
	for _, name := range names {
		switch {
		case sent[name]:
			continue
		case !j.stands():
			j.result.Refused = append(j.result.Refused, name)
			continue
		}
		node, _, _ := j.w.StoredField(j.stored.Tree, j.record(), name)
		switch {
		case node < 0:
		case !j.takes(node):
			j.result.Refused = append(j.result.Refused, name)
		default:
			missing = append(missing, doc.Member{Key: name, Raw: j.raw(-1, node), Text: j.stored.Tree.Text(node)})
		}
	}
	j.result.Edits = append(j.result.Edits, doc.AppendMembers(j.body, j.w.Object, missing)...)
}

// stands reports whether one stored record stands behind the write: what a full
// write leaves out comes from there.
func (j *judge) stands() bool {
	if j.stored.Tree == nil || len(j.w.IDs) != 1 {
		return false
	}
	_, ok := j.stored.Records[j.w.IDs[0]]
	return ok
}

// record is the stored record of a write for which unchanged or stands is true.
func (j *judge) record() int { return j.stored.Records[j.w.IDs[0]] }

// masked reports whether a field holds what a placeholder looks like.
func masked(body *doc.Tree, f *profile.WriteField) bool {
	return slices.ContainsFunc(f.Leaves, func(l profile.Leaf) bool { return mask.IsPlaceholder(body.Text(l.Node)) })
}

// free reports whether a field may be written as it came: its author sees and
// may change both what is stored in its place, in every record, and what it
// would hold. A placeholder from elsewhere may not, unless it stands there
// already: somebody who copied it would save a mask.
func (j *judge) free(f *profile.WriteField) bool {
	if masked(j.body, f) && !j.unchanged(f) {
		return false
	}
	if !hidden(j.w.Entity, f.Categories, j.plans) {
		return true
	}
	if j.stored.Tree == nil || len(j.w.IDs) == 0 {
		return false
	}
	for _, id := range j.w.IDs {
		record, ok := j.stored.Records[id]
		if !ok {
			return false
		}
		node, _, cats := j.w.StoredField(j.stored.Tree, record, f.Name)
		if node < 0 || hidden(j.w.Entity, cats, j.plans) ||
			hidden(j.w.Entity, j.w.Sent(f, j.stored.Tree, record), j.plans) {
			return false
		}
	}
	return true
}

// unchanged reports whether a field holds the placeholder of its stored value,
// in every record that the write is for.
func (j *judge) unchanged(f *profile.WriteField) bool {
	if len(j.w.IDs) == 0 || j.stored.Tree == nil {
		return false
	}
	for _, id := range j.w.IDs {
		record, ok := j.stored.Records[id]
		if !ok || !j.matches(f, record) && !j.repeats(f, id, record) {
			return false
		}
	}
	return true
}

func (j *judge) matches(f *profile.WriteField, record int) bool {
	st := j.stored.Tree
	node, leaves, cats := j.w.StoredField(st, record, f.Name)
	if node < 0 || len(leaves) != len(f.Leaves) {
		return false
	}
	about := mask.About{Plan: j.plans.Shown, Entity: j.w.Entity}
	for i, l := range leaves {
		of := cats
		if l.Categories != nil {
			of = l.Categories
		}
		if j.w.IsEmpty(st, l.Node) { // shown to everybody
			if !j.w.IsEmpty(j.body, f.Leaves[i].Node) {
				return false
			}
			continue
		}
		with, drop := j.m.Again(of, l.Shape, st.Nodes[l.Node].Kind, st.Text(l.Node), about, j.scope)
		if drop || with.Text != j.body.Text(f.Leaves[i].Node) {
			return false
		}
	}
	return true
}

// repeats reports whether a field holds the stored value as it is, where the author
// sees it for the time being.
func (j *judge) repeats(f *profile.WriteField, id string, record int) bool {
	if j.plans.Revealed == nil {
		return false
	}
	st := j.stored.Tree
	node, leaves, cats := j.w.StoredField(st, record, f.Name)
	if node < 0 || len(leaves) != len(f.Leaves) {
		return false
	}
	for i, l := range leaves {
		of := cats
		if l.Categories != nil {
			of = l.Categories
		}
		sees := !hidden(j.w.Entity, of, j.plans) || j.plans.Revealed(id, f.Name, of)
		if !sees || st.Text(l.Node) != j.body.Text(f.Leaves[i].Node) {
			return false
		}
	}
	return len(leaves) > 0
}

// empty reports whether a field holds nothing: what a form without a place for
// a placeholder sends back.
func (j *judge) empty(f *profile.WriteField) bool {
	for _, l := range f.Leaves {
		if j.body.Nodes[l.Node].Kind != doc.Null && j.body.Text(l.Node) != "" {
			return false
		}
	}
	return true
}

// fill puts the stored value in a field's place. A field that the stored record
// hasn't got is refused: nobody knows what would be overwritten. So is a file's,
// and a value that the request can't hold as it is.
func (j *judge) fill(f *profile.WriteField) {
	node, _, _ := j.w.StoredField(j.stored.Tree, j.record(), f.Name)
	if node < 0 || f.File || !j.takes(node) {
		j.result.Refused = append(j.result.Refused, f.Name)
		return
	}
	at := j.body.Nodes[f.Node]
	with := j.raw(f.Node, node)
	if with == nil {
		with = j.body.Format.Encode(nil, j.body, f.Node, doc.Value{Kind: doc.String, Text: j.stored.Tree.Text(node)})
	}
	j.result.Edits = append(j.result.Edits, doc.Edit{Start: at.Start, End: at.End, With: with})
	j.result.Kept = append(j.result.Kept, f.Node)
}

// takes reports whether the request can hold a stored value without a change.
func (j *judge) takes(node int) bool {
	return j.raw(-1, node) != nil || j.body.Takes(j.stored.Tree.Text(node))
}

// raw returns the stored value's bytes for a place of the request, -1 for a new one,
// where both documents have the same format; nil otherwise.
func (j *judge) raw(at, node int) []byte {
	if f, ok := j.body.Format.(doc.Grafter); ok {
		return f.Graft(nil, j.body, at, j.stored.Tree, node)
	}
	if j.stored.Tree.Format.Name() == j.body.Format.Name() {
		return j.stored.Tree.Raw(node)
	}
	return nil
}
