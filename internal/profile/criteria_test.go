package profile

import (
	"strings"
	"testing"
)

const criteria = `
profile: criteria/1
evidence: documented
withheld: W
entities:
  person: {fields: {name: name, mail: email, job: public, house: {parts: {street: address}}}}
routes:
  - {match: "GET /people", entity: person, query: [c], refs: [{role: filter, at: query.c, syntax: criteria}]}
`

// TestCriteriaNameEveryField that the CRM compares, whatever it makes of words and
// brackets in values.
func TestCriteriaNameEveryField(t *testing.T) {
	p := loadText(t, criteria)
	for text, want := range map[string]string{
		"":                "",
		"(mail:equals:a)": "filter mail email",
		"mail:equals:a":   "filter mail email",
		"((mail:starts_with:a)and((name:equals:b c)or(job:in:x,y)))": "filter mail email; filter name name; filter job public",
		"(mail:like:'a%') OR (house.street:=:'x')":                   "filter mail email; filter house.street address",
		"(born:>:2025-01-01T00:00:00+01:00)":                         "filter born unclassified",
		"(job:equals:Sales and Marketing)":                           "filter job public",
		"(job:equals:a)(mail:equals:b)":                              "malformed",
		"(job:equals:a)xor(mail:equals:b)":                           "malformed",
		"(job:equals:a)and mail:equals:b":                            "malformed",
		"job:equals:a and mail:equals:b":                             "malformed",
		"(job:equals:a or mail:equals:b)":                            "malformed",
		"(job:equals:a\\)and(mail:equals:b)":                         "malformed",
		"(job:equals:a":                                              "malformed",
		"job:equals:a)":                                              "malformed",
		"(job:equals:(a))":                                           "malformed",
		"(job:equals)":                                               "malformed",
		"(:equals:a)":                                                "malformed",
		"(job mail:equals:a)":                                        "malformed",
		"()":                                                         "malformed",
		strings.Repeat("(", 40) + "job:equals:a" + strings.Repeat(")", 40): "malformed",
	} {
		if got := askedBy(t, p, get("/people", "c", text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzCriteria: no comparison between brackets is overlooked.
func FuzzCriteria(f *testing.F) {
	f.Add("((mail:starts_with:a)and((name:equals:b c)or(job:in:x,y)))")
	f.Add("(job:equals:a or mail:equals:b)")
	p, err := Load([]byte(criteria))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := p.Classify(get("/people", "c", text))
		if err != nil {
			return
		}
		for _, field := range []string{"mail", "name"} {
			named := false
			for _, r := range x.Accesses[0].Refs {
				named = named || r.Field == field
			}
			if strings.Contains(text, "("+field+":") && !named {
				t.Errorf("%q: %s is overlooked", text, field)
			}
		}
	})
}
