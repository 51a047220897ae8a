package alarmmail

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func read(t *testing.T, block string) (*Mail, error) {
	t.Helper()
	m := new(Mail)
	if err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(block)); err != nil {
		return nil, err
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	return m, m.Provision(ctx)
}

const rest = "sender a@example.de\nto b@example.de c@example.de\ndesk https://crm.example.de/\n"

func TestMailReadsItsBlock(t *testing.T) {
	t.Setenv("ALARM_TEST_PASSWORD", "secret")
	m, err := read(t, "alarm_mail smtps://mail.example.de {\n"+rest+"level high\nevery 1h\nusername u\npassword {env.ALARM_TEST_PASSWORD}\nname pager\n}")
	if err != nil {
		t.Fatal(err)
	}
	target, to, err := m.Target()
	if err != nil || target == nil || to != "mail.example.de:465" {
		t.Errorf("%v, %q, %v", target, to, err)
	}
	if m.Level != "high" || time.Duration(m.Every) != time.Hour || m.Name != "pager" || m.options.Password != "secret" || m.Desk != "https://crm.example.de" || len(m.To) != 2 {
		t.Errorf("%+v", m)
	}
	if m, err = read(t, "alarm_mail smtp://localhost:25 {\n"+rest+"}"); err != nil || m.Level != "medium" || time.Duration(m.Every) != 15*time.Minute {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMailRefusesWhatItCannotMean(t *testing.T) {
	for block, want := range map[string]string{
		"alarm_mail": "one server",
		"alarm_mail mail.example.de {\n" + rest + "}":                              "smtp://",
		"alarm_mail smtp://x.de {\n" + rest + "level grave\n}":                     "low, medium or high",
		"alarm_mail smtp://x.de {\n" + rest + "every 1s\n}":                        "1m to 24h",
		"alarm_mail smtp://x.de {\n" + rest + "send x@example.de\n}":               `nearest: "sender"`,
		"alarm_mail smtp://x.de {\n" + rest + "username u\n}":                      "belong together",
		"alarm_mail smtp://x.de {\nsender a@example.de\nto b@example.de\n}":        "desk https://crm.example.de",
		"alarm_mail smtp://x.de {\n" + rest + "desk https://other.example.de\n}":   "stands once",
		"alarm_mail smtp://x.de {\nsender a@example.de\ndesk https://x.de\n}":      "somebody to send to",
		"alarm_mail smtp://x.de {\nto a@example.de\ndesk https://x.de\n}":          "no mail address",
		"alarm_mail smtp://x.de {\n" + rest + "trust /nowhere\n}":                  "trust",
		"alarm_mail smtp://x.de {\n" + rest + "password {env.NO_SUCH_VARIABLE}\n}": "password",
	} {
		if _, err := read(t, block); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", block, err, want)
		}
	}
}
