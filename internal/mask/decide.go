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

// verdicts remembers what was decided in one pass: records of one kind ask the
// same again and again.
type verdicts struct {
	known []known
	facts uint64 // of the record at hand, as about makes them comparable
	plan  *access.Plan
}

// known is a decision by what it depends on. Categories are known by their
// place in memory: fields of one name share them.
type known struct {
	entity     access.Entity
	categories *access.Category
	count      int
	facts      uint64
	decision
}

// maxKnown bounds the search among what is known.
const maxKnown = 32

// reset forgets everything.
func (v *verdicts) reset(plan *access.Plan) {
	clear(v.known)
	v.known, v.plan = v.known[:0], plan
}

// about turns to a record of which this is known.
func (v *verdicts) about(facts access.Facts) {
	v.facts = 0
	for i, name := range v.plan.FactNames {
		if i == 32 {
			return // decision knows that this isn't all
		}
		v.facts |= uint64(facts[name]) << (2 * i)
	}
}

func (v *verdicts) decision(f *access.FoundField, facts access.Facts) decision {
	var first *access.Category
	if len(f.Categories) > 0 {
		first = &f.Categories[0]
	}
	for i := range v.known {
		if k := &v.known[i]; k.categories == first && k.count == len(f.Categories) && k.facts == v.facts && k.entity == f.Entity {
			return k.decision
		}
	}
	d := decision{noted: noted(f.Categories)}
	if d.cat, d.tr = Decide(v.plan, f.Entity, f.Categories, facts); d.tr > access.Clear {
		d.tr = access.Drop // no treatment reveals more than clear
	}
	if len(v.known) < maxKnown && len(v.plan.FactNames) <= 32 {
		v.known = append(v.known, known{f.Entity, first, len(f.Categories), v.facts, d})
	}
	return d
}

// overdue hides what the plan would show of a record that may not be kept any longer.
// What is public stays.
func (d *decision) overdue(f *access.FoundField) {
	if len(f.Categories) == 1 && f.Categories[0] == access.Public {
		return
	}
	d.tr = min(d.tr, access.Hidden)
}
