package profile

import (
	"slices"
	"strings"
)

// answer compiles what a route says of its answer's type.
func (c *compiler) answer(where string, rt *route, s *routeSpec) {
	if rt.typ == "" {
		rt.typ = "json"
	}
	if types := answerTypes(); !slices.Contains(types, rt.typ) {
		last := len(types) - 1
		c.fail(where, "type %q is not served; write %s or %s", rt.typ, strings.Join(types[:last], ", "), types[last])
	}
	if s.CSV != (csvSpec{}) && rt.typ != "csv" {
		c.fail(where, "csv is for answers of the type csv; add `type: csv`")
	}
	if (len(s.XML.Namespaces) > 0 || s.XML.Fault != "") && rt.typ != "xml" {
		c.fail(where, "xml is for answers of the type xml; add `type: xml`")
	}
	rt.namespaces = s.XML.Namespaces
	for prefix, uri := range rt.namespaces {
		if prefix == "" || uri == "" || strings.ContainsAny(prefix, ":@#.[]()|") {
			c.fail(where, "namespaces: a word and the namespace that it stands for: `soap: http://schemas.xmlsoap.org/soap/envelope/`")
		}
	}
	if s.XML.Fault != "" {
		rt.fault = c.path(where, s.XML.Fault)
	}
	rt.prefix, rt.callback = s.JSON.Prefix, s.JSON.Callback
	if s.JSON != (jsonSpec{}) && (rt.typ != "json" || s.Stream != "") {
		c.fail(where, "json is for answers of the type json that aren't streamed")
	}
	if rt.callback != "" && !strings.HasPrefix(rt.callback, "query.") {
		c.fail(where, "callback names a query parameter: `callback: query.callback`")
	}
	const most = 32
	if len(rt.prefix) > most || strings.ContainsAny(rt.prefix, "\"") {
		c.fail(where, "prefix is a short text that is no JSON: `prefix: \")]}',\\n\"`")
	}
}

// answerRecords checks that a route's places of records can be found in its type.
func (c *compiler) answerRecords(where string, rt *route) {
	for i := range rt.records {
		r := &rt.records[i]
		if r.html != nil && rt.typ != "html" {
			c.fail(where, "select is for answers of the type html; write `at`")
		}
		if isMarked(rt.typ) && (r.columns != nil || r.header || r.tuple != nil) {
			c.fail(where, "columns and tuple are for json, csv and xlsx; the values of %s have names", rt.typ)
		}
		if r.columns != nil && r.columns.origin == fromResponse && (rt.typ != "json" || rt.stream != "") {
			c.fail(where, "columns stand in answers of the type json that aren't streamed; those of a CSV are its `header`")
		}
		if r.pairs != nil && rt.typ != "json" && rt.typ != "xml" {
			c.fail(where, "pairs are for json and xml")
		}
	}
}

// isMarked reports whether a type's documents are doc.Marked.
func isMarked(typ string) bool { return slices.Contains([]string{"xml", "vcard", "ical", "ldif"}, typ) }
