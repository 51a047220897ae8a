package postgres

import (
	"strings"
	"testing"
)

// The register says where the database is, and nothing that opens it.
func TestPlaceHoldsNoSecret(t *testing.T) {
	for dsn, want := range map[string]struct {
		at    string
		local bool
	}{
		"postgres://gate:canary@db.example.de/crmgate?sslmode=verify-full":                 {"db.example.de:5432, database crmgate", false},
		"postgres://gate:canary@a.example.de:1,b.example.de:2/crmgate?sslmode=verify-full": {"a.example.de:1, database crmgate; b.example.de:2, database crmgate", false},
		"host=/run/postgresql user=gate password=canary dbname=crmgate":                    {"/run/postgresql, database crmgate", true},
		"postgres://gate:canary@127.0.0.1/crmgate":                                         {"127.0.0.1:5432, database crmgate", true},
		"postgres://gate:canary@localhost,db.example.de/crmgate?sslmode=verify-full":       {"localhost:5432, database crmgate; db.example.de:5432, database crmgate", false},
		"postgres://canary:canary@db.example.de/crmgate":                                   {"", false}, // not encrypted: refused at load
	} {
		at, local := (&Store{DSN: dsn}).Place("")
		got := strings.Join(at, "; ")
		if got != want.at || local != want.local || strings.Contains(got, "canary") {
			t.Errorf("%s is at %q, local %v", dsn, got, local)
		}
	}
}
