package command

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/report"
	_ "github.com/crmgate/crmgate/modules/consent" // the configuration names these
	_ "github.com/crmgate/crmgate/modules/sink/alarmmail"
	_ "github.com/crmgate/crmgate/modules/sink/alarmwebhook"
)

const alarmSinks = `log {
			sink alarm_mail smtp://mail.example.de:587 {
				sender   crmgate@example.de
				to       security@example.de dpo@example.de
				desk     https://crm.example.de
				username crmgate
				password {env.REGISTER_SECRET}
			}
			sink alarm_webhook https://chat.example.de/hooks/` + registerSecret + ` {
				name   chat
				desk   https://crm.example.de
				secret {env.REGISTER_SECRET}
				level  high
				from   start
			}
		}`

const allParts = `
crm.example.de {
	crm_gate {
		GATE
		consent {
			controller     "Muster GmbH, Musterweg 1, 12345 Berlin"
			privacy_notice https://www.example.de/privacy 2026-10
			base           https://crm.example.de
			from           "Muster GmbH <news@example.de>"
			smtp           relay.example.net:587 {
				user crmgate {env.REGISTER_SECRET}
			}
			origins        https://www.example.de
			purpose newsletter {
				lasts 365d
				text  phone 2026-11 de "Ja, rufen Sie mich an."
				text  email 2026-11 de "Ja, ich möchte den Rundbrief."
				text  email 2026-11 en "Yes, I want the newsletter."
			}
		}
		consent_fields opt_out noted
		retain  contact 3y after updated_at
		retain  lead    6m after updated_at else created_at unless consent:newsletter
		overdue role    data_protection
		canary  contact canary-91731 canary-91732 canary-91731
		canary  contact canary-91733 stop
		canary  lead    canary-91734
		links {
			own   example.de
			like  hausbank.de
			known partner.de
		}
		reveal {
			reasons complaint
		}
		rules
		register {
			retention contact "three years after the last order"
			SYSTEM
		}
	}
	reverse_proxy 127.0.0.1:1
}
`

// What each part of the gateway does with personal data, whom it tells and for how long it
// keeps stands in the register; what signs in anywhere, and which records are canaries,
// doesn't.
func TestRegisterNamesEveryPart(t *testing.T) {
	r, err := inForce(t, alarmSinks, strings.Replace(allParts, "SYSTEM", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	texts, site := report.Texts(r.Lines()), "https://crm.example.de\t"
	for _, want := range []string{
		site + "kept_at\tmail\trelay.example.net:587", site + "measure\tconsent_asked\tnewsletter",
		site + "setting\tconsent purpose newsletter\temail, phone; lasts 8760h0m0s", site + "setting\tconsent origins\thttps://www.example.de",
		site + "setting\tconsent from\tMuster GmbH <news@example.de>", site + "setting\tconsent keep\t26280h0m0s", site + "setting\tconsent_fields\topt_out noted",
		site + "erasure\tcontact\tthree years after the last order; retain 3y after updated_at",
		site + "erasure\tlead\tretain 6m after updated_at else created_at unless consent:newsletter",
		site + "measure\toverdue_masked\tdata_protection", site + "measure\toverdue_deleted\tdata_protection",
		site + "measure\tcanary contact\t3; stop 1", site + "measure\tcanary lead\t1",
		site + "measure\tlinks\town example.de; like hausbank.de; known partner.de",
		site + "measure\treveal\tlasts 15m0s; quota 10; reasons complaint", site + "measure\trules_known\tevery ",
		"\tkept_at\tsink alarm_mail\talarm_mail mail.example.de:587", "\tkept_at\tsink chat\talarm_webhook https://chat.example.de",
		"\tsetting\tlog sink alarm_mail\tlevel medium, every 15m0s, desk https://crm.example.de, sender crmgate@example.de, to security@example.de dpo@example.de",
		"\tsetting\tlog sink chat\tlevel high, every 15m0s, desk https://crm.example.de, from start",
	} {
		if !slices.ContainsFunc(texts, func(l string) bool {
			return strings.HasPrefix(strings.TrimPrefix(l, "\t"), strings.TrimPrefix(want, "\t"))
		}) {
			t.Errorf("the register lacks %q", want)
		}
	}
	for _, l := range texts {
		if strings.HasSuffix(l, "\tconfigured") || strings.Contains(l, "exception\toverdue") {
			t.Errorf("the register says %q", l)
		}
	}
	for _, what := range []string{"location", "processor"} {
		for _, name := range []string{"mail", "sink chat", "sink alarm_mail"} {
			if !slices.ContainsFunc(r.RegisterGaps(time.Now()), func(g report.Gap) bool { return g.What == what && g.Name == name }) {
				t.Errorf("nobody said %s of %s, and it is no gap", what, name)
			}
		}
	}
	for as, text := range asEverything(t, r) {
		for _, secret := range []string{registerSecret, "REGISTER_SECRET", "canary-9173"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q stands in the register", as, secret)
			}
		}
		if !strings.Contains(text, "relay.example.net") || !strings.Contains(text, "security@example.de") {
			t.Errorf("%s: it lacks what the lines have", as)
		}
	}
}

// asEverything is a register in every form in which it is handed out.
func asEverything(t *testing.T, r *report.Register) map[string]string {
	t.Helper()
	doc := &report.Report{Kind: report.RegisterKind, Register: r}
	all := map[string]string{"lines": strings.Join(report.Texts(r.Lines()), "\n")}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	all["json"] = string(raw)
	for _, lang := range []string{"de", "en"} {
		var b bytes.Buffer
		if err := desk.WriteRegisterCSV(&b, doc, lang); err != nil {
			t.Fatal(err)
		}
		all["csv "+lang] = b.String()
		body, _ := desk.Render(lang, desk.ReportPage(doc, nil, false))
		all["page "+lang] = string(body)
	}
	return all
}

// While overdue records are only listed, that is an exception and masking them no measure;
// what is said of the mail server closes its gaps.
func TestRegisterSaysWhatIsOnlyListed(t *testing.T) {
	day := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	sites := strings.Replace(allParts, "SYSTEM", "system mail {\n operator \"Relay Ltd\" post@relay.example.net\n contract \"file 3\"\n location IE\n }", 1)
	r, err := inForce(t, "", strings.Replace(sites, "rules\n", "overdue observe until "+day+"\n", 1))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(report.Texts(r.Lines()), "\n")
	if !strings.Contains(all, "\texception\toverdue observe\tuntil "+day) || strings.Contains(all, "overdue_masked") || !strings.Contains(all, "\toperator\tmail\tRelay Ltd") {
		t.Errorf("the register says\n%s", all)
	}
	for _, g := range r.RegisterGaps(time.Now()) {
		if g.Name == "mail" {
			t.Errorf("a gap %+v", g)
		}
	}
	_, err = inForce(t, "", "crm.example.de {\n crm_gate {\n GATE\n register {\n system mail {\n location IE\n }\n }\n }\n reverse_proxy 127.0.0.1:1\n}")
	if err == nil || !strings.Contains(err.Error(), "there is no system") {
		t.Errorf("a mail server that nobody configured: %v", err)
	}
}
