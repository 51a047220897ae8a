package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
)

// WriteMode says what a CRM makes of what a write leaves out.
type WriteMode string

// The modes.
const (
	// WritePartial: only what is sent is saved.
	WritePartial WriteMode = "partial"
	// WriteFull: what is missing is emptied.
	WriteFull WriteMode = "full"
	// WriteEcho: nothing is saved; the CRM computes with the values.
	WriteEcho WriteMode = "echo"
	// WriteSave is partial, or create where the operation has no ids. No Write has
	// it.
	WriteSave WriteMode = "save"
	// WriteCreate: a new record; there is nothing stored.
	WriteCreate WriteMode = "create"
	// WriteCopy: new records made of stored ones, but for these values.
	WriteCopy WriteMode = "copy"
)

// Write is an object of values in a request, for one or several records.
type Write struct {
	Entity access.Entity
	Type   string
	IDs    []string
	Mode   WriteMode
	// Object is the node of the object of values in Exchange.Body.
	Object int
	Fields []WriteField

	x   *Exchange
	w   *write
	ent *entity
}

// WriteField is one value of a write.
type WriteField struct {
	Name string
	// Categories are all that the value can hold, and for a field that chooses
	// the category of others, theirs: the stored record tells which of them count.
	Categories []access.Category
	// Node is the member in the request's document.
	Node int
	// Leaves are its scalars: one, or the parts of a wrapped value.
	Leaves []Leaf
	// File says that the value is a file's content.
	File bool
}

// Leaf is a scalar of a field's value and the form it has.
type Leaf struct {
	Node  int
	Shape access.Shape
	// Categories are those of the part that the scalar is; nil for the field's own.
	Categories []access.Category
}

type write struct {
	at       expr
	commands bool
	numbered bool
	mode     WriteMode
	self     string
	pairs    bool
	// typed says that each object of values names its type: the member typeAt of its
	// member typeIn, with the members beside next to it.
	typed          bool
	typeIn, typeAt string
	beside         []string
	stored         storedSpec
	storedAt       path
	// storedForm is the form in a page that holds the record, or nil.
	storedForm *html.Selector
}

// Body is the request's document, nil without one.
func (x *Exchange) Body() *doc.Tree { return x.tree }

// Writes are the objects of values that the request would save.
func (x *Exchange) Writes() []*Write { return x.writes }

func (x *Exchange) readWrites() error {
	w := x.op.write
	if w == nil {
		return nil
	}
	if w.pairs {
		return x.readPairs(w)
	}
	ids, before := x.Accesses[x.at].IDs, len(x.writes)
	for _, v := range x.valuesAt(w.at) {
		if v.node < 0 {
			return refuse("malformed", "The values of a write are no object.")
		}
		if err := x.sameType(w, v.node); err != nil {
			return err
		}
		if err := x.readValueList(w, x.typ, v.node, w.mode, ids); err != nil {
			return err
		}
	}
	// An empty list is an empty object to PHP: a full write of it empties all.
	if len(x.writes) == before && x.tr == nil {
		return &Refusal{Reason: "malformed", Text: "The values of a write are no object.", Status: 400}
	}
	return nil
}

// readPairs reads write(ids, values, ids, values, …).
func (x *Exchange) readPairs(w *write) error {
	nodes, err := x.listed()
	if err != nil {
		return err
	}
	nodes = slices.DeleteFunc(nodes, func(n int) bool { return n == x.ctx })
	if len(nodes)%2 != 0 || len(nodes) == 0 {
		return refuse("malformed", "A write is ids and values in turn.")
	}
	x.Accesses[0].IDs = nil
	for i := 0; i < len(nodes); i += 2 {
		var ids []string
		if err := x.collectIDs(nodes[i], &ids); err != nil {
			return err
		}
		x.Accesses[0].IDs = append(x.Accesses[0].IDs, ids...)
		if err := x.readValueList(w, x.typ, nodes[i+1], w.mode, ids); err != nil {
			return err
		}
	}
	return nil
}

