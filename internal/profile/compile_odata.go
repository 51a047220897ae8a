package profile

import (
	"slices"
	"strings"
)

// odata compiles what a route says of OData.
func (c *compiler) odata(where string, rt *route, s *routeSpec) {
	for i := range rt.refs {
		if rt.refs[i].syntax == "fetchxml" && s.OData != "read" {
			c.fail(where, "fetchxml is for routes that are read as OData; add `odata: read`")
		}
	}
	if s.OData == "" {
		return
	}
	word, record, _ := strings.Cut(s.OData, " ")
	rt.odata, rt.odataRecord = word, record
	if record == "v2" && (word == "read" || word == "write") {
		rt.odataTwo, record, rt.odataRecord = true, "", ""
	}
	variable := map[string]string{"read": "resource", "write": "resource", "function": "args"}[word]
	switch {
	case !slices.Contains(odataWords(), word) || (word == "function") != (record != ""):
		c.fail(where, "odata: %q is not served; write read, write, `read v2`, `write v2`, `function Target` or search", s.OData)
	case rt.odataTwo && (c.spec.Relations.List != odataResults || len(c.spec.Annotations) > 0):
		c.fail(where, "odata: in v2 related records stand in `results`, and nothing is annotated: write `relations: {list: results}` and leave annotations out")
	case variable != "" && !rt.pattern.binds(variable):
		c.fail(where, "odata: the address has no variable {%s}", variable)
	case rt.odataPath() && (rt.entity != "" || len(rt.records) > 0):
		c.fail(where, "odata tells itself which records an address and its answer hold; leave entity and records out")
	case word == "write" && rt.write == nil && !slices.Equal(rt.pattern.methods, []string{"DELETE"}):
		c.fail(where, "odata: a route that saves says where the values stand: `write: {at: body, …}`")
	case rt.typ != "json" || rt.stream != "":
		c.fail(where, "odata is served for answers of the type json that aren't streamed")
	}
}

// odataPath reports whether the address itself says what the answer holds.
func (rt *route) odataPath() bool { return rt.odata == "read" || rt.odata == "write" }

// odataNamed reports whether the address itself names the type of the records.
func (rt *route) odataNamed() bool { return rt.odata != "" && rt.odata != "search" }

// binds reports whether the pattern has a variable of that name.
func (p *pattern) binds(name string) bool {
	return slices.ContainsFunc(p.segments, func(s segment) bool { return s.name == name })
}

// annotations compiles what annotations hold.
func (c *compiler) annotations() {
	kinds := []string{"value", "record", "context", "next", "cookie", "public"}
	for key, kind := range c.spec.Annotations {
		if !slices.Contains(kinds, kind) {
			c.fail("annotations, "+key, "unknown word %q; there are: %v", kind, kinds)
		}
		if c.p.annotations == nil {
			c.p.annotations = map[string]string{}
		}
		for name := range strings.SplitSeq(key, "|") {
			c.p.annotations[name] = kind
		}
	}
}
