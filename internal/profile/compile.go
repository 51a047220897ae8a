package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// operation is what a compiled route and call share.
type operation struct {
	action   access.Action
	entity   string
	entityAt *expr // where the request names the type itself
	types    []glob
	ids      []expr
	refs     []ref
	records  []recordAt
	pass     bool
	deny     string
	status   int
	opaque   bool
	image    bool
	question bool
	echo     bool
	write    *write
	stream   string
	public   []glob
}

type route struct {
	operation
	name    string
	pattern pattern
	body    string
	typ     string
	csv     csvSpec
	query   []string
}

type call struct {
	operation
	name callName
	sig  []string
}

// callName is a pattern for the names of calls: a glob, with one variable for
// what follows its last literal part: `*.on_change_with_{field}`.
type callName struct {
	glob    glob
	literal string // before the variable
	bind    string // the variable's name, "" without one
}

func parseCallName(s string) (callName, error) {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		return callName{glob: glob(s)}, nil
	}
	if !strings.HasSuffix(s, "}") || strings.Count(s, "{") != 1 {
		return callName{}, fmt.Errorf("call %q: one variable, at the end", s)
	}
	head := s[:open]
	literal := head[strings.LastIndexByte(head, '*')+1:]
	if literal == "" {
		return callName{}, fmt.Errorf("call %q: something literal has to stand before the variable", s)
	}
	return callName{glob: glob(head + "*"), literal: literal, bind: s[open+1 : len(s)-1]}, nil
}

// match reports whether the name fits and binds the variable.
func (c *callName) match(name string, vars map[string]string) bool {
	if !c.glob.match(name) {
		return false
	}
	if c.bind != "" {
		vars[c.bind] = name[strings.LastIndex(name, c.literal)+len(c.literal):]
	}
	return true
}

// pairs reports whether ids and values repeat in the call's arguments.
func (c *call) pairs() bool { return c.write != nil && c.write.pairs }

type transport struct {
	pattern  pattern
	body     string
	members  []string
	call     path
	args     path
	context  bool
	result   path
	envelope []string
	failure  failure
}

type failure struct {
	at    path
	name  path
	known map[string][]path
}

// Load compiles a profile. Errors name the line or the entry and the remedy.
func Load(src []byte) (*Profile, error) {
	s, err := decodeSpec(src)
	if err != nil {
		return nil, err
	}
	c := &compiler{spec: s, p: &Profile{
		Name: s.Profile, Evidence: s.Evidence, Lists: s.Normalize.Query.Lists, Semicolon: s.Normalize.Query.Semicolon, LiteralNames: s.Normalize.Query.LiteralNames,
		types: map[string]*entity{}, anyRelations: s.Relations.Any, suffix: s.Relations.Suffix,
		changes: s.Relations.Changes, withheld: s.Withheld,
	}}
	c.head()
	c.wrappedKinds()
	c.entities()
	c.relations()
	c.transports()
	c.calls()
	c.routes()
	c.errorShapes()
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return c.p, nil
}

type compiler struct {
	spec *spec
	p    *Profile
	errs []error
}