// readValueList reads an object of values, or a list of such objects.
func (x *Exchange) readValueList(w *write, typ string, node int, mode WriteMode, ids []string) error {
	switch x.tree.Nodes[node].Kind {
	case doc.Object:
		return x.readValues(w, typ, node, mode, ids)
	case doc.Array:
		for c := range x.tree.Children(node) {
			if x.tree.Nodes[c].Kind != doc.Object {
				return refuse("malformed", "The values of a write are no object.")
			}
			if err := x.readValues(w, typ, c, mode, ids); err != nil {
				return err
			}
		}
		return nil
	case doc.Null:
		return nil
	}
	return refuse("malformed", "The values of a write are no object.")
}

func (x *Exchange) readValues(w *write, typ string, node int, mode WriteMode, ids []string) error {
	if w.typed {
		var err error
		if typ, err = x.typeOfValues(w, node); err != nil {
			return err
		}
	}
	ent := x.p.entityOf(typ)
	if ent == nil {
		return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	if mode == WriteSave {
		mode = WritePartial
		if len(ids) == 0 {
			mode = WriteCreate
		}
	}
	wr := &Write{Entity: ent.name, Type: typ, IDs: ids, Mode: mode, Object: node, x: x, w: w, ent: ent}
	if err := x.selfID(w, wr); err != nil {
		return err
	}
	if w.typed && w.self != "" && len(wr.IDs) != 1 && wr.Mode == WritePartial {
		return refuse("malformed", "A record to be saved doesn't say its id.")
	}
	x.writeAccess(wr)
	if x.p.folded && foldedTwice(x.tree, node) {
		return refuse("repeated", "A field of a write stands twice.")
	}
	for c := range x.tree.Children(node) {
		if err := x.readValue(w, wr, c); err != nil {
			return err
		}
	}
	x.readDefaults(wr)
	x.writes = append(x.writes, wr)
	return nil
}

// readDefaults reads the values that a new record gets from the call's context,
// where the write doesn't give them itself.
func (x *Exchange) readDefaults(wr *Write) {
	if wr.Mode != WriteCreate || x.tr == nil || x.tr.defaults == "" || x.ctx < 0 {
		return
	}
	for c := range x.tree.Children(x.ctx) {
		name, ok := strings.CutPrefix(x.tree.Key(c), x.tr.defaults)
		if _, related := x.p.relates(wr.ent, name); !ok || related || x.tree.Member(wr.Object, name) >= 0 {
			continue
		}
		f := wr.field(name)
		leaves := x.p.leaves(x.tree, c, f)
		wr.Fields = append(wr.Fields, WriteField{Name: name, Categories: f.categories, Node: c, Leaves: leaves})
		x.addWriteRef(wr, name, f.categories, x.empty(leaves))
	}
}

// selfID reads the id that stands among the values: new records have none, or
// one of the client's own. What is neither could be an id to the CRM.
func (x *Exchange) selfID(w *write, wr *Write) error {
	if wr.Mode == WriteCreate || wr.Mode == WriteCopy {
		wr.IDs = nil
	}
	if w.self == "" {
		return nil
	}
	wr.IDs = nil
	n := x.p.member(x.tree, wr.Object, w.self)
	if n < 0 {
		return nil
	}
	if repeats(x.tree, wr.Object, w.self) {
		return refuse("repeated", "The id of a write stands twice.")
	}
	if isContainer(x.tree, n) {
		return refuse("malformed", "An id in the request is neither a number nor a text.")
	}
	if err := x.collectIDs(n, &wr.IDs); err != nil {
		return err
	}
	if len(wr.IDs) == 1 && (wr.IDs[0] == "" || wr.IDs[0] == "0") {
		wr.IDs = nil
	}
	return nil
}

func (x *Exchange) readValue(w *write, wr *Write, node int) error {
	name := x.tree.Key(node)
	if file, _ := x.isFile(node); file {
		return x.readFile(wr, node)
	}
	if x.p.key(name) == x.p.key(w.self) && w.self != "" || w.typed && name == w.typeIn || name == formCharset && isForm(x.tree) {
		return nil
	}
	if wr.Mode == WriteEcho && strings.Contains(name, ".") && !strings.HasSuffix(name, ".") {
		return nil // a value of another record that the client sees beside this one
	}
	base := name
	if x.p.suffix != "" {
		base = strings.TrimSuffix(name, x.p.suffix)
	}
	if related, ok := x.p.relates(wr.ent, base); ok {
		if related == ownType {
			related = wr.Type
		}
		return x.readRelated(w, wr, related, node)
	}
	if w.typed && isContainer(x.tree, node) {
		return refuse("malformed", "A value of a record to be saved is a list or an object that the profile doesn't know.")
	}
	f := wr.field(name)
	cats := f.categories
	if !wr.onStored() {
		cats = x.byOf(f, x.tree, wr.Object)
	} else {
		cats = unique(append(slices.Clone(cats), wr.ent.selects[wr.ent.key(name)]...))
	}
	leaves := x.p.leaves(x.tree, node, f)
	wr.Fields = append(wr.Fields, WriteField{Name: name, Categories: cats, Node: node, Leaves: leaves})
	x.addWriteRef(wr, name, cats, x.empty(leaves))
	x.addPartRefs(wr, name, node, f)
	return nil
}

// addPartRefs names the parts of a composite that a write holds.
func (x *Exchange) addPartRefs(wr *Write, name string, node int, f *field) {
	if f.parts == nil || x.tree.Nodes[node].Kind != doc.Object {
		return
	}
	for c := range x.tree.Children(node) {
		part := f.parts.lookup(x.tree.Key(c), false)
		x.addWriteRef(wr, name+"."+x.tree.Key(c), part.categories, x.empty(x.p.leaves(x.tree, c, part)))
	}
}

// field is what the profile knows of a field of the write.
func (w *Write) field(name string) *field {
	if f := w.ent.field(name); f != nil {
		return f
	}
	return w.ent.unknown
}

// onStored reports whether stored values stand behind those of the write.
func (w *Write) onStored() bool {
	switch w.Mode {
	case WritePartial, WriteFull, WriteCopy:
		return true
	}
	return len(w.IDs) > 0
}

// writeAccess returns the access that a write belongs to, with its records; nil
// where nothing is saved.
func (x *Exchange) writeAccess(wr *Write) *access.Access {
	if wr.Mode == WriteEcho {
		return nil
	}
	i := slices.IndexFunc(x.Accesses, func(a access.Access) bool { return a.Type == wr.Type && a.Action == wr.Action() })
	if i < 0 {
		i = len(x.Accesses)
		x.Accesses = append(x.Accesses, access.Access{
			Route: x.Route, Call: x.Call, Action: wr.Action(), Entity: wr.Entity, Type: wr.Type,
		})
	}
	a := &x.Accesses[i]
	for _, id := range wr.IDs {
		if !slices.Contains(a.IDs, id) {
			a.IDs = append(a.IDs, id)
		}
	}
	return a
}

func (x *Exchange) addWriteRef(wr *Write, name string, cats []access.Category, empty bool) {
	// A form sends every field it has: an empty one of a new record says nothing.
	if wr.Action() == access.Create && empty {
		return
	}
	if a := x.writeAccess(wr); a != nil {
		a.Refs = append(a.Refs, access.Ref{Role: access.RefWrite, Entity: wr.Entity, Field: name, Categories: cats})
	}
}

func (x *Exchange) empty(leaves []Leaf) bool {
	for _, l := range leaves {
		if x.tree.Nodes[l.Node].Kind != doc.Null && !x.p.isEmpty(x.tree, l.Node) && x.tree.Text(l.Node) != "" {
			return false
		}
	}
	return true
}

// Action is what the write does to its records: with an echo, nothing.
func (w *Write) Action() access.Action {
	switch w.Mode {
	case WriteCreate, WriteCopy:
		return access.Create
	case WriteEcho:
		return access.Read
	}
	return access.Update
}
