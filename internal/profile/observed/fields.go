package observed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// entity writes an entity.
func (d *draft) entity(e *entity) {
	members := e.members(d)
	delete(members, anyName)
	d.line("  %s:", word(e.name))
	if e.id != "id" {
		d.line("    id: %s", word(e.id))
	}
	d.line("    unknown: mask # what isn't listed is hidden")
	var owners []string
	for _, m := range slices.Sorted(maps.Keys(members)) {
		if vocabulary.Has("owner assigned assignee betreuer responsible", m) && members[m].object() == nil {
			owners = append(owners, m)
		}
	}
	if len(owners) > 0 {
		d.line("    # owner: %s # whose record it is, for the condition `own` of policies: the employee, as the CRM names them", strings.Join(owners, "|"))
	}
	d.fields(e, members)
	d.relations(e, members)
	d.searches(e, members)
}

// fields writes what a record's fields hold: first what the draft tells, then what
// it leaves to the author.
func (d *draft) fields(e *entity, members map[string]*field) {
	var open []string
	before := d.b.Len()
	d.line("    fields:")
	head := d.b.Len()
	for _, m := range slices.Sorted(maps.Keys(e.record.Members)) {
		if in := d.flatten(e, m); in != nil {
			spec := "flat: true"
			if at := in.valuePaths(); at != "" {
				spec += ", value: " + at
			}
			d.note("its members are the record's own fields", "      %s: {%s}", word(m), spec)
		}
	}
	for _, t := range e.tables {
		d.note("its keys could be somebody's", "      %s: {category: unclassified, keys: true}", word(t))
		delete(members, t)
	}
	for _, m := range slices.Sorted(maps.Keys(members)) {
		if m == e.id || d.relation(e, m, members[m]) != "" {
			continue
		}
		if !d.field(e, "      ", m, members[m], "", 0) {
			open = append(open, m)
		}
	}
	if d.b.Len() == head {
		d.cut(before)
		d.line("    # fields: none was recognised")
	}
	d.open("      ", members, open)
	if any := e.record.Members[anyName]; any != nil {
		d.line("      # members with names that look like ids or values: seen %s; hidden", times(any.Seen))
	}
}

// open lists what the author has to decide.
func (d *draft) open(indent string, members map[string]*field, names []string) {
	if len(names) == 0 {
		return
	}
	d.line("%s# Hidden until you give them a category (or `public`, where it is nobody's):", indent)
	for _, m := range names {
		d.line("%s# %s: %s", indent, word(m), evidence(members[m]))
	}
}

// maxParts is how deep composites may stand in each other.
const maxParts = 5

// field writes one field; false where nothing tells what it holds.
func (d *draft) field(e *entity, indent, name string, f *field, of access.Category, depth int) bool {
	if to := d.link(name, f); to != "" {
		d.note(evidence(f)+"; such an id is shown, and stands in the log", "%s%s: {link: %s}", indent, word(name), word(to))
		return true
	}
	if in := f.object(); in != nil {
		return d.composite(e, indent, name, f, in, of, depth)
	}
	if f.objects() && d.c.words.Category(name) == "" {
		return false // now an object, now something else
	}
	g := d.guess(e, name, f, of)
	switch {
	case g.public:
		d.note("CHECK: "+g.why[0]+"; "+evidence(f), "%s%s: public", indent, word(name))
	case len(g.categories) > 0:
		d.note(evidence(f)+"; "+strings.Join(g.why, ", "), "%s%s: %s", indent, word(name), categories(g.categories))
	default:
		return false
	}
	return true
}

func categories(list []access.Category) string {
	if len(list) == 1 {
		return string(list[0])
	}
	var names []string
	for _, c := range list {
		names = append(names, string(c))
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// composite writes a field that consists of others; false where nothing in it was
// recognised.
func (d *draft) composite(e *entity, indent, name string, f, in *field, of access.Category, depth int) bool {
	if in.Members[anyName].isTable() {
		c := d.c.words.Category(name)
		if c == "" {
			c = access.Unclassified
		}
		d.note(evidence(f)+"; its keys could be somebody's", "%s%s: {category: %s, keys: true}", indent, word(name), c)
		return true
	}
	if c := d.c.words.Category(name); c != "" {
		of = c
	}
	if depth >= maxParts {
		return false
	}
	whole := access.Unclassified
	if of != "" {
		whole = of
	}
	parts := &draft{c: d.c, entities: d.entities}
	var open []string
	for _, m := range slices.Sorted(maps.Keys(in.Members)) {
		if m != anyName && !parts.field(e, indent+"    ", m, in.Members[m], of, depth+1) {
			open = append(open, m)
		}
	}
	if parts.b.Len() == 0 {
		return false
	}
	d.note(evidence(f)+"; the category is that of what isn't listed below it", "%s%s:", indent, word(name))
	d.line("%s  category: %s", indent, whole)
	d.line("%s  parts:", indent)
	d.b.WriteString(parts.b.String())
	d.open(indent+"    ", in.Members, open)
	return true
}

func (f *field) isTable() bool { return f != nil && f.personalKeys() }

// valuePaths are the places of the values in an object of fields each of which is
// an object with a value; "" where the values stand there themselves.
func (f *field) valuePaths() string {
	objects, lists := 0, map[string]bool{}
	for _, m := range f.Members {
		if m.Kinds["object"] == 0 || m.Members["value"] == nil {
			continue
		}
		objects++
		for name, in := range m.Members {
			if in.Elements != nil && in.Elements.Members["value"] != nil {
				lists[fmt.Sprintf("\"%s[*].value\"", step(name))] = true
			}
		}
	}
	if objects == 0 {
		return ""
	}
	return "[" + strings.Join(append([]string{"\".value\""}, slices.Sorted(maps.Keys(lists))...), ", ") + "]"
}

func (d *draft) relations(e *entity, members map[string]*field) {
	head := false
	for _, m := range slices.Sorted(maps.Keys(members)) {
		to := d.relation(e, m, members[m])
		if to == "" {
			continue
		}
		if !head {
			d.line("    relations:")
			head = true
		}
		d.note(evidence(members[m]), "      %s: %s", word(m), word(to))
	}
}

// searches writes what a search looks into: all that is text.
func (d *draft) searches(e *entity, members map[string]*field) {
	if len(e.searches) == 0 {
		return
	}
	var parts []string
	for _, m := range slices.Sorted(maps.Keys(members)) {
		if f := members[m]; m != e.id && f.object() == nil && f.texts() > 0 && d.technical(m, f.flat()) == "" {
			parts = append(parts, m)
		}
	}
	if len(parts) == 0 {
		parts = []string{e.id}
	}
	d.line("    search:")
	for _, q := range e.searches {
		d.note("CHECK: leave out what the CRM doesn't look into; who may not see one of them may not search", "      %s: {parts: %s}", word(q), wordList(parts))
	}
}
