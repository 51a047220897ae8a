package gate

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
)

// fieldNames are the fields that answers of this gate had, of those that a profile
// knows by a pattern alone. It holds names of fields, no values: what the profile
// doesn't know isn't taken in, since an object's keys can be values, too.
type fieldNames struct {
	mu    sync.RWMutex
	known map[typedName][]access.Category
}

type typedName struct{ typ, name string }

// Bounds of what is kept, and of the records of one answer that are looked at: those
// of a list have the same fields.
const (
	maxFieldNames = 5000
	namedRecords  = 8
)

var plainFieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// take takes in the fields of an answer.
func (n *fieldNames) take(p *profile.Profile, found *access.Found) {
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Record < 0 || f.Record >= namedRecords {
			continue
		}
		r := &found.Records[f.Record]
		name, _, _ := strings.Cut(f.Name, ".")
		if f.Entity != r.Entity || n.has(typedName{r.Type, name}, f.Categories) || !plainFieldName.MatchString(name) {
			continue
		}
		if said, ok := p.Says(r.Type, name); ok && !said.Related && !said.Public() {
			n.add(typedName{r.Type, name}, f.Categories)
		}
	}
}

func (n *fieldNames) has(of typedName, cats []access.Category) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	known, ok := n.known[of]
	return ok && !slices.ContainsFunc(cats, func(c access.Category) bool { return !slices.Contains(known, c) })
}

func (n *fieldNames) add(of typedName, cats []access.Category) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxFieldNames {
		n.known = map[typedName][]access.Category{}
	}
	all := slices.Clone(n.known[of])
	for _, c := range cats {
		if c != access.Public && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	n.known[of] = all
}

// fields lists those of a type, with the ones that the profile names.
func (n *fieldNames) fields(p *profile.Profile, typ string) []profile.NamedField {
	list := p.Fields(typ)
	n.mu.RLock()
	defer n.mu.RUnlock()
	for of, cats := range n.known {
		if of.typ != typ || slices.ContainsFunc(list, func(f profile.NamedField) bool { return f.Name == of.name }) {
			continue
		}
		list = append(list, profile.NamedField{Name: of.name, Categories: cats})
	}
	slices.SortFunc(list, func(a, b profile.NamedField) int { return strings.Compare(a.Name, b.Name) })
	return list
}
