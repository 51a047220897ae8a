package trial

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// decided compares what becomes of the request, and reports whether the answer is
// to be judged.
func (t *trial) decided() bool {
	t.Decisions++
	may, must := t.mayRefuse(), t.mustRefuse()
	switch {
	case t.Refused != "" && !may:
		t.differs("the profile refuses it (%s), want %s", t.Refused, t.c.Decision)
	case t.Refused == "" && must && !t.refusedUnseen():
		t.differs("the profile lets it through and finds nothing that a policy could refuse it for, want %s", t.c.Decision)
	case t.Refused == "" && t.c.Decision == "pass" != t.passes():
		t.differs("pass is %v, want %s", t.passes(), t.c.Decision)
	case t.Refused == "" && t.c.Decision == "export-policy" && !t.exports():
		t.differs("it is no export to the profile, want %s", t.c.Decision)
	default:
		t.DecisionsOK++
	}
	if t.Refused != "" && !may {
		t.missed()
	}
	return t.Refused == ""
}

// mayRefuse reports whether the profile may refuse the request whatever the
// policy says: the fixture's author had that in mind, or a file for which it
// would need to know what was asked before.
func (t *trial) mayRefuse() bool {
	d := t.c.Decision
	return strings.Contains(d, "deny") || d == "export-policy"
}

// mustRefuse reports whether the request is refused to somebody who may see
// nothing: `deny`, and `deny-if-…` or `deny-mask-writeback`.
func (t *trial) mustRefuse() bool {
	return strings.HasPrefix(t.c.Decision, "deny") && !strings.HasPrefix(t.c.Decision, "deny-or-")
}

// refusedUnseen reports whether a policy that shows nothing refuses the request:
// it asks about what may not be seen, or writes it.
func (t *trial) refusedUnseen() bool {
	for _, a := range t.accesses() {
		for _, r := range a.Refs {
			if r.Role != access.RefSelect && slices.ContainsFunc(r.Categories, func(c access.Category) bool { return c != access.Public }) {
				return true
			}
		}
	}
	return false
}

func (t *trial) exports() bool {
	return slices.ContainsFunc(t.accesses(), func(a access.Access) bool { return a.Action == access.Export })
}

// missed counts what nobody looks for because the profile refused the request.
func (t *trial) missed() {
	t.Records, t.Values = len(t.c.Records), len(t.c.Personal)
	for _, raw := range t.c.Refs {
		t.Refs += max(len(names(raw)), 1)
	}
}

// names are the fields of one role; nil for a search without a field.
func names(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// refs compares the fields that the request names.
func (t *trial) refs() {
	roles := make([]string, 0, len(t.c.Refs))
	for role := range t.c.Refs {
		roles = append(roles, role)
	}
	slices.Sort(roles)
	for _, role := range roles {
		list := names(t.c.Refs[role])
		if list == nil {
			t.ref(role, "")
		}
		for _, name := range list {
			t.ref(role, name)
		}
	}
}

func (t *trial) ref(role, name string) {
	t.Refs++
	for _, a := range t.accesses() {
		for _, r := range a.Refs {
			if string(r.Role) == role && (name == "" || t.names(&r, name)) {
				t.RefsFound++
				return
			}
		}
	}
	if name == "" {
		name = "any field"
	}
	t.differs("the reference %s %s isn't found", role, name)
}

// names reports whether a reference is that of Type.field. A field behind a
// relation is named with the way that leads to it.
func (t *trial) names(r *access.Ref, name string) bool {
	name = strings.ReplaceAll(name, "/", ".") // as in an export's columns
	typ, ok := strings.CutSuffix(name, "."+r.Field)
	for whole := r.Field; !ok && strings.Contains(whole, "."); {
		whole = whole[:strings.LastIndexByte(whole, '.')]
		typ, ok = strings.CutSuffix(name, "."+whole) // a part of the field is asked about
	}
	if !ok {
		return false
	}
	if typ == string(r.Entity) {
		return true
	}
	entity, known := t.p.EntityOf(typ)
	if to, ok := t.p.LeadsTo(typ, r.Field); ok && to == r.Entity {
		return true // what a related record is shown by
	}
	return known && (entity == r.Entity || strings.Contains(r.Field, "."))
}
