package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// good is a line that makes any of the cases below a policy.
const good = "p, sales, contact, name, read, clear, , allow"

func TestFaultyLinesAreRefusedByPlaceCellAndRemedy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		line string
		want []string
	}{
		"misspelt effect":      {"p, sales, contact, email, read, clear, , alow", []string{"policy.csv:2", "cell 8", `"alow"`, `did you mean "allow"?`}},
		"no effect":            {"p, sales, contact, email, read, clear, , ", []string{"policy.csv:2", "cell 8", "allow, deny"}},
		"effect in capitals":   {"p, sales, contact, email, read, clear, , Allow", []string{"cell 8", `did you mean "allow"?`}},
		"misspelt category":    {"p, sales, contact, emial, read, clear, , allow", []string{"cell 4", `did you mean "email"?`}},
		"unknown entity":       {"p, sales, contcat, email, read, clear, , allow", []string{"cell 3", `did you mean "contact"?`}},
		"misspelt action":      {"p, sales, contact, email, raed, clear, , allow", []string{"cell 5", `did you mean "read"?`}},
		"misspelt treatment":   {"p, sales, contact, email, read, cleer, , allow", []string{"cell 6", `did you mean "clear"?`}},
		"allow, no treatment":  {"p, sales, contact, email, read, , , allow", []string{"cell 6", "needs a treatment"}},
		"unknown fact":         {"p, sales, contact, email, read, clear, onw, allow", []string{"cell 7", `did you mean "own"?`}},
		"consent to nothing":   {"p, sales, contact, email, read, clear, consent:, allow", []string{"cell 7", "consent:<purpose>"}},
		"too long a consent":   {"p, sales, contact, email, read, clear, consent:a:b:c, allow", []string{"cell 7"}},
		"no role":              {"p, , contact, email, read, clear, , allow", []string{"cell 2 (role)"}},
		"role with a space":    {"p, sales team, contact, email, read, clear, , allow", []string{"cell 2 (role)", "a-z"}},
		"star as a role":       {"p, *, contact, email, read, clear, , allow", []string{"cell 2 (role)"}},
		"too few cells":        {"p, sales, contact, email, read, clear, allow", []string{"7 cells", "p takes 8", "p, role, entity"}},
		"too many cells":       {"p, sales, contact, email, read, clear, , allow, deny", []string{"9 cells"}},
		"unknown line type":    {"q, sales, contact", []string{"line type", `"q"`}},
		"line type p2":         {"p2, sales, contact, email, read, clear, , allow", []string{"line type", `did you mean`}},
		"space behind a word":  {"p, sales , contact, email, read, clear, , allow", []string{"cell 2", "ends in a space"}},
		"quotes":               {`p, sales, "contact", email, read, clear, , allow`, []string{"quotes"}},
		"the same line twice":  {"p,sales,contact,name,read,clear,,allow", []string{"policy.csv:2", "stands already at policy.csv:1"}},
		"public, hidden":       {"p, sales, contact, public, read, hidden, , allow", []string{"public is always clear"}},
		"public, denied":       {"p, sales, contact, public, read, , , deny", []string{"public is always clear"}},
		"credential, clear":    {"p, sales, contact, credential, read, clear, , allow", []string{"credentials are never shown"}},
		"unclassified grouped": {"g2, unclassified, contact_data", []string{"cell 2", "can't stand in a group"}},
		"credential grouped":   {"g2, credential, contact_data", []string{"cell 2", "can't stand in a group"}},
		"misspelt member":      {"g2, emial, contact_data", []string{"cell 2", `did you mean "email"?`}},
		"member of g3":         {"g3, contcat, person", []string{"cell 2", `did you mean "contact"?`}},
		"group named category": {"g2, email, phone", []string{"cell 3", "has the name of a category"}},
		"group named entity":   {"g3, contact, lead", []string{"cell 3", "has the name of an entity"}},
		"group named star":     {"g2, email, *", []string{"cell 3", "is no name"}},
		"inherits nobody":      {"g, sales_lead, salse", []string{"policy.csv:2", `role "salse"`, `did you mean "sales"?`}},
		"group without a line": {"g2, email, contact_data", []string{"policy.csv:2", `group "contact_data"`, "take this line out"}},
		"inherits itself":      {"g, sales, sales", []string{"policy.csv:2", "circle (sales -> sales)"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := tryLoad(t, good, c.line)
			if err == nil || s != nil {
				t.Fatalf("Load took %q", c.line)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Load: %v; want it to say %q", err, want)
				}
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := tryLoad(t, "p, sales, contcat, emial, raed, cleer, onw, alow", good, "g2, x, y, z")
	if err == nil {
		t.Fatal("Load took it")
	}
	for _, want := range []string{"cell 3", "cell 4", "cell 5", "cell 8", "cell 7", "cell 6", "the line has 4 cells"} {
		lines := strings.Split(err.Error(), "\n")
		if !slices.ContainsFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, "policy.csv:") && strings.Contains(l, want)
		}) {
			t.Errorf("Load: %v; want it to say %q", err, want)
		}
	}
}

