package policy

import "github.com/crmgate/crmgate/internal/access"

// states counts through all combinations of the states of some facts, in the
// order of a plan's verdicts: index = Σ state(names[i]) · 3^i.
type states struct {
	names []string
	count int
}

func newStates(names []string) states {
	s := states{names: names, count: 1}
	for range names {
		s.count *= 3
	}
	return s
}

// stateOf is the state that the lowest digit of an index stands for.
func stateOf(i int) access.FactState {
	return [...]access.FactState{access.FactUnknown, access.FactFalse, access.FactTrue}[i%3]
}

// at returns the combination with index i.
func (s states) at(i int) access.Facts {
	if len(s.names) == 0 {
		return nil
	}
	f := make(access.Facts, len(s.names))
	for _, name := range s.names {
		f[name] = stateOf(i)
		i /= 3
	}
	return f
}

// index returns the combination that f is, as far as the names go.
func (s states) index(f access.Facts) int {
	i, pow := 0, 1
	for _, name := range s.names {
		i += int(f[name]) * pow
		pow *= 3
	}
	return i
}

// facts returns the facts that are true in combination i, and those that are
// true or unknown, in the form that Casbin's `in` takes.
func (s states) facts(i int) (holds, maybe []any) {
	holds, maybe = []any{}, []any{}
	for _, name := range s.names {
		switch stateOf(i) {
		case access.FactTrue:
			holds, maybe = append(holds, name), append(maybe, name)
		case access.FactUnknown:
			maybe = append(maybe, name)
		case access.FactFalse:
		}
		i /= 3
	}
	return holds, maybe
}

// open calls f for each combination that agrees with the known facts: those
// that are unknown may be anything.
func (s states) open(known access.Facts, f func(i int)) {
	for i := range s.count {
		if s.agrees(i, known) {
			f(i)
		}
	}
}

func (s states) agrees(i int, known access.Facts) bool {
	for _, name := range s.names {
		if k := known[name]; k != access.FactUnknown && k != stateOf(i) {
			return false
		}
		i /= 3
	}
	return true
}
