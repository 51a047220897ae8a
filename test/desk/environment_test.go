package desk

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/internal/demo/provider"
	"github.com/crmgate/crmgate/internal/keys"
	_ "github.com/crmgate/crmgate/modules/standard"
	"github.com/crmgate/crmgate/test/stack"
)

// start runs a gateway with a desk and a log that has a past, and returns its
// address.
func start(t *testing.T) string {
	t.Helper()
	dir := stack.MemoryDir(t)
	site := listen(t)
	seed(t, dir, site.Addr().String())
	behind, err := crm.New(crm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := site.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	own := listen(t)
	address, issuer := "http://"+site.Addr().String(), "http://"+own.Addr().String()
	signIn, err := provider.New(provider.Config{
		Issuer: issuer, ClientID: "crm", ClientSecret: "a secret", Employees: provider.Employees(), ShowCodes: true,
		RedirectURIs: []string{address + "/.crmgate/callback"}, PostLogoutURIs: []string{address + "/.crmgate/signed-out"},
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, own, signIn)
	back := listen(t)
	serve(t, back, behind)
	t.Cleanup(behind.Close)
	text := fmt.Sprintf(caddyfile, dir, address, file.Fd(), issuer, back.Addr())
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(raw, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
		file.Close()
	})
	return address
}

const caddyfile = `{
	admin off
	persist_config off
	storage file_system %[1]s/caddy
	grace_period 2s
	log {
		output file %[1]s/process.log
	}
	crmgate {
		data_dir %[1]s
		log {
			segment_mib 1
			retain access 36 months
		}
		register {
			controller  "Kontor Muster GmbH" "Musterstraße 1, 10115 Berlin, post@kontor.example"
			dpo         "Dora Denk" "datenschutz@kontor.example"
			measure     "Zutritt zum Serverraum nur mit Schlüsselkarte"
			system gateway {
				operator self
				location DE
			}
			recipient "Steuerberatung Zahl" {
				purpose  "Jahresabschluss"
				location CH
			}
		}
	}
}
%[2]s {
	bind fd/%[3]d
	crm_gate {
		profile demo
		policy builtin:demo
		oidc %[4]s {
			mfa amr mfa
			client_id crm
			client_secret "a secret"
		}
		rules {
			names role auditor
		}
		location US IE
		transfer dpf "Example CRM, Inc." "auf der Liste am 2026-11-02"
		clear_upstream "der Weg ist ein eigenes Kabel"
		register {
			name        "Kontor-CRM, Vertrieb"
			operator    "Example CRM, Inc." "1 Main Street, Springfield"
			contract    "AVV vom 2026-01-15, Akte 12/26"
			responsible "Vertriebsleitung" "vertrieb@kontor.example"
			purpose     contact 6b,6f "Betreuung von Kundinnen und Kunden"
			purpose     category:bank 6c "Buchführung"
			subjects    contact "Ansprechpersonen bei Kunden"
			retention   contact "drei Jahre nach dem letzten Auftrag"
			system idp {
				operator self
				location DE
			}
		}
		desk {
			auditors role auditor
			officers role data_protection
			consent  role master_data
			purpose  lasts 2h
			own_accesses
		}
	}
	reverse_proxy %[5]s
}
`

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go s.Serve(l) // ends with Close
	t.Cleanup(func() { s.Close() })
}

// seed writes six weeks of accesses by four people, on one of which one of them
// exports far more than ever.
func seed(t *testing.T, dir, host string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(t.Context(), filepath.Join(dir, "log"), ring, audit.Options{
		SegmentSize: 1 << 20, Checkpoints: filepath.Join(dir, "checkpoints"),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for back := 42; back > 0; back-- {
		day := time.Date(now.Year(), now.Month(), now.Day()-back, 9, 17, 0, 0, time.Local)
		if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		for who := range 4 {
			n := 8 + (back*7+who*5)%9
			if who == 2 && back <= 5 && back > 2 {
				n = 180 + back
			}
			at := day.Add(time.Duration(who*71+back) * time.Minute)
			access1(t, log, host, at, who, n, fmt.Sprintf("%d-%d", back, who))
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func access1(t *testing.T, log *audit.Log, host string, at time.Time, who, n int, request string) {
	t.Helper()
	roles := [...]string{"sales", "support", "marketing", "master_data"}[who]
	base := audit.Entry{
		Time: at, Kind: audit.Intent, Request: request, Employee: log.Employee("https://login", fmt.Sprint(who)),
		Roles: []string{roles}, Gate: host, Profile: "demo", Method: "GET",
	}
	intent := base
	intent.Accesses = []access.Access{{Route: "contacts", Action: access.Search, Entity: "contact", Type: "contact"}}
	intent.Decision = &audit.Decision{Policy: "1"}
	if who == 0 && n%4 == 0 {
		intent.Decision = &audit.Decision{Refused: true, Reason: "asks_masked", Line: "builtin:demo:22: p, sales, person, *, search, hidden, , allow", Policy: "1"}
		intent.Accesses[0].Refs = []access.Ref{{Role: access.RefFilter, Entity: "contact", Field: "iban", Categories: []access.Category{access.Bank}}}
	}
	rec, err := log.Append(t.Context(), &intent)
	if err != nil {
		t.Fatal(err)
	}
	if intent.Decision.Refused {
		return
	}
	treated := map[access.Category]access.Treatment{
		access.Name: access.Clear, access.Email: access.Partial, access.Phone: access.Hidden, access.Bank: access.Hidden,
	}
	if who == 3 {
		treated = map[access.Category]access.Treatment{access.Name: access.Clear, access.Email: access.Clear, access.Bank: access.Clear, access.FreeText: access.Clear}
	}
	out := base
	out.Kind, out.Intent, out.Status, out.Time = audit.Disclosure, rec.Seq, 200, at.Add(time.Second)
	out.Disclosure = new(access.Disclosure)
	for i := range n {
		out.Disclosure.Records = append(out.Disclosure.Records, access.DisclosedRecord{
			Record: access.Record{Entity: "contact", Type: "contact", ID: fmt.Sprint(1001 + i)}, Treated: treated,
		})
	}
	if _, err := log.Append(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
}