func TestCirclesAreRefused(t *testing.T) {
	t.Parallel()
	_, err := tryLoad(t, good, "g, sales, b", "g, b, c", "g, c, sales")
	if err == nil || !strings.Contains(err.Error(), "circle (b -> c -> sales -> b)") {
		t.Fatalf("Load: %v; want the circle", err)
	}
	_, err = tryLoad(t, good, "p, sales, contact, y, read, clear, , allow", "g2, email, x", "g2, x, y", "g2, y, x")
	if err == nil || !strings.Contains(err.Error(), "g2 closes a circle") {
		t.Fatalf("Load: %v; want the circle of groups", err)
	}
}

// Casbin follows ten links and then stops without a word: an eleventh would
// take a role's lines away.
func TestInheritanceThatCasbinWouldCutIsRefused(t *testing.T) {
	t.Parallel()
	chain := func(n int) []string {
		lines := []string{"p, r0, contact, name, read, clear, , allow"}
		for i := range n {
			lines = append(lines, fmt.Sprintf("g, r%d, r%d", i+1, i))
		}
		return lines
	}
	s := loaded(t, chain(maxDepth)...)
	p, err := s.Plan([]string{"r10"}, access.Read)
	if err != nil {
		t.Fatal(err)
	}
	if v := p.Verdict("contact", access.Name, nil); v.Treatment != access.Clear {
		t.Errorf("the tenth heir gets %v by %q, want clear", v.Treatment, v.Line)
	}
	if _, err := tryLoad(t, chain(maxDepth+1)...); err == nil || !strings.Contains(err.Error(), "more than 10 links") {
		t.Errorf("Load: %v; want the chain refused", err)
	}
}

func TestEmptyPolicyIsRefused(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{nil, {""}, {"# p, sales, contact, name, read, clear, , allow"}} {
		if _, err := tryLoad(t, lines...); err == nil || !strings.Contains(err.Error(), "no p line") {
			t.Errorf("Load(%q): %v; want a refusal", lines, err)
		}
	}
	if _, err := Load(nil, modelConf(t), Vocabulary{Entities: []access.Entity{"contact"}}); err == nil {
		t.Error("Load took no file at all")
	}
	if _, err := Load([]File{{Bytes: []byte(good)}}, modelConf(t), Vocabulary{}); err == nil {
		t.Error("Load took a vocabulary without entities")
	}
}

func TestCommentsBlankLinesAndCarriageReturnsAreTaken(t *testing.T) {
	t.Parallel()
	loaded(t, "# comment\r", "\r", "   # another", "", "  "+good+"\r")
}

func TestByteOrderMarkIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := tryLoad(t, "\ufeff"+good); err == nil || !strings.Contains(err.Error(), "byte order mark") {
		t.Errorf("Load: %v; want the mark named", err)
	}
}

func TestSixthFactOfAnActionIsRefused(t *testing.T) {
	t.Parallel()
	lines := []string{good, "p, sales, contact, email, export, clear, consent:other, allow"}
	for i := range maxFacts {
		lines = append(lines, fmt.Sprintf("p, sales, contact, email, read, clear, consent:c%d, allow", i))
	}
	loaded(t, lines...)
	_, err := tryLoad(t, append(lines, "p, ben, lead, email, *, clear, own, allow")...)
	if err == nil || !strings.Contains(err.Error(), "the lines for read name 6 facts") {
		t.Errorf("Load: %v; want the sixth fact refused", err)
	}
}

