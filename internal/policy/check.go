package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// checker holds the closed lists that cells are checked against. Casbin itself
// takes any word, a misspelt effect too, and then never matches it.
type checker struct {
	action, category, treatment, entity list
	categoryOrGroup, entityOrGroup      list
	when, effect                        list
}

func newChecker(vocab Vocabulary) *checker {
	c := &checker{
		action:    actionList(),
		category:  categoryList(),
		treatment: treatmentList(),
		entity:    newList("entity"),
		when:      newList("fact", "own", "reason", "consent:<purpose>", "consent:<purpose>:<channel>"),
		effect:    newList("effect", allow, deny),
	}
	for _, e := range vocab.Entities {
		c.entity.known[string(e)] = true
	}
	return c
}

// groups makes the groups that links name part of the lists, and refuses a
// member that is neither a word of the list nor a group.
func (c *checker) groups(links []*link) error {
	groups := map[string][]string{}
	for _, l := range links {
		groups[l.ptype] = append(groups[l.ptype], l.group)
	}
	c.categoryOrGroup = c.category.with(groups["g2"]...)
	c.entityOrGroup = c.entity.with(groups["g3"]...)
	var errs []error
	for _, l := range links {
		var err error
		switch l.ptype {
		case "g2":
			err = c.categoryOrGroup.check(l.member)
		case "g3":
			err = c.entityOrGroup.check(l.member)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: cell 2: %w", l.where(), err))
		}
	}
	c.categoryOrGroup = c.categoryOrGroup.with(anyWord)
	c.entityOrGroup = c.entityOrGroup.with(anyWord)
	return errors.Join(errs...)
}

func (c *checker) link(s *source) (*link, error) {
	l := &link{file: s.file, line: s.line, ptype: s.cells[0], member: s.cells[1], group: s.cells[2]}
	errs := []error{name("cell 2", l.member), name("cell 3", l.group)}
	switch l.ptype {
	case "g2":
		errs = append(errs, c.group(c.category, l.group))
		if slices.Contains([]access.Category{access.Unclassified, access.Credential, access.Public}, access.Category(l.member)) {
			errs = append(errs, fmt.Errorf("cell 2: %s can't stand in a group; name it in a line of its own", l.member))
		}
	case "g3":
		errs = append(errs, c.group(c.entity, l.group))
	}
	if err := s.fault(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// group refuses a group that goes by the name of what it groups: the lines
// about the one would then speak of the other.
func (c *checker) group(of list, group string) error {
	if of.known[group] {
		return fmt.Errorf("cell 3: group %q has the name of %s; give it another", group, article(of.of))
	}
	return nil
}

func article(noun string) string {
	if noun == "entity" || noun == "action" {
		return "an " + noun
	}
	return "a " + noun
}

func name(cell, word string) error {
	if plainWord.MatchString(word) {
		return nil
	}
	return fmt.Errorf("%s: %q is no name; use a-z, 0-9, _, . and -", cell, brief(word))
}

func (c *checker) rule(s *source) (*rule, error) {
	r := &rule{said: fmt.Sprintf("%s:%d: %s", s.file, s.line, s.text), cells: s.cells[1:]}
	errs := []error{
		name("cell 2 (role)", r.role()),
		at("cell 3", c.entityOrGroup.check(r.entity())),
		at("cell 4", c.categoryOrGroup.check(r.category())),
		at("cell 5", c.action.check(r.action())),
		at("cell 8", c.effect.check(r.cells[cellEffect])),
	}
	if r.when() != "" && !factWord.MatchString(r.when()) {
		errs = append(errs, at("cell 7", c.when.check(r.when())))
	}
	errs = append(errs, at("cell 6", c.treated(r)))
	if err := s.fault(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// treated checks the treatment: an allow line has one, a deny line needs none,
// and neither can say of a category what never happens.
func (c *checker) treated(r *rule) error {
	treatment := r.cells[cellTreatment]
	if treatment == "" {
		if r.allows() {
			return errors.New("an allow line needs a treatment: clear, partial, generalise, pseudonym, hidden or drop")
		}
	} else if err := c.treatment.check(treatment); err != nil {
		return err
	}
	if r.category() == string(access.Public) && (!r.allows() || treatment != access.Clear.String()) {
		return errors.New("public is always clear; write clear and allow, or take the line out")
	}
	if r.category() == string(access.Credential) && r.allows() && treatment != access.Hidden.String() {
		return errors.New("credentials are never shown; write hidden, or take the line out")
	}
	return nil
}

func at(cell string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", cell, err)
}