func (c *compiler) fail(where, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (c *compiler) head() {
	if c.spec.Profile == "" {
		c.fail("profile", "give the profile a name: `profile: mycrm/1.0`")
	}
	word, _, _ := strings.Cut(c.spec.Evidence, " ")
	if !slices.Contains([]string{"live", "recorded", "documented"}, word) {
		c.fail("evidence", "say how sure the profile is: `evidence: live 6.0`, `recorded` or `documented`")
	}
	if c.spec.Withheld == "" {
		c.fail("withheld", "say what stands in place of a text that is withheld")
	}
	if len(c.spec.Routes) == 0 && len(c.spec.Transports) == 0 {
		c.fail("routes", "a profile without routes refuses everything; add one")
	}
}

func (c *compiler) wrappedKinds() {
	w := c.spec.Wrapped
	c.p.wrapped = wrapped{key: w.Key, kinds: map[string]map[string]access.Shape{}}
	shapes := []access.Shape{
		access.ShapeDecimal, access.ShapeBase64, access.ShapeDate, access.ShapeYear,
		access.ShapeMonth, access.ShapeDay, access.ShapeNumber,
	}
	for kind, members := range w.Kinds {
		c.p.wrapped.kinds[kind] = map[string]access.Shape{}
		for name, shape := range members {
			if !slices.Contains(shapes, access.Shape(shape)) {
				c.fail("wrapped "+kind, "unknown shape %q; there are: %v", shape, shapes)
			}
			c.p.wrapped.kinds[kind][name] = access.Shape(shape)
		}
	}
}

func (c *compiler) category(where, s string) access.Category {
	cat := access.Category(s)
	if !cat.Valid() {
		var all []string
		for _, k := range access.Categories() {
			all = append(all, string(k))
		}
		c.fail(where, "unknown category %q; nearest: %q", s, nearest(s, all))
	}
	return cat
}

func (c *compiler) entities() {
	if len(c.spec.Entities) == 0 {
		c.fail("entities", "a profile needs at least one entity")
	}
	for _, pr := range c.spec.Entities {
		var s entitySpec
		if err := strict(&pr.value, &s); err != nil {
			c.errs = append(c.errs, fmt.Errorf("entity %s: %w", pr.key, err))
			continue
		}
		c.entity(pr.key, &s)
	}
}

func (c *compiler) entity(name string, s *entitySpec) {
	e := &entity{
		name: access.Entity(name), internal: s.Internal, id: s.ID, exact: map[string]*field{},
		relations: s.Relations, owner: s.Owner, display: s.Display, search: s.Search,
	}
	if e.id == "" {
		e.id = "id"
	}
	e.exact[e.id] = publicField
	c.unknown(e, s.Unknown)
	for _, pr := range s.Fields {
		c.field(e, pr)
	}
	types := s.Types
	if len(types) == 0 {
		types = []string{name}
	}
	for _, t := range types {
		if glob(t).plain() {
			if c.p.types[t] != nil {
				c.fail("entity "+name, "the type %q belongs to entity %s already", t, c.p.types[t].name)
			}
			c.p.types[t] = e
			continue
		}
		c.p.typeGlobs = append(c.p.typeGlobs, globType{glob(t), e})
	}
	c.p.entities = append(c.p.entities, e)
}

func (c *compiler) unknown(e *entity, mode string) {
	switch mode {
	case "", "mask":
		e.unknown, e.unknownNo = unclassifiedField, unclassifiedField
	case "mask_if_string":
		e.unknown, e.unknownNo = unclassifiedField, publicField
	case "pass":
		e.unknown, e.unknownNo = publicField, publicField
	default:
		c.fail("entity "+string(e.name), "unknown: %q is neither mask, mask_if_string nor pass", mode)
	}
}

// field compiles one entry of an entity's fields.
func (c *compiler) field(e *entity, pr pair) {
	where := fmt.Sprintf("entity %s, field %q (line %d)", e.name, pr.key, pr.line)
	f := c.fieldOf(where, pr)
	if f == nil {
		return
	}
	for name := range strings.SplitSeq(pr.key, "|") {
		if !glob(name).plain() {
			e.globs = append(e.globs, globField{glob(name), f})
			continue
		}
		if _, ok := e.exact[name]; ok && name != e.id {
			c.fail(where, "the name %q is listed before already; this one can never match", name)
		}
		own := *f
		own.name = name
		e.exact[name] = &own
	}
}

func (c *compiler) fieldOf(where string, pr pair) *field {
	var one string
	if pr.value.Decode(&one) == nil {
		return &field{categories: []access.Category{c.category(where, one)}}
	}
	var list []string
	if pr.value.Decode(&list) == nil {
		f := &field{}
		for _, s := range list {
			f.categories = append(f.categories, c.category(where, s))
		}
		return f
	}
	var s fieldSpec
	if err := strict(&pr.value, &s); err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", where, err))
		return nil
	}
	return c.fieldLong(where, &s)
}

