// Package profile holds what is known of a CRM's interface: it turns a request
// into accesses (classify) and finds records and fields in a response (locate).
// Profiles are YAML, read strictly; what they don't list is refused.
package profile

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// Profile is a compiled profile. It is immutable and safe for concurrent use.
type Profile struct {
	// Name is the CRM's interface and its version: tryton/6.0.
	Name string
	// Evidence says how sure the profile is: live VERSION, recorded, documented.
	Evidence string
	// Lists are the query parameters that may be repeated, and Semicolon says
	// that a raw `;` in a query is literal.
	Lists     []string
	Semicolon bool
	// LiteralNames says that parameter names are taken as they are.
	LiteralNames bool

	entities     []*entity
	types        map[string]*entity
	typeGlobs    []globType
	anyRelations map[string]string
	suffix       string
	renderings   []string
	nestedQuery  bool
	jsonQuery    string
	aliases      map[string]string
	paths        []pathAlias
	integerIDs   bool
	// salesforceIDs: ids have 15 or 18 characters.
	salesforceIDs bool
	prefixes      map[string]string
	folded        bool // case doesn't count in names
	described     []described
	list          string // of related records, in an object
	emptyFalse    bool
	numbered      bool
	changes       []string
	wrapped       wrapped
	transports    []*transport
	calls         []*call
	routes        []*route
	shapes        Shapes
	withheld      string
	headers       map[string][]string
	hosts         []string
	sessions      []CRMSession
	annotations   map[string]string
	words         map[string]bool // of all names of fields: see changes.go
}

type globType struct {
	glob   glob
	entity *entity
}

// wrapped describes objects that stand for one value.
type wrapped struct {
	key   string
	kinds map[string]map[string]access.Shape
}

// Builtin returns the source of a profile that ships.
func Builtin(name string) ([]byte, error) {
	src, err := builtin.ReadFile("builtin/" + name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no profile %q ships with crmgate; there are: %s; or give the path of a file", name, strings.Join(BuiltinNames(), ", "))
	}
	return src, err
}

// BuiltinNames lists the profiles that ship.
func BuiltinNames() []string {
	entries, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(names)
	return names
}

// Live reports whether the profile was tried against a running CRM.
func (p *Profile) Live() bool { return strings.HasPrefix(p.Evidence, "live ") }

// Entities lists the profile's entities, for the vocabulary of policies.
func (p *Profile) Entities() []access.Entity {
	names := make([]access.Entity, 0, len(p.entities))
	for _, e := range p.entities {
		names = append(names, e.name)
	}
	return names
}

// Types lists the CRM's words for the records of an entity. One record can have several.
func (p *Profile) Types(name access.Entity) []string {
	var types []string
	for typ, e := range p.types {
		if e.name == name {
			types = append(types, typ)
		}
	}
	slices.Sort(types)
	return types
}

// Categories lists the categories that fields of an entity have, in the order
// of access.Categories, for the page that tells an employee what they see.
func (p *Profile) Categories(name access.Entity) []access.Category {
	has := map[access.Category]bool{}
	for _, e := range p.entities {
		if e.name == name {
			e.addCategories(has)
		}
	}
	var list []access.Category
	for _, c := range access.Categories() {
		if has[c] {
			list = append(list, c)
		}
	}
	return list
}

// Routes lists the transports and routes by name, for explain.
func (p *Profile) Routes() []string {
	var names []string
	for _, t := range p.transports {
		names = append(names, t.pattern.text)
	}
	for _, r := range p.routes {
		names = append(names, r.name)
	}
	return names
}

// EntityOf returns the entity of a type, by the CRM's own word; false where the
// profile knows none.
func (p *Profile) EntityOf(typ string) (access.Entity, bool) {
	e := p.entityOf(typ)
	if e == nil {
		return "", false
	}
	return e.name, true
}

// LeadsTo returns the entity of the records that a field of a type refers to; false
// where it is no relation.
func (p *Profile) LeadsTo(typ, name string) (access.Entity, bool) {
	e := p.entityOf(typ)
	if e == nil {
		return "", false
	}
	related, ok := p.relates(e, name)
	if !ok {
		return "", false
	}
	return p.EntityOf(related)
}
