package policy

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/policies"
)

func modelConf(tb testing.TB) []byte {
	tb.Helper()
	b, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// loaded loads lines as policy.csv for the entities contact, lead and account.
func loaded(tb testing.TB, lines ...string) *Snapshot {
	tb.Helper()
	s, err := tryLoad(tb, lines...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func tryLoad(tb testing.TB, lines ...string) (*Snapshot, error) {
	tb.Helper()
	f := File{Name: "policy.csv", Bytes: []byte(strings.Join(lines, "\n"))}
	return Load([]File{f}, modelConf(tb), Vocabulary{Entities: []access.Entity{"contact", "lead", "account"}})
}
