package observed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// writing is a body that saves values.
type writing struct {
	at, mode, stored, storedAt string
	members                    []string
	form                       string
}

// asking is a body that asks for records.
type asking struct {
	lists []string // of ids
	body  map[string]*field
	x     *drafted
}

// decideBody says what becomes of a route whose request has a body.
func (d *draft) decideBody(x *drafted) {
	verb := x.verb()
	switch {
	case x.remote():
		x.aside = "it takes remote calls: describe them with `transports` and `calls`"
	case x.Request.has("query") && (x.Request.has("variables") || x.Request.has("operationName")):
		x.aside = "it takes GraphQL, of which the draft can't tell what it asks"
	case vocabulary.Has("search find query list filter lookup suggest autocomplete read get", verb):
		d.decideAsk(x)
	case verb != "" && !vocabulary.Has("create new add update save edit upsert", verb):
		x.aside = "what it does can't be told by its address"
	case x.values() == nil:
		x.aside = "its request holds no object that the draft could read"
	default:
		d.decideWrite(x)
	}
}

// remote reports whether a request is a remote call: JSON-RPC, or its like.
func (x *drafted) remote() bool {
	return x.Request.has("jsonrpc") || x.Request.has("method") && x.Request.has("params")
}

// has reports whether an object has a member, or those of a list have.
func (f *field) has(name string) bool {
	return f != nil && (f.Members[name] != nil || f.Elements.has(name))
}

// decideWrite says what becomes of a route that saves values.
func (d *draft) decideWrite(x *drafted) {
	at, object := d.values(x)
	if object == nil {
		x.aside = "the members of its request aren't fields of " + x.entity.name + ": " + strings.Join(slices.Sorted(maps.Keys(x.values().Members)), ", ")
		return
	}
	w := &writing{at: at, mode: "partial", form: x.form()}
	if at != "body" {
		w.members = []string{strings.TrimPrefix(at, "body.")}
	}
	switch {
	case x.Method == "POST" && !x.ends():
		w.mode = "create"
	case x.Method == "PUT":
		w.mode = "full"
	}
	if w.mode != "create" {
		one := d.stored(x)
		if one == nil {
			x.aside = "GET of the same address wasn't seen, by which the gateway would tell placeholders from changes"
			return
		}
		w.stored, w.storedAt = one.match, one.main().at
	}
	x.writes = w
}

// values are the object that a request consists of, or those of a list; nil where it
// consists of something else.
func (x *drafted) values() *field {
	if x.Request == nil {
		return nil
	}
	return x.Request.object()
}

// values are the values in a request that are the entity's fields: its object, or
// the one in it.
func (d *draft) values(x *drafted) (at string, object *field) {
	root := x.values()
	if d.overlaps(x.entity, root) {
		return "body", root
	}
	if root != x.Request {
		return "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(root.Members)) {
		if m := root.Members[name]; name != anyName && m.Kinds["object"] > 0 && d.overlaps(x.entity, m) {
			return "body" + step(name), m
		}
	}
	return "", nil
}

// overlaps reports whether at least half of an object's members are fields of an
// entity.
func (d *draft) overlaps(e *entity, f *field) bool {
	own, all := 0, 0
	for name := range f.Members {
		all++
		if d.flatten(e, name) == nil && d.isField(e, name) {
			own++
		}
	}
	return own > 0 && 2*own >= all
}

// stored is the route that reads the record which another one saves.
func (d *draft) stored(x *drafted) *drafted {
	for _, r := range d.routes {
		if r.Method == "GET" && slices.Equal(r.segments, x.segments) && r.main() != nil && r.main().entity == x.entity {
			return r
		}
	}
	return nil
}

// form is the word for a request that is a form; "" for JSON.
func (x *drafted) form() string {
	switch {
	case x.RequestMedia["application/x-www-form-urlencoded"]+x.RequestMedia["multipart/form-data"] == 0:
		return ""
	case x.RequestMedia["multipart/form-data"] == 0:
		return "urlencoded"
	case x.RequestMedia["application/x-www-form-urlencoded"] == 0:
		return "multipart"
	}
	return "form"
}

func (w *writing) lines(*draft) []string {
	var lines []string
	if w.form != "" {
		lines = append(lines, "body: "+w.form)
	}
	if len(w.members) > 0 {
		lines = append(lines, "members: "+wordList(w.members))
	}
	spec := fmt.Sprintf("at: %q, mode: %s", w.at, w.mode)
	comment := ""
	if w.stored != "" {
		spec += fmt.Sprintf(", stored: {get: %q, at: %q}", w.stored, w.storedAt)
		comment = " # CHECK: `full` where the CRM empties what is left out, `partial` where it keeps it"
	}
	return append(lines, "write: {"+spec+"}"+comment)
}

// decideAsk says what becomes of a search whose question stands in the body.
func (d *draft) decideAsk(x *drafted) {
	if x.Request == nil || x.Request.Kinds["object"] == 0 || len(x.places) == 0 {
		x.aside = "no records were seen in its answers, or its request isn't JSON"
		return
	}
	x.asks = &asking{body: x.Request.Members, x: x}
	for name, f := range x.Request.Members {
		if name != anyName && f.Elements != nil && len(f.Elements.Members) == 1 && f.Elements.idMember() != "" {
			x.asks.lists = append(x.asks.lists, name)
		}
		if vocabulary.Is(vocabulary.Searches, name) && !slices.Contains(x.entity.searches, name) {
			x.entity.searches = append(x.entity.searches, name)
		}
	}
	slices.Sort(x.asks.lists)
}

func (a *asking) lines(*draft) []string {
	action := "search"
	if len(a.lists) > 0 {
		action = "read"
	}
	lines := []string{"action: " + action}
	if action == "search" {
		lines = append(lines, "question: true")
	}
	var take, other []string
	for _, name := range slices.Sorted(maps.Keys(a.body)) {
		f := a.body[name]
		at := "body" + step(name)
		text := f.Kinds["string"] > 0 && f.Kinds["object"]+f.Kinds["array"] == 0
		switch {
		case name == anyName:
			other = append(other, name)
			continue
		case slices.Contains(a.lists, name):
			lines = append(lines, fmt.Sprintf("ids: [%q]", at+"[*]"+step(f.Elements.idMember())))
		case vocabulary.Is(vocabulary.Selects, name) && f.Elements != nil:
			lines = append(lines, fmt.Sprintf("ref {role: select, at: %q, syntax: list}", at))
		case vocabulary.Is(vocabulary.Searches, name) && text:
			lines = append(lines, fmt.Sprintf("ref {role: search, at: %q, syntax: search, field: %s}", at, word(name)))
		case vocabulary.Is(vocabulary.Sorts, name) && text:
			lines = append(lines, fmt.Sprintf("ref {role: sort, at: %q}", at))
		case vocabulary.Is(vocabulary.Paging, name) && f.Kinds["object"]+f.Kinds["array"] == 0:
		default:
			other = append(other, name)
			continue
		}
		take = append(take, name)
	}
	lines = append(lines, "members: "+wordList(take))
	for _, name := range other {
		lines = append(lines, fmt.Sprintf("# the member %s of the request, %s, is refused: does it name fields (refs), or none?", word(name), evidence(a.body[name])))
	}
	return lines
}
