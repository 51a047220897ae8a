package observed

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/mask/detect"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// decide says what becomes of a route.
func (d *draft) decide(x *drafted) {
	if x.entity == nil {
		x.entity = d.entities[entityName(x.segments)]
	}
	switch {
	case x.Status["2xx"] == 0 && x.Status["3xx"] > 0:
		x.aside = "it leads to another address"
	case x.Status["2xx"] == 0 && x.Answer == nil:
		x.aside = "it was answered with errors alone"
	case x.Media["text/html"] > 0:
		x.aside = "it answers with pages: see chapter 5 of docs/profile-author.md, `type: html`"
	case x.Method == "GET" && len(x.places) == 0:
		x.aside = d.nothingFound(x)
	case x.entity == nil:
		x.aside = "no records of what it is about were seen"
	case x.Method == "GET" || x.Method == "DELETE":
		if v := x.verb(); vocabulary.Has("export import merge clone copy", v) {
			x.aside = "it hands out or changes many records at once"
		}
	case x.Method == "POST" || x.Method == "PUT" || x.Method == "PATCH":
		d.decideBody(x)
	default:
		x.aside = "its method isn't one that the draft knows"
	}
	if x.aside == "" {
		x.entity.routes++
		d.noteSearches(x)
	}
}

// nothingFound says why a route without records is left out.
func (d *draft) nothingFound(x *drafted) string {
	if found := x.Answer.foundBelow(); len(found) > 0 {
		return "no records were recognised in its answers, but " + strings.Join(found, ", ") + " in them"
	}
	if x.Answer != nil {
		return "nothing personal was recognised in its answers; look at them, and if there is nothing: - {match: " + fmt.Sprintf("%q", x.Method+" "+x.match) + ", pass: true}"
	}
	media := strings.Join(slices.Sorted(maps.Keys(x.Media)), ", ")
	return "it answers with " + cmp.Or(media, "nothing") + "; if nothing of a person is in it: - {match: " + fmt.Sprintf("%q", x.Method+" "+x.match) + ", pass: true, type: none}"
}

// noteSearches notes the parameters by which a route searches its records.
func (d *draft) noteSearches(x *drafted) {
	for _, q := range slices.Sorted(maps.Keys(x.Query)) {
		if vocabulary.Is(vocabulary.Searches, q) && !d.isField(x.entity, q) && !slices.Contains(x.entity.searches, q) {
			x.entity.searches = append(x.entity.searches, q)
		}
	}
}

// isPlainField reports whether a name is a field's that is no object.
func (d *draft) isPlainField(e *entity, name string) bool {
	f, ok := e.members(d)[name]
	return ok && !f.objects()
}

func (d *draft) isField(e *entity, name string) bool {
	_, ok := e.members(d)[name]
	return ok
}

// writeRoutes writes the routes that the draft describes, and lists the others.
func (d *draft) writeRoutes() {
	slices.SortStableFunc(d.routes, func(a, b *drafted) int { return compareSegments(a, b) })
	d.line("\nroutes:")
	for _, x := range d.routes {
		if x.aside == "" {
			d.route(x)
		}
	}
	head := false
	for _, x := range d.routes {
		if x.aside == "" {
			continue
		}
		if !head {
			d.line("\n  # Seen, and refused until you describe them:")
			head = true
		}
		d.line("  # %s %s, seen %s: %s", x.Method, x.match, times(x.Count), x.aside)
	}
}

// compareSegments puts addresses in an order in which none covers one behind it:
// words before variables.
func compareSegments(a, b *drafted) int {
	for i, s := range a.segments {
		if i >= len(b.segments) {
			return 1
		}
		t := b.segments[i]
		if s == t {
			continue
		}
		if (s == variable) != (t == variable) {
			if s == variable {
				return 1
			}
			return -1
		}
		return strings.Compare(s, t)
	}
	if len(a.segments) < len(b.segments) {
		return -1
	}
	return slices.Index(methods(), a.Method) - slices.Index(methods(), b.Method)
}

func methods() []string { return []string{"GET", "POST", "PUT", "PATCH", "DELETE"} }

// route writes one route.
func (d *draft) route(x *drafted) {
	seen := "seen " + times(x.Count)
	if x.Known > 0 {
		seen += fmt.Sprintf(", %d of them known to the profile at the time", x.Known)
	}
	d.note(seen, "  - match: %q", x.Method+" "+x.match)
	d.line("    entity: %s", word(x.entity.name))
	list := slices.ContainsFunc(x.places, func(p place) bool { return p.list })
	switch {
	case x.Method == "GET" && list && (!x.ends() || x.main() == nil):
		d.line("    action: search\n    question: true")
	case x.Method == "POST" && x.writes != nil && x.writes.mode != "create":
		d.line("    action: update")
	}
	if x.ends() && x.entity == x.about(d) {
		d.line("    ids: [\"{%s}\"]", x.vars[len(x.vars)-1])
	}
	refs := d.query(x)
	if x.writes != nil {
		refs = append(refs, x.writes.lines(d)...)
	} else if x.asks != nil {
		refs = append(refs, x.asks.lines(d)...)
	}
	d.refs(refs)
	d.records(x)
}

// about is the entity that the address names.
func (x *drafted) about(d *draft) *entity { return d.entities[entityName(x.segments)] }

