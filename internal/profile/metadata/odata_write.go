package metadata

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

type writer struct {
	m          *model
	b          strings.Builder
	name, path string
	judge      judge
	written    int
	names      []string
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *writer) head() {
	w.line("# Drawn from the metadata of a service of OData v4. What a property holds was told by")
	w.line("# its type, its name and its annotations: look at every line, above all at those that")
	w.line("# say public, and give those that are unclassified (hidden) a category.")
	w.line("profile: %q", w.name)
	w.line("evidence: documented")
	w.line("withheld: %q", "This text was withheld because it could contain personal data. (crmgate)")
	w.line("\nnormalize:\n  query:\n    semicolon: true # in $expand")
	w.line("\nannotations:")
	w.line("  odata.etag|odata.type|odata.count|odata.metadataEtag|etag|type|count|metadataEtag: public")
	w.line("  odata.context|context: context")
	w.line("  odata.nextLink|nextLink: next")
	w.line("  odata.id|odata.editLink|odata.readLink|id|editLink|readLink: record")
	w.line("\nentities:")
}

// entityName is the word for a type in policies: `SalesOrder` is sales_order. One
// that is taken gets a number.
func (w *writer) entityName(typ string) string {
	name := strings.Join(vocabulary.Words(typ[strings.LastIndexByte(typ, '.')+1:]), "_")
	if name == "" {
		name = "record"
	}
	for base, n := name, 2; slices.Contains(w.names, name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	w.names = append(w.names, name)
	return name
}

// served reports whether a type's records can be named: by one key.
func (w *writer) served(typ string) bool {
	return w.m.entities[typ] != nil && w.m.key(typ) != "" && plainType.MatchString(typ)
}

func (w *writer) entity(typ string) {
	if !w.served(typ) {
		w.line("  # %s is left out: its records have no key, or several. It is refused.", plainText(typ))
		return
	}
	w.written++
	name, key := w.entityName(typ), w.m.key(typ)
	w.line("  %s:", word(name))
	w.line("    types: [%s]", words(append([]string{typ}, w.m.sets[typ]...)))
	w.line("    id: %s", word(key))
	if v := w.judge.of(&entity{types: []string{typ}}, &field{name: key, kind: text}); v.personal() {
		w.line("    # CHECK: ids are shown and logged, and this one is called like something personal.")
	}
	var fields, links []property
	for _, t := range all(w.m.entities, typ) {
		fields, links = append(fields, t.Properties...), append(links, t.Links...)
	}
	w.line("    fields:")
	x := owner{entity: &entity{types: []string{typ}, persons: ofPersons(name)}, key: key, links: w.foreignKeys(links)}
	w.fields("      ", &x, fields, 0)
	w.links(links)
	var texts []string
	for _, f := range fields {
		if f.Type == "Edm.String" && plain.MatchString(f.Name) && f.Name != key {
			texts = append(texts, word(f.Name))
		}
	}
	if len(texts) > 0 {
		w.line("    search:\n      $search: {parts: [%s]}", strings.Join(texts, ", "))
	}
}

// owner is the entity whose properties are written.
type owner struct {
	*entity
	key   string
	links map[string]string // properties that hold another record's key → its type
}

// foreignKeys are the properties that hold the keys of the records that links lead to.
func (w *writer) foreignKeys(links []property) map[string]string {
	out := map[string]string{}
	for _, l := range links {
		if len(l.Keys) == 1 && w.served(l.Type) && l.Keys[0].Referenced == w.m.key(l.Type) {
			out[l.Keys[0].Property] = w.m.typeOf(l.Type)
		}
	}
	return out
}

// maxParts is how deep complex types may stand in each other.
const maxParts = 6

// fields writes properties.
func (w *writer) fields(indent string, of *owner, list []property, depth int) {
	done := map[string]bool{of.key: depth == 0}
	for _, p := range list {
		if done[p.Name] || !plain.MatchString(p.Name) {
			continue // what isn't listed is unclassified
		}
		done[p.Name] = true
		typ := plainText(strings.TrimPrefix(p.Type, "Edm."))
		switch {
		case w.m.nested[p.Type] != nil && depth < maxParts:
			w.parts(indent, of, p, depth)
			continue
		case depth == 0 && of.links[p.Name] != "":
			w.line("%s%s: {link: %s} # %s; the key of a record; it is shown, and stands in the log", indent, word(p.Name), word(of.links[p.Name]), typ)
			continue
		}
		f := p.said
		f.name, f.kind = p.Name, odataKind(p.Type)
		if f.kind == file {
			f.bytes = "file: true"
		}
		v := w.judge.of(of.entity, &f)
		why := typ + "; " + strings.Join(v.why, ", ")
		if f.label != "" {
			why = "“" + plainText(f.label) + "”, " + why
		}
		if v.check {
			why = "CHECK: " + why
		}
		w.line("%s%s: %s # %s", indent, word(p.Name), v.spec(), why)
	}
	if len(done) == 1 && depth == 0 {
		w.line("%s%s: public", indent, word(of.key+"@none"))
	}
}

// parts writes a property of a complex type.
func (w *writer) parts(indent string, of *owner, f property, depth int) {
	var fields []property
	for _, t := range all(w.m.nested, f.Type) {
		fields = append(fields, t.Properties...)
	}
	if len(fields) == 0 {
		w.line("%s%s: unclassified", indent, word(f.Name))
		return
	}
	w.line("%s%s:\n%s  parts:", indent, word(f.Name), indent)
	w.fields(indent+"    ", of, fields, depth+1)
}

func (w *writer) links(list []property) {
	head := false
	for _, l := range list {
		if !plain.MatchString(l.Name) || !w.served(l.Type) {
			continue // what isn't declared is refused, and hidden as a whole
		}
		if !head {
			w.line("    relations:")
			head = true
		}
		w.line("      %s: %s", word(l.Name), word(w.m.typeOf(l.Type)))
	}
}

func (w *writer) routes() {
	w.line("\nroutes:")
	w.line("  - {match: %q, pass: true}", "GET "+w.path+"/$metadata")
	if w.path != "" {
		w.line("  - {match: %q, pass: true}", "GET "+w.path)
	}
	w.line("  - {match: %q, pass: true}", "GET "+w.path+"/")
	w.line("  - match: %q\n    name: batch\n    batch:\n      multipart: true", "POST "+w.path+"/$batch")
	w.line("      # JSON is OData 4.01's alone.")
	w.line("      requests: {at: requests, id: id, method: method, url: url, headers: headers, body: body, members: [atomicityGroup, dependsOn]}")
	w.line("      answers: {at: responses, id: id, status: status, headers: headers, body: body, members: [atomicityGroup]}")
	w.line("  - {match: %q, name: read, odata: read, question: true, public: [code, target]}", "GET "+w.path+"/{resource**}")
	w.line("  - {match: %q, name: create, odata: write, write: {at: body, mode: create}, public: [code, target]}", "POST "+w.path+"/{resource}")
	w.line("  - {match: %q, name: save, odata: write, write: {at: body, mode: partial, stored: {get: %q, at: $}}, public: [code, target]}",
		"PATCH "+w.path+"/{resource}", w.path+"/{resource}?$select={fields}")
	w.line("  - {match: %q, name: delete, odata: write, public: [code, target]}", "DELETE "+w.path+"/{resource}")
	w.line("\nerror:\n  status: 403\n  body: {error: {code: \"403\", message: \"{text}\"}}")
}

// odataKind says what the types of OData tell.
func odataKind(typ string) kind {
	switch typ {
	case "Edm.String":
		return text
	case "Edm.Guid":
		return identifier
	case "Edm.Boolean":
		return boolean
	case "Edm.Date":
		return date
	case "Edm.DateTimeOffset", "Edm.TimeOfDay", "Edm.Duration":
		return moment
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Single", "Edm.Double":
		return number
	case "Edm.Stream", "Edm.Binary":
		return file
	}
	return other
}
