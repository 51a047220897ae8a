package policy

// Knows reports whether a role stands in the policy. One that doesn't may do
// nothing: where an administrator writes its name, it is a slip.
func (s *Snapshot) Knows(role string) bool {
	_, ok := s.numbers[role]
	return ok
}
