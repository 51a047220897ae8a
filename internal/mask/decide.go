package mask

import "github.com/crmgate/crmgate/internal/access"

// Decide returns how a value that can hold these categories is treated: the
// least revealing verdict among them, and the category that it came from (the
// first one where several are equal). No category is the unclassified one. What
// no line allows is at most hidden.
func Decide(plan *access.Plan, e access.Entity, cats []access.Category, facts access.Facts) (access.Category, access.Treatment) {
	if len(cats) == 0 {
		return access.Unclassified, verdict(plan, e, access.Unclassified, facts)
	}
	cat, tr := cats[0], verdict(plan, e, cats[0], facts)
	for _, c := range cats[1:] {
		if v := verdict(plan, e, c, facts); v < tr {
			cat, tr = c, v
		}
	}
	return cat, tr
}

func verdict(plan *access.Plan, e access.Entity, c access.Category, facts access.Facts) access.Treatment {
	v := plan.Verdict(e, c, facts)
	if !v.Allowed {
		return min(v.Treatment, access.Hidden)
	}
	return v.Treatment
}

// everythingClear reports whether a text that can carry any value of the
// entity may be shown: each category that a person's data can have is always
// clear. Credentials and what is unclassified are left out: nobody is allowed
// the former, and no profile says where the latter would come from.
func everythingClear(plan *access.Plan, e access.Entity) bool {
	for _, c := range access.Categories() {
		switch c {
		case access.Public, access.Credential, access.Unclassified:
			continue
		}
		if _, ok := plan.AlwaysClear(e, c); !ok {
			return false
		}
	}
	return true
}
