package policy

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// compiled is a plan with what the lines say of the action as a whole: for each
// entity, one stance per combination of fact states, indexed as the plan's
// verdicts are.
type compiled struct {
	plan  *access.Plan
	whole map[access.Entity][]stance
}

// stance is what an entity's lines say of the action as a whole.
type stance struct {
	allowed, denied bool
	line            string
}

func (c *compiled) stances(e access.Entity) []stance {
	if s, ok := c.whole[e]; ok {
		return s
	}
	return c.whole[access.AnyEntity]
}

// compilation is one run of the compiler: the lines of a role set about one
// action, by role.
type compilation struct {
	s      *Snapshot
	action access.Action
	roles  []string
	rules  map[string][]*rule
	names  []string
	// categories holds the groups of each category, itself included.
	categories map[access.Category]map[string]bool
}

// compile asks Casbin for everything that a plan holds. Callers hold s.mu.
func (s *Snapshot) compile(roles []string, action access.Action) (*compiled, error) {
	all, err := s.judge.inherited(roles)
	if err != nil {
		return nil, err
	}
	c := &compilation{s: s, action: action, roles: all, rules: make(map[string][]*rule), categories: make(map[access.Category]map[string]bool)}
	for _, cat := range judged() {
		c.categories[cat] = s.groups["g2"].reach(string(cat))
	}
	var every []*rule
	for _, role := range all {
		for _, r := range s.rules[role] {
			if r.is(action) {
				c.rules[role] = append(c.rules[role], r)
			}
		}
		every = append(every, c.rules[role]...)
	}
	c.names = facts(every)
	out := &compiled{
		plan: &access.Plan{
			Roles: roles, Action: action, Version: s.version, FactNames: c.names,
			Cells: make(map[access.Entity]map[access.Category][]access.Verdict),
		},
		whole: make(map[access.Entity][]stance),
	}
	for _, e := range append(c.named(every), access.AnyEntity) {
		cell, whole, err := c.entity(e)
		if err != nil {
			return nil, err
		}
		out.plan.Cells[e], out.whole[e] = cell, whole
	}
	return out, nil
}

// named lists the entities that a line names, itself or by a group. All others
// share the cell of access.AnyEntity.
func (c *compilation) named(rules []*rule) []access.Entity {
	words := make(map[string]bool)
	for _, r := range rules {
		if r.entity() != anyWord {
			words[r.entity()] = true
		}
	}
	var named []access.Entity
	for _, e := range c.s.entities {
		if c.s.groups["g3"].above(string(e), words) {
			named = append(named, e)
		}
	}
	return named
}

// entity compiles one entity: per role the lines that can speak of it are shown
// to Casbin, which judges them.
func (c *compilation) entity(e access.Entity) (map[access.Category][]access.Verdict, []stance, error) {
	words := c.s.groups["g3"].reach(string(e))
	shown := make(map[string][]*rule, len(c.roles))
	var every []*rule
	for _, role := range c.roles {
		for _, r := range c.rules[role] {
			if r.entity() == anyWord || words[r.entity()] {
				shown[role] = append(shown[role], r)
			}
		}
		every = append(every, shown[role]...)
	}
	local := newStates(facts(every))
	whole := make([]stance, local.count)
	cell := make(map[access.Category][]merged, len(judged()))
	for _, cat := range judged() {
		cell[cat] = make([]merged, local.count)
	}
	for _, role := range c.roles {
		if len(shown[role]) == 0 {
			continue
		}
		c.s.judge.show(shown[role])
		for i := range local.count {
			q := question{role: role, entity: e, action: c.action}
			q.holds, q.maybe = local.facts(i)
			if err := c.role(q, shown[role], i, whole, cell); err != nil {
				return nil, nil, err
			}
		}
	}
	return c.spread(local, whole, cell)
}

// role adds what one role's lines say in one combination of fact states.
func (c *compilation) role(q question, rules []*rule, i int, whole []stance, cell map[access.Category][]merged) error {
	a, err := c.s.judge.whole(q)
	if err != nil {
		return err
	}
	whole[i].add(a)
	for _, cat := range judged() {
		q.category = cat
		a, err := c.category(q, rules)
		if err != nil {
			return err
		}
		cell[cat][i].add(a)
	}
	return nil
}

// category finds the deciding line of one role: the nearest level at which any
// line gives a treatment, and at it the least revealing one. A deny line is the
// answer to whichever question comes first.
func (c *compilation) category(q question, rules []*rule) (answer, error) {
	for _, l := range levels(rules, q.entity, q.category, c.categories[q.category]) {
		q.nearEntity, q.nearCategory = l.entity, l.category
		for _, t := range l.treatments {
			q.treatment = t
			if a, err := c.s.judge.category(q); err != nil || a.rule != nil {
				return a, err
			}
		}
	}
	return answer{}, nil
}

// spread turns the states of one entity's own facts into those of all facts
// that the plan names.
func (c *compilation) spread(local states, whole []stance, cell map[access.Category][]merged) (map[access.Category][]access.Verdict, []stance, error) {
	all := newStates(c.names)
	stances := make([]stance, all.count)
	verdicts := make(map[access.Category][]access.Verdict, len(cell))
	for cat := range cell {
		verdicts[cat] = make([]access.Verdict, all.count)
	}
	for i := range all.count {
		from := local.index(all.at(i))
		stances[i] = whole[from]
		for cat, m := range cell {
			verdicts[cat][i] = m[from].verdict()
		}
	}
	return verdicts, stances, nil
}

// judged lists the categories that a policy decides about; the plan answers for
// the two others whatever a policy says.
func judged() []access.Category {
	return slices.DeleteFunc(access.Categories(), func(c access.Category) bool {
		return c == access.Public || c == access.Credential
	})
}
