package consent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

const whole = `consent {
	controller     "Muster GmbH, Musterweg 1, 12345 Berlin"
	privacy_notice https://www.example.de/privacy 2026-10
	base           https://crm.example.de
	from           "Muster GmbH <news@example.de>"
	smtp           mail.example.de:587 {
		user crmgate secret
	}
	origins        https://www.example.de
	confirm_within 2d
	limit          address 2 network 5
	purpose newsletter {
		title de Der Rundbrief
		lasts 730d
		text  email 1 de "Ja, gern."
	}
}`

func read(t *testing.T, block string) (*Consent, error) {
	t.Helper()
	c := new(Consent)
	if err := c.UnmarshalCaddyfile(caddyfile.NewTestDispenser(block)); err != nil {
		return nil, err
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	return c, c.Provision(ctx)
}

func TestConsentReadsItsBlock(t *testing.T) {
	c, err := read(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	if c.Ledger != "crm.example.de" || c.PerAddress != 2 || c.PerNetwork != 5 || c.InAll != defaultInAll || time.Duration(c.ConfirmWithin) != 48*time.Hour ||
		c.Purposes[0].Titles["de"] != "Der Rundbrief" || c.Purposes[0].Texts[0].Text != "Ja, gern." || c.SMTP.Password != "secret" {
		t.Errorf("the block is %+v", c)
	}
}

// What can't be meant stops the load, with the remedy.
func TestConsentRefusesWhatItCannotMean(t *testing.T) {
	for _, c := range []struct{ replace, with, want string }{
		{"controller ", "controler ", `nearest: "controller"`},
		{`controller     "Muster GmbH, Musterweg 1, 12345 Berlin"`, "", "controller is missing"},
		{"base           https://crm.example.de", "", "base is missing"},
		{"base           https://crm.example.de", "base http://crm.example.de", "https"},
		{"base           https://crm.example.de", "base https://crm.example.de/x", "scheme and host"},
		{"origins        https://www.example.de", "origins *", "scheme and host"},
		{"origins        https://www.example.de", "origins http://www.example.de", "https"},
		{"https://www.example.de/privacy", "ftp://x", "https address"},
		{"Muster GmbH <news@example.de>", "Muster GmbH", "mailbox"},
		{"mail.example.de:587", "mail.example.de", "host and port"},
		{"user crmgate secret", "clear", "on this machine"},
		{"user crmgate secret", "trust /nowhere.pem", "whom to trust"},
		{"confirm_within 2d", "confirm_within 60d", "30 days"},
		{"network 5", "network 0", "no number"},
		{"purpose newsletter", "purpose News:Letter", "small letters"},
		{"text  email 1 de", "text fax 1 de", "no channel"},
		{"text  email 1 de", "text email 1 fr", "de or en"},
		{"text  email 1 de", "text email 1 de x\n\t\ttext email 1 de", "twice"},
		{`text  email 1 de "Ja, gern."`, "", "no text"},
	} {
		block := strings.Replace(whole, c.replace, c.with, 1)
		if block == whole {
			t.Fatalf("%q isn't in the block", c.replace)
		}
		if _, err := read(t, block); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.want)) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}

func TestAFloodOfOneNetworkLeavesOthersTheirForms(t *testing.T) {
	l := newLimits(5, 100)
	now := time.Now()
	for i := range 5 {
		if wait := l.take(fmt.Sprintf("203.0.113.%d", i), now); wait > 0 {
			t.Fatalf("form %d waits %s", i, wait)
		}
	}
	if l.take("203.0.113.99", now) <= 0 || l.take("::ffff:203.0.113.7", now) <= 0 {
		t.Error("a network sends more than it may")
	}
	for _, other := range []string{"198.51.100.1", "2001:db8::1", "no address"} {
		if wait := l.take(other, now); wait > 0 {
			t.Errorf("%s waits %s", other, wait)
		}
	}
	for i := range 5 { // one customer's network
		l.take(fmt.Sprintf("2001:db8:1:%d::1", i), now)
	}
	if l.take("2001:db8:1:ff::1", now) <= 0 {
		t.Error("a network of IPv6 sends more than it may")
	}
	l.sweep(now.Add(2 * time.Hour))
	if len(l.was) != 0 || l.take("203.0.113.1", now.Add(2*time.Hour)) > 0 {
		t.Error("a network waits for ever")
	}
	all := newLimits(5, 10)
	taken := 0
	for i := range 100 {
		if all.take(fmt.Sprintf("10.%d.0.1", i), now) <= 0 {
			taken++
		}
	}
	if taken != 10 {
		t.Errorf("many networks together send %d", taken)
	}
}
