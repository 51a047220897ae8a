package desk

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Summary is what the entries of a record say together.
type Summary struct {
	// Answers is how many answers held the record, Employees by how many people
	// they were asked for.
	Answers, Employees int
	First, Last        time.Time
	Categories         []CategorySum
	// Changes is how many requests changed it, LastChange when one did last.
	Changes    int
	LastChange time.Time

	employees map[string]bool
	byName    map[access.Category]*CategorySum
}

// CategorySum is how often a category was shown.
type CategorySum struct {
	Category      access.Category
	Clear, Masked int
	// Last is when it was shown in clear last; zero: never.
	Last time.Time
}

func (s *Summary) take(e *audit.Entry, record string) {
	if slices.ContainsFunc(e.Changes, func(c access.Change) bool {
		return c.Outcome == access.Changed && ofRecord(&c, e.Disclosure, record)
	}) {
		s.Changes++
		s.LastChange = later(s.LastChange, e.Time)
	}
	if e.Disclosure == nil {
		return
	}
	if s.byName == nil {
		s.byName, s.employees = map[access.Category]*CategorySum{}, map[string]bool{}
	}
	treated := map[access.Category]access.Treatment{}
	held := false
	for _, r := range e.Disclosure.Records {
		if !isNamed(r.Record, record) {
			continue
		}
		held = true
		for c, how := range r.Treated {
			treated[c] = max(treated[c], how)
		}
	}
	if !held {
		return
	}
	s.Answers++
	s.employees[e.Employee] = true
	if s.Last.IsZero() {
		s.Last = e.Time
	}
	s.First = e.Time
	for c, how := range treated {
		if c == access.Public {
			continue
		}
		sum := s.byName[c]
		if sum == nil {
			sum = &CategorySum{Category: c}
			s.byName[c] = sum
		}
		if how != access.Clear {
			sum.Masked++
			continue
		}
		sum.Clear++
		if sum.Last.IsZero() {
			sum.Last = e.Time
		}
	}
}

// and adds what the entries of another node say.
func (s *Summary) and(o *Summary) *Summary {
	if s == nil {
		return o
	}
	o.Changes, o.LastChange = o.Changes+s.Changes, later(o.LastChange, s.LastChange)
	if s.byName == nil {
		return o
	}
	s.Changes, s.LastChange = o.Changes, o.LastChange
	s.Answers += o.Answers
	if s.First.IsZero() || !o.First.IsZero() && o.First.Before(s.First) {
		s.First = o.First
	}
	s.Last = later(s.Last, o.Last)
	maps.Copy(s.employees, o.employees)
	for c, sum := range o.byName {
		if had := s.byName[c]; had != nil {
			had.Clear, had.Masked, had.Last = had.Clear+sum.Clear, had.Masked+sum.Masked, later(had.Last, sum.Last)
		} else {
			s.byName[c] = sum
		}
	}
	return s
}

func (s *Summary) settle() {
	s.Employees = len(s.employees)
	for _, c := range slices.Collect(maps.Values(s.byName)) {
		s.Categories = append(s.Categories, *c)
	}
	slices.SortFunc(s.Categories, func(a, b CategorySum) int {
		return cmp.Or(cmp.Compare(b.Clear, a.Clear), cmp.Compare(b.Masked, a.Masked), cmp.Compare(a.Category, b.Category))
	})
}
