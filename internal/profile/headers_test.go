package profile

import (
	"strings"
	"testing"
)

// TestHeadersOfTheCRMsOwnPassByValue: a header is handed on with a value that the
// profile names alone, and none whose meaning the gateway judges can be named.
func TestHeadersOfTheCRMsOwnPassByValue(t *testing.T) {
	const src = "profile: p/1\nevidence: documented\nwithheld: W\nentities: {person: {fields: {name: name}}}\nroutes: [{match: \"GET /\", pass: true}]\nheaders: "
	p := loadText(t, src+`{X-LedgerSMB-App-Content: ["yes"]}`)
	for value, want := range map[string]bool{"yes": true, "Yes": false, "": false, "Weber": false} {
		if got := p.PassesHeader("X-Ledgersmb-App-Content", value); got != want {
			t.Errorf("the value %q passes: %v", value, got)
		}
	}
	if p.PassesHeader("X-Other", "yes") {
		t.Error("another header passes")
	}
	for _, bad := range []string{`{Location: ["/"]}`, `{Set-Cookie: ["a=b"]}`, `{X-App: []}`, `{X-App: [""]}`} {
		if _, err := Load([]byte(src + bad)); err == nil || !strings.Contains(err.Error(), "begin with X-") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
