package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// contact is whom an operation makes the CRM write to or call.
type contact struct {
	entity string
	ids    []expr
	to     []expr
	phone  bool
	write  *write // how a record is read; nil for not at all
}

// Contact is one record or one address that a request makes the CRM write to or call.
type Contact struct {
	// Access is the number of the access that it belongs to.
	Access int
	Entity access.Entity
	Type   string
	// ID is the record; Email or Phone the address or the number. Without any of them
	// nobody can tell who it is.
	ID, Email, Phone string

	x     *Exchange
	write *write
	ent   *entity
}

func (c *compiler) contacts(where string, op *operation, s *operationSpec, args []string) {
	for _, e := range s.OpaqueIf {
		op.opaqueIf = append(op.opaqueIf, c.expr(where, e, args))
	}
	if len(s.OpaqueIf) > 0 && !s.Opaque {
		c.fail(where, "opaque_if says when `opaque: true` counts; add that")
	}
	for i := range s.Contact {
		cs := &s.Contact[i]
		cs.Entity = c.typeWord(cs.Entity)
		ct := contact{entity: cs.Entity, phone: cs.Phone}
		if strings.HasPrefix(cs.Entity, "{") {
			ct.entity = cs.Entity
		} else if c.p.entityOf(cs.Entity) == nil {
			c.fail(where, "contact: no entity has the type %q; there are: %s", cs.Entity, c.types())
		}
		for _, e := range cs.IDs {
			ct.ids = append(ct.ids, c.expr(where, e, args))
		}
		for _, e := range cs.To {
			ct.to = append(ct.to, c.expr(where, e, args))
		}
		if cs.Stored != (storedSpec{}) {
			ct.write = &write{mode: WritePartial, stored: cs.Stored}
			c.stored(where, ct.write)
		}
		op.contacts = append(op.contacts, ct)
	}
	if s.Pass && len(s.Contact) > 0 {
		c.fail(where, "contact is judged; leave `pass: true` out")
	}
}

// noContacts refuses them where they aren't read.
func (c *compiler) noContacts(where string, op *operation) {
	if len(op.contacts) > 0 {
		c.fail(where, "contact isn't served here: leave it out, and deny what people are written to by")
	}
}

// isOpaque reports whether the answer can't be masked, or what is sent told.
func (x *Exchange) isOpaque() bool {
	if x.op == nil || !x.op.opaque {
		return false
	}
	if len(x.op.opaqueIf) == 0 {
		return true
	}
	return slices.ContainsFunc(x.op.opaqueIf, func(e expr) bool {
		return slices.ContainsFunc(x.valuesAt(e), func(v value) bool { return !x.saysNothing(v) })
	})
}

// saysNothing reports whether a value of a request says nothing: null, false, an empty
// text, list or object.
func (x *Exchange) saysNothing(v value) bool {
	if v.node < 0 {
		return v.text == ""
	}
	switch x.tree.Nodes[v.node].Kind {
	case doc.Null:
		return true
	case doc.Array, doc.Object:
		return x.tree.First(v.node) < 0
	}
	return x.tree.Text(v.node) == "" || x.p.isEmpty(x.tree, v.node)
}

// readContacts reads whom the request makes the CRM write to or call. Each place is an
// access of its own. Where none of them names anybody, nobody can tell who it is.
func (x *Exchange) readContacts() error {
	for i := range x.op.contacts {
		if err := x.readContact(&x.op.contacts[i]); err != nil {
			return err
		}
	}
	if len(x.op.contacts) == 0 || len(x.contacts) > 0 {
		return nil
	}
	who, a, err := x.nobody(&x.op.contacts[0])
	if err != nil {
		return err
	}
	x.contacts, x.Accesses = append(x.contacts, who), append(x.Accesses, a)
	return nil
}

