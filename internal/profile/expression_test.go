package profile

import (
	"strings"
	"testing"
)

const expressions = `
profile: expressions/1
evidence: documented
withheld: W
entities:
  person: {fields: {name: name, mail: email, job: public, born: birthdate, house: {parts: {street: address}}}}
routes:
  - {match: "GET /people", entity: person, query: [q], refs: [{role: filter, at: query.q, syntax: expression}]}
`

// TestExpressionsNameEveryField that the CRM compares, on either side, whatever its
// operators mean.
func TestExpressionsNameEveryField(t *testing.T) {
	p := loadText(t, expressions)
	for text, want := range map[string]string{
		"":                               "",
		"mail ~ 'a'":                     "filter mail email",
		"mail~'a'&&(job=1||name!='b c')": "filter mail email; filter job public; filter name name",
		"job = 'a' AND NOT (mail LIKE '%x' or born >= 1990)": "filter job public; filter mail email; filter born birthdate",
		"house.street = 'x'":                                    "filter house.street address",
		"job in ('a', 'b','c') and mail is not null":            "filter job public; filter mail email",
		"job not in (1,-2.5) && born between '1990' and '1999'": "filter job public; filter born birthdate",
		"job ?= mail":               "filter job public; filter mail email",
		"job = 'O''Brien' or job=2": "filter job public; filter job public",
		"!(job eq 'mail = 1')":      "filter job public",
		"job = true && zip = null":  "filter job public; filter zip unclassified",
		"'a' = mail":                "malformed",
		"1 = 1":                     "malformed",
		"true = mail":               "malformed",
		`job = "mail"`:              "malformed",
		`job = 'a\' || mail = 'b'`:  "malformed",
		"job = 'a' mail = 'b'":      "malformed",
		"job = 'a' // && mail = 1":  "malformed",
		"job = 'a' -- ' or mail":    "malformed",
		"lower(mail) = 'a'":         "malformed",
		"job = lower (mail)":        "malformed",
		"job = @request.mail":       "malformed",
		"job = 'a":                  "malformed",
		"job = 'a' &&":              "malformed",
		"job":                       "malformed",
		"job =":                     "malformed",
		"job in 'a'":                "malformed",
		"job in ('a'":               "malformed",
		"job in ('a' 'b', mail":     "malformed",
		"(job = 'a'":                "malformed",
		"job = 'a')":                "malformed",
		"job =~ 'a'":                "malformed",
		"job = 1mail":               "malformed",
		"`mail` = 'a'":              "malformed",
		"[mail] = 'a'":              "malformed",
		"mail:lower = 'a'":          "malformed",
		strings.Repeat("(", 40) + "job = 1" + strings.Repeat(")", 40): "malformed",
		strings.Repeat("!", 40) + "(job = 1)":                         "malformed",
	} {
		if got := askedBy(t, p, get("/people", "q", text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzExpressions: a name outside of quotes is never overlooked.
func FuzzExpressions(f *testing.F) {
	for _, s := range []string{"job~'a'&&(mail=1||name!='b c')", "job not in (1,-2.5) && born between '1990' and '1999'", "job = 'O''Brien' or not mail is null", "job='''mail'"} {
		f.Add(s)
	}
	p, err := Load([]byte(expressions))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := p.Classify(get("/people", "q", text))
		if err != nil || !strings.Contains(outsideQuotes(text), "mail") {
			return
		}
		for _, a := range x.Accesses {
			for _, r := range a.Refs {
				if strings.Contains(r.Field, "mail") {
					return
				}
			}
		}
		t.Errorf("%q asks about nothing with mail in its name", text)
	})
}

// outsideQuotes leaves the texts in single quotes out.
func outsideQuotes(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, "'") {
		if i%2 == 0 {
			b.WriteString(part + " ")
		}
	}
	return b.String()
}