func (c *compiler) fieldLong(where string, s *fieldSpec) *field {
	f := &field{
		by: s.By, detect: s.Detect, decode: s.Decode, withhold: s.Withhold, keys: s.Keys, reference: s.Reference,
		file: s.File, sizeContext: s.SizeContext,
	}
	if s.Category != "" {
		f.categories = append(f.categories, c.category(where, s.Category))
	}
	for _, cat := range s.Categories {
		f.categories = append(f.categories, c.category(where, cat))
	}
	if len(s.Values) > 0 {
		f.values = map[string]access.Category{}
		for k, v := range s.Values {
			f.values[k] = c.category(where, v)
			f.categories = append(f.categories, f.values[k])
		}
		slices.Sort(f.categories)
	}
	f.categories = unique(f.categories)
	if s.Decode != "" && s.Decode != "json" {
		c.fail(where, "decode: %q is not served; write json", s.Decode)
	}
	if (s.By == "") != (len(s.Values) == 0) {
		c.fail(where, "`by` and `values` belong together")
	}
	if len(f.categories) == 0 && s.Reference {
		f.categories = []access.Category{access.Unclassified}
	}
	if len(f.categories) == 0 {
		c.fail(where, "a field needs a category")
	}
	return f
}

// relations checks that every relation leads to a type that is known.
func (c *compiler) relations() {
	for _, e := range c.p.entities {
		for name, typ := range e.relations {
			if typ != "" && c.p.entityOf(typ) == nil {
				c.fail("entity "+string(e.name), "relation %s leads to type %q, which no entity has", name, typ)
			}
		}
		for name, s := range e.search {
			if len(s.Parts) == 0 {
				c.fail("entity "+string(e.name), "search %s lists no parts", name)
			}
			for _, n := range s.Narrow {
				if !slices.Contains(s.Parts, n) {
					c.fail("entity "+string(e.name), "search %s is narrowed to %q, which is not one of its parts", name, n)
				}
			}
		}
	}
	for name, typ := range c.p.anyRelations {
		if c.p.entityOf(typ) == nil {
			c.fail("relations", "%s leads to type %q, which no entity has", name, typ)
		}
	}
}

func (c *compiler) path(where, s string) path {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "body"), "$")
	p, err := parsePath(s)
	if err != nil {
		c.fail(where, "%v", err)
	}
	return p
}

func (c *compiler) expr(where, s string, args []string) expr {
	e, err := parseExpr(s, args)
	if err != nil {
		c.fail(where, "%v", err)
	}
	return e
}

func (c *compiler) transports() {
	for i := range c.spec.Transports {
		s := &c.spec.Transports[i]
		where := "transport " + s.Match
		pat, err := parsePattern(s.Match)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		if s.Body != "json" {
			c.fail(where, "body %q is not served; write json", s.Body)
		}
		if s.Result == "" || s.Failure.At == "" || s.Call == "" || s.Args == "" || len(s.Members) == 0 {
			c.fail(where, "members, call, args, result and failure.at are needed")
		}
		tr := &transport{
			pattern: pat, body: s.Body, members: s.Members, context: s.Context, envelope: s.Envelope,
			call: c.path(where, s.Call), args: c.path(where, s.Args), result: c.path(where, s.Result),
			failure: failure{at: c.path(where, s.Failure.At), name: c.path(where, s.Failure.Name), known: map[string][]path{}},
		}
		for name, paths := range s.Failure.Known {
			tr.failure.known[name] = []path{}
			for _, pth := range paths {
				tr.failure.known[name] = append(tr.failure.known[name], c.path(where, pth))
			}
		}
		c.p.transports = append(c.p.transports, tr)
	}
}

func (c *compiler) calls() {
	for i := range c.spec.Calls {
		s := &c.spec.Calls[i]
		where := "call " + s.Call
		if s.Call == "" {
			c.fail(where, "a call needs a name: `call: \"*.read\"`")
		}
		name, err := parseCallName(s.Call)
		if err != nil {
			c.errs = append(c.errs, err)
		}
		cl := &call{name: name, sig: s.Sig}
		c.operation(where, &cl.operation, &s.operationSpec, s.Sig, access.Read)
		for _, t := range s.Types {
			cl.types = append(cl.types, glob(t))
		}
		if cl.entity == "" {
			cl.entity = "{type}"
		}
		for _, before := range c.p.calls {
			if len(before.types) == 0 && before.name.glob.match(s.Call) {
				c.fail(where, "can never match: %s stands before it", before.name.glob)
			}
		}
		c.p.calls = append(c.p.calls, cl)
	}
	if len(c.p.transports) > 0 && len(c.p.calls) == 0 {
		c.fail("calls", "a transport without calls refuses everything; add one")
	}
}

