package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// RefWhole is the reference of an answer that can't be masked: it can hold any
// value of the entity, so all of them have to be clear.
const RefWhole access.RefRole = "whole"

func wholeCategories() []access.Category {
	var cats []access.Category
	for _, c := range access.Categories() {
		if c != access.Credential && c != access.Public {
			cats = append(cats, c)
		}
	}
	return cats
}

// askWhole asks for everything of each entity that an opaque answer can hold.
func (x *Exchange) askWhole() {
	entities := []access.Entity{x.Accesses[0].Entity}
	for _, typ := range x.op.holds {
		for _, e := range x.p.entities {
			if typ == "*" && !e.internal || typ != "*" && e == x.p.entityOf(typ) {
				entities = append(entities, e.name)
			}
		}
	}
	slices.Sort(entities)
	for _, e := range slices.Compact(entities) {
		x.addRef(access.Ref{Role: RefWhole, Entity: e, Field: "*", Categories: wholeCategories()})
	}
}

// readStored reads the name of a query that the CRM keeps. What it asks doesn't stand
// in the request: it can be about any field of any record.
func (x *Exchange) readStored(r *ref, name string) {
	if name == "" {
		return
	}
	if x.od != nil {
		x.od.stored = true
	}
	if contains(r.except, name) {
		return
	}
	for _, e := range x.p.entities {
		if !e.internal {
			x.addRef(access.Ref{Role: access.RefFilter, Entity: e.name, Field: "stored query", Categories: wholeCategories()})
		}
	}
}

// Whole reports whether the answer can't be masked, so that it is for roles alone
// that may see everything in it.
func (x *Exchange) Whole() bool { return x.op != nil && (x.isOpaque() || x.op.image) }

// questionText is what was asked, for the sealed part of the entry.
func (x *Exchange) questionText() string {
	if x.gql != nil {
		return x.gql.question
	}
	if x.rt != nil && x.rt.soap != nil {
		return x.soapQuestion()
	}
	if x.tr.isXML() {
		return x.callText()
	}
	if x.asksByPath() {
		return clip(x.req.Path + "?" + x.queryText())
	}
	if x.tree != nil {
		if x.tr != nil && x.tr.positional {
			if list := x.tr.args.first(x.tree, doc.Root); list >= 0 {
				return clip(string(x.tree.Raw(list)) + x.namedText())
			}
		}
		return clip(string(x.tree.Src))
	}
	return clip(x.queryText())
}

// asksByPath reports whether a value that is asked about stands in the path.
func (x *Exchange) asksByPath() bool {
	return slices.ContainsFunc(x.op.refs, func(r ref) bool { return r.role == access.RefFilter && r.at.origin == fromVar })
}

// queryText are the query's parameters.
func (x *Exchange) queryText() string {
	var b strings.Builder
	for i, q := range x.req.Query {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(q.Name + "=" + q.Value)
	}
	return b.String()
}

// namedText are a call's named arguments, behind the positional ones.
func (x *Exchange) namedText() string {
	if x.tr.named == nil {
		return ""
	}
	if n := x.tr.named.first(x.tree, doc.Root); n >= 0 {
		return " " + string(x.tree.Raw(n))
	}
	return ""
}

// clip bounds a question to what an entry should hold.
func clip(s string) string {
	const most = 4096
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
