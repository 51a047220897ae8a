package profile

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// graphqlRoute is an address that takes GraphQL.
type graphqlRoute struct {
	fields        []graphqlField
	arguments     []graphqlArgument
	operators     []string
	groups        []string
	around        []aroundWord
	values        []string
	errors        []string
	introspection bool
}

// graphqlField is a field of the query or of the mutation.
type graphqlField struct {
	operation
	mutation bool
	names    [][]wordPattern
	// own are the arguments, or members of them, that its expressions name.
	own   [][]string
	types []glob
}

// graphqlArgument is what an argument, or a member of one, asks.
type graphqlArgument struct {
	path []string
	role string
}

// Words for what arguments ask, besides the roles of references.
const argumentNone = "none"

// aroundWord is what stands between a field and its records under a name.
type aroundWord struct {
	name  wordPattern
	kind  string // one of the words, "" for a field
	field *field
}

// Words for what stands around records.
const (
	aroundRecords    = "records"
	aroundAggregates = "aggregates"
	aroundAggregate  = "aggregate"
	aroundCount      = "count"
	aroundGroups     = "groups"
)

// wordPattern is a name, or one with a variable in it: `create{Type}`.
type wordPattern struct{ prefix, variable, suffix string }

func parseWord(s string) (wordPattern, bool) {
	open, end := strings.IndexByte(s, '{'), strings.IndexByte(s, '}')
	if open < 0 && end < 0 {
		return wordPattern{prefix: s}, s != ""
	}
	if open < 0 || end < open || strings.ContainsAny(s[end+1:], "{}") {
		return wordPattern{}, false
	}
	return wordPattern{s[:open], s[open+1 : end], s[end+1:]}, true
}

// match returns what stands for the variable.
func (w *wordPattern) match(name string) (string, bool) {
	if w.variable == "" {
		return "", name == w.prefix
	}
	if len(name) <= len(w.prefix)+len(w.suffix) || !strings.HasPrefix(name, w.prefix) || !strings.HasSuffix(name, w.suffix) {
		return "", false
	}
	word := name[len(w.prefix) : len(name)-len(w.suffix)]
	if first, _ := utf8.DecodeRuneInString(w.variable); unicode.IsUpper(first) {
		if first, _ := utf8.DecodeRuneInString(word); !unicode.IsUpper(first) {
			return "", false
		}
		word = uncapital(word)
	}
	return word, true
}

func uncapital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[size:]
}

// graphql compiles an address that takes GraphQL.
func (c *compiler) graphql(where string, rt *route, s *routeSpec) {
	if s.Error != nil {
		shapes := c.shapes(where+", error", s.Error)
		rt.shapes = &shapes
	}
	if s.GraphQL == nil {
		return
	}
	where += ", graphql"
	g := &graphqlRoute{operators: s.GraphQL.Operators, groups: s.GraphQL.Groups, values: s.GraphQL.Values, errors: s.GraphQL.Errors, introspection: s.GraphQL.Introspection}
	rt.graphql = g
	switch {
	case rt.entity != "" || len(rt.records) > 0 || len(rt.refs) > 0 || rt.write != nil || rt.pass || rt.opaque || rt.image:
		c.fail(where, "entity, records, refs, write and the like are those of its fields")
	case rt.typ != "json" || rt.stream != "" || rt.body != "json":
		c.fail(where, "requests and answers are JSON that isn't streamed")
	case rt.pattern.methods == nil || slices.ContainsFunc(rt.pattern.methods, func(m string) bool { return m != "POST" && m != "GET" }):
		c.fail(where, "GraphQL comes by POST, or by GET: `match: POST /graphql`")
	case len(s.GraphQL.Fields) == 0:
		c.fail(where, "without fields everything is refused; add one")
	}
	c.graphqlArguments(where, g, s.GraphQL.Arguments)
	c.graphqlAround(where, g, s.GraphQL.Around)
	for i := range s.GraphQL.Fields {
		g.fields = append(g.fields, c.graphqlField(where, &s.GraphQL.Fields[i]))
	}
}

func (c *compiler) graphqlArguments(where string, g *graphqlRoute, words ordered) {
	roles := []string{
		string(access.RefFilter), string(access.RefSort), string(access.RefGroup), string(access.RefAggregate),
		string(access.RefSelect), string(access.RefSearch), argumentNone,
		string(access.RefFilter) + byNames, string(access.RefSort) + byNames, string(access.RefGroup) + byNames,
	}
	for _, pr := range words {
		if !slices.Contains(roles, pr.value.Value) {
			c.fail(where, "argument %q (line %d): unknown word %q; there are: %v", pr.key, pr.line, pr.value.Value, roles)
		}
		for name := range strings.SplitSeq(pr.key, "|") {
			g.arguments = append(g.arguments, graphqlArgument{strings.Split(name, "."), pr.value.Value})
		}
	}
}