func (c *compiler) routes() {
	for i := range c.spec.Routes {
		s := &c.spec.Routes[i]
		where := "route " + s.Match
		pat, err := parsePattern(s.Match)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		rt := &route{name: s.Name, pattern: pat, body: s.Body, typ: s.Type, csv: s.CSV, query: s.Query}
		if rt.name == "" {
			rt.name = s.Match
		}
		c.routeDefaults(where, rt)
		c.operation(where, &rt.operation, &s.operationSpec, nil, methodAction(pat.methods))
		if rt.stream != "" && rt.typ != "json" {
			c.fail(where, "stream is served for json alone")
		}
		if !rt.pass && rt.deny == "" && rt.entity == "" {
			c.fail(where, "a route needs an entity, `pass: true` or `deny: text`")
		}
		for _, before := range c.p.routes {
			if before.pattern.text == s.Match {
				c.fail(where, "can never match: the same pattern stands before it")
			}
		}
		c.p.routes = append(c.p.routes, rt)
	}
}

func (c *compiler) routeDefaults(where string, rt *route) {
	if rt.typ == "" {
		rt.typ = "json"
	}
	if !slices.Contains([]string{"json", "html", "csv", "none"}, rt.typ) {
		c.fail(where, "type %q is not served; write json, html, csv or none", rt.typ)
	}
	if rt.body == "" {
		rt.body = "json"
		if slices.Equal(rt.pattern.methods, []string{"GET"}) || slices.Equal(rt.pattern.methods, []string{"DELETE"}) {
			rt.body = "none"
		}
	}
	if !slices.Contains([]string{"json", "form", "none", "any"}, rt.body) {
		c.fail(where, "body %q is not served; write json, form or none", rt.body)
	}
}

func methodAction(methods []string) access.Action {
	if len(methods) != 1 {
		return access.Read
	}
	switch methods[0] {
	case "POST":
		return access.Create
	case "PUT", "PATCH":
		return access.Update
	case "DELETE":
		return access.Delete
	}
	return access.Read
}

func (c *compiler) operation(where string, op *operation, s *operationSpec, args []string, action access.Action) {
	op.action = action
	if s.Action != "" {
		op.action = access.Action(s.Action)
	}
	if !op.action.Valid() {
		c.fail(where, "unknown action %q; there are: %v", s.Action, access.Actions())
	}
	op.entity, op.pass, op.deny, op.status = s.Entity, s.Pass, s.Deny, s.Status
	op.opaque, op.image, op.question, op.echo, op.stream = s.Opaque, s.Image, s.Question, s.Echo, s.Stream
	if s.Entity != "" && !strings.HasPrefix(s.Entity, "{") && c.p.entityOf(s.Entity) == nil {
		if e, err := parseExpr(s.Entity, args); err == nil && e.origin == fromArg {
			op.entityAt = &e
		} else {
			c.fail(where, "no entity has the type %q", s.Entity)
		}
	}
	for _, id := range s.IDs {
		op.ids = append(op.ids, c.expr(where, id, args))
	}
	for _, pub := range s.Public {
		op.public = append(op.public, glob(pub))
	}
	for i := range s.Refs {
		op.refs = append(op.refs, c.ref(where, &s.Refs[i], args))
	}
	for i := range s.Records {
		op.records = append(op.records, c.record(where, &s.Records[i], args))
	}
	if s.Write != nil {
		op.write = c.write(where, s.Write, args)
	}
}

