package profile

import (
	"errors"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

const wrappedSaves = `
profile: wraps/1
evidence: documented
withheld: W
normalize: {query: {nested: true}}
entities:
  person:
    fields:
      name: name
      iban: bank
      job|id: public
      mails: {parts: {VALUE: email, KIND: public}}
routes:
  - {match: "POST /n", name: nested, entity: person, action: update, ids: [body.id], body: json|nested, members: [id, fields], write: {at: body.fields, mode: full, stored: {get: "/p/{id}", at: $}}}
  - {match: "POST /j", when: {body.op: save}, name: json, entity: person, action: update, body: urlencoded, form: {json: element, fields: [op]}, write: {at: body, mode: partial, self: id, stored: {get: "/p/{id}", at: $}}}
  - {match: "POST /j", when: {body.op: add, body.kind: person}, name: add, entity: person, body: form, form: {json: element, fields: [op, kind]}, write: {at: body, mode: create}}
  - {match: "POST /m", when: {body._method: PUT}, name: put, entity: person, action: update, ids: [body.id], body: nested, members: [_method, id, fields], write: {at: body.fields, mode: full, stored: {get: "/edit/{id}", form: form}}}
`

const urlencoded = "application/x-www-form-urlencoded"

// TestSavesInTreesAndTextsAreRead: names in brackets, and JSON in a field, are values
// like others.
func TestSavesInTreesAndTextsAreRead(t *testing.T) {
	p := loadText(t, wrappedSaves)
	for _, c := range []struct{ path, body, want string }{
		{"/n", "id=7&fields[iban]=x&fields[mails][0][VALUE]=y", "write iban bank; write mails email"},
		{"/n", "id=7&fields[iban]=x&fields[iban]=y", "malformed"},
		{"/n", "id=7&fields[other]=x", "write other unclassified"},
		{"/n", "id=7&fields=x", "malformed"},
		{"/n", "id=7&more=x", "unknown_parameter"},
		{"/j", "op=save&element=" + `{"id":"7","iban":"x"}`, "write iban bank"},
		{"/j", "op=save&element=" + `{"id":"7","id":"8"}`, "malformed"},
		{"/j", "op=save&element=" + `[]`, "malformed"},
		{"/j", "op=save&element=1&element=2", "unknown_parameter"},
		{"/j", "op=add&kind=person&element=" + `{"name":"x"}`, "write name name"},
		{"/j", "op=drop&element=" + `{"name":"x"}`, "unknown_call"},
		{"/m", "id=7&_method=PUT&fields[name]=x", "write name name"},
		{"/m", "id=7&_method=DELETE", "unknown_call"},
		{"/m", "id=7&_METHOD=DELETE&_method=PUT", "unknown_call"},
		{"/n", "id=7&_method=DELETE&fields[job]=x", "method_override"},
	} {
		if got := askedBy(t, p, send("POST", c.path, urlencoded, formText(c.body))); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}

// formText escapes what a form's text can't hold, for tests to be readable.
func formText(s string) string {
	out := ""
	for _, c := range s {
		switch c {
		case '{', '}', '"':
			out += string("%") + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15])
		default:
			out += string(c)
		}
	}
	return out
}

