package policy

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// add merges one role's answer: a deny stays, an allow stays until one comes.
func (s *stance) add(a answer) {
	switch {
	case a.rule == nil || s.denied:
	case a.denied:
		*s = stance{denied: true, line: a.rule.said}
	case !s.allowed:
		*s = stance{allowed: true, line: a.rule.said}
	}
}

// merged is the verdict of the roles seen so far: the most revealing among
// them, and a deny before all.
type merged struct {
	rule   *rule
	denied bool
}

func (m *merged) add(a answer) {
	switch {
	case a.rule == nil || m.denied:
	case a.denied || m.rule == nil || a.rule.treatment() > m.rule.treatment():
		m.rule, m.denied = a.rule, a.denied
	}
}

// noLine is the default: what no line speaks of is hidden.
const noLine = "no line: hidden"

func (m *merged) verdict() access.Verdict {
	switch {
	case m.rule == nil:
		return access.Verdict{Treatment: access.Hidden, Line: noLine}
	case m.denied:
		return access.Verdict{Treatment: access.Hidden, Line: m.rule.said}
	}
	return access.Verdict{Treatment: m.rule.treatment(), Allowed: true, Line: m.rule.said}
}

// level is a pair of nearnesses at which rules may have an answer, and the
// treatments to ask for, the least revealing first.
type level struct {
	entity, category string
	treatments       []access.Treatment
}

// levels lists the levels in order, the nearest first, so that Casbin isn't
// asked where no line could answer. The groups are those of the category, and
// itself. It may list too much, never too little: the judgement is Casbin's.
func levels(rules []*rule, e access.Entity, c access.Category, groups map[string]bool) []level {
	type pair struct{ entity, category string }
	found := make(map[pair][]access.Treatment)
	for _, r := range rules {
		if r.category() != anyWord && !groups[r.category()] {
			continue
		}
		p := pair{nearness(r.entity(), string(e)), nearness(r.category(), string(c))}
		found[p] = append(found[p], r.treatment())
	}
	var out []level
	for _, entity := range []string{self, group, anyNear} {
		for _, category := range []string{self, group, anyNear} {
			ts := found[pair{entity, category}]
			if len(ts) == 0 {
				continue
			}
			slices.Sort(ts)
			out = append(out, level{entity, category, slices.Compact(ts)})
		}
	}
	return out
}

// nearness says how near a line's word is to what is asked about.
func nearness(word, asked string) string {
	switch word {
	case anyWord:
		return anyNear
	case asked:
		return self
	}
	return group
}
