package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/profile"
)

func retentionOf(t *testing.T, lines ...string) error {
	t.Helper()
	h := &Handler{Profile: "demo"}
	d := caddyfile.NewTestDispenser(strings.Join(lines, "\n"))
	for d.Next() {
		if err := h.unmarshalWord(d); err != nil {
			return err
		}
	}
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	if h.profile, err = profile.Load(src); err != nil {
		t.Fatal(err)
	}
	return h.loadRetention()
}

func TestRetentionIsJudgedAtLoad(t *testing.T) {
	t.Parallel()
	const rule, role = "retain contact 3y after created_at", "overdue role dpo"
	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, ok := range [][]string{
		{}, {rule, role}, {rule, "retain contact 10y after birth_date", role}, {"retain lead 6m after updated_at else created_at unless consent:newsletter:email", role},
		{rule, role, "overdue confirm council works_council", "overdue observe until " + tomorrow},
	} {
		if err := retentionOf(t, ok...); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, no := range []struct {
		want  string
		lines []string
	}{
		{"who still sees", []string{rule}},
		{"who still sees", []string{rule, "overdue confirm council"}},
		{"nothing is retained", []string{role}},
		{"no such kind of record", []string{"retain contakt 3y after created_at", role}},
		{"lists no field", []string{"retain contact 3y after closed_at", role}},
		{"is no period", []string{"retain contact 3w after created_at", role}},
		{"write `retain", []string{"retain contact 3y", role}},
		{"is no fact", []string{"retain contact 3y after created_at unless friend", role}},
		{"stands there twice", []string{rule, rule, role}},
		{"stands there twice", []string{rule, role, role}},
		{"is no role", []string{rule, "overdue role *"}},
		{"overdue takes", []string{rule, "overdue role"}},
		{"confirm", []string{rule, role, "overdue confirms x"}},
		{"is not a day", []string{rule, role, "overdue observe until tomorrow"}},
		{"more than 30 days", []string{rule, role, "overdue observe until 2199-01-01"}},
	} {
		if err := retentionOf(t, no.lines...); err == nil || !strings.Contains(err.Error(), no.want) {
			t.Errorf("%q: %v, want %q", no.lines, err, no.want)
		}
	}
}
