package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const buttons = `
profile: buttons/1
evidence: documented
withheld: W
entities:
  person: {id: id, fields: {name: name, iban: bank, id|action|old: public}}
routes:
  - {match: "POST /p", when: {body.action: save, body.id: ""}, name: create, entity: person, body: form, type: none, write: {at: body, mode: create}}
  - {match: "POST /p", when: {body.action: save, body.id: "{id}"}, name: save, entity: person, action: update, ids: ["{id}"], body: form, type: none, write: {at: body, mode: full, stored: {get: "/p?id={id}", form: "form#p"}}}
  - {match: "POST /p", when: {body.action: add, body.old: ""}, name: add, entity: person, body: form, type: none, write: {at: body, mode: create}}
`

// TestButtonTellsWhatAFormIsFor: routes of one address are told from each other by
// fields of the form; a form that none describes is refused.
func TestButtonTellsWhatAFormIsFor(t *testing.T) {
	p := loadText(t, buttons)
	const media = "application/x-www-form-urlencoded"
	for body, want := range map[string]string{
		"action=save&name=x": "create", "action=save&id=&name=x": "create", "action=save&id=7&name=x": "save", "name=x&action=add": "add", "action=add&old=": "add",
		"action=add&old=1": "unknown_call", "action=delete&id=7": "unknown_call", "id=7": "unknown_call", "": "unknown_call", "action=&id=7": "unknown_call", "Action=save": "unknown_call",
		"action=save&action=add": "unknown_call", "action=save&id=7&id=8": "unknown_call", "action=save&id=&id=8": "unknown_call", "action=save&Action=add": "unknown_call", "action=%": "unknown_call",
		"action=save;id=7": "unknown_call",
	} {
		got := ""
		x, err := p.Classify(send("POST", "/p", media, body))
		if no, ok := errors.AsType[*Refusal](err); ok {
			got = no.Reason
		} else if err == nil {
			got = x.Route
			if id := x.Accesses[len(x.Accesses)-1].IDs; got == "save" && !slices.Equal(id, []string{"7"}) {
				t.Errorf("%q: ids %v", body, id)
			}
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", body, got, want, err)
		}
	}
	if _, err := p.Classify(send("POST", "/p", "application/json", `{"action":"save"}`)); err == nil {
		t.Error("JSON is taken for a form")
	}
	// A file isn't the text that it holds.
	const file = "--B\r\nContent-Disposition: form-data; name=\"action\"; filename=\"x\"\r\n\r\nsave\r\n--B--\r\n"
	r := send("POST", "/p", "multipart/form-data", file)
	r.ContentType = "multipart/form-data; boundary=B"
	if _, err := p.Classify(r); err == nil {
		t.Error("a file is taken for a button")
	}
}

func TestRoutesThatAFormNeverReachesAreFound(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{`{body.a: x}`, `{body.a: x}`, "can never match"},
		{`{body.a: "{v}"}`, `{body.a: x}`, "can never match"},
		{`{body.a: x}`, `{body.a: x, body.b: y}`, "can never match"},
		{`{body.a: "{v}"}`, `{body.a: ""}`, ""},
		{`{body.a: x}`, `{body.a: y}`, ""},
		{`{body.a: x}`, `{body.a: "{v}"}`, ""},
		{`{body.a: x, body.b: y}`, `{body.a: x}`, ""},
		{`{body.a: "{v"}`, `{body.a: x}`, "neither values nor"},
	} {
		src := strings.Split(buttons, "routes:")[0] + "routes:\n"
		for _, when := range []string{c.first, c.second} {
			src += "  - {match: \"POST /p\", when: " + when + ", entity: person, body: form, type: none, write: {at: body, mode: create}}\n"
		}
		_, err := Load([]byte(src))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %s: %v, want %q", c.first, c.second, err, c.want)
		}
	}
	for _, change := range [][2]string{
		{"body: form, type: none, write: {at: body, mode: create}}\n  - {match: \"POST /p\", when: {body.action: save, body.id: \"{id}\"}", "body: any, type: none, write: {at: body, mode: create}}\n  - {match: \"POST /p\", when: {body.action: save, body.id: \"{id}\"}"},
		{`form: "form#p"`, `form: "form#p", at: $`},
		{`get: "/p?id={id}", form`, `form`},
		{`form: "form#p"`, `form: "form##"`},
	} {
		if _, err := Load([]byte(strings.Replace(buttons, change[0], change[1], 1))); err == nil || !strings.Contains(buttons, change[0]) {
			t.Errorf("%s loads", change[1])
		}
	}
}

// TestStoredValuesStandInAPagesForm: the record is what a browser would send of the
// one form that fits, and the form has to say whose it is.
func TestStoredValuesStandInAPagesForm(t *testing.T) {
	p := loadText(t, buttons)
	x := classify(t, p, send("POST", "/p", "application/x-www-form-urlencoded", "action=save&id=7&name=x"))
	w := x.Writes()[0]
	req, err := w.Stored([]string{"iban"})
	if err != nil || req.Path != "/p" || req.Query != "id=7" || w.StoredMedia() != "text/html" {
		t.Fatalf("%+v, %v, %s", req, err, w.StoredMedia())
	}
	const page = `<form><input name=id value=8><input name=iban value=X></form><form id=p><input name=id value=7><input name=iban value="DE 1 &lt;"><textarea name=name>Weber</textarea></form>`
	tree, err := w.ParseStored([]byte(page))
	if err != nil {
		t.Fatal(err)
	}
	records, err := w.ReadStored(tree)
	if err != nil {
		t.Fatal(err)
	}
	if node, _, _ := w.StoredField(tree, records["7"], "iban"); node < 0 || tree.Text(node) != "DE 1 <" {
		t.Errorf("the stored iban is node %d", node)
	}
	for what, page := range map[string]string{
		"no form": `<p>x`, "two": page + `<form id=p></form>`, "no id": `<form id=p><input name=iban value=X></form>`, "an empty id": `<form id=p><input name=id></form>`,
		"two ids": `<form id=p><input name=id value=7><input name=id value=7></form>`, "broken": `<form id=p><input name="id`,
	} {
		if _, err := w.ParseStored([]byte(page)); err == nil {
			t.Errorf("%s is taken for the record", what)
		}
	}
	other, err := w.ParseStored([]byte(`<form id=p><input name=id value=9><input name=iban value=X></form>`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReadStored(other); err == nil {
		t.Error("another record is taken for the one that is saved")
	}
}

func TestCookieThatSaysThatThereIsNoSession(t *testing.T) {
	const routes = "routes: [{match: \"GET /\", pass: true}]\n"
	const head = "profile: p/1\nevidence: documented\nwithheld: W\nentities: {person: {fields: {name: name}}}\n"
	p := loadText(t, head+routes+"sessions: [{cookie: sid, none: [Login]}]\n")
	if s := p.Sessions()[0]; !s.IsNone("Login") || s.IsNone("login") || s.IsNone("") {
		t.Error("none isn't heeded as written")
	}
}