func (c *compiler) graphqlAround(where string, g *graphqlRoute, words ordered) {
	kinds := []string{aroundRecords, aroundAggregates, aroundAggregate, aroundCount, aroundGroups}
	for _, pr := range words {
		var word aroundWord
		if slices.Contains(kinds, pr.value.Value) {
			word.kind = pr.value.Value
		} else if word.field = c.fieldOf(where+", around "+pr.key, pr); word.field == nil {
			continue
		}
		variable := "Type"
		if word.kind == aroundAggregate || word.kind == aroundCount {
			variable = "Field"
		}
		for name := range strings.SplitSeq(pr.key, "|") {
			var ok bool
			if word.name, ok = parseWord(name); !ok || word.name.variable != "" && !strings.EqualFold(word.name.variable, variable) {
				c.fail(where, "around %q (line %d): a name, or one with {%s} in it", name, pr.line, variable)
			}
			g.around = append(g.around, word)
		}
	}
}

// graphqlField compiles a field of the query or of the mutation.
func (c *compiler) graphqlField(where string, s *graphqlFieldSpec) graphqlField {
	f := graphqlField{mutation: s.Mutation != ""}
	name := s.Query + s.Mutation
	where += " field " + name
	if (s.Query == "") == (s.Mutation == "") {
		c.fail(where, "a field belongs either to the `query` or to the `mutation`")
	}
	typed := true
	for one := range strings.SplitSeq(name, "|") {
		var words []wordPattern
		for part := range strings.SplitSeq(one, ".") {
			word, ok := parseWord(part)
			if !ok || word.variable != "" && !strings.EqualFold(word.variable, "type") {
				c.fail(where, "write a name, or one with {type} in it: `create{Type}`")
			}
			words = append(words, word)
		}
		typed = typed && words[len(words)-1].variable != ""
		f.names = append(f.names, words)
	}
	c.operation(where, &f.operation, &s.operationSpec, argumentNames(&s.operationSpec), graphqlAction(s))
	c.noContacts(where, &f.operation)
	switch {
	case f.entity == "" && !typed && !f.pass && f.deny == "":
		c.fail(where, "it needs an entity, {type} in its name, `pass: true` or `deny: text`")
	case f.mutation && f.write == nil && s.Action == "" && !f.pass && f.deny == "":
		c.fail(where, "say what the mutation does: `write`, or `action: delete`")
	case f.opaque || f.image || f.stream != "" || f.echo || f.alone:
		c.fail(where, "opaque, image, stream, echo and alone aren't served in GraphQL")
	}
	for i := range f.refs {
		if r := &f.refs[i]; r.narrow != "" || !slices.Contains([]string{"search", "name", "list", "csv", "keys", "order", "order_by"}, r.syntax) {
			c.fail(where, "references in GraphQL have the syntax search, name, list, csv, keys, order or order_by, and aren't narrowed")
		}
	}
	for _, t := range s.Types {
		f.types = append(f.types, glob(t))
	}
	f.own = ownArguments(&f.operation)
	return f
}

func graphqlAction(s *graphqlFieldSpec) access.Action {
	switch {
	case s.Write == nil:
		return access.Read
	case s.Write.Mode == string(WriteCreate) || s.Write.Mode == string(WriteCopy):
		return access.Create
	}
	return access.Update
}

// argumentNames are the words with which expressions of a field begin.
func argumentNames(s *operationSpec) []string {
	exprs := append(slices.Clone(s.IDs), s.Entity)
	if s.Write != nil {
		exprs = append(exprs, s.Write.At)
	}
	for i := range s.Refs {
		exprs = append(exprs, s.Refs[i].At)
	}
	var names []string
	for _, e := range exprs {
		if end := strings.IndexAny(e, ".["); end >= 0 {
			e = e[:end]
		}
		if e != "" && !strings.HasPrefix(e, "{") {
			names = append(names, e)
		}
	}
	return names
}

// ownArguments are the places that a field's expressions name.
func ownArguments(op *operation) [][]string {
	exprs := slices.Clone(op.ids)
	if op.entityAt != nil {
		exprs = append(exprs, *op.entityAt)
	}
	if op.write != nil {
		exprs = append(exprs, op.write.at)
	}
	for i := range op.refs {
		exprs = append(exprs, op.refs[i].at)
	}
	var own [][]string
	for _, e := range exprs {
		if e.origin != fromArg {
			continue
		}
		at := []string{e.name}
		for _, s := range e.path {
			if s.kind != stepKey || len(s.keys) != 1 {
				break
			}
			at = append(at, s.keys[0])
		}
		own = append(own, at)
	}
	return own
}
