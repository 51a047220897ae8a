package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
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
	// WriteCreate: a new record; there is nothing stored.
	WriteCreate WriteMode = "create"
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
	ent *entity
}

// WriteField is one value of a write.
type WriteField struct {
	Name       string
	Categories []access.Category
	// Node is the member in the request's document.
	Node int
	// Leaves are its scalars: one, or the parts of a wrapped value.
	Leaves []Leaf
}

// Leaf is a scalar of a field's value and the form it has.
type Leaf struct {
	Node  int
	Shape access.Shape
}

type write struct {
	at       expr
	commands bool
	mode     WriteMode
	self     string
	pairs    bool
	stored   storedSpec
	storedAt path
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
	ids := x.Accesses[0].IDs
	for _, v := range x.valuesAt(w.at) {
		if v.node < 0 {
			return refuse("malformed", "The values of a write are no object.")
		}
		if err := x.readValueList(w, x.typ, v.node, w.mode, ids); err != nil {
			return err
		}
	}
	return nil
}

// readPairs reads write(ids, values, ids, values, …).
func (x *Exchange) readPairs(w *write) error {
	list := x.tr.args.first(x.tree, doc.Root)
	var nodes []int
	for n := range x.tree.Children(list) {
		if n != x.ctx {
			nodes = append(nodes, n)
		}
	}
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
	ent := x.p.entityOf(typ)
	if ent == nil {
		return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	wr := &Write{Entity: ent.name, Type: typ, IDs: ids, Mode: mode, Object: node, x: x, ent: ent}
	if w.self != "" {
		wr.IDs = nil
		if n := x.tree.Member(node, w.self); n >= 0 {
			wr.IDs = selfID(x.tree.Text(n))
		}
	}
	for c := range x.tree.Children(node) {
		if err := x.readValue(w, wr, c); err != nil {
			return err
		}
	}
	x.writes = append(x.writes, wr)
	return nil
}

// selfID is the id of a record that exists: new ones have none, or a negative.
func selfID(id string) []string {
	if id == "" || strings.HasPrefix(id, "-") || id == "0" {
		return nil
	}
	return []string{id}
}

func (x *Exchange) readValue(w *write, wr *Write, node int) error {
	name := x.tree.Key(node)
	if name == w.self && w.self != "" {
		return nil
	}
	f := wr.ent.field(name)
	if f == nil {
		base := name
		if x.p.suffix != "" {
			base = strings.TrimSuffix(name, x.p.suffix)
		}
		if related, ok := x.p.relation(wr.ent, base); ok {
			return x.readRelated(w, wr, related, node)
		}
		f = wr.ent.unknown
	}
	cats := x.pickCategories(x.tree, wr.Object, node, f)
	leaves := x.p.leaves(x.tree, node)
	wr.Fields = append(wr.Fields, WriteField{Name: name, Categories: cats, Node: node, Leaves: leaves})
	x.addWriteRef(wr, name, cats, x.empty(leaves))
	return nil
}

func (x *Exchange) addWriteRef(wr *Write, name string, cats []access.Category, empty bool) {
	// A form sends every field it has: an empty one of a new record says nothing.
	if wr.Mode == WriteEcho || wr.Mode == WriteCreate && empty {
		return
	}
	for i := range x.Accesses {
		a := &x.Accesses[i]
		if a.Type == wr.Type && a.Action == wr.action() {
			a.Refs = append(a.Refs, access.Ref{Role: access.RefWrite, Entity: wr.Entity, Field: name, Categories: cats})
			return
		}
	}
	x.Accesses = append(x.Accesses, access.Access{
		Route: x.Route, Call: x.Call, Action: wr.action(), Entity: wr.Entity, Type: wr.Type, IDs: wr.IDs,
		Refs: []access.Ref{{Role: access.RefWrite, Entity: wr.Entity, Field: name, Categories: cats}},
	})
}

func (x *Exchange) empty(leaves []Leaf) bool {
	for _, l := range leaves {
		if x.tree.Nodes[l.Node].Kind != doc.Null && x.tree.Text(l.Node) != "" {
			return false
		}
	}
	return true
}

func (w *Write) action() access.Action {
	switch w.Mode {
	case WriteCreate:
		return access.Create
	case WriteEcho:
		return access.Read
	}
	return access.Update
}

// readRelated reads the value of a relation in a write: an id, a reference, or
// the records below it.
func (x *Exchange) readRelated(w *write, wr *Write, related string, node int) error {
	switch x.tree.Nodes[node].Kind {
	case doc.Array:
		if w.commands && wr.Mode != WriteEcho {
			return x.readCommands(w, related, node)
		}
		for c := range x.tree.Children(node) {
			if x.tree.Nodes[c].Kind == doc.Object {
				if err := x.readValues(w, related, c, wr.Mode, nil); err != nil {
					return err
				}
			}
		}
	case doc.Object:
		if wr.Mode == WriteEcho {
			return nil // what a client shows beside a relation; nothing is restored in it
		}
		return refuse("malformed", "A relation in a write is an id.")
	}
	return nil
}

// readCommands reads [["create", [{…}]], ["write", [ids], {…}], ["delete", [ids]], …].
func (x *Exchange) readCommands(w *write, related string, node int) error {
	t := x.tree
	for c := range t.Children(node) {
		var parts []int
		for n := range t.Children(c) {
			parts = append(parts, n)
		}
		if len(parts) < 2 || t.Nodes[parts[0]].Kind != doc.String {
			return refuse("malformed", "A command on related records is not [word, …].")
		}
		if err := x.readCommand(w, related, t.Text(parts[0]), parts[1:]); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readCommand(w *write, related, word string, parts []int) error {
	switch word {
	case "create":
		return x.readValueList(w, related, parts[0], WriteCreate, nil)
	case "write":
		if len(parts)%2 != 0 {
			return refuse("malformed", "A write command is ids and values in turn.")
		}
		for i := 0; i < len(parts); i += 2 {
			var ids []string
			if err := x.collectIDs(parts[i], &ids); err != nil {
				return err
			}
			if err := x.readValueList(w, related, parts[i+1], WritePartial, ids); err != nil {
				return err
			}
		}
		return nil
	case "copy":
		if len(parts) == 2 {
			if err := x.readValueList(w, related, parts[1], WriteCreate, nil); err != nil {
				return err
			}
		}
		return x.relatedAccess(related, access.Create, parts[0])
	case "delete":
		return x.relatedAccess(related, access.Delete, parts[0])
	case "add", "remove":
		return x.relatedAccess(related, access.Update, parts[0])
	}
	return refuse("malformed", "A command on related records is not in the profile.")
}

func (x *Exchange) relatedAccess(typ string, action access.Action, idsNode int) error {
	ent := x.p.entityOf(typ)
	if ent == nil {
		return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	var ids []string
	if err := x.collectIDs(idsNode, &ids); err != nil {
		return err
	}
	x.Accesses = append(x.Accesses, access.Access{Route: x.Route, Call: x.Call, Action: action, Entity: ent.name, Type: typ, IDs: ids})
	return nil
}

// leaves returns the scalars of a field's value with their shapes.
func (p *Profile) leaves(t *doc.Tree, node int) []Leaf {
	if t.Nodes[node].Kind != doc.Object && t.Nodes[node].Kind != doc.Array {
		return []Leaf{{Node: node}}
	}
	if shapes := p.wrappedShapes(t, node); shapes != nil {
		var out []Leaf
		for c := range t.Children(node) {
			if key := t.Key(c); key != p.wrapped.key {
				out = append(out, Leaf{Node: c, Shape: shapes[key]})
			}
		}
		return out
	}
	var out []Leaf
	for c := range t.Children(node) {
		out = append(out, p.leaves(t, c)...)
	}
	return out
}

// wrappedShapes returns the members' shapes when node is a wrapped value that
// the profile knows, nil otherwise.
func (p *Profile) wrappedShapes(t *doc.Tree, node int) map[string]access.Shape {
	if p.wrapped.key == "" || t.Nodes[node].Kind != doc.Object {
		return nil
	}
	k := t.Member(node, p.wrapped.key)
	if k < 0 {
		return nil
	}
	return p.wrapped.kinds[t.Text(k)]
}

// StoredRequest is the gateway's own read before a save.
type StoredRequest struct {
	Method, Path, MediaType string
	Body                    []byte
}

// CanStore reports whether the profile says how the stored values are read.
func (w *Write) CanStore() bool {
	s := w.x.op.write.stored
	return (s.Call != "" || s.Get != "") && len(w.IDs) > 0
}

// Stored builds the read of the stored values of the given fields.
func (w *Write) Stored(fields []string) (StoredRequest, error) {
	x, s := w.x, w.x.op.write.stored
	if s.Get != "" {
		return StoredRequest{Method: "GET", Path: expandVars(s.Get, x.vars)}, nil
	}
	var ids bytes.Buffer
	for i, id := range w.IDs {
		if i > 0 {
			ids.WriteByte(',')
		}
		raw, err := json.Marshal(json.Number(id))
		if err != nil {
			return StoredRequest{}, fmt.Errorf("reading stored values: an id is no number: %w", err)
		}
		ids.Write(raw)
	}
	names, err := json.Marshal(append([]string{"id"}, fields...))
	if err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	context := "{}"
	if x.ctx >= 0 {
		context = string(x.tree.Raw(x.ctx))
	}
	method := strings.ReplaceAll(s.Call, "{type}", w.Type)
	body := fmt.Sprintf(`{"id":0,"method":%q,"params":[[%s],%s,%s]}`, method, ids.String(), names, context)
	return StoredRequest{Method: x.req.Method, Path: x.req.Path, MediaType: x.req.MediaType, Body: []byte(body)}, nil
}

func expandVars(s string, vars map[string]string) string {
	for name, v := range vars {
		s = strings.ReplaceAll(s, "{"+name+"}", v)
	}
	return s
}

// ReadStored finds the stored values in the answer to the gateway's own read:
// record id → the record's object.
func (w *Write) ReadStored(t *doc.Tree) (map[string]int, error) {
	p := w.x.op.write.storedAt
	if w.x.tr != nil {
		p = append(append(path{}, w.x.tr.result...), step{kind: stepElements})
	}
	out := map[string]int{}
	p.each(t, doc.Root, func(n int) {
		id := t.Member(n, w.ent.id)
		if id >= 0 {
			out[t.Text(id)] = n
		} else if len(w.IDs) == 1 {
			out[w.IDs[0]] = n
		}
	})
	for _, id := range w.IDs {
		if _, ok := out[id]; !ok {
			return nil, fmt.Errorf("reading stored values: the CRM did not return record %s/%s", w.Type, id)
		}
	}
	return out, nil
}

// StoredField returns a field's value in a stored record and its leaves.
func (w *Write) StoredField(t *doc.Tree, record int, name string) (node int, leaves []Leaf, cats []access.Category) {
	node = t.Member(record, name)
	if node < 0 {
		return -1, nil, nil
	}
	f := w.ent.field(name)
	if f == nil {
		f = w.ent.unknown
	}
	return node, w.x.p.leaves(t, node), w.x.pickCategories(t, record, node, f)
}

// FieldNames lists the entity's literal field names that can hold one of the
// categories for which keep answers true: what a full write must not empty.
func (w *Write) FieldNames(keep func(access.Category) bool) []string {
	var names []string
	for name, f := range w.ent.exact {
		if slices.ContainsFunc(f.categories, keep) {
			names = append(names, name)
		}
	}
	return names
}
