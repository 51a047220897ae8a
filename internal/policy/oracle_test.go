package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"

	"github.com/crmgate/crmgate/internal/access"
)

// randomPolicy is a policy made by chance, held apart from everything that the
// loader and the compiler make of it.
type randomPolicy struct {
	lines []randomLine
	// up are the links of g, g2 and g3: member to groups.
	up map[string]map[string][]string
}

type randomLine struct{ role, entity, category, action, treatment, when, eft string }

func (l randomLine) String() string {
	return strings.Join([]string{"p", l.role, l.entity, l.category, l.action, l.treatment, l.when, l.eft}, ", ")
}

// leads reports whether from is to, or leads to it.
func (p *randomPolicy) leads(ptype, from, to string) bool {
	if from == to {
		return true
	}
	return slices.ContainsFunc(p.up[ptype][from], func(up string) bool { return p.leads(ptype, up, to) })
}

func (p *randomPolicy) text() string {
	var b strings.Builder
	for ptype, ups := range p.up {
		for member, groups := range ups {
			for _, group := range groups {
				fmt.Fprintf(&b, "%s, %s, %s\n", ptype, member, group)
			}
		}
	}
	for _, l := range p.lines {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

var (
	someRoles    = []string{"ada", "ben", "cleo", "dan"}
	someEntities = []access.Entity{"contact", "lead", "account"}
	someFacts    = []string{"own", "reason"}
)

func makePolicy(r *rand.Rand) *randomPolicy {
	p := &randomPolicy{up: map[string]map[string][]string{"g": {}, "g2": {}, "g3": {}}}
	entities := []string{"contact", "lead", "person", "being", "*"}
	categories := []string{"name", "email", "bank", "unclassified", "contact_data", "soft", "*", "*"}
	for range 4 + r.IntN(14) {
		l := randomLine{
			role: pick(r, someRoles), entity: pick(r, entities), category: pick(r, categories),
			action: pick(r, []string{"read", "read", "update", "*"}), eft: "allow",
			treatment: pick(r, access.Treatments()).String(),
			when:      pick(r, []string{"", "", "", "own", "reason"}),
		}
		if r.IntN(8) == 0 {
			l.eft, l.treatment = "deny", ""
		}
		if !slices.Contains(p.lines, l) {
			p.lines = append(p.lines, l)
		}
	}
	// Links only go where a p line is, and only one way, so that the policy
	// loads.
	p.link("g2", func(l randomLine) string { return l.category }, "email", "contact_data")
	p.link("g2", func(l randomLine) string { return l.category }, "name", "soft")
	p.link("g2", func(l randomLine) string { return l.category }, "contact_data", "soft")
	p.link("g3", func(l randomLine) string { return l.entity }, "contact", "person")
	p.link("g3", func(l randomLine) string { return l.entity }, "account", "being")
	p.link("g3", func(l randomLine) string { return l.entity }, "person", "being")
	for i, heir := range someRoles {
		for _, role := range someRoles[i+1:] {
			if r.IntN(3) == 0 {
				p.link("g", func(l randomLine) string { return l.role }, heir, role)
			}
		}
	}
	return p.prune()
}

func (p *randomPolicy) link(ptype string, word func(randomLine) string, member, group string) {
	for _, l := range p.lines {
		if word(l) == group {
			p.up[ptype][member] = append(p.up[ptype][member], group)
			return
		}
	}
}

// prune takes out the lines about groups that came to have no member, and the
// links between groups of which the lower has none.
func (p *randomPolicy) prune() *randomPolicy {
	known := func(ptype string, words ...string) func(string) bool {
		return func(w string) bool {
			if slices.Contains(words, w) {
				return true
			}
			for _, groups := range p.up[ptype] {
				if slices.Contains(groups, w) {
					return true
				}
			}
			return false
		}
	}
	category := known("g2", "name", "email", "bank", "unclassified", "*")
	entity := known("g3", "contact", "lead", "account", "*")
	for member := range p.up["g2"] {
		if !category(member) {
			delete(p.up["g2"], member)
		}
	}
	for member := range p.up["g3"] {
		if !entity(member) {
			delete(p.up["g3"], member)
		}
	}
	p.lines = slices.DeleteFunc(p.lines, func(l randomLine) bool { return !category(l.category) || !entity(l.entity) })
	return p
}

// nearOf says how near a line's word is to what is asked about: 0 is the thing
// itself, 3 is no match.
func (p *randomPolicy) nearOf(ptype, word, asked string) int {
	switch {
	case word == asked:
		return 0
	case word == "*":
		return 2
	case p.leads(ptype, asked, word):
		return 1
	}
	return 3
}

// about reports whether a line speaks of what is asked about, and how near.
func (p *randomPolicy) about(l randomLine, roles []string, action access.Action, e access.Entity, c access.Category) (near int, ok bool) {
	mine := slices.ContainsFunc(roles, func(r string) bool { return p.leads("g", r, l.role) })
	ne, nc := p.nearOf("g3", l.entity, string(e)), p.nearOf("g2", l.category, string(c))
	if !mine || ne == 3 || nc == 3 || (l.action != "*" && l.action != string(action)) {
		return 0, false
	}
	return ne*3 + nc, l.eft == "deny" || c != access.Unclassified || nc == 0
}

// verdict is what the rules of DESIGN.md chapter 6 say, read line by line.
func (p *randomPolicy) verdict(roles []string, action access.Action, e access.Entity, c access.Category, facts access.Facts) (access.Treatment, bool) {
	type find struct {
		near      int
		treatment access.Treatment
	}
	found := map[string]find{}
	for _, l := range p.lines {
		near, ok := p.about(l, roles, action, e, c)
		if !ok {
			continue
		}
		if l.eft == "deny" {
			if l.when == "" || facts[l.when] != access.FactFalse {
				return access.Hidden, false
			}
			continue
		}
		if l.when != "" && facts[l.when] != access.FactTrue {
			continue
		}
		t, _ := access.ParseTreatment(l.treatment)
		best, ok := found[l.role]
		if !ok || near < best.near || (near == best.near && t < best.treatment) {
			found[l.role] = find{near, t}
		}
	}
	if len(found) == 0 {
		return access.Hidden, false
	}
	most := access.Drop
	for _, f := range found {
		most = max(most, f.treatment)
	}
	return most, true
}

// whole says whether the action is allowed at all in one state of the facts.
func (p *randomPolicy) whole(roles []string, action access.Action, e access.Entity, facts access.Facts) (allowed, denied bool) {
	for _, l := range p.lines {
		mine := slices.ContainsFunc(roles, func(r string) bool { return p.leads("g", r, l.role) })
		if !mine || p.nearOf("g3", l.entity, string(e)) == 3 || (l.action != "*" && l.action != string(action)) {
			continue
		}
		if l.eft == "deny" {
			denied = denied || l.category == "*" && (l.when == "" || facts[l.when] != access.FactFalse)
		} else {
			allowed = allowed || l.when == "" || facts[l.when] == access.FactTrue
		}
	}
	return allowed && !denied, denied
}

func roleSets() [][]string {
	return [][]string{{"ada"}, {"ben"}, {"cleo"}, {"dan"}, {"ada", "dan"}, {"ben", "cleo"}, {"dan", "cleo", "ben", "ada"}}
}

func loadRandom(t *testing.T, p *randomPolicy) *Snapshot {
	t.Helper()
	s, err := Load([]File{{Name: "random.csv", Bytes: []byte(p.text())}}, modelConf(t), Vocabulary{Entities: someEntities})
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, p.text())
	}
	return s
}

