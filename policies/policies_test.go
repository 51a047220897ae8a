package policies_test

import (
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/policies"
)

// shipped are the policies and the entities of the profile each is for.
func shipped() map[string][]access.Entity {
	return map[string][]access.Entity{
		"demo": {"contact", "lead"},
		"tryton": {
			"contact", "address", "contact_mechanism", "identifier", "bank_account", "opportunity", "relation",
			"note", "attachment", "company", "employee", "category", "marketing", "internal",
			"document", "avatar", "bank", "mail", "form",
		},
	}
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
	for name, entities := range shipped() {
		t.Run(name, func(t *testing.T) {
			s, err := policy.Load([]policy.File{read(t, name+".csv")}, model, policy.Vocabulary{Entities: entities})
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
		if n := len(name) - len(".csv"); n > 0 && name[n:] == ".csv" && shipped()[name[:n]] == nil {
			t.Errorf("%s has no test; name it in shipped()", name)
		}
	}
}
