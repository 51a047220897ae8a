package docs

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// Policies are fenced as `csv policy`. The block `yaml policy-test` behind one
// holds questions, as in the tests beside the policies that ship.
func TestPoliciesOfTheManualDecideAsItSays(t *testing.T) {
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range pages(t) {
		var latest *policy.Snapshot
		for _, b := range p.blocks {
			where := p.path + ":" + strconv.Itoa(b.line)
			switch b.info {
			case "csv policy":
				latest, err = policy.Load([]policy.File{{Name: "policy.csv", Bytes: []byte(b.text)}}, model, policy.Vocabulary{Entities: demo(t).Entities()})
				if err != nil {
					t.Errorf("%s: %v", where, err)
				}
			case "yaml policy-test":
				asked++
				answers(t, where, latest, b.text)
			}
		}
	}
	if asked == 0 {
		t.Error("no page asks its policies anything")
	}
}

func answers(t *testing.T, where string, s *policy.Snapshot, tests string) {
	t.Helper()
	if s == nil {
		t.Errorf("%s: no policy stands before these questions", where)
		return
	}
	results, err := s.RunTests(policy.File{Name: where, Bytes: []byte(tests)})
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	for _, r := range results {
		if !r.OK {
			t.Errorf("%s: %s = %s by %s, want %s by %s", where, r.Ask, r.Got, r.Line, r.Want, r.WantLine)
		}
	}
}

func demo(t *testing.T) *profile.Profile {
	t.Helper()
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Profiles are fenced as `yaml profile`.
func TestProfilesOfTheManualCompile(t *testing.T) {
	compiled := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "yaml profile" {
				continue
			}
			compiled++
			if _, err := profile.Load([]byte(b.text)); err != nil {
				t.Errorf("%s:%d: %v", p.path, b.line, err)
			}
		}
	}
	if compiled == 0 {
		t.Error("no page shows a profile")
	}
}

// pieces is the profile around pieces of one: fields of a person, or routes.
const pieces = `
profile: pieces/1
evidence: documented
withheld: W
entities:
  person:
    fields:
      name|first_name: name
      email|mail: email
%s
    search: {q: {parts: [name]}}
  company: {fields: {name: public}}
routes:
%s
`

// Pieces of profiles are fenced as `yaml fields` and `yaml routes`.
func TestPiecesOfProfilesCompile(t *testing.T) {
	compiled := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			fields, routes := "", "  - {match: GET /, pass: true}"
			switch b.info {
			case "yaml fields":
				fields = indented(b.text, "      ")
			case "yaml routes":
				routes = indented(b.text, "  ")
			default:
				continue
			}
			compiled++
			if _, err := profile.Load([]byte(fmt.Sprintf(pieces, fields, routes))); err != nil {
				t.Errorf("%s:%d: %v", p.path, b.line, err)
			}
		}
	}
	if compiled == 0 {
		t.Error("no page shows pieces of a profile")
	}
}

func indented(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}

// What the manual shows of a profile that ships stands there so: blocks fenced
// as `yaml demo-profile` are pieces of it.
func TestQuotedPiecesOfTheDemoProfileStandThere(t *testing.T) {
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info == "yaml demo-profile" && !strings.Contains(string(src), b.text) {
				t.Errorf("%s:%d: the demo's profile reads otherwise", p.path, b.line)
			}
		}
	}
}