func TestVersionFollowsEveryByteAndName(t *testing.T) {
	t.Parallel()
	vocab := Vocabulary{Entities: []access.Entity{"contact"}}
	versions := []string{}
	for _, v := range []struct {
		files []File
		model string
	}{
		{[]File{{"a", []byte(good)}}, ""},
		{[]File{{"b", []byte(good)}}, ""},
		{[]File{{"a", []byte(good + "\n")}}, ""},
		{[]File{{"a", []byte(good)}}, "\n# changed\n"},
		{[]File{{"a", []byte(good)}, {"c", nil}}, ""},
	} {
		s, err := Load(v.files, append(slices.Clone(modelConf(t)), v.model...), vocab)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(versions, s.Version()) || len(s.Version()) != 12 {
			t.Errorf("Version() = %q, want a new one of 12 digits beside %q", s.Version(), versions)
		}
		versions = append(versions, s.Version())
	}
}

func TestForeignModelIsRefused(t *testing.T) {
	t.Parallel()
	vocab := Vocabulary{Entities: []access.Entity{"contact"}}
	shipped := string(modelConf(t))
	for name, model := range map[string]string{
		"empty":         "",
		"no m3":         strings.Replace(shipped, "m3 =", "m4 =", 1),
		"no g3":         strings.Replace(shipped, "g3 = _, _", "", 1),
		"cells swapped": strings.Replace(shipped, "p = role, entity", "p = entity, role", 1),
		"unknown word":  strings.Replace(shipped, "p.category == '*' && (p.when", "nosuch(p.category) && (p.when", 1),
		"other request": strings.Replace(shipped, ", holds, maybe\n", ", maybe, holds\n", 1),
	} {
		if _, err := Load([]File{{"a", []byte(good)}}, []byte(model), vocab); err == nil {
			t.Errorf("%s: Load took the model", name)
		}
	}
}

// What Casbin can't judge is an error and a refusal, never an answer.
func TestQuestionThatCasbinCannotAnswerIsRefused(t *testing.T) {
	t.Parallel()
	shipped := string(modelConf(t))
	broken := strings.Replace(shipped, "m3 = p.role == r2.role", "m3 = (p.category != 'bank' || p.category > 1) && p.role == r2.role", 1)
	lines := good + "\np, sales, contact, bank, read, clear, , allow"
	s, err := Load([]File{{"a", []byte(lines)}}, []byte(broken), Vocabulary{Entities: someEntities})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Plan([]string{"sales"}, access.Read); err == nil || p != nil {
		t.Errorf("Plan = %v, %v", p, err)
	}
	d, err := s.Decide([]string{"sales"}, []access.Access{{Action: access.Read, Entity: "contact"}})
	if err == nil || !d.Refused || d.Reason != ReasonUndecided || d.Plan != nil {
		t.Errorf("Decide = %+v, %v, want it refused as undecided", d, err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("g, a, sales\ng2, email, x\np, sales, *, x, *, , own, deny\n" + good))
	f.Add([]byte("g3, contact, y\r\np, sales, y, *, read, drop, consent:a:b, allow # no\n"))
	f.Add([]byte("p, sales, contact, name, read, clear, , \"allow\""))
	f.Add([]byte("\ufeffp,,,,,,,"))
	model := modelConf(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Load([]File{{"fuzz.csv", text}}, model, Vocabulary{Entities: someEntities})
		if err != nil {
			if s != nil || err.Error() == "" {
				t.Fatalf("Load = %v, %v", s, err)
			}
			return
		}
		for role, rules := range s.rules {
			for _, r := range rules {
				if !valid(s, r) || !plainWord.MatchString(role) {
					t.Fatalf("Load took %q", r.said)
				}
			}
		}
	})
}

// valid says again, in other words than the loader, what a p line may hold.
func valid(s *Snapshot, r *rule) bool {
	in := func(ptype, word string) bool {
		for _, links := range s.groups[ptype].up {
			if slices.ContainsFunc(links, func(l *link) bool { return l.group == word }) {
				return true
			}
		}
		return word == "*"
	}
	_, treated := access.ParseTreatment(r.cells[cellTreatment])
	return len(r.cells) == cellCount &&
		(slices.Contains(someEntities, access.Entity(r.entity())) || in("g3", r.entity())) &&
		(access.Category(r.category()).Valid() || in("g2", r.category())) &&
		(access.Action(r.action()).Valid() || r.action() == "*") &&
		(treated || (r.cells[cellTreatment] == "" && r.cells[cellEffect] == "deny")) &&
		(r.cells[cellEffect] == "allow" || r.cells[cellEffect] == "deny") &&
		(r.when() == "" || factWord.MatchString(r.when()))
}
