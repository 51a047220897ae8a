package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// large is a policy of some n lines: roles with a hundred lines each, of which
// a tenth inherit from another.
func large(n int) File {
	var b strings.Builder
	b.WriteString("g2, email, contact_data\ng2, phone, contact_data\n")
	categories := []string{"name", "contact_data", "bank", "tax_id", "*"}
	actions := []access.Action{access.Read, access.Search, access.Create, access.Update, access.Export}
	for role := 0; n > 0; role++ {
		if role%10 == 1 {
			fmt.Fprintf(&b, "g, role%d, role%d\n", role, role-1)
		}
		for i := 0; i < 100 && n > 0; i++ {
			fmt.Fprintf(&b, "p, role%d, %s, %s, %s, %s, , allow\n", role, someEntities[i/25%3], categories[i%5], actions[i/5%5], access.Treatments()[(i+i/75)%6])
			n--
		}
	}
	return File{Name: "large.csv", Bytes: []byte(b.String())}
}

func BenchmarkLoad100kLines(b *testing.B) {
	f, model := large(100_000), modelConf(b)
	b.SetBytes(int64(len(f.Bytes)))
	for b.Loop() {
		if _, err := Load([]File{f}, model, Vocabulary{Entities: someEntities}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	s, err := Load([]File{large(100_000)}, modelConf(b), Vocabulary{Entities: someEntities})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.compile([]string{"role0", "role1"}, access.Read); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlanHit(b *testing.B) {
	s := office(b)
	roles := []string{"sales", "boss", "offline_access"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Plan(roles, access.Read); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	s := office(b)
	accesses := []access.Access{on(access.Search, ref(access.RefFilter, "name", access.Name), ref(access.RefSelect, "mail", access.Email))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Decide([]string{"sales"}, accesses); err != nil {
			b.Fatal(err)
		}
	}
}
