package gate

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// noted collects what was found and changed in the documents of an answer.
type noted struct {
	plan   *access.Plan
	places []crmgate.MaskedPlace
	found  map[foundKind]int
}

type foundKind struct {
	entity   access.Entity
	category access.Category
}

// document notes one masked document.
func (n *noted) document(t *doc.Tree, found *access.Found, plan *access.Plan, res mask.Result) {
	n.plan = plan
	if n.found == nil {
		n.found = map[foundKind]int{}
	}
	for i := range found.Fields {
		f := &found.Fields[i]
		for _, c := range f.Categories {
			n.found[foundKind{f.Entity, c}]++
		}
	}
	owner := owners(t, found)
	for _, e := range res.Edits {
		if p, own := place(t, found, plan, owner, e); own {
			n.places = append(n.places, p)
		}
	}
}

// owners returns, by node, 1 + the index of the field that the node belongs to:
// its own, or that of the nearest container.
func owners(t *doc.Tree, found *access.Found) []int {
	owner := make([]int, len(t.Nodes))
	for i := range found.Fields {
		owner[found.Fields[i].Node] = i + 1
	}
	for i := 1; i < len(owner); i++ {
		if owner[i] == 0 {
			owner[i] = owner[t.Nodes[i].Parent]
		}
	}
	return owner
}

// place says what was changed by one edit, and false where the edit is that of a
// document in a text, whose own places are noted already. The edit of a value
// that is taken out begins before it, at its key or its comma.
func place(t *doc.Tree, found *access.Found, plan *access.Plan, owner []int, e doc.Edit) (crmgate.MaskedPlace, bool) {
	p := crmgate.MaskedPlace{Shown: string(e.With), Treatment: "second pass", Line: "a value that is masked elsewhere in the answer"}
	for i := range found.Withheld {
		if w := &t.Nodes[found.Withheld[i].Node]; w.Start == e.Start && w.End == e.End {
			p.Treatment, p.Line = "withheld", "a text that can hold any value: "+string(found.Withheld[i].Entity)+" is not clear as a whole"
			return p, !found.Withheld[i].Masked
		}
	}
	node := sort.Search(len(t.Nodes), func(i int) bool { return t.Nodes[i].Start >= e.Start })
	if node == len(t.Nodes) || t.Nodes[node].Start >= max(e.End, e.Start+1) {
		node = max(node-1, 0)
	}
	if owner[node] == 0 {
		return p, true
	}
	f := &found.Fields[owner[node]-1]
	var facts access.Facts
	if f.Record >= 0 {
		facts = found.Records[f.Record].Facts
		p.Record = found.Records[f.Record].String()
	}
	p.Field = f.Name
	if c, tr := mask.Decide(plan, f.Entity, f.Categories, facts); tr != access.Clear {
		p.Category, p.Treatment, p.Line = c, tr.String(), plan.Verdict(f.Entity, c, facts).Line
	}
	return p, true
}

// explain adds the changed places, and the lines that decided for each category
// found.
func (n *noted) explain(e *crmgate.Explanation, s *policy.Snapshot) error {
	e.Masked = n.places
	for k, count := range n.found {
		c := crmgate.ExplainedCategory{Entity: k.entity, Category: k.category, Fields: count}
		v := n.plan.Verdict(k.entity, k.category, nil)
		c.Treatment, c.Line = v.Treatment.String(), v.Line
		if n.plan.Action != "" {
			lines, _, err := s.Explain(e.Roles, n.plan.Action, k.entity, k.category, nil)
			if err != nil {
				return fmt.Errorf("explaining %s of %s: %w", k.category, k.entity, err)
			}
			for _, l := range lines {
				c.Considered = append(c.Considered, l.Line)
			}
		}
		e.Categories = append(e.Categories, c)
	}
	slices.SortFunc(e.Categories, func(a, b crmgate.ExplainedCategory) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Category, b.Category))
	})
	return nil
}
