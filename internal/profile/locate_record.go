package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// record adds a record and returns its index; records of internal entities and
// records without an id are not named.
func (f *finder) record(ent *entity, typ, id string) int {
	if ent != nil && ent.internal || id == "" {
		return -1
	}
	if f.x.p.salesforceIDs && len(id) == shortID {
		id = salesforceID(id)
	}
	f.found.Records = append(f.found.Records, access.FoundRecord{
		Record: access.Record{Entity: entityName(ent, typ), Type: typ, ID: id},
	})
	return len(f.found.Records) - 1
}

// object finds the fields of one record.
func (f *finder) object(r *recordAt, node int, typ string, ent *entity, id string) {
	t := f.t
	if f.marked != nil {
		f.markedRecord(r, node, typ, ent)
		return
	}
	if id == "" && ent != nil {
		id = f.idWithin(r, node, ent)
	}
	root := f.root
	f.root = node
	defer func() { f.root = root }()
	rec := f.record(ent, typ, id)
	if rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	if rec >= 0 && ent != nil {
		f.own(rec, ent, f.t.Member(node, ent.owner))
	}
	if ent == nil {
		f.field(node, rec, nil, typ, unclassified(), "")
		return
	}
	own := f.ownID(r, node, ent)
	for c := t.First(node); c >= 0; c = t.After(c) {
		if c == own {
			continue
		}
		if r != nil && r.pairs != nil && r.isPairs(t.Key(c)) {
			(&members{f: f, r: r, node: node, ent: ent, rec: rec, id: id}).listed(c)
			continue
		}
		f.member(c, node, rec, ent)
	}
}

// idWithin is the id that stands among the record's own values, "" for none.
func (f *finder) idWithin(r *recordAt, node int, ent *entity) string {
	if r == nil || r.id != "none" {
		if n := f.x.p.member(f.t, node, ent.id); n >= 0 && f.isID(n) && !isOwn(f.t.Text(n)) {
			return f.t.Text(n)
		}
	}
	if r != nil && r.pairs != nil {
		return (&members{f: f, r: r, node: node, ent: ent}).idInPairs()
	}
	return ""
}

// ownID is the member that holds the record's id by the word of its place, where the
// entity says nothing else of it; -1 for none.
func (f *finder) ownID(r *recordAt, node int, ent *entity) int {
	if r == nil || r.relID == nil {
		return -1
	}
	n := r.relID.first(f.t, node)
	if n < 0 || !f.isID(n) || ent.field(f.t.Key(n)) != nil {
		return -1
	}
	return n
}

// isID reports whether a node can be a record's id.
func (f *finder) isID(node int) bool {
	switch f.t.Nodes[node].Kind {
	case doc.Number:
		return !f.x.p.salesforceIDs && (!f.x.p.integerIDs || isInteger(f.t.Text(node)))
	case doc.String:
		return !f.x.p.integerIDs && (!f.x.p.salesforceIDs || isSalesforceID(f.t.Text(node)))
	}
	return false
}

// own settles the fact `own` where the record names its owner.
func (f *finder) own(rec int, ent *entity, owner int) {
	if ent.owner == "" || owner < 0 {
		return
	}
	own, state := 0, access.FactFalse
	if f.x.User != "" && f.t.Text(owner) == f.x.User {
		own, state = 1, access.FactTrue
	}
	if f.owned[own] == nil {
		f.owned[own] = access.Facts{"own": state}
	}
	f.found.Records[rec].Facts = f.owned[own]
}

// member finds what one member of a record holds.
func (f *finder) member(node, object, rec int, ent *entity) {
	f.memberAs(f.t.Key(node), node, object, rec, ent)
}

