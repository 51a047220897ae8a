package policy

import (
	"fmt"

	"github.com/crmgate/crmgate/internal/access"
)

// Line is a policy line in an explanation.
type Line struct {
	// Line is "file:line: text".
	Line string `json:"line"`
	// Role is the employee's role, own or inherited, that the line is of.
	Role string `json:"role"`
	// Near says how near the line is: the entity's nearness and the
	// category's, each of them self, group or any.
	Near string `json:"near"`
	// Holds says that the line's condition is met by the facts.
	Holds bool `json:"holds"`
	// Decided marks the line that decided.
	Decided bool `json:"decided"`
}

// Explain lists the lines that speak of a category of an entity for these roles
// and this action, in the order of the files, and marks the one that decided.
// None is marked where a default decided; the verdict names it. Public and
// credential are decided by no line.
func (s *Snapshot) Explain(roles []string, action access.Action, e access.Entity, c access.Category, known access.Facts) ([]Line, access.Verdict, error) {
	p, err := s.Plan(roles, action)
	if err != nil {
		return nil, access.Verdict{}, fmt.Errorf("explaining: %w", err)
	}
	v := p.Verdict(e, c, known)
	s.mu.Lock()
	all, err := s.judge.inherited(s.known(roles))
	s.mu.Unlock()
	if err != nil {
		return nil, access.Verdict{}, fmt.Errorf("explaining: %w", err)
	}
	entities, categories := s.groups["g3"].reach(string(e)), s.groups["g2"].reach(string(c))
	var lines []Line
	for _, role := range all {
		for _, r := range s.rules[role] {
			if !r.is(action) || (r.entity() != anyWord && !entities[r.entity()]) || !r.covers(c, categories) {
				continue
			}
			lines = append(lines, Line{
				Line: r.said, Role: role, Holds: r.holds(known), Decided: r.said == v.Line,
				Near: nearness(r.entity(), string(e)) + " " + nearness(r.category(), string(c)),
			})
		}
	}
	return lines, v, nil
}

// covers reports whether the rule speaks of a category, whose groups are given.
func (r *rule) covers(c access.Category, groups map[string]bool) bool {
	if r.category() != anyWord {
		return groups[r.category()]
	}
	return c != access.Unclassified || !r.allows()
}

// holds reports whether the rule's condition is met: what is unknown meets a
// deny and never an allow.
func (r *rule) holds(known access.Facts) bool {
	switch {
	case r.when() == "":
		return true
	case r.allows():
		return known[r.when()] == access.FactTrue
	}
	return known[r.when()] != access.FactFalse
}