// TestEditsAreMadeInTheForm: what is put back and taken out in the document that was
// judged is so in the form that is forwarded, and nothing else changes in that.
func TestEditsAreMadeInTheForm(t *testing.T) {
	p := loadText(t, wrappedSaves)
	for _, c := range []struct{ path, body, take, put, with, want string }{
		{"/n", "id=7&fields[name]=A&fields[iban]=M&fields%5Bjob%5D=b+c", "iban", "", "", "id=7&fields[name]=A&fields%5Bjob%5D=b+c"},
		{"/n", "id=7&fields[name]=A&fields[iban]=M", "", "iban", `"DE & 1"`, "id=7&fields[name]=A&fields[iban]=DE+%26+1"},
		{"/n", "id=7&fields[name]=A&fields[iban]=M", "", "iban", "12", "id=7&fields[name]=A&fields[iban]=12"},
		{"/n", "id=7&fields[name]=A&fields[iban]=M", "", "iban", "null", "id=7&fields[name]=A&fields[iban]="},
		{"/n", "id=7&fields[name]=A&fields[iban]=M", "", "iban", "true", ""},
		{"/n", "id=7&fields[name]=A", "", "iban", `"x"`, "id=7&fields[name]=A&fields%5Biban%5D=x"},
		{"/n", "id=7&fields[name]=A", "", "mails", `[{"VALUE":"x","KIND":"y"}]`, "id=7&fields[name]=A&fields%5Bmails%5D%5B0%5D%5BVALUE%5D=x&fields%5Bmails%5D%5B0%5D%5BKIND%5D=y"},
		{"/n", "id=7&fields[mails][4][VALUE]=M&fields[mails][9][VALUE]=M", "", "mails", `[{"VALUE":"x"},{"VALUE":"y"}]`, "id=7&fields[mails][4][VALUE]=x&fields[mails][9][VALUE]=y"},
		{"/n", "id=7&fields[mails][4][VALUE]=M", "", "mails", `[{"VALUE":"x"},{"VALUE":"y"}]`, ""}, // a number of the CRM's
		{"/n", "id=7&fields[mails][4][VALUE]=M", "", "mails", `[{"VALUE":"x","KIND":"y"}]`, "id=7&fields[mails][4][VALUE]=x&fields%5Bmails%5D%5B4%5D%5BKIND%5D=y"},
		{"/n", "id=7&fields[mails][][VALUE]=M&fields[mails][][VALUE]=N", "", "name", `"x"`, ""},
		{"/n", "id=7&fields[name]=A", "", "iban", `{"a[b]":"x"}`, ""},
		{"/j", `op=save&element={"id":"7","iban":"M","name":"A"}`, "iban", "", "", "op=save&element=%7B%22id%22%3A%227%22%2C%22name%22%3A%22A%22%7D"},
		{"/j", `op=save&element={"id":"7","iban":"M"}`, "", "iban", `"x"`, "op=save&element=%7B%22id%22%3A%227%22%2C%22iban%22%3A%22x%22%7D"},
	} {
		r := send("POST", c.path, urlencoded, formText(c.body))
		x := classify(t, p, r)
		w := x.Writes()[0]
		var edits []doc.Edit
		for _, f := range w.Fields {
			at := x.Body().Nodes[f.Node]
			switch f.Name {
			case c.take:
				edits = append(edits, doc.RemoveMembers(x.Body(), w.Object, []int{f.Node})...)
			case c.put:
				edits = append(edits, doc.Edit{Start: at.Start, End: at.End, With: []byte(c.with)})
			}
		}
		if len(edits) == 0 {
			edits = doc.AppendMembers(x.Body(), w.Object, []doc.Member{{Key: c.put, Raw: []byte(c.with)}})
		}
		got, err := x.Splice(r.Body, edits)
		if c.want == "" && !errors.Is(err, errUnfit) || c.want != "" && string(got) != c.want {
			t.Errorf("%s with %s: %s, %v, want %s", c.body, c.with, got, err, c.want)
		}
	}
}

// TestStoredFormsAreReadAsTheRequestIs: with names that are a tree.
func TestStoredFormsAreReadAsTheRequestIs(t *testing.T) {
	p := loadText(t, wrappedSaves)
	w := classify(t, p, send("POST", "/m", urlencoded, "id=7&_method=PUT&fields[iban]=M")).Writes()[0]
	tree, err := w.ParseStored([]byte(`<form><input name="id" value="7"><input name="fields[iban]" value="DE1"></form>`))
	if err != nil {
		t.Fatal(err)
	}
	records, err := w.ReadStored(tree)
	if err != nil {
		t.Fatal(err)
	}
	if n, _, cats := w.StoredField(tree, records["7"], "iban"); n < 0 || tree.Text(n) != "DE1" || len(cats) != 1 || cats[0] != "bank" {
		t.Errorf("stored %s: %d, %v", tree.Src, n, cats)
	}
	if _, err := w.ParseStored([]byte(`<form><input name="id" value="7"><input name="a[b" value="DE1"></form>`)); err == nil {
		t.Error("a name that can be read in two ways is taken")
	}
}
