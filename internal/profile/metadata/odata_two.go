package metadata

// association is one of OData v2: a navigation property there names it, and an end.
type association struct {
	Name string `xml:"Name,attr"`
	Ends []struct {
		Role string `xml:"Role,attr"`
		Type string `xml:"Type,attr"`
	} `xml:"End"`
}

// two reports whether the metadata is that of a service of OData v2.
func (d *document) two() bool {
	return d.Version == "1.0" && (d.Services.Version == "1.0" || d.Services.Version == "2.0")
}

// ends are the types at the ends of v2's relations, by their names.
func (d *document) ends() map[string]string {
	ends := map[string]string{}
	for _, s := range d.Services.Schemas {
		for _, r := range s.Relations {
			for _, e := range r.Ends {
				ends[s.Namespace+"."+r.Name+" "+e.Role] = e.Type
			}
		}
	}
	return ends
}

// lead gives v2's links the types that they lead to.
func (t *structType) lead(to func(property) string) {
	for i := range t.Links {
		if t.Links[i].Relation != "" {
			t.Links[i].Type = to(t.Links[i])
		}
	}
}

func (w *writer) routesTwo() {
	w.line("  - {match: %q, name: read, odata: read v2, question: true, public: [code, lang]}", "GET "+w.path+"/{resource**}")
	w.line("  - {match: %q, name: create, odata: write v2, write: {at: body, mode: create}, public: [code, lang]}", "POST "+w.path+"/{resource}")
	w.line("  - {match: %q, name: save, odata: write v2, write: {at: body, mode: partial, stored: {get: %q, at: $.d}}, public: [code, lang]}",
		"PATCH "+w.path+"/{resource}", w.path+"/{resource}?$format=json&$select={fields}")
	w.line("  - {match: %q, name: delete, odata: write v2, public: [code, lang]}", "DELETE "+w.path+"/{resource}")
	w.line("\nerror:\n  status: 403\n  body: {error: {code: \"403\", message: {lang: en, value: \"{text}\"}}}")
}
