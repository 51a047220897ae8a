package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"

	"github.com/crmgate/crmgate/internal/access"
)

// The nearness of a line to what is asked about, as model.conf names it.
const (
	self    = "self"
	group   = "group"
	anyNear = "any"
)

// judge puts questions to Casbin. Casbin reads every line for every question,
// so the judge shows it only the lines that can have an answer. Not safe for
// concurrent use.
type judge struct {
	enforcer *casbin.Enforcer
	lines    *model.Assertion
	rules    map[string]*rule
}

// newJudge reads the model and refuses one that the compiler's questions don't
// fit.
func newJudge(text []byte, links []*link) (*judge, error) {
	m, err := model.NewModelFromString(string(text))
	if err != nil {
		return nil, err
	}
	for _, want := range []struct {
		section, key string
		tokens       []string
	}{
		{"r", "r2", []string{"r2_role", "r2_entity", "r2_category", "r2_action", "r2_treatment", "r2_near_entity", "r2_near_category", "r2_holds", "r2_maybe"}},
		{"p", "p", []string{"p_role", "p_entity", "p_category", "p_action", "p_treatment", "p_when", "p_eft"}},
		{"g", "g", nil},
		{"g", "g2", nil},
		{"g", "g3", nil},
		{"e", "e", nil},
		{"m", "m2", nil},
		{"m", "m3", nil},
	} {
		a, err := m.GetAssertion(want.section, want.key)
		if err != nil {
			return nil, fmt.Errorf("%w; use the model.conf that ships", err)
		}
		if want.tokens != nil && !slices.Equal(a.Tokens, want.tokens) {
			return nil, fmt.Errorf("definition %s isn't the one that the plan compiler asks by; use the model.conf that ships", want.key)
		}
	}
	for _, l := range links {
		if err := m.AddPolicy("g", l.ptype, []string{l.member, l.group}); err != nil {
			return nil, fmt.Errorf("%s: %w", l.where(), err)
		}
	}
	e, err := casbin.NewEnforcer(m, false) // false: no logging, lines hold role names
	if err != nil {
		return nil, err
	}
	if err := e.BuildRoleLinks(); err != nil {
		return nil, fmt.Errorf("linking roles: %w", err)
	}
	return &judge{enforcer: e, lines: e.GetModel()["p"]["p"]}, nil
}

// try asks both questions once: Casbin reads a matcher only when it is first
// asked by it, and a model that can't be asked shall not load.
func (j *judge) try(r *rule) error {
	j.show([]*rule{r})
	q := question{
		role: r.role(), entity: access.Entity(r.entity()), category: access.Category(r.category()), action: access.Read,
		nearEntity: self, nearCategory: self, holds: []any{}, maybe: []any{},
	}
	if _, err := j.category(q); err != nil {
		return err
	}
	_, err := j.whole(q)
	return err
}

// inherited returns the roles and all that they inherit, sorted.
func (j *judge) inherited(roles []string) ([]string, error) {
	all := slices.Clone(roles)
	for _, role := range roles {
		more, err := j.enforcer.GetNamedImplicitRolesForUser("g", role)
		if err != nil {
			return nil, fmt.Errorf("asking Casbin what role %s inherits: %w", role, err)
		}
		all = append(all, more...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// show makes rules the lines that Casbin sees.
func (j *judge) show(rules []*rule) {
	j.rules = make(map[string]*rule, len(rules))
	j.lines.Policy = make([][]string, len(rules))
	for i, r := range rules {
		j.rules[key(r.cells)] = r
		j.lines.Policy[i] = r.cells
	}
}

// question is one question to Casbin about the lines it is shown.
type question struct {
	role         string
	entity       access.Entity
	category     access.Category
	action       access.Action
	treatment    access.Treatment
	nearEntity   string
	nearCategory string
	// holds and maybe are the facts that are true, and true or unknown.
	holds, maybe []any
}

// answer is the line that decided, nil where none speaks to the question.
type answer struct {
	rule   *rule
	denied bool
}

// category asks whether a line of this nearness gives this treatment.
func (j *judge) category(q question) (answer, error) { return j.ask("m2", q) }

// whole asks whether the action may be done to the entity at all.
func (j *judge) whole(q question) (answer, error) { return j.ask("m3", q) }

func (j *judge) ask(matcher string, q question) (answer, error) {
	if len(j.lines.Policy) == 0 {
		return answer{}, nil
	}
	by := casbin.EnforceContext{RType: "r2", PType: "p", EType: "e", MType: matcher}
	ok, cells, err := j.enforcer.EnforceEx(by, q.role, string(q.entity), string(q.category), string(q.action),
		q.treatment.String(), q.nearEntity, q.nearCategory, q.holds, q.maybe)
	if err != nil {
		return answer{}, fmt.Errorf("asking Casbin about %s of %s: %w", q.action, q.entity, err)
	}
	if len(cells) == 0 {
		if ok {
			return answer{}, errors.New("casbin allows without a line; use the model.conf that ships")
		}
		return answer{}, nil
	}
	r := j.rules[key(cells)]
	if r == nil || r.allows() != ok {
		return answer{}, fmt.Errorf("casbin names a line that doesn't say what it answers (%s of %s); use the model.conf that ships", q.action, q.entity)
	}
	return answer{rule: r, denied: !ok}, nil
}
