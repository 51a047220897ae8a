package policy

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/policies"
)

func modelConf(t testing.TB) []byte {
	t.Helper()
	b, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// loaded loads lines as policy.csv for the entities contact, lead and account.
func loaded(t testing.TB, lines ...string) *Snapshot {
	t.Helper()
	s, err := tryLoad(t, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryLoad(t testing.TB, lines ...string) (*Snapshot, error) {
	t.Helper()
	f := File{Name: "policy.csv", Bytes: []byte(strings.Join(lines, "\n"))}
	return Load([]File{f}, modelConf(t), Vocabulary{Entities: []access.Entity{"contact", "lead", "account"}})
}
