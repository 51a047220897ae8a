package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/report"
	_ "github.com/crmgate/crmgate/modules/sink/webhook" // the configuration names it
)

const registerSecret = "canary7d1f0c2b94ae4c55b8e0f6a3d2c19e77"

// gateWords are what each crm_gate needs.
const gateWords = `
		profile demo
		policy builtin:demo
		oidc https://login.example.de {
			mfa amr mfa
			client_id crm
			client_secret {env.REGISTER_SECRET}
		}
`

// inForce is the register of a Caddyfile: sites, with words in the global option.
func inForce(t *testing.T, global, sites string) (*report.Register, error) {
	t.Helper()
	t.Setenv("REGISTER_SECRET", registerSecret)
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	text := fmt.Sprintf("{\n\tcrmgate {\n\t\tdata_dir %s/data\n%s\n\t}\n}\n%s", dir, global, strings.ReplaceAll(sites, "GATE", gateWords))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := readConfig(file, t.Output())
	if err != nil {
		return nil, err
	}
	app, done, err := provision(raw)
	if err != nil {
		return nil, err
	}
	t.Cleanup(done)
	for _, f := range app.Check() {
		if f.Stops {
			t.Fatalf("%s", f.Error())
		}
		t.Log(f.Error())
	}
	return app.InForce()
}

const severalSites = `
(pool) {
	reverse_proxy https://crm-a.internal:8443 https://crm-b.internal:8443 {
		lb_policy first
		header_up Host {host}
	}
}
&(named) {
	route {
		crm_gate {
			GATE
			location US IN
			transfer dpf "Example, Inc." "on the list on 2026-11-02"
			transfer scc 2 2026-03-01 "contract 12/26"
			clear_upstream "a cable of our own"
		}
		reverse_proxy {
			dynamic multi {
				a crm.internal 8069
				srv _crm._tcp.internal
			}
		}
	}
}
one.example.de, *.two.example.de {
	crm_gate {
		GATE
		location DE
		ungated "status page of another team"
		machine nightly {
			role sales
			secret {env.REGISTER_SECRET}
		}
		step_up /admin/* max_age 5m
		forbid * iban
		register {
			name "CRM one"
			operator self
			purpose contact 6b,6f "serving customers"
			system machine:nightly {
				operator "Warehouse Ltd" warehouse@example.de
				contract "contract 9"
				location GB
			}
			recipient "Tax adviser" {
				purpose "annual accounts"
				location CH
			}
		}
	}
	handle /v2/* {
		reverse_proxy unix//run/crm.sock
	}
	handle {
		import pool
	}
}
three.example.de {
	invoke named
}
http://four.example.de {
	crm_gate {
		GATE
		plain_http "only in the laboratory"
		clear_upstream "self-signed until May"
	}
	reverse_proxy https://10.0.0.9 {
		transport http {
			tls_insecure_skip_verify
		}
	}
}
`

// Whatever leads to a CRM stands in the register, and nothing else does.
func TestRegisterNamesEachSiteAndWay(t *testing.T) {
	r, err := inForce(t, `log {
			sink webhook https://siem.example.com/in?key=`+registerSecret+` {
				header Authorization "Bearer {env.REGISTER_SECRET}"
			}
		}
		register {
			controller "Example GmbH" "Street 1, Berlin"
			dpo none "fewer than 20 people"
			system gateway {
				operator self
				location DE
			}
			system sink:webhook {
				location US
				transfer dpf "SIEM, Inc." "on the list on 2026-11-02"
			}
		}`, severalSites)
	if err != nil {
		t.Fatal(err)
	}
	texts := report.Texts(r.Lines())
	all := strings.Join(texts, "\n")
	if strings.Contains(all, registerSecret) || strings.Contains(all, "REGISTER_SECRET") {
		t.Errorf("a secret stands in the register:\n%s", all)
	}
	one, three, four := "https://*.two.example.de", "https://three.example.de", "http://four.example.de"
	for _, want := range []string{
		one + "\tway\tcrm-a.internal:8443 · tls\t", one + "\tway\tcrm-b.internal:8443 · tls\t", one + "\tway\tunix//run/crm.sock · local\t",
		one + "\tserved\thttps://one.example.de\ttls", one + "\tmachine\tnightly\t", one + "\tlocation\tcrm · DE\tEU",
		one + "\tlocation\tmachine nightly · GB\tadequacy decision (EU) 2021/1772", one + "\tlocation\trecipient Tax adviser · CH\tadequacy",
		one + "\tpurpose\tcontact\t6b, 6f: serving customers", one + "\toperator\tcrm\tthe controller", one + "\tmeasure\tstep_up\t/admin/* max_age 5m0s",
		one + "\tmeasure\tforbid * iban\t", one + "\texception\tungated\tstatus page of another team",
		three + "\tway\ta crm.internal 8069 · clear, found at run time\t", three + "\tway\tsrv _crm._tcp.internal · clear, found at run time\t",
		three + "\tlocation\tcrm · US\tadequacy decision (EU) 2023/1795", three + "\tlocation\tcrm · IN\tthird country",
		three + "\ttransfer\tcrm · scc module 2 of 2026-03-01: contract 12/26\t", three + "\texception\tclear_upstream\ta cable of our own",
		four + "\tserved\t" + four + "\tclear: only in the laboratory", four + "\tway\t10.0.0.9:443 · unverified\tserver srv1 › routes[0] (host four.example.de) › subroute › routes[0]: reverse_proxy: self-signed until May",
		"\tcontroller\t\tExample GmbH, Street 1, Berlin", "\tdpo\t\tnone: fewer than 20 people", "\tkept_at\tsink webhook\twebhook https://siem.example.com",
		"\tlocation\tsink webhook · US\tadequacy",
	} {
		if !slices.ContainsFunc(texts, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("the register lacks %q", want)
		}
	}
	ways := 0
	for _, l := range texts {
		if strings.Contains(l, "\tway\t") {
			ways++
		}
	}
	if ways != 6 || len(r.Sites) != 3 {
		t.Errorf("%d ways of %d sites", ways, len(r.Sites))
	}
}

