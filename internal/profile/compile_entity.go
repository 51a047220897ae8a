package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

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
	c.entityWords()
	for _, pr := range c.spec.Entities {
		var s entitySpec
		if err := strict(&pr.value, &s); err != nil {
			c.errs = append(c.errs, fmt.Errorf("entity %s: %w", pr.key, err))
			continue
		}
		c.entity(pr.key, &s)
	}
}

// entityWords notes how the CRM calls the records of entities whose name it doesn't
// know: a profile may write `entity: contact` for what the CRM calls Contacts.
func (c *compiler) entityWords() {
	c.words = map[string]string{}
	taken := []glob{}
	types := map[string][]string{}
	for _, pr := range c.spec.Entities {
		var s struct {
			Types []string `yaml:"types"`
		}
		if pr.value.Decode(&s) != nil {
			continue // an error where the entity is read
		}
		types[pr.key] = s.Types
		for _, t := range s.Types {
			taken = append(taken, glob(t))
		}
	}
	for name, list := range types {
		at := slices.IndexFunc(list, func(t string) bool { return glob(t).plain() })
		if at >= 0 && !matchAny(taken, name) {
			c.words[name] = list[at]
		}
	}
}

// typeWord is the CRM's word for what the profile calls an entity or a type.
func (c *compiler) typeWord(word string) string {
	if t, ok := c.words[word]; ok {
		return t
	}
	return word
}

func (c *compiler) entity(name string, s *entitySpec) {
	e := &entity{
		name: access.Entity(name), internal: s.Internal, id: s.ID, exact: map[string]*field{},
		folded: c.p.folded, relations: c.p.foldKeys(s.Relations), owner: s.Owner, display: s.Display, search: s.Search, selects: map[string][]access.Category{},
	}
	if e.id == "" {
		e.id = "id"
	}
	e.read, e.erase = c.ownRequest("entity "+name+", read", &s.Read), c.ownRequest("entity "+name+", delete", &s.Delete)
	if s.Like != "" {
		c.fail("entity "+name, "`like` is for an entity that a profile adds to the one that it extends; write `extends: …`")
	}
	for field, typ := range e.relations {
		e.relations[field] = c.typeWord(typ)
	}
	e.exact[e.key(e.id)] = publicField()
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
			key := c.p.key(t)
			if c.p.types[key] != nil {
				c.fail("entity "+name, "the type %q belongs to entity %s already", t, c.p.types[key].name)
			}
			c.p.types[key] = e
			continue
		}
		c.p.typeGlobs = append(c.p.typeGlobs, globType{glob(c.p.key(t)), e})
	}
	c.p.entities = append(c.p.entities, e)
}

func (c *compiler) unknown(e *entity, mode string) {
	switch mode {
	case "", "mask":
		e.unknown, e.unknownNo = unclassifiedField(), unclassifiedField()
	case "mask_if_string":
		e.unknown, e.unknownNo = unclassifiedField(), publicField()
	case "pass":
		e.unknown, e.unknownNo = publicField(), publicField()
	default:
		c.fail("entity "+string(e.name), "unknown: %q is neither mask, mask_if_string nor pass", mode)
	}
}

// field compiles one entry of an entity's fields.
func (c *compiler) field(e *entity, pr pair) {
	c.fieldIn("entity "+string(e.name), e, pr)
}

func (c *compiler) fieldIn(of string, e *entity, pr pair) {
	where := fmt.Sprintf("%s, field %q (line %d)", of, pr.key, pr.line)
	f := c.fieldOf(where, pr)
	if f == nil {
		return
	}
	if f.by != "" {
		by := e.key(f.by)
		e.selects[by] = unique(append(e.selects[by], f.categories...))
	}
	for name := range strings.SplitSeq(pr.key, "|") {
		if name != strings.Trim(name, "\"'") {
			c.fail(where, "the name %s has quotes in it: YAML takes them away only where they are around the whole key, \"a|b*\": …", name)
			continue
		}
		if !glob(name).plain() {
			g := *f
			g.plain = g.public() && name != "*"
			e.globs = append(e.globs, globField{glob(e.key(name)), &g})
			continue
		}
		if _, ok := e.exact[e.key(name)]; ok && !e.isID(name) {
			c.fail(where, "the name %q is listed before already; this one can never match", name)
		}
		own := *f
		own.name = name
		e.exact[e.key(name)] = &own
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
	f := c.fieldLong(where, &s)
	c.structured(where, f, &s)
	if len(f.categories) == 0 {
		c.fail(where, "a field needs a category")
	}
	return f
}

func (c *compiler) fieldLong(where string, s *fieldSpec) *field {
	f := &field{
		by: s.By, detect: s.Detect, companies: s.Companies, position: s.Position, tag: s.Tag, decode: s.Decode, withhold: s.Withhold, keys: s.Keys, reference: s.Reference,
		file: s.File, sizeContext: s.SizeContext, picture: s.Picture,
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
	for key, cat := range s.Context {
		if f.context == nil {
			f.context = map[string]access.Category{}
		}
		f.context[key] = c.category(where, cat)
	}
	f.categories = unique(f.categories)
	if s.Decode != "" && s.Decode != "json" && s.Decode != "base64_json" {
		c.fail(where, "decode: %q is not served; write json or base64_json", s.Decode)
	}
	if (s.By == "") != (len(s.Values) == 0) {
		c.fail(where, "`by` and `values` belong together")
	}
	if len(f.categories) == 0 && s.Reference {
		f.categories = []access.Category{access.Unclassified}
	}
	return f
}

// relations checks that every relation leads to a type that is known.
func (c *compiler) relations() {
	for _, l := range c.links {
		if c.p.entityOf(l.typ) == nil {
			c.fail(l.where, "link: no entity has the type %q", l.typ)
		}
	}
	for _, e := range c.p.entities {
		for name, typ := range e.relations {
			if typ != "" && typ != ownType && c.p.entityOf(typ) == nil {
				c.fail("entity "+string(e.name), "relation %s leads to type %q, which no entity has", name, typ)
			}
		}
		c.searches(e)
		c.plainBesideRelations(e)
	}
	for prefix, typ := range c.p.prefixes {
		typ = c.typeWord(typ)
		c.p.prefixes[prefix] = typ
		if c.p.entityOf(typ) == nil {
			c.fail("normalize", "the prefix %s leads to type %q, which no entity has", prefix, typ)
		}
	}
	for name, typ := range c.p.anyRelations {
		if typ != ownType && c.p.entityOf(typ) == nil {
			c.fail("relations", "%s leads to type %q, which no entity has", name, typ)
		}
	}
}

// plainBesideRelations: a public field that has the name of one in which other entities
// hold records holds none itself; one that stands there all the same is hidden.
func (c *compiler) plainBesideRelations(e *entity) {
	for name, f := range e.exact {
		if _, any := c.p.anyRelations[name]; any && f.public() {
			f.plain = true
		}
	}
}

// searches checks that composite searches have parts, and are narrowed to them.
func (c *compiler) searches(e *entity) {
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
