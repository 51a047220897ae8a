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
	written    int
	names      []string
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *writer) head() {
	version := "v4"
	if w.m.two {
		version = "v2"
	}
	w.line("# Drawn from the metadata of a service of OData " + version + ". What a property holds was told by")
	w.line("# its name: look at every line, above all at those that say public, and give those")
	w.line("# that are unclassified (hidden) a category.")
	w.line("profile: %q", w.name)
	w.line("evidence: documented")
	w.line("withheld: %q", "This text was withheld because it could contain personal data. (crmgate)")
	if w.m.two {
		w.line("\nrelations: {list: results}")
		w.line("\nentities:")
		return
	}
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
		w.line("  # %s is left out: its records have no key, or several. It is refused.", comment(typ))
		return
	}
	w.written++
	name, key := w.entityName(typ), w.m.key(typ)
	types := []string{fmt.Sprintf("%q", typ)}
	for _, set := range w.m.sets[typ] {
		types = append(types, fmt.Sprintf("%q", set))
	}
	w.line("  %q:", name)
	w.line("    types: [%s]", strings.Join(types, ", "))
	w.line("    id: %q", key)
	if c := categoryOf(key, "", typ); c != "unclassified" && c != "public" {
		w.line("    # CHECK: ids are shown and logged, and this one is called like something personal.")
	}
	var fields, links []property
	for _, t := range all(w.m.entities, typ) {
		fields, links = append(fields, t.Properties...), append(links, t.Links...)
	}
	w.line("    fields:")
	w.fields("      ", name, fields, key, 0)
	w.links(links)
	var texts []string
	for _, f := range fields {
		if f.Type == "Edm.String" && plain.MatchString(f.Name) && f.Name != key {
			texts = append(texts, fmt.Sprintf("%q", f.Name))
		}
	}
	if len(texts) > 0 {
		w.line("    search:\n      $search: {parts: [%s]}", strings.Join(texts, ", "))
	}
}

// maxParts is how deep complex types may stand in each other.
const maxParts = 6

// fields writes properties, those of one category on one line.
func (w *writer) fields(indent, entity string, list []property, key string, depth int) {
	by := map[string][]string{}
	var order []string
	done := map[string]bool{key: true}
	for _, f := range list {
		if done[f.Name] || !plain.MatchString(f.Name) {
			continue // what isn't listed is unclassified
		}
		done[f.Name] = true
		if w.m.nested[f.Type] != nil && depth < maxParts {
			w.parts(indent, entity, f, depth)
			continue
		}
		what := categoryOf(f.Name, f.Type, entity)
		if f.Type == "Edm.Stream" || f.Type == "Edm.Binary" {
			what = "{category: unclassified, file: true}"
		}
		if !slices.Contains(order, what) {
			order = append(order, what)
		}
		by[what] = append(by[what], f.Name)
	}
	if len(done) == 1 && depth == 0 {
		w.line("%s%q: public", indent, key+"@none")
	}
	slices.Sort(order)
	for _, what := range order {
		w.line("%s%q: %s", indent, strings.Join(by[what], "|"), what)
	}
}

// parts writes a property of a complex type.
func (w *writer) parts(indent, entity string, f property, depth int) {
	var fields []property
	for _, t := range all(w.m.nested, f.Type) {
		fields = append(fields, t.Properties...)
	}
	if len(fields) == 0 {
		w.line("%s%q: unclassified", indent, f.Name)
		return
	}
	w.line("%s%q:\n%s  parts:", indent, f.Name, indent)
	w.fields(indent+"    ", entity+"."+f.Name, fields, "", depth+1)
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
		w.line("      %q: %q", l.Name, w.m.typeOf(l.Type))
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
	if w.m.two {
		w.routesTwo()
		return
	}
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

func (w *writer) routesTwo() {
	w.line("  - {match: %q, name: read, odata: read v2, question: true, public: [code, lang]}", "GET "+w.path+"/{resource**}")
	w.line("  - {match: %q, name: create, odata: write v2, write: {at: body, mode: create}, public: [code, lang]}", "POST "+w.path+"/{resource}")
	w.line("  - {match: %q, name: save, odata: write v2, write: {at: body, mode: partial, stored: {get: %q, at: $.d}}, public: [code, lang]}",
		"PATCH "+w.path+"/{resource}", w.path+"/{resource}?$format=json&$select={fields}")
	w.line("  - {match: %q, name: delete, odata: write v2, public: [code, lang]}", "DELETE "+w.path+"/{resource}")
	w.line("\nerror:\n  status: 403\n  body: {error: {code: \"403\", message: {lang: en, value: \"{text}\"}}}")
}

// comment makes a name fit for a comment.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