// A place without what a transfer can rest on stops the load, by name and with the remedy.
func TestTransferWithoutABasisStopsTheLoad(t *testing.T) {
	for words, want := range map[string]string{
		"location IN":        "outside the EU and the EEA",
		"location DE IN":     "location IN: India",
		"location US":        "certified recipients only",
		"location UK":        "the United Kingdom is GB",
		"location XX":        "no country of ISO 3166",
		"location DE de":     "twice",
		"location":           "location DE",
		"transfer bcr \"x\"": "to where",
		"location DE\n transfer scc 2 2026-03-01 x":                  "needs none",
		"location IN\n transfer dpf \"A\" x":                         "location IN",
		"location DE\n transfer dpf \"A\" x":                         "doesn't name US",
		"location US\n transfer dpf \"A\"":                           "needs a reference",
		"location US\n transfer privacy_shield x":                    `nearest: "`,
		"location US\n transfer adequacy x":                          "needs no line",
		"location IN\n transfer scc x y z":                           "no module",
		"location IN\n transfer scc 5 2026-03-01 x":                  "no module 5",
		"location IN\n transfer scc 2 2020-03-01 x":                  "void since",
		"location IN\n transfer scc 2 March x":                       "is no day",
		"location IN\n transfer derogation z x":                      "a to g",
		"register {\n system idp {\n location IN\n }\n }":            "system idp: location IN",
		"register {\n purpose contact 6z \"x\"\n }":                  "no legal basis",
		"register {\n purpose contakt 6b \"x\"\n }":                  "no kind of record",
		"register {\n purpose category:banc 6b \"x\"\n }":            "no category",
		"register {\n system sink:x {\n }\n }":                       "there is no system",
		"register {\n system machine:x {\n }\n }":                    "there is no system",
		"register {\n contoller \"x\"\n }":                           `nearest: "controller"`,
		"register {\n controller \"x\ny\"\n }":                       "one line",
		"register {\n dpo none\n }":                                  "needs a reason",
		"register {\n operator self\n operator self\n }":             "once",
		"register {\n name \"" + strings.Repeat("x", 501) + "\"\n }": "500 characters",
	} {
		_, err := inForce(t, "", "crm.example.de {\n crm_gate {\n GATE\n "+words+"\n }\n reverse_proxy 127.0.0.1:1\n}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
	for words, want := range map[string]string{
		"register {\n name \"x\"\n }":                      "crm_gate",
		"register {\n purpose contact 6b \"x\"\n }":        "`*` or `category:…`",
		"register {\n system idp {\n }\n }":                "there is no system",
		"register {\n system store {\n }\n }":              "there is no system", // it is this machine's
		"register {\n recipient A {\n location IN\n }\n }": "recipient A: location IN",
	} {
		_, err := inForce(t, words, "crm.example.de {\n crm_gate {\n GATE\n }\n reverse_proxy 127.0.0.1:1\n}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
}