// nobody is somebody at a place of whom nothing is known yet, and the access.
func (x *Exchange) nobody(c *contact) (Contact, access.Access, error) {
	typ := x.typeOf(c.entity)
	ent := x.p.entityOf(typ)
	if ent == nil {
		return Contact{}, access.Access{}, refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	return Contact{Access: len(x.Accesses), Entity: ent.name, Type: typ, x: x, write: c.write, ent: ent},
		access.Access{Route: x.Route, Call: x.Call, Action: access.Contact, Entity: ent.name, Type: typ}, nil
}

func (x *Exchange) readContact(c *contact) error {
	who, a, err := x.nobody(c)
	if err != nil {
		return err
	}
	before := len(x.contacts)
	for _, e := range c.ids {
		ids, err := x.idsAt(e)
		if err != nil {
			return err
		}
		for _, id := range ids {
			one := who
			one.ID = id
			a.IDs, x.contacts = append(a.IDs, id), append(x.contacts, one)
		}
	}
	var named []string
	for _, e := range c.to {
		for _, v := range x.valuesAt(e) {
			x.readAddresses(c, v, &who, &named)
		}
	}
	if len(c.ids)+len(c.to) == 0 {
		x.contacts = append(x.contacts, who)
	}
	if len(x.contacts) > before {
		a.Question = strings.Join(named, ", ")
		x.Accesses = append(x.Accesses, a)
	}
	return nil
}

// readAddresses reads the addresses or numbers in a value.
func (x *Exchange) readAddresses(c *contact, v value, who *Contact, named *[]string) {
	text := v.text
	if v.node >= 0 {
		switch x.tree.Nodes[v.node].Kind {
		case doc.Null, doc.Bool:
			if !x.saysNothing(v) {
				x.contacts = append(x.contacts, *who)
			}
			return
		case doc.Array:
			for n := range x.tree.Children(v.node) {
				x.readAddresses(c, value{n, ""}, who, named)
			}
			return
		case doc.Object:
			x.contacts = append(x.contacts, *who)
			return
		}
		text = x.tree.Text(v.node)
	}
	for _, one := range splitAddresses(text) {
		to := *who
		if c.phone {
			to.Phone = one
		} else {
			to.Email = addressIn(one)
		}
		x.contacts, *named = append(x.contacts, to), append(*named, one)
	}
}

// splitAddresses divides a text at commas and semicolons that stand neither in quotes
// nor in angle brackets.
func splitAddresses(text string) []string {
	var all []string
	quoted, angled, from := false, false, 0
	cut := func(to int) {
		if one := strings.TrimSpace(text[from:to]); one != "" {
			all = append(all, one)
		}
		from = to + 1
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '<':
			angled = angled || !quoted
		case '>':
			angled = angled && quoted
		case ',', ';', '\n':
			if !quoted && !angled {
				cut(i)
			}
		}
	}
	cut(len(text))
	return all
}

// addressIn is the e-mail address of `Name <a@b.de>` or `a@b.de`, "" where it can't be
// told.
func addressIn(one string) string {
	if strings.Count(one, "@") != 1 || strings.Contains(one, "=?") || strings.ContainsAny(one, "\\\"") && !strings.HasPrefix(one, `"`) {
		return ""
	}
	if open := strings.LastIndexByte(one, '<'); open >= 0 {
		if !strings.HasSuffix(one, ">") {
			return ""
		}
		one = one[open+1 : len(one)-1]
	}
	one = strings.TrimSpace(one)
	if !emailForm.MatchString(one) {
		return ""
	}
	return one
}

// Contacts are those whom the request makes the CRM write to or call. Records that an
// access of the action `contact` names by itself are among them.
func (x *Exchange) Contacts() []Contact {
	all := x.contacts
	for i := range x.Accesses {
		a := &x.Accesses[i]
		if a.Action != access.Contact || slices.ContainsFunc(all, func(c Contact) bool { return c.Access == i }) {
			continue
		}
		for _, id := range a.IDs {
			all = append(all, Contact{Access: i, Entity: a.Entity, Type: a.Type, ID: id, x: x, ent: x.p.entityOf(a.Type)})
		}
	}
	return all
}

// Record is the read of the stored record that is addressed, in the form of a write; nil
// where the profile doesn't say how to read it.
func (c *Contact) Record() *Write {
	if c.write == nil || c.ID == "" || c.ent == nil {
		return nil
	}
	w := &Write{Entity: c.Entity, Type: c.Type, IDs: []string{c.ID}, Mode: WritePartial, Object: doc.Root, x: c.x, w: c.write, ent: c.ent}
	if !w.CanStore() {
		return nil
	}
	return w
}

// AddressFields are the names of the fields with addresses and numbers, and of those that
// tell of consents.
func (w *Write) AddressFields() []string {
	names := w.FieldNames(isAddress)
	for name, f := range w.ent.exact {
		if f.consent != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// StoredSaid is what a stored record tells of its consents.
func (w *Write) StoredSaid(t *doc.Tree, record int) []access.Said {
	var all []access.Said
	for c := range t.Children(record) {
		for _, s := range w.saidBy(t.Key(c), t, c, w.ent.field(t.Key(c))) {
			if s.State != access.FactUnknown {
				all = append(all, s.Said)
			}
		}
	}
	return all
}