// memberAs is member for a value whose name stands elsewhere.
func (f *finder) memberAs(name string, node, object, rec int, ent *entity) {
	if level := f.level; level != nil {
		if f.namedColumn(level, name, node, rec, ent) {
			return
		}
		f.level = level.Subs[strings.ToLower(name)]
		defer func() { f.level = level }()
	}
	if (f.x.p.annotations != nil || f.x.od != nil) && f.annotated(name, node, object, rec, ent) {
		return
	}
	if ent.isID(name) && f.isID(node) || f.isTypeName(name, node) || f.notations(name, node, object, rec, ent) {
		return
	}
	if f.cut != "" {
		name, _, _ = strings.Cut(name, f.cut)
	}
	known := f.lookUp(ent, name)
	if known.relates && known.related == ownType {
		f.related(node, f.typeOf(ent), ent, nil)
		return
	}
	if known.relates {
		f.other(node, known.related)
		return
	}
	if known.field != nil && (!ent.isID(name) || known.field.parts != nil) {
		f.fieldValue(node, object, rec, ent, name, known.field)
		return
	}
	typed := f.typed
	f.typed = false // nobody vouches for what isn't listed
	f.unlisted(node, object, rec, ent, name)
	f.typed = typed
}

// unlisted finds what a member holds that the entity doesn't list. A record of
// an unknown kind is masked whole, even where unknown fields pass.
func (f *finder) unlisted(node, object, rec int, ent *entity, name string) {
	p := f.x.p
	if typ, _, ok := f.described(node); ok || f.listIn(node) >= 0 {
		f.other(node, typ)
		return
	}
	base, nested := strings.CutSuffix(name, p.suffix)
	if nested = nested && p.suffix != ""; nested {
		if related := f.nestedType(node, object, ent, base); related != "" {
			f.other(node, related)
			return
		}
	}
	if nested {
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	if f.holdsObject(node) {
		f.unlistedObject(node, rec, ent, name)
		return
	}
	f.fieldValue(node, object, rec, ent, name, p.unknown(f.t, node, ent))
}

// memberName is what the profile knows of a member's name.
type memberName struct {
	entity  *entity
	name    string
	related string
	relates bool
	field   *field
}

// maxNames bounds the names that are kept.
const maxNames = 256

// lookUp asks the profile for a name, if it isn't the one that followed last time.
func (f *finder) lookUp(ent *entity, name string) memberName {
	if f.next >= len(f.names) {
		f.next = 0
	}
	if f.next < len(f.names) {
		if k := &f.names[f.next]; k.entity == ent && k.name == name {
			f.next++
			return *k
		}
	}
	k := memberName{entity: ent, name: name, field: ent.field(name)}
	k.related, k.relates = f.x.p.relates(ent, name)
	at := slices.IndexFunc(f.names, func(n memberName) bool { return n.entity == ent && n.name == name })
	switch {
	case at >= 0:
		f.next = at + 1
	case len(f.names) < maxNames:
		f.names = append(f.names, k)
		f.next = len(f.names)
	}
	return k
}

// other finds the records that a relation holds: they are stored ones, whatever
// the client sent.
func (f *finder) other(node int, typ string) {
	echo, typed := f.echo, f.typed
	f.echo, f.typed = false, false
	f.related(node, typ, f.x.p.entityOf(typ), nil)
	f.echo, f.typed = echo, typed
}

// holdsObject reports whether an object that stands for more than one value is
// at a node or below it: it could be a record.
func (f *finder) holdsObject(node int) bool {
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		if f.t.Nodes[n].Kind == doc.Object && f.x.p.wrappedShapes(f.t, n) == nil {
			return true
		}
	}
	return false
}

// nestedType returns the type of the record nested beside a field: the
// relation's, or the one that the reference beside it names.
func (f *finder) nestedType(node, object int, ent *entity, base string) string {
	if related, ok := f.x.p.relation(ent, base); ok {
		return related
	}
	if fd := ent.field(base); fd != nil && fd.reference {
		if n := f.t.Member(object, base); n >= 0 && isReference(f.t.Text(n)) {
			typ, _, _ := strings.Cut(f.t.Text(n), ",")
			return typ
		}
	}
	return ""
}

// unknown is what a value of a field is that the entity doesn't list: numbers,
// booleans and null, and objects that stand for numbers, are one thing, all else
// another.
func (p *Profile) unknown(t *doc.Tree, node int, ent *entity) *field {
	if p.numeric(t, node) || holdsNumbers(t, node) {
		return ent.unknownNo
	}
	return ent.unknown
}

