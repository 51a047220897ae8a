package gate

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestMisspeltRulesAreErrors(t *testing.T) {
	for line, want := range map[string]string{
		"forbid contact ibn": `nearest: "iban"`,
		"flag contact":       "flag takes an entity",
		"forbid":             "forbid takes an entity",
		"forbit * card":      `nearest: "forbid"`,
	} {
		d := caddyfile.NewTestDispenser("crm_gate {\n" + line + "\n}")
		if err := new(Handler).UnmarshalCaddyfile(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	for want, f := range map[string]Forbid{
		`entity "contakt" is unknown`: {Entity: "contakt", Kinds: []string{"iban"}},
		`entity "" is unknown`:        {Kinds: []string{"iban"}},
		`kind "ibn" is unknown`:       {Entity: "contact", Kinds: []string{"card", "ibn"}},
		"it names nothing":            {Entity: "*"},
	} {
		h := &Handler{Profile: "demo", Forbid: []Forbid{f}}
		if err := h.loadProfile(); err != nil {
			t.Fatal(err)
		}
		if err := h.loadRules(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", f, err, want)
		}
	}
}
