package profile

import (
	"maps"
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
	opaqueIf []expr
	contacts []contact
	image    bool
	holds    []string
	question bool
	echo     bool
	alone    bool
	write    *write
	stream   string
	public   []glob
	links    []expr
}

func (c *compiler) operation(where string, op *operation, s *operationSpec, args []string, action access.Action) {
	op.action = action
	if s.Action != "" {
		op.action = access.Action(s.Action)
	}
	if !op.action.Valid() {
		c.fail(where, "unknown action %q; there are: %v", s.Action, access.Actions())
	}
	s.Entity = c.typeWord(s.Entity)
	op.entity, op.pass, op.deny, op.status = s.Entity, s.Pass, s.Deny, s.Status
	op.opaque, op.image, op.question, op.stream = s.Opaque, s.Image, s.Question, s.Stream
	op.echo, op.alone = s.Echo, s.Alone
	c.operationEntity(where, op, s.Entity, args)
	for _, typ := range s.Holds {
		typ = c.typeWord(typ)
		op.holds = append(op.holds, typ)
		if typ != "*" && c.p.entityOf(typ) == nil {
			c.fail(where, "holds: no entity has the type %q", typ)
		}
	}
	if len(s.Holds) > 0 && !s.Opaque && !s.Image {
		c.fail(where, "holds is for opaque answers alone; add `opaque: true`")
	}
	for _, id := range s.IDs {
		op.ids = append(op.ids, c.expr(where, id, args))
	}
	c.contacts(where, op, s, args)
	for _, pub := range s.Public {
		op.public = append(op.public, glob(pub))
	}
	c.linkPlaces(where, op, s)
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

// operationEntity compiles whose records an operation is about.
func (c *compiler) operationEntity(where string, op *operation, entity string, args []string) {
	if a, b, ok := strings.Cut(entity, "}.{"); ok && (!strings.HasPrefix(a, "{") || !strings.HasSuffix(b, "}")) {
		c.fail(where, "entity %q: write {variable}.{variable}", entity)
	}
	if entity != "" && !strings.HasPrefix(entity, "{") && c.p.entityOf(entity) == nil {
		if e, err := parseExpr(entity, args); err == nil && (e.origin == fromArg || e.origin == fromBody || e.origin == fromQuery) {
			e = c.expr(where, entity, args)
			op.entityAt = &e
		} else {
			c.fail(where, "no entity has the type %q; there are: %s", entity, c.types())
		}
	}
}

func (c *compiler) ref(where string, s *refSpec, args []string) ref {
	r := ref{
		role: access.RefRole(s.Role), at: c.expr(where, s.At, args), syntax: s.Syntax,
		separator: s.Separator, entity: c.typeWord(s.Entity), field: s.Field, names: s.Map, except: s.Except, listed: s.Listed,
		narrow: strings.TrimPrefix(s.Narrow, "query."), member: s.Member, clauses: s.Clauses, terms: s.Terms,
	}
	roles := []access.RefRole{
		access.RefSelect, access.RefFilter, access.RefSort, access.RefGroup, access.RefAggregate, access.RefSearch,
	}
	if (s.Role != "" || !ownRoles(r.syntax)) && !slices.Contains(roles, r.role) {
		c.fail(where, "unknown role %q of a reference; there are: %v", s.Role, roles)
	}
	if r.syntax == "" {
		r.syntax = "name"
	}
	syntaxes := []string{"name", "list", "csv", "keys", "domain", "prefix_domain", "clauses", "comparisons", "criteria", "expression", "terms", "order", "order_by", "specification", "aggregates", "search", "params", "fetchxml", "stored", "soql", "sosl", "search_parameters", "coql", "vtql"}
	if !slices.Contains(syntaxes, r.syntax) {
		c.fail(where, "unknown syntax %q of a reference; there are: %v", s.Syntax, syntaxes)
	}
	if r.separator == "" {
		r.separator = "."
	}
	if s.Narrow != "" && !strings.HasPrefix(s.Narrow, "query.") {
		c.fail(where, "narrow names a query parameter: `narrow: query.in`")
	}
	r.forms = c.nameForms(where, s.Map)
	for _, name := range s.Order {
		r.order = append(r.order, glob(name))
	}
	c.clauses(where, &r)
	c.terms(where, &r)
	if unmapped := []string{"domain", "prefix_domain", "specification", "aggregates", "search", "fetchxml", "stored"}; r.names != nil && slices.Contains(unmapped, r.syntax) {
		c.fail(where, "map isn't heeded by the syntax %s", r.syntax)
	}
	if r.syntax == "stored" && r.role != access.RefFilter {
		c.fail(where, "what a stored query asks can't be told: its role is filter")
	}
	if s.Member != "" && r.syntax != "list" && r.syntax != "order" {
		c.fail(where, "member is for the syntax list and order")
	}
	if (r.syntax == "search") != (s.Field != "") {
		c.fail(where, "a reference with the syntax search, and only that, names its field")
	}
	return r
}

// types lists the words for kinds of records that the profile knows.
func (c *compiler) types() string {
	known := slices.Sorted(maps.Keys(c.p.types))
	const most = 20
	if len(known) > most {
		known = append(known[:most], "…")
	}
	return strings.Join(known, ", ")
}

// recordEntity sees that the type of records is known, or stands in the answer.
func (c *compiler) recordEntity(where, entity string) {
	if entity == "" || strings.ContainsAny(entity[:1], ".[@{") || strings.Contains(entity, "?") || c.p.entityOf(entity) != nil {
		return
	}
	c.fail(where, "records: no entity has the type %q; there are: %s. A path to the type begins with a dot: `entity: .type`", entity, c.types())
}

func (c *compiler) record(where string, s *recordSpec, args []string) recordAt {
	s.Entity = c.typeWord(s.Entity)
	c.recordEntity(where, s.Entity)
	r := recordAt{
		selector: s.Select, entity: s.Entity, id: s.ID, bare: s.Bare, field: s.Field,
		separator: s.Separator, tuple: s.Tuple, status: s.Status, cut: s.Cut, byKey: s.Entity == "@key",
	}
	if r.separator == "" {
		r.separator = "."
	}
	r.pairs = c.pairs(where, &s.Pairs)
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
	case s.ID == keyID:
		r.idByKey = true
	case strings.HasPrefix(s.ID, "[") || strings.HasPrefix(s.ID, "."):
		r.relID = c.path(where, s.ID)
	default:
		e := c.expr(where, s.ID, args)
		r.idExpr = &e
	}
	r.keys = s.Keys
	if contains(args, s.Field) {
		e := c.expr(where, s.Field, args)
		r.fieldAt = &e
	}
	if s.Keys && s.Field == "" {
		c.fail(where, "keys are values of a field; name it: `field: stage`")
	}
	if s.Headings != "" {
		e := c.expr(where, s.Headings, args)
		r.headings = &e
	}
	if s.Columns == "header" {
		r.header = true
	} else if s.Columns != "" {
		e := c.expr(where, s.Columns, args)
		r.columns = &e
		r.alternatives()
		if e.origin == fromResult || e.origin == fromConst {
			c.fail(where, "columns: %q is neither `header` nor a place in the request or, with `$`, in the answer", s.Columns)
		}
	}
	return r
}