// holdsNumbers reports whether a value is a number, a boolean or null, or a list of
// nothing else.
func holdsNumbers(t *doc.Tree, node int) bool {
	switch t.Nodes[node].Kind {
	case doc.Number, doc.Bool, doc.Null:
		return true
	case doc.Array:
		for c := range t.Children(node) {
			if !holdsNumbers(t, c) {
				return false
			}
		}
		return true
	}
	return false
}

// related finds records nested in, or named by, a value: an object, a list of
// objects or ids, an id, a reference, or an object of changes.
func (f *finder) related(node int, typ string, ent *entity, r *recordAt) {
	t := f.t
	switch t.Nodes[node].Kind {
	case doc.Object:
		f.relatedObject(node, typ, ent, r)
	case doc.Array:
		for c := range t.Children(node) {
			if f.x.p.numbered && t.Nodes[c].Kind == doc.Array {
				f.command(c, typ, ent)
				continue
			}
			f.related(c, typ, ent, r)
		}
	case doc.Number:
		f.bare(node, typ, ent)
	case doc.String:
		text := t.Text(node)
		refTyp, id, _ := strings.Cut(text, ",")
		if e := f.x.p.entityOf(refTyp); e != nil && isReference(text) {
			f.record(e, refTyp, id)
			return
		}
		f.display(node, typ, ent)
	}
}

// relatedObject finds a related record, a list of them or changes to them, or what
// GraphQL has between a field and its records.
func (f *finder) relatedObject(node int, typ string, ent *entity, r *recordAt) {
	if f.isChanges(node) {
		for c := range f.t.Children(node) {
			f.changes(c, typ, ent)
		}
		return
	}
	if list := f.listIn(node); list >= 0 {
		f.listed(node, list, typ, ent, r)
		return
	}
	if kind, told := f.kinds[node]; told && (r == nil || r.relEntity == nil) {
		typ, ent = kind, f.x.p.entityOf(kind)
	}
	if f.x.gql != nil && r == nil && f.around(node, typ, ent) {
		return
	}
	id := ""
	if r != nil {
		id = f.idAt(r, node)
	}
	if own, ownID, ok := f.described(node); ok {
		typ, ent = own, f.x.p.entityOf(own)
		if id == "" {
			id = ownID
		}
	}
	f.object(r, node, typ, ent, id)
}

// display finds a record's display.
func (f *finder) display(node int, typ string, ent *entity) {
	if f.x.p.displayCompanies(typ) && isCompany(f.t.Text(node)) {
		return
	}
	f.field(node, -1, ent, typ, f.x.displayed(typ), "")
}

// isChanges reports whether every member of an object is a list of changes.
func (f *finder) isChanges(node int) bool {
	if len(f.x.p.changes) == 0 || f.t.First(node) < 0 {
		return false
	}
	for c := range f.t.Children(node) {
		if !contains(f.x.p.changes, f.t.Key(c)) {
			return false
		}
	}
	return true
}

// changes finds the records in a list of changes; numbers there are positions.
func (f *finder) changes(node int, typ string, ent *entity) {
	switch f.t.Nodes[node].Kind {
	case doc.Object:
		f.object(nil, node, typ, ent, "")
	case doc.Array:
		for c := range f.t.Children(node) {
			f.changes(c, typ, ent)
		}
	case doc.String:
		f.field(node, -1, ent, typ, unclassified(), "")
	}
}

// bare handles an id that stands alone.
func (f *finder) bare(node int, typ string, ent *entity) {
	switch f.t.Nodes[node].Kind {
	case doc.Number, doc.String:
		if f.isID(node) {
			f.record(ent, typ, f.t.Text(node))
			return
		}
		if id, ok := f.idInAddress(node); ok {
			f.record(ent, typ, id)
			return
		}
		f.field(node, -1, ent, typ, unclassified(), "")
	case doc.Array:
		for c := range f.t.Children(node) {
			f.bare(c, typ, ent)
		}
	case doc.Object:
		f.field(node, -1, ent, typ, unclassified(), "")
	}
}
