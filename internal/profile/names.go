package profile

import (
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
)

// oddRunes are the characters of a name that field names rarely have: blanks,
// brackets, quotes and signs by which a CRM could read an alias (`email as status`,
// `status:email`), a function or another table.
func oddRunes(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("_-.$@#/*", r) {
			return -1
		}
		return r
	}, name)
}

// spells reports whether the entity lists a field by just that name, or by a pattern
// in which each of the odd characters stands.
func (e *entity) spells(name, odd string) bool {
	if e == nil {
		return false
	}
	name = e.key(name)
	if _, ok := e.exact[name]; ok || e.relations[name] != "" {
		return true
	}
	for i := range e.globs {
		if e.globs[i].glob.match(name) {
			return !strings.ContainsFunc(odd, func(r rune) bool { return !strings.ContainsRune(string(e.globs[i].glob), r) })
		}
	}
	return false
}

// plainRef refuses a name in a request that could be an expression: what it makes of
// other fields would stand in the answer under a field's name, or be asked about.
func (x *Exchange) plainRef(role access.RefRole, typ, name string, res *resolved) error {
	odd := oddRunes(name)
	if odd == "" || res.entity.spells(res.name, odd) || x.p.entityOf(typ).spells(name, odd) {
		return nil
	}
	return refuse("unknown_field", "A name in the request (%s) is no field's in the profile %s, and could be an expression.", role, x.p.Name)
}
