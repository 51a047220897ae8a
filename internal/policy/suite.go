package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/crmgate/crmgate/internal/access"
)

// What a test can want beside a treatment and a reason.
const (
	wantAllowed = "allowed"
	wantRefused = "refused"
)

// Result is one case of a policy test.
type Result struct {
	Where string `json:"where"` // file:line
	Ask   string `json:"ask"`
	Want  string `json:"want"`
	Got   string `json:"got"`
	// Line is the policy line that decided, WantLine what the case wants of it.
	Line     string `json:"line"`
	WantLine string `json:"want_line,omitempty"`
	OK       bool   `json:"ok"`
}

// test is one case as it stands in the file:
//
//   - ask: sales+marketing read contact email
//     facts: {own: true}
//     want: clear
//     rule: p, sales, contact, *, read, clear, own, allow
//
// ask is roles, action, entity and category, parted by one space; without a
// category it asks about the action as a whole. want is a treatment, allowed,
// refused, or the reason of a refusal. rule is the text of the line that has to
// decide, or none.
type test struct {
	Ask   string          `yaml:"ask"`
	Facts map[string]bool `yaml:"facts"`
	Want  string          `yaml:"want"`
	Rule  string          `yaml:"rule"`
	line  int
}

// noRule is what a test says where no line decides.
const noRule = "none"

// RunTests runs a file of policy tests (YAML). The error is of the file, not of
// the policy: a case that fails is a Result that isn't OK. A file without a
// case is an error.
func (s *Snapshot) RunTests(f File) ([]Result, error) {
	tests, err := readTests(f)
	if err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(tests))
	var errs []error
	for _, t := range tests {
		r, err := s.run(t)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", f.Name, t.line, err))
			continue
		}
		r.Where = fmt.Sprintf("%s:%d", f.Name, t.line)
		results = append(results, r)
	}
	return results, errors.Join(errs...)
}

func readTests(f File) ([]test, error) {
	var nodes []yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(f.Bytes))
	if err := d.Decode(&nodes); err != nil {
		return nil, fmt.Errorf("reading policy tests %s: %w", f.Name, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading policy tests %s: a second document follows; put all cases into one list", f.Name)
	}
	tests := make([]test, len(nodes))
	for i := range nodes {
		if err := strict(&nodes[i], &tests[i]); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", f.Name, nodes[i].Line, err)
		}
		tests[i].line = nodes[i].Line
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("reading policy tests %s: the file holds no case", f.Name)
	}
	return tests, nil
}

// strict decodes one case and refuses keys that it doesn't know: a misspelt
// `facts` would otherwise ask another question.
func strict(node *yaml.Node, t *test) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("a case is a mapping of ask, facts, want and rule")
	}
	keys := newList("key", "ask", "facts", "want", "rule")
	for i := 0; i < len(node.Content); i += 2 {
		if err := keys.check(node.Content[i].Value); err != nil {
			return err
		}
	}
	return node.Decode(t)
}

func (s *Snapshot) run(t test) (Result, error) {
	q, err := s.question(t)
	if err != nil {
		return Result{}, err
	}
	r := Result{Ask: t.Ask, Want: t.Want, WantLine: t.Rule}
	d, err := s.DecideKnowing(q.roles, []access.Access{{Action: q.action, Entity: q.entity}}, q.facts)
	if err != nil {
		return Result{}, err
	}
	switch {
	case d.Refused:
		r.Got, r.Line = d.Reason, d.Line
		if t.Want == wantRefused && d.Reason != ReasonNoRole {
			r.Got = wantRefused
		}
	case q.category == "":
		r.Got = wantAllowed
	default:
		v := d.Plans[0].Verdict(q.entity, q.category, q.facts)
		r.Got, r.Line = v.Treatment.String(), v.Line
	}
	r.OK = r.Got == t.Want && ruled(t.Rule, r.Line)
	return r, nil
}

// ruled reports whether the line that decided is the one that a test wants.
func ruled(want, line string) bool {
	_, text, found := strings.Cut(line, ": p,")
	switch want {
	case "":
		return true
	case noRule:
		return !found
	}
	return found && words("p,"+text) == words(want)
}

// words takes the spaces out by which lines are aligned.
func words(line string) string { return strings.Join(strings.Fields(line), "") }

type testQuestion struct {
	roles    []string
	action   access.Action
	entity   access.Entity
	category access.Category
	facts    access.Facts
}

// question checks every word of a case: a misspelt one would be hidden or
// refused, which is what many cases want.
func (s *Snapshot) question(t test) (testQuestion, error) {
	ask := strings.Split(t.Ask, " ")
	if len(ask) < 3 || len(ask) > 4 {
		return testQuestion{}, fmt.Errorf("ask: %q has %d words; write roles, action, entity and category", brief(t.Ask), len(ask))
	}
	q := testQuestion{roles: strings.Split(ask[0], "+"), action: access.Action(ask[1]), entity: access.Entity(ask[2]), facts: access.Facts{}}
	entities := newList("entity")
	for _, e := range s.entities {
		entities.known[string(e)] = true
	}
	wants := treatmentList().with(wantRefused, ReasonNoRole, ReasonNoPolicy, ReasonDenied)
	errs := []error{at("ask", entities.check(ask[2]))}
	if !q.action.Valid() {
		errs = append(errs, at("ask", actionList().check(ask[1])))
	}
	if len(ask) == 4 {
		q.category = access.Category(ask[3])
		errs = append(errs, at("ask", categoryList().check(ask[3])))
	} else {
		wants = newList("decision", wantAllowed, wantRefused, ReasonNoRole, ReasonNoPolicy, ReasonDenied)
	}
	errs = append(errs, at("want", wants.check(t.Want)))
	for _, role := range q.roles {
		if _, ok := s.numbers[role]; !ok && t.Want != ReasonNoRole {
			errs = append(errs, fmt.Errorf("ask: the policy knows no role %q; a test of that wants %s", brief(role), ReasonNoRole))
		}
	}
	for name, holds := range t.Facts {
		if !factWord.MatchString(name) {
			errs = append(errs, fmt.Errorf("facts: %q is no fact", brief(name)))
		}
		q.facts[name] = access.FactFalse
		if holds {
			q.facts[name] = access.FactTrue
		}
	}
	return q, errors.Join(errs...)
}
