package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// anyWord is the word that covers all: entities, categories or actions.
const anyWord = "*"

// The cells of a p line, as model.conf orders them.
const (
	cellRole = iota
	cellEntity
	cellCategory
	cellAction
	cellTreatment
	cellWhen
	cellEffect
	cellCount
)

const (
	allow = "allow"
	deny  = "deny"
)

// rule is a p line. Its cells go to Casbin as they are.
type rule struct {
	// said is what verdicts, entries and people see of the rule:
	// "file:line: text".
	said  string
	cells []string
}

func (r *rule) role() string     { return r.cells[cellRole] }
func (r *rule) entity() string   { return r.cells[cellEntity] }
func (r *rule) category() string { return r.cells[cellCategory] }
func (r *rule) action() string   { return r.cells[cellAction] }
func (r *rule) when() string     { return r.cells[cellWhen] }
func (r *rule) allows() bool     { return r.cells[cellEffect] == allow }

func (r *rule) treatment() access.Treatment {
	t, _ := access.ParseTreatment(r.cells[cellTreatment])
	return t
}

// is reports whether the rule speaks of an action.
func (r *rule) is(a access.Action) bool {
	return r.action() == anyWord || r.action() == string(a)
}

// link is a g, g2 or g3 line: member belongs to group, or inherits it.
type link struct {
	file          string
	line          int
	ptype         string
	member, group string
}

func (l *link) where() string { return fmt.Sprintf("%s:%d", l.file, l.line) }

// facts lists the facts that rules name, sorted.
func facts(rules []*rule) []string {
	var names []string
	for _, r := range rules {
		if r.when() != "" && !slices.Contains(names, r.when()) {
			names = append(names, r.when())
		}
	}
	slices.Sort(names)
	return names
}

// key identifies a line by its cells.
func key(cells []string) string { return strings.Join(cells, ",") }
