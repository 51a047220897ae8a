package policy

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// meet is the plan that reveals, of everything, what the most reserved of the
// plans does. The answer to several accesses at once is masked by it. Its
// action is empty when the plans are for several.
func meet(plans []*access.Plan) *access.Plan {
	var names []string
	cells := make(map[access.Entity]bool)
	for _, p := range plans {
		names = append(names, p.FactNames...)
		for e := range p.Cells {
			cells[e] = true
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	exact := len(names) <= maxFacts
	if !exact {
		// Too many combinations to hold: facts no longer open anything.
		names = nil
	}
	out := &access.Plan{
		Roles: plans[0].Roles, Version: plans[0].Version, FactNames: names,
		Cells: make(map[access.Entity]map[access.Category][]access.Verdict, len(cells)),
	}
	all := newStates(names)
	for e := range cells {
		cell := make(map[access.Category][]access.Verdict)
		for _, c := range judged() {
			cell[c] = make([]access.Verdict, all.count)
			for i := range all.count {
				cell[c][i] = least(plans, func(p *access.Plan) []access.Verdict {
					if exact {
						return []access.Verdict{p.Verdict(e, c, all.at(i))}
					}
					return open(p, e, c, nil)
				})
			}
		}
		out.Cells[e] = cell
	}
	return out
}

// least is the least revealing of the plans' verdicts.
func least(plans []*access.Plan, verdicts func(*access.Plan) []access.Verdict) access.Verdict {
	var out access.Verdict
	first := true
	for _, p := range plans {
		for _, v := range verdicts(p) {
			if first || v.Treatment < out.Treatment || (v.Treatment == out.Treatment && !v.Allowed) {
				out, first = v, false
			}
		}
	}
	return out
}

// open lists what a plan can say of a category where the facts that aren't
// known may be in any state.
func open(p *access.Plan, e access.Entity, c access.Category, known access.Facts) []access.Verdict {
	cells, ok := p.Cells[e]
	if !ok {
		cells = p.Cells[access.AnyEntity]
	}
	all := cells[c]
	if c == access.Public || c == access.Credential || all == nil {
		return []access.Verdict{p.Verdict(e, c, known)}
	}
	var out []access.Verdict
	newStates(p.FactNames).open(known, func(i int) { out = append(out, all[i]) })
	return out
}
