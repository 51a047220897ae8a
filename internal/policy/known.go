package policy

import (
	"maps"
	"slices"
)

// Knows reports whether a role stands in the policy. One that doesn't may do
// nothing: where an administrator writes its name, it is a slip.
func (s *Snapshot) Knows(role string) bool {
	_, ok := s.numbers[role]
	return ok
}

// Roles are the roles that the policy speaks of, sorted.
func (s *Snapshot) Roles() []string { return slices.Sorted(maps.Keys(s.numbers)) }

// Facts are the facts that the lines of the policy name, sorted.
func (s *Snapshot) Facts() []string {
	names := map[string]bool{}
	for _, rules := range s.rules {
		for _, name := range facts(rules) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