func (d *draft) records(x *drafted) {
	if len(x.places) == 0 {
		return
	}
	if around := x.around(); len(around) > 0 {
		d.line("    # public: %s # texts around the records, hidden until listed: a cursor is needed for the next page, a sentence can quote anybody", wordList(around))
	}
	d.line("    records:")
	for i := range x.places {
		p := &x.places[i]
		spec := fmt.Sprintf("at: %q", p.at)
		if p.entity != x.entity {
			spec += ", entity: " + word(p.entity.name)
		}
		id := p.id
		switch {
		case p.table != "":
			spec += ", id: none, field: " + word(p.table)
		case id == "" && !p.list && x.ends():
			spec += fmt.Sprintf(", id: \"{%s}\"", x.vars[len(x.vars)-1])
		case id == "":
			spec += ", id: none"
		case id != p.entity.id:
			spec += fmt.Sprintf(", id: %q", step(id))
		}
		d.line("      - {%s}", spec)
		if typ := p.typeMember(); typ != "" {
			d.line("      # if %s names the record's type, write `entity: %q` there, and `types` at the entities that it names", word(typ), step(typ))
		}
	}
}

// typeMember is the member that may hold a record's type where several kinds stand in
// a list; "" for none.
func (p *place) typeMember() string {
	if p.record == nil || !p.list {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(p.record.Members)) {
		m := p.record.Members[name]
		if vocabulary.All(vocabulary.Types+" _ record", name) && m.Shapes[shapeWord] == m.Seen && m.Seen > 0 {
			return name
		}
	}
	return ""
}

func (d *draft) refs(lines []string) {
	var refs []string
	for _, l := range lines {
		if ref, ok := strings.CutPrefix(l, "ref "); ok {
			refs = append(refs, ref)
			continue
		}
		d.line("    %s", l)
	}
	if len(refs) == 0 {
		return
	}
	d.line("    refs:")
	for _, r := range refs {
		d.line("      - %s", r)
	}
}

// query writes the parameters that the draft understands, and lists the others.
func (d *draft) query(x *drafted) []string {
	var take, plain, filters, other, lines []string
	sorted := false
	for _, q := range slices.Sorted(maps.Keys(x.Query)) {
		sorted = sorted || vocabulary.Is(vocabulary.Sorts, q)
	}
	for _, q := range slices.Sorted(maps.Keys(x.Query)) {
		base, in, nested := strings.Cut(strings.TrimSuffix(q, "]"), "[")
		switch {
		case strings.Contains(q, anyName) || strings.Contains(in, "["):
			other = append(other, q)
			continue
		case nested && vocabulary.Is("page paging", base) && vocabulary.Is(vocabulary.Paging, in):
		case nested && vocabulary.Is("filter filters where", base) && d.isField(x.entity, in):
			lines = append(lines, fmt.Sprintf("ref {role: filter, at: %q, syntax: search, field: %s}", "query."+q, word(in)))
		case nested:
			other = append(other, q)
			continue
		case d.isPlainField(x.entity, q):
			filters = append(filters, q)
			take = append(take, q)
			continue
		case vocabulary.Is(vocabulary.Searches, q):
			lines = append(lines, fmt.Sprintf("ref {role: search, at: %q, syntax: search, field: %s}", "query."+q, word(q)))
		case vocabulary.Is(vocabulary.Sorts, q) && (!vocabulary.Is("order sortorder", q) || !x.sortsBeside(q)):
			lines = append(lines, fmt.Sprintf("ref {role: sort, at: %q, syntax: order_by} # CHECK: reads `name`, `-name`, `name desc` and `name:desc`", "query."+q))
		case vocabulary.Is(vocabulary.Selects, q):
			lines = append(lines, fmt.Sprintf("ref {role: select, at: %q, syntax: csv}", "query."+q))
		case vocabulary.All(vocabulary.Paging+" "+vocabulary.Counts, q), vocabulary.Is(vocabulary.Shapes, q), vocabulary.Is(vocabulary.Directions, q) && sorted:
		default:
			other = append(other, q)
			continue
		}
		take, plain = append(take, q), append(plain, q)
	}
	if len(filters) > 0 {
		lines = append(lines, fmt.Sprintf("ref {role: filter, at: query, syntax: params, except: %s}", wordList(plain)))
	}
	if len(take) > 0 {
		lines = append(lines, "query: "+wordList(take))
	}
	for _, q := range other {
		lines = append(lines, fmt.Sprintf("# the parameter %s, seen %s, is refused: does it name fields (refs), or none?", word(q), times(x.Query[q])))
	}
	return lines
}

// sortsBeside reports whether another parameter says by what is sorted, so that
// this one is the direction.
func (x *drafted) sortsBeside(q string) bool {
	for other := range x.Query {
		if other != q && vocabulary.Is(vocabulary.Sorts, other) {
			return true
		}
	}
	return false
}

// around lists the members with texts in an answer outside its records.
func (x *drafted) around() []string {
	in := map[*field]bool{}
	for i := range x.places {
		in[x.places[i].record] = true
	}
	names := map[string]bool{}
	var walk func(f *field, name string)
	walk = func(f *field, name string) {
		if f == nil || in[f] {
			return
		}
		if f.Kinds["string"] > 0 && name != anyName {
			names[name] = true
		}
		walk(f.Elements, name)
		for m, v := range f.Members {
			walk(v, m)
		}
	}
	walk(x.Answer, "")
	return slices.Sorted(maps.Keys(names))
}

// foundBelow is what detection found at and below a place.
func (f *field) foundBelow() []string {
	if f == nil {
		return nil
	}
	all := map[string]int{}
	var walk func(*field)
	walk = func(f *field) {
		for k, n := range f.Found {
			all[k] += n
		}
		if f.Elements != nil {
			walk(f.Elements)
		}
		for _, m := range f.Members {
			walk(m)
		}
	}
	walk(f)
	var list []string
	for _, k := range detect.Kinds() {
		if n := all[string(k)]; n > 0 {
			list = append(list, fmt.Sprintf("%s %s", kindWords(k), times(n)))
		}
	}
	return list
}
