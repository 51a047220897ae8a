package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// whole checks what no single line shows: words that lead nowhere, and more
// facts than a plan can hold.
func (p *parsed) whole() []error {
	if len(p.rules) == 0 {
		return []error{errors.New("the policy has no p line, so that every access would be refused; add one, or check the path")}
	}
	used := map[string]map[string]bool{"g": {}, "g2": {}, "g3": {}}
	for _, r := range p.rules {
		used["g"][r.role()] = true
		used["g2"][r.category()] = true
		used["g3"][r.entity()] = true
	}
	var errs []error
	for _, l := range p.links {
		errs = append(errs, p.leads(l, used[l.ptype]))
	}
	return append(errs, p.facts()...)
}

// leads refuses a link to a role or group that no p line speaks of, itself or
// through what it leads to in its turn: mostly a misspelling.
func (p *parsed) leads(l *link, used map[string]bool) error {
	if p.graphs[l.ptype].above(l.group, used) {
		return nil
	}
	hint := "write one, or take this line out"
	if near := nearest(l.group, sorted(used)); near != "" && near != anyWord {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	kind := "group"
	if l.ptype == "g" {
		kind = "role"
	}
	return fmt.Errorf("%s: no p line speaks of %s %q; %s", l.where(), kind, l.group, hint)
}

// facts refuses more facts for one action than a plan holds verdicts for.
func (p *parsed) facts() []error {
	var errs []error
	for _, a := range access.Actions() {
		var of []*rule
		for _, r := range p.rules {
			if r.is(a) {
				of = append(of, r)
			}
		}
		if names := facts(of); len(names) > maxFacts {
			errs = append(errs, fmt.Errorf("the lines for %s name %d facts, %d is the most: %s; use fewer",
				a, len(names), maxFacts, brief(strings.Join(names, ", "))))
		}
	}
	return errs
}

func sorted(set map[string]bool) []string {
	words := make([]string, 0, len(set))
	for w := range set {
		words = append(words, w)
	}
	slices.Sort(words)
	return words
}
