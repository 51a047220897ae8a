package restore_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
)

const formProfile = `
profile: forms/1
evidence: documented
withheld: W
entities:
  person:
    fields: {name: name, iban: bank, tel: phone, job: public, mails: {parts: {VALUE: email, KIND: public}}}
routes:
  - {match: POST /partial, entity: person, action: update, ids: [body.id], body: nested, members: [id, fields], write: {at: body.fields, mode: partial, stored: {get: "/p/{id}", at: $}}}
  - {match: POST /full, entity: person, action: update, ids: [body.id], body: nested, members: [id, fields], write: {at: body.fields, mode: full, stored: {get: "/p/{id}", at: $}}}
  - {match: POST /json, entity: person, action: update, body: urlencoded, form: {json: element, fields: [op]}, write: {at: body, mode: partial, self: id, stored: {get: "/p/{id}", at: $}}}
  - {match: POST /new, entity: person, body: nested, members: [fields], write: {at: body.fields, mode: create}}
`

// TestFormsWhoseNamesAreATreeKeepWhatTheirAuthorCannotSee, and those that hold JSON:
// placeholders are taken out or become the stored values, edits without sight and
// placeholders of new records are refused.
func TestFormsWhoseNamesAreATreeKeepWhatTheirAuthorCannotSee(t *testing.T) {
	p, err := profile.Load([]byte(formProfile))
	if err != nil {
		t.Fatal(err)
	}
	const stored = `{"id":7,"name":"Zoe","iban":"DE02 1","tel":"+49 30 5550147","job":"CEO","mails":[{"VALUE":"z@x.de","KIND":"work"}]}`
	hidden := url.QueryEscape(placeholder(access.Bank, "", doc.String, "DE02 1"))
	part := url.QueryEscape(placeholder(access.Phone, "", doc.String, "+49 30 5550147"))
	json := func(s string) string { return "op=x&element=" + url.QueryEscape(s) }
	raw, _ := url.QueryUnescape(hidden)
	for _, c := range []struct{ path, body, want, refused string }{
		{"/partial", "id=7&fields[name]=Zoé&fields[iban]=" + hidden, "id=7&fields[name]=Zoé", ""},
		{"/partial", "id=7&fields[tel]=" + part + "&fields[job]=x", "id=7&fields[job]=x", ""},
		{"/partial", "id=7&fields[iban]=DE99", "", "iban;"},
		{"/partial", "id=7&fields[tel]=" + part + "1", "", "tel;"},
		{"/full", "id=7&fields[name]=Z&fields[iban]=" + hidden + "&fields[tel]=" + part + "&fields[job]=x", "id=7&fields[name]=Z&fields[iban]=DE02+1&fields[tel]=%2B49+30+5550147&fields[job]=x", ""},
		{"/full", "id=7&fields[name]=Z&fields[job]=x", "id=7&fields[name]=Z&fields[job]=x&fields%5Biban%5D=DE02+1&fields%5Btel%5D=%2B49+30+5550147", ""},
		{"/full", "id=7&fields[name]=Z&fields[iban]=DE02+1", "", "iban;"}, // a right guess
		{"/json", json(`{"id":"7","iban":"` + raw + `","job":"x"}`), json(`{"id":"7","job":"x"}`), ""},
		{"/json", json(`{"id":"7","iban":"DE99"}`), "", "iban;"},
		{"/new", "fields[name]=A&fields[iban]=" + hidden, "", "iban;"},
		{"/new", "fields[name]=A&fields[iban]=DE99", "fields[name]=A&fields[iban]=DE99", ""},
	} {
		got := judgeBy(t, p, send("POST", c.path, "application/x-www-form-urlencoded", c.body), sales(), stored)
		if got.refused != c.refused || c.refused == "" && !strings.EqualFold(got.body, c.want) {
			t.Errorf("%s %s: %s, refused %q; want %s, %q", c.path, c.body, got.body, got.refused, c.want, c.refused)
		}
	}
}