func (c *compiler) ref(where string, s *refSpec, args []string) ref {
	r := ref{
		role: access.RefRole(s.Role), at: c.expr(where, s.At, args), syntax: s.Syntax,
		separator: s.Separator, entity: s.Entity, field: s.Field, names: s.Map, except: s.Except,
		narrow: strings.TrimPrefix(s.Narrow, "query."),
	}
	roles := []access.RefRole{
		access.RefSelect, access.RefFilter, access.RefSort, access.RefGroup, access.RefAggregate, access.RefSearch,
	}
	if !slices.Contains(roles, r.role) {
		c.fail(where, "unknown role %q of a reference; there are: %v", s.Role, roles)
	}
	if r.syntax == "" {
		r.syntax = "name"
	}
	syntaxes := []string{"name", "list", "csv", "keys", "domain", "order", "search", "params"}
	if !slices.Contains(syntaxes, r.syntax) {
		c.fail(where, "unknown syntax %q of a reference; there are: %v", s.Syntax, syntaxes)
	}
	if r.separator == "" {
		r.separator = "."
	}
	if s.Narrow != "" && !strings.HasPrefix(s.Narrow, "query.") {
		c.fail(where, "narrow names a query parameter: `narrow: query.in`")
	}
	if (r.syntax == "search") != (s.Field != "") {
		c.fail(where, "a reference with the syntax search, and only that, names its field")
	}
	return r
}

func (c *compiler) record(where string, s *recordSpec, args []string) recordAt {
	r := recordAt{
		selector: s.Select, entity: s.Entity, id: s.ID, bare: s.Bare, field: s.Field,
		separator: s.Separator, tuple: s.Tuple, status: s.Status,
	}
	if r.separator == "" {
		r.separator = "."
	}
	r.fields = map[string]string{}
	for _, f := range s.Fields {
		r.fields[f.key] = f.value.Value
	}
	if s.Select != "" {
		r.html = c.htmlRecord(where, s)
		return r
	}
	if s.At == "" {
		s.At = "$"
	}
	r.at = c.expr(where, s.At, args)
	if strings.HasPrefix(s.Entity, "[") || strings.HasPrefix(s.Entity, ".") {
		r.relEntity = c.path(where, s.Entity)
	}
	switch {
	case s.ID == "" || s.ID == "none":
	case strings.HasPrefix(s.ID, "[") || strings.HasPrefix(s.ID, "."):
		r.relID = c.path(where, s.ID)
	default:
		e := c.expr(where, s.ID, args)
		r.idExpr = &e
	}
	if s.Columns == "header" {
		r.header = true
	} else if s.Columns != "" {
		e := c.expr(where, s.Columns, args)
		r.columns = &e
	}
	return r
}

func (c *compiler) write(where string, s *writeSpec, args []string) *write {
	w := &write{mode: WriteMode(s.Mode), self: s.Self, pairs: s.Pairs, stored: s.Stored}
	if !slices.Contains([]WriteMode{WritePartial, WriteFull, WriteEcho, WriteCreate}, w.mode) {
		c.fail(where, "write: mode %q is neither partial, full, echo nor create", s.Mode)
	}
	if !s.Pairs {
		w.at = c.expr(where, s.At, args)
	}
	switch s.Syntax {
	case "", "object":
	case "commands":
		w.commands = true
	default:
		c.fail(where, "write: syntax %q is neither object nor commands", s.Syntax)
	}
	if s.Stored.Get != "" {
		w.storedAt = c.path(where, s.Stored.At)
	}
	if (w.mode == WritePartial || w.mode == WriteFull) && s.Stored.Get == "" && s.Stored.Call == "" {
		c.fail(where, "write: say how the stored values are read: `stored: {get: /path/{id}}` or `stored: {call: name}`")
	}
	return w
}

// findCall returns the call of that name and binds {kind}, {type} and {method}:
// "model.party.party.read" is the method read of the type party.party.
func (p *Profile) findCall(name string, vars map[string]string) *call {
	if kind, rest, ok := strings.Cut(name, "."); ok {
		vars["kind"] = kind
		if j := strings.LastIndexByte(rest, '.'); j > 0 {
			vars["type"], vars["method"] = rest[:j], rest[j+1:]
		}
	}
	for _, c := range p.calls {
		if len(c.types) > 0 && !matchAny(c.types, vars["type"]) {
			continue
		}
		if c.name.match(name, vars) {
			return c
		}
	}
	return nil
}
