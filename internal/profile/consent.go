package profile

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// consentField says what a field's values tell of consents.
type consentField struct {
	purpose, channel string
	means            map[string]access.FactState
}

// channels are the ways on which a person is written to or called.
func channels() []string { return []string{"email", "phone", "post", "messenger"} }

func (c *compiler) consent(where string, f *field, s *consentSpec) {
	if s == nil {
		return
	}
	switch {
	case len(s.Means) == 0:
		c.fail(where, "consent: say what the values mean: `consent: {channel: email, means: {\"true\": withdrawn}}`")
	case s.Channel != "" && !slices.Contains(channels(), s.Channel):
		c.fail(where, "consent: channel %q is unknown; there are: %v", s.Channel, channels())
	case !f.public() || f.structured() || f.reference || f.file || f.decode != "":
		c.fail(where, "consent is for a flag: a public field with one value")
	}
	f.consent = &consentField{purpose: s.Purpose, channel: s.Channel, means: map[string]access.FactState{}}
	for value, word := range s.Means {
		state := access.FactUnknown
		switch word {
		case "withdrawn":
			state = access.FactFalse
		case "granted":
			state = access.FactTrue
			if s.Purpose == "" || s.Channel == "" {
				c.fail(where, "consent: what is granted has a purpose and a channel: `consent: {purpose: newsletter, channel: email, means: {\"true\": granted}}`")
			}
		case "open":
		default:
			c.fail(where, "consent: %q is neither withdrawn, granted nor open", word)
		}
		f.consent.means[value] = state
	}
}

// says is what a value tells, if it tells anything.
func (c *consentField) says(name string, t *doc.Tree, node int) (access.Said, bool) {
	value := ""
	if node = doc.Leaf(t, node); node >= 0 && t.Nodes[node].Kind != doc.Null && !isContainer(t, node) {
		value = t.Text(node)
	}
	state, ok := c.means[value]
	if !ok {
		state, ok = c.means["*"]
	}
	return access.Said{Field: name, Purpose: c.purpose, Channel: c.channel, State: state}, ok
}

// said notes what a record's field tells of its consents.
func (f *finder) said(node, rec int, ent *entity, name string, fd *field) {
	if f.past {
		return
	}
	s, ok := fd.consent.says(name, f.t, node)
	switch {
	case !ok || s.State == access.FactUnknown:
	case rec < 0:
		f.found.Said = append(f.found.Said, access.SaidAt{Said: s, Node: node, Entity: entityName(ent, f.x.typ)})
	default:
		f.found.Records[rec].Said = append(f.found.Records[rec].Said, s)
	}
}

// saidBy makes what columns of a row tell what its record says.
func (f *finder) saidBy(rec, before int) {
	if rec < 0 {
		return
	}
	for _, s := range f.found.Said[before:] {
		f.found.Records[rec].Said = append(f.found.Records[rec].Said, s.Said)
	}
	f.found.Said = f.found.Said[:before]
}

// SaidField is a value of a write that tells of a consent.
type SaidField struct {
	access.Said
	// Emails and Phones are the addresses and numbers beside it that it is about; of
	// none, it is about the record.
	Emails, Phones []string
}

// Same reports whether both say the same of the same.
func (s SaidField) Same(o SaidField) bool {
	return s.Said == o.Said && slices.Equal(s.Emails, o.Emails) && slices.Equal(s.Phones, o.Phones)
}

// Said is what a write tells of consents, each value once. Of a write by which nothing
// is saved it is nothing.
func (w *Write) Said() []SaidField {
	if w.Mode == WriteEcho {
		return nil
	}
	var all []SaidField
	for i := range w.Fields {
		f := &w.Fields[i]
		all = append(all, w.saidBy(f.Name, w.x.tree, f.Node, w.fieldAt(w.x.tree, f.Node, f.Name))...)
	}
	return all
}

// SaidBy is what a field of a stored record tells.
func (w *Write) SaidBy(t *doc.Tree, record int, name string) []SaidField {
	node := w.x.p.member(t, record, name)
	if node < 0 {
		return nil
	}
	return w.saidBy(name, t, node, w.fieldAt(t, node, name))
}

func (w *Write) saidBy(name string, t *doc.Tree, node int, fd *field) []SaidField {
	switch {
	case fd == nil:
		return nil
	case fd.consent != nil:
		if s, ok := fd.consent.says(name, t, node); ok {
			return []SaidField{{Said: s}}
		}
		return nil
	case fd.parts == nil || !fd.parts.tellsConsent():
		return nil
	}
	if t.Nodes[node].Kind == doc.Array {
		var all []SaidField
		for c := range t.Children(node) {
			all = append(all, w.saidBy(name, t, c, fd)...)
		}
		return all
	}
	if t.Nodes[node].Kind != doc.Object {
		return nil
	}
	var all []SaidField
	var about SaidField
	for c := range t.Children(node) {
		part := fd.parts.lookup(t.Key(c), false)
		if part.consent != nil {
			if s, ok := part.consent.says(name+"."+t.Key(c), t, c); ok {
				all = append(all, SaidField{Said: s})
			}
			continue
		}
		about.add(part.categories, t, c)
	}
	for i := range all {
		all[i].Emails, all[i].Phones = about.Emails, about.Phones
	}
	return all
}

// add takes a value for an address or a number, if it is nothing else.
func (s *SaidField) add(cats []access.Category, t *doc.Tree, node int) {
	if k := t.Nodes[node].Kind; k != doc.String && k != doc.Number || len(cats) != 1 {
		return
	}
	switch text := t.Text(node); {
	case text == "":
	case cats[0] == access.Email:
		s.Emails = append(s.Emails, text)
	case cats[0] == access.Phone:
		s.Phones = append(s.Phones, text)
	}
}

// tellsConsent reports whether a part tells of consents.
func (e *entity) tellsConsent() bool {
	for _, f := range e.exact {
		if f.consent != nil {
			return true
		}
	}
	return slices.ContainsFunc(e.globs, func(g globField) bool { return g.field.consent != nil })
}

// ConsentFields are the names of the fields that a stored record has to be read with for
// what a write tells of consents: those that tell, and those with addresses and numbers.
func (w *Write) ConsentFields(said []SaidField) []string {
	names := w.FieldNames(isAddress)
	for i := range said {
		name := said[i].Field
		for _, f := range w.Fields {
			if f.Name == name || len(name) > len(f.Name) && name[:len(f.Name)+1] == f.Name+"." {
				name = f.Name
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func isAddress(c access.Category) bool { return c == access.Email || c == access.Phone }

// SentAddresses are the addresses and numbers that a write brings.
func (w *Write) SentAddresses() (emails, phones []string) {
	for i := range w.Fields {
		for _, l := range w.Fields[i].Leaves {
			of := l.Categories
			if of == nil {
				of = w.Fields[i].Categories
			}
			var s SaidField
			s.add(of, w.x.tree, l.Node)
			emails, phones = append(emails, s.Emails...), append(phones, s.Phones...)
		}
	}
	return emails, phones
}

// Addresses are the e-mail addresses and the numbers in a stored record.
func (w *Write) Addresses(t *doc.Tree, record int) (emails, phones []string) {
	for _, name := range w.FieldNames(isAddress) {
		_, leaves, cats := w.StoredField(t, record, name)
		for _, l := range leaves {
			of := l.Categories
			if of == nil {
				of = cats
			}
			var s SaidField
			s.add(of, t, l.Node)
			emails, phones = append(emails, s.Emails...), append(phones, s.Phones...)
		}
	}
	return emails, phones
}
