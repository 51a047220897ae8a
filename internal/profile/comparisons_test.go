package profile

import (
	"regexp"
	"strings"
	"testing"
)

const compared = `
profile: compared/1
evidence: documented
withheld: W
entities:
  person: {types: [Person], fields: {name: {parts: {first: name}}, mail: email, job: public}}
routes:
  - {match: "GET /people", entity: Person, query: [f, o], refs: [{role: filter, at: query.f, syntax: comparisons}, {role: sort, at: query.o, syntax: comparisons}]}
`

// TestComparisonsNameEveryField that the CRM compares, whatever it makes of quotes
// and brackets.
func TestComparisonsNameEveryField(t *testing.T) {
	p := loadText(t, compared)
	for text, want := range map[string]string{
		"mail[like]:'%x%'": "filter mail email",
		"or(mail[eq]:a,not(name.first[is]:NULL)),job[in]:[a,b]": "filter mail email; filter name.first name; filter job public",
		"and( mail[eq]:a , job[eq]:b )":                         "filter mail email; filter job public",
		"mail[eq]:'a, b (c)'":                                   "filter mail email",
		"nosuch[eq]:x":                                          "filter nosuch unclassified",
		"":                                                      "",
		"mail":                                                  "malformed",
		"mail[eq]":                                              "malformed",
		"mail[eq]x":                                             "malformed",
		"[eq]:x":                                                "malformed",
		"mail[e q]:x":                                           "malformed",
		"ma il[eq]:x":                                           "malformed",
		"job[eq]:'x,mail[eq]:y'":                                "malformed",
		"job[in]:[x,mail[eq]:y]":                                "malformed",
		"job[eq]:O'B,mail[eq]:O'C":                              "malformed",
		"job[eq]:(mail[eq]:x)":                                  "malformed",
		"xor(mail[eq]:x)":                                       "malformed",
		"or(mail[eq]:x":                                         "malformed",
		"or(mail[eq]:x)y":                                       "malformed",
		"mail[eq]:x)":                                           "malformed",
		"job[eq]:x,":                                            "malformed",
		`job[eq]:'x\',mail[eq]:y`:                               "malformed",
		strings.Repeat("not(", 30) + "mail[eq]:x" + strings.Repeat(")", 30): "malformed",
	} {
		if got := askedBy(t, p, get("/people", "f", text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"name.first[Asc],mail": "sort name.first name; sort mail email", "job": "sort job public",
		"job[Asc]:x,mail": "malformed", "job,'mail'": "malformed",
	} {
		if got := askedBy(t, p, get("/people", "o", text)); got != want {
			t.Errorf("order %s: %q, want %q", text, got, want)
		}
	}
}

// FuzzComparisons: a name before a bracket is never overlooked.
func FuzzComparisons(f *testing.F) {
	f.Add("or(mail[eq]:a,job[in]:[a,b])")
	f.Add("job[eq]:'x,mail[eq]:y'")
	f.Add("job[eq]:[mail]:x")
	comparison := regexp.MustCompile(`\[[A-Za-z]+\]:`)
	p, err := Load([]byte(compared))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := p.Classify(get("/people", "f", text))
		if err != nil {
			return
		}
		if got, want := len(x.Accesses[0].Refs), len(comparison.FindAllString(text, -1)); got < want {
			t.Errorf("%q: %d fields of at least %d", text, got, want)
		}
	})
}
