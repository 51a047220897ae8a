package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// Load compiles a profile. Errors name the line or the entry and the remedy.
func Load(src []byte) (*Profile, error) {
	s, err := decodeSpec(src)
	if err != nil {
		return nil, err
	}
	if s, err = extend(s); err != nil {
		return nil, err
	}
	c := &compiler{spec: s, p: &Profile{
		Name: s.Profile, Evidence: s.Evidence, Lists: s.Normalize.Query.Lists, Semicolon: s.Normalize.Query.Semicolon, LiteralNames: s.Normalize.Query.LiteralNames,
		types: map[string]*entity{}, suffix: s.Relations.Suffix,
		changes: s.Relations.Changes, renderings: s.Relations.Renderings,
		nestedQuery: s.Normalize.Query.Nested, jsonQuery: s.Normalize.Query.JSON, aliases: s.Normalize.Query.Aliases,
		integerIDs: s.Normalize.IDs == "integer", salesforceIDs: s.Normalize.IDs == "salesforce", prefixes: s.Normalize.Prefixes,
		folded: s.Normalize.Names == "folded", list: s.Relations.List, emptyFalse: s.Normalize.Empty == "false", numbered: s.Relations.Numbered, withheld: s.Withheld,
	}}
	c.head()
	c.paths()
	c.wrappedKinds()
	c.annotations()
	c.described()
	c.p.anyRelations = c.p.foldKeys(s.Relations.Any)
	c.entities()
	for field, typ := range c.p.anyRelations {
		c.p.anyRelations[field] = c.typeWord(typ)
	}
	c.relations()
	c.transports()
	c.calls()
	c.routes()
	c.handleNames()
	c.sessions()
	c.headers()
	c.hosts()
	c.errorShapes()
	c.ownRequests()
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	c.p.words = c.p.vocabulary()
	return c.p, nil
}

type compiler struct {
	spec *spec
	p    *Profile
	errs []error
	// links are the types that fields lead to, checked when all are known.
	links []link
	// words are the CRM's words for the entities whose own name is none of them.
	words map[string]string
}

func (c *compiler) fail(where, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (c *compiler) head() {
	if c.spec.Profile == "" {
		c.fail("profile", "give the profile a name: `profile: mycrm/1.0`")
	}
	word, version, _ := strings.Cut(c.spec.Evidence, " ")
	if !slices.Contains([]string{"live", "recorded", "documented"}, word) || (word == "live") != (version != "") {
		c.fail("evidence", "say how sure the profile is: `evidence: live 6.0`, `recorded` or `documented`")
	}
	if c.spec.Withheld == "" {
		c.fail("withheld", "say what stands in place of a text that is withheld")
	}
	if ids := c.spec.Normalize.IDs; ids != "" && ids != "integer" && ids != "salesforce" {
		c.fail("normalize", "ids: %q is not served; write integer or salesforce, or leave it out where ids can be texts", ids)
	}
	if names := c.spec.Normalize.Names; names != "" && names != "folded" {
		c.fail("normalize", "names: %q is not served; write folded, or leave it out where case counts", names)
	}
	if q := c.spec.Normalize.Query; q.JSON != "" && !q.Nested {
		c.fail("normalize", "json needs `nested: true`: what the object holds is judged as parameters of a tree")
	}
	if empty := c.spec.Normalize.Empty; empty != "" && empty != "false" {
		c.fail("normalize", "empty: %q is not served; write \"false\", or leave it out where no value is null", empty)
	}
	if len(c.spec.Routes) == 0 && len(c.spec.Transports) == 0 {
		c.fail("routes", "a profile without routes refuses everything; add one")
	}
}

func (c *compiler) paths() {
	for _, pr := range c.spec.Normalize.Paths {
		where := fmt.Sprintf("normalize, path %q (line %d)", pr.key, pr.line)
		pat, err := parsePattern("* " + pr.key)
		if err != nil || len(pat.params) > 0 || !strings.HasPrefix(pr.value.Value, "/") {
			c.fail(where, "write two paths: `/api/{version}/{rest**}: /api/{rest}`")
			continue
		}
		c.p.paths = append(c.p.paths, pathAlias{pat, pr.value.Value})
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
	if err == nil && e.origin == fromQuery && c.p.nestedQuery {
		err = e.nest()
	}
	if err == nil && e.quoted && len(e.path) > 0 && !c.p.nestedQuery {
		err = fmt.Errorf("expression %q: nothing leads into a query parameter without `nested: true` under normalize.query", s)
	}
	if err != nil {
		c.fail(where, "%v", err)
	}
	return e
}
