package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// asked is what a question asks about in the records of one entity: a policy
// can show the same category in one entity and hide it in another.
type asked struct {
	entity     access.Entity
	categories []access.Category
}

// parts returns what a question about a field asks about: its parts where it is
// searched as a composite, the related record's display where it is a relation,
// the field itself otherwise.
func (p *Profile) parts(role access.RefRole, r resolved) []asked {
	q := &question{p: p, role: role, seen: map[[2]string]bool{}}
	q.follow(r)
	if len(q.found) == 0 {
		q.add(entityName(r.entity, r.typ), unclassified())
	}
	return q.found
}

// displayed are the categories of the field by which a record of that type is
// shown where another one refers to it.
func (p *Profile) displayed(typ string) []access.Category {
	e := p.entityOf(typ)
	if e == nil || e.display == "" {
		return unclassified()
	}
	return e.lookup(e.display, false).categories
}

// question follows composites into their parts. A part that leads back to
// where it came from adds nothing.
type question struct {
	p     *Profile
	role  access.RefRole
	seen  map[[2]string]bool
	found []asked
}

func (q *question) follow(r resolved) {
	if s, ok := q.composite(r); ok {
		at := [2]string{r.typ, r.name}
		if q.seen[at] {
			return
		}
		q.seen[at] = true
		for _, part := range s.Parts {
			q.follow(q.p.resolve(r.typ, strings.Split(part, ".")))
		}
		return
	}
	if r.related == "" {
		q.add(entityName(r.entity, r.typ), r.field.categories)
		return
	}
	e := q.p.entityOf(r.related)
	if e == nil || e.display == "" {
		q.add(entityName(e, r.related), unclassified())
		return
	}
	q.follow(q.p.resolve(r.related, []string{e.display}))
}

func (q *question) composite(r resolved) (searchSpec, bool) {
	if r.entity == nil || q.role != access.RefFilter && q.role != access.RefSearch {
		return searchSpec{}, false
	}
	s, ok := r.entity.search[r.name]
	return s, ok
}

func (q *question) add(e access.Entity, cats []access.Category) {
	i := slices.IndexFunc(q.found, func(a asked) bool { return a.entity == e })
	if i < 0 {
		i = len(q.found)
		q.found = append(q.found, asked{entity: e})
	}
	q.found[i].categories = unique(append(q.found[i].categories, cats...))
}
