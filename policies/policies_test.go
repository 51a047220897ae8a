package policies_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

// shipped are the policies, each for the profile of the same name, but for examples.
func shipped() []string {
	return []string{"consent", "demo", "dynamics", "espocrm", "generic", "hubspot", "ledgersmb", "odoo", "pipedrive", "salesforce", "suitecrm", "tryton", "twenty"}
}

func entities(t *testing.T, name string) []access.Entity {
	t.Helper()
	if name == "consent" {
		name = "espocrm"
	}
	src, err := profile.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p.Entities()
}

func read(t *testing.T, name string) policy.File {
	t.Helper()
	b, err := policies.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return policy.File{Name: name, Bytes: b}
}

func TestShippedPoliciesDecideAsTheirTestsSay(t *testing.T) {
	model := read(t, "model.conf").Bytes
	for _, name := range shipped() {
		t.Run(name, func(t *testing.T) {
			s, err := policy.Load([]policy.File{read(t, name+".csv")}, model, policy.Vocabulary{Entities: entities(t, name)})
			if err != nil {
				t.Fatal(err)
			}
			results, err := s.RunTests(read(t, name+"_test.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.OK {
					t.Errorf("%s: %s: got %s by %q, want %s by %q", r.Where, r.Ask, r.Got, r.Line, r.Want, r.WantLine)
				}
			}
		})
	}
}

func TestEveryShippedPolicyIsTested(t *testing.T) {
	entries, err := policies.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if base, ok := strings.CutSuffix(name, ".csv"); ok && !slices.Contains(shipped(), base) {
			t.Errorf("%s has no test; name it in shipped()", name)
		}
	}
}