func (c *compiler) write(where string, s *writeSpec, args []string) *write {
	w := &write{mode: WriteMode(s.Mode), self: s.Self, pairs: s.Pairs, stored: s.Stored, typed: s.Type != "", beside: s.Beside}
	w.typeIn, w.typeAt, _ = strings.Cut(s.Type, ".")
	if !slices.Contains([]WriteMode{WritePartial, WriteFull, WriteEcho, WriteCreate, WriteCopy, WriteSave}, w.mode) {
		c.fail(where, "write: mode %q is neither partial, full, create, save, copy nor echo", s.Mode)
	}
	if !s.Pairs {
		w.at = c.expr(where, s.At, args)
	}
	if w.typed && (w.typeIn == "" || w.typeAt == "" || strings.Contains(w.typeAt, ".") || s.Syntax != "" || s.Pairs) {
		c.fail(where, "write: type is a member of a member, `attributes.type`, for plain objects of values")
	}
	switch s.Syntax {
	case "", "object":
	case "commands":
		w.commands = true
	case "numbered":
		w.numbered = true
	default:
		c.fail(where, "write: syntax %q is neither object, commands nor numbered", s.Syntax)
	}
	c.stored(where, w)
	if (w.mode == WritePartial || w.mode == WriteFull || w.mode == WriteSave) && s.Stored.Get+s.Stored.Call+s.Stored.Query == "" {
		c.fail(where, "write: say how the stored values are read: `stored: {get: /path/{id}}` or `stored: {call: name}`")
	}
	return w
}

// stored compiles where the stored values stand in the answer to the gateway's own
// read.
func (c *compiler) stored(where string, w *write) {
	s := &w.stored
	switch {
	case s.Form != "" && (s.Get == "" || s.At != ""):
		c.fail(where, "write: `form` is the form in the page that `get` leads to, in the place of `at`")
	case s.Form != "":
		sel := c.selector(where, s.Form)
		w.storedForm = &sel
	case s.Get != "" || s.Query != "":
		w.storedAt = c.path(where, s.At)
	}
}
