package desk

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestDeskReadsItsBlock(t *testing.T) {
	d := new(Desk)
	err := d.UnmarshalCaddyfile(caddyfile.NewTestDispenser(`desk {
		auditors role auditor revision
		officers role dpo
		consent  role council
		purpose  lasts 2d
		own_accesses
	}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(d)
	want := `{"auditors":["auditor","revision"],"officers":["dpo"],"consent":["council"],"purpose_lasts":172800000000000,"own_accesses":true}`
	if err != nil || string(got) != want {
		t.Errorf("the block is %s, %v, want %s", got, err, want)
	}
}

func TestDeskRefusesWhatItCannotMean(t *testing.T) {
	for block, want := range map[string]string{
		"desk":                                          "somebody who may come",
		"desk auditor":                                  "takes a block",
		"desk {\n}":                                     "somebody who may come",
		"desk {\nconsent role x\n}":                     "somebody who may come",
		"desk {\nauditors auditor\n}":                   "auditors role auditor",
		"desk {\nauditors role\n}":                      "one or more roles",
		"desk {\nauditor role x\n}":                     `nearest: "auditors"`,
		"desk {\nauditors role x\npurpose 8h\n}":        "lasts",
		"desk {\nauditors role x\npurpose lasts 1s\n}":  "a minute to 31 days",
		"desk {\nauditors role x\npurpose lasts 60d\n}": "a minute to 31 days",
		"desk {\nauditors role x\nown_accesses yes\n}":  "wrong argument",
	} {
		err := new(Desk).UnmarshalCaddyfile(caddyfile.NewTestDispenser(block))
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%q: %v, want %q", block, err, want)
		}
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	for want, d := range map[string]*Desk{
		"nobody could come":  {Consent: []string{"x"}},
		"is no role":         {Auditors: []string{"*"}},
		"twice":              {Officers: []string{"x", "x"}},
		"a minute to 31 day": {Auditors: []string{"x"}, PurposeLasts: caddy.Duration(time.Second)},
	} {
		if err := d.Provision(ctx); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
}

// Who has no role of a place has no right to it, and no role has them all.
func TestRightsDenyByDefault(t *testing.T) {
	d := &Desk{Auditors: []string{"a"}, Officers: []string{"o"}, Consent: []string{"c"}}
	for role, want := range map[string][]right{
		"a": {auditors, askers, namers, everybody}, "o": {auditors, officers, askers, namers, everybody}, "c": {deciders, askers, everybody}, "x": {everybody}, "": {everybody},
	} {
		for r := nobody; r <= everybody; r++ {
			may := false
			for _, w := range want {
				may = may || w == r
			}
			if d.may([]string{role}, r) != may {
				t.Errorf("role %q, right %d: want %t", role, r, may)
			}
		}
	}
	for _, p := range d.places() {
		if p.right == nobody || p.serve == nil {
			t.Errorf("%s is nobody's", p.path)
		}
	}
}