func TestPlansAgreeWithTheRulesReadLineByLine(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		agree(t, seed)
	}
}

// FuzzPlans goes on with policies that the test doesn't reach.
func FuzzPlans(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(agree)
}

func agree(t *testing.T, seed uint64) {
	t.Helper()
	p := makePolicy(rand.New(rand.NewPCG(seed, 7)))
	if len(p.lines) == 0 {
		return
	}
	s := loadRandom(t, p)
	for _, roles := range roleSets() {
		known := s.known(roles)
		for _, action := range []access.Action{access.Read, access.Update, access.Export} {
			compareAll(t, seed, s, p, known, action)
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d:\n%s", seed, p.text())
	}
}

func compareAll(t *testing.T, seed uint64, s *Snapshot, p *randomPolicy, roles []string, action access.Action) {
	t.Helper()
	c, err := s.plan(roles, action)
	if err != nil {
		t.Fatal(err)
	}
	all := newStates(someFacts)
	for _, e := range append(slices.Clone(someEntities), "elsewhere") {
		for i := range all.count {
			facts := all.at(i)
			for _, cat := range judged() {
				treatment, allowed := p.verdict(roles, action, e, cat, facts)
				if v := c.plan.Verdict(e, cat, facts); v.Treatment != treatment || v.Allowed != allowed {
					t.Errorf("seed %d: %v %s %s.%s %v: plan says %s %v by %q, the rules %s %v",
						seed, roles, action, e, cat, facts, v.Treatment, v.Allowed, v.Line, treatment, allowed)
				}
			}
			allowed, denied := p.whole(roles, action, e, facts)
			if st := c.stances(e)[newStates(c.plan.FactNames).index(facts)]; st.allowed != allowed || st.denied != denied {
				t.Errorf("seed %d: %v %s %s %v: as a whole %+v, the rules say %v %v", seed, roles, action, e, facts, st, allowed, denied)
			}
		}
	}
}

// An auditor may take model.conf and a policy to any Casbin and ask the plain
// question; the answer is the plan's where nothing is known of the record.
func TestStockCasbinAnswersThePlainQuestionAsThePlanDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	model := filepath.Join(dir, "model.conf")
	if err := os.WriteFile(model, modelConf(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(12) {
		p := makePolicy(rand.New(rand.NewPCG(seed, 11)))
		if len(p.lines) == 0 {
			continue
		}
		s := loadRandom(t, p)
		file := filepath.Join(dir, "policy.csv")
		if err := os.WriteFile(file, []byte(p.text()), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := casbin.NewEnforcer(model, file)
		if err != nil {
			t.Fatal(err)
		}
		askPlainly(t, e, s)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, p.text())
		}
	}
}

// askPlainly compares every plain question with the plan.
func askPlainly(t *testing.T, e *casbin.Enforcer, s *Snapshot) {
	t.Helper()
	for role := range s.numbers {
		plan, err := s.Plan([]string{role}, access.Read)
		if err != nil {
			t.Fatal(err)
		}
		for _, entity := range someEntities {
			for _, cat := range judged() {
				ok, err := e.Enforce(role, string(entity), string(cat), "read")
				if err != nil {
					t.Fatal(err)
				}
				if v := plan.Verdict(entity, cat, nil); v.Allowed != ok {
					t.Errorf("%s read %s.%s: Casbin says %v, the plan %v by %q", role, entity, cat, ok, v.Allowed, v.Line)
				}
			}
		}
	}
}
