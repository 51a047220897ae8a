package profile

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// crmForms is a CRM that is spoken to by forms alone.
const crmForms = `
profile: forms/1.0
evidence: documented
withheld: WITHHELD
entities:
  person:
    types: [person, people]
    fields:
      name: name
      phone: phone
      kind: public
      value: {by: kind, values: {mobile: phone, mail: email, "*": online}}
      photo: {category: identity, file: true}
    unknown: mask
  note:
    fields: {text: free_text}
routes:
  - {match: "POST /save/{id}", entity: person, action: update, ids: ["{id}"], body: form, write: {at: body, mode: full, stored: {get: "/people/{id}", at: $}}}
  - {match: POST /save, entity: person, action: update, body: form, write: {at: body, mode: partial, self: id, stored: {get: "/people", at: $}}}
  - {match: POST /new, entity: person, body: form, write: {at: body, mode: create}}
  - {match: POST /mass, entity: person, action: delete, ids: ["body['mass[]']"], body: form, members: ["mass[]"]}
  - {match: POST /find, entity: person, action: search, question: true, body: form, members: [sort], refs: [{role: sort, at: body.sort}], records: [{at: "$[*]"}]}
  - {match: POST /of, entity: body.module, action: delete, ids: [body.id], body: form, members: [module, id]}
  - {match: POST /json, entity: person, action: search, question: true, body: form, form: {json: data, fields: [token], members: [sort]}, refs: [{role: sort, at: body.sort}], records: [{at: "$[*]"}]}
  - {match: POST /plain, pass: true, body: form}
  - {match: POST /urlencoded, pass: true, body: urlencoded}
  - {match: POST /multipart, pass: true, body: multipart}
`

func formCRM(t testing.TB) *Profile {
	t.Helper()
	p, err := Load([]byte(crmForms))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// partsOf is a multipart form of names and values in turn. A name with an `@`
// behind it is a file with the name that follows.
func partsOf(t testing.TB, path string, pairs ...string) Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("----F"); err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, file, isFile := strings.Cut(pairs[i], "@")
		disposition := fmt.Sprintf("form-data; name=%q", name)
		if isFile {
			disposition += fmt.Sprintf("; filename=%q", file)
		}
		part, err := w.CreatePart(map[string][]string{"Content-Disposition": {disposition}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := send("POST", path, "multipart/form-data", b.String())
	r.ContentType = w.FormDataContentType()
	return r
}

func encoded(path string, pairs ...string) Request {
	var fields []string
	for i := 0; i+1 < len(pairs); i += 2 {
		fields = append(fields, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return send("POST", path, "application/x-www-form-urlencoded", strings.Join(fields, "&"))
}

// TestFormIsJudgedAlikeInBothEncodings, down to each reference.
func TestFormIsJudgedAlikeInBothEncodings(t *testing.T) {
	p := formCRM(t)
	for _, c := range []struct {
		path  string
		pairs []string
		want  string // a refusal's reason, or what is asked for
	}{
		{"/save/7", []string{"name", "a", "phone", "1"}, "update person[7]: name name, phone phone"},
		{"/save/7", []string{"name", "a\r\nb", "nosuch", "ü"}, "update person[7]: name name, nosuch unclassified"},
		{"/save/7", []string{"phone", "0", "phone", "1"}, "update person[7]: phone phone, phone phone"},
		{"/save/7", []string{"phone", "0", "Phone", "1"}, "repeated"},
		{"/save/7", []string{"phone", "0", " phone", "1"}, "repeated"},
		{"/save/7", []string{"phone", "0", "phone[]", "1"}, "repeated"},
		{"/save/7", []string{"first_name", "0", "first.name", "1"}, "repeated"},
		{"/save/7", []string{"a[b", "1"}, "malformed"},
		{"/save/7", []string{"a[b]c", "1"}, "malformed"},
		{"/save/7", []string{"[b]", "1"}, "malformed"},
		{"/save/7", []string{"a[ b]", "1"}, "malformed"},
		{"/save/7", []string{"_method", "DELETE"}, "method_override"},
		{"/save/7", []string{"_METHOD", "DELETE"}, "method_override"},
		{"/save/7", []string{" _method", "DELETE"}, "method_override"},
		{"/save/7", []string{".method", "DELETE"}, "method_override"},
		{"/save/7", []string{"_method[]", "DELETE"}, "method_override"},
		{"/save/7", []string{"_charset_", "UTF-8", "name", "a"}, "update person[7]: name name"},
		{"/save/7", []string{"_charset_", "utf-7"}, "type"},
		{"/save", []string{"id", "7", "name", "a"}, "update person[7]: name name"},
		{"/save", []string{"id", "7", "id", "8"}, "repeated"},
		{"/new", []string{"kind", "mail", "value", "x"}, "create person[]: kind public, value email"},
		{"/new", []string{"kind", "mail", "value", "x", "kind", "mobile"}, "create person[]: kind public, value email+online+phone, kind public"},
		{"/mass", []string{"mass[]", "7", "mass[]", "8"}, "delete person[7 8]: "},
		{"/mass", []string{"mass[]", "7", "mass[0]", "8"}, "unknown_parameter"},
		{"/find", []string{"sort", "phone"}, "search person[]: ; sort phone"},
		{"/find", []string{"sort", "name", "sort", "phone"}, "search person[]: ; sort name; sort phone"},
		{"/json", []string{"data", `{"sort":"phone"}`, "token", "x"}, "search person[]: ; sort phone"},
		{"/json", []string{"data", `{"sort":"phone"}`, "data", "{}"}, "unknown_parameter"},
		{"/json", []string{"data", `{"sort":"phone"}`, "Data", "{}"}, "repeated"},
		{"/of", []string{"module", "people", "id", "7"}, "delete person[7]: "},
		{"/of", []string{"module", "note", "module", "people", "id", "7"}, "unknown_type"},
	} {
		for name, r := range map[string]Request{"urlencoded": encoded(c.path, c.pairs...), "multipart": partsOf(t, c.path, c.pairs...)} {
			if got := summary(t, p, r); got != c.want {
				t.Errorf("%s %s %q: %s, want %s", name, c.path, c.pairs, got, c.want)
			}
		}
	}
}

// summary is a refusal's reason, or what a request asks for and about.
func summary(t testing.TB, p *Profile, r Request) string {
	t.Helper()
	if no := refused(t, p, r); no != "" {
		return no
	}
	x := classify(t, p, r)
	out := strings.Join(written(x), "; ")
	for _, ref := range x.Accesses[0].Refs {
		if ref.Role != access.RefWrite {
			out += "; " + string(ref.Role) + " " + ref.Field
		}
	}
	return out
}

// TestFilesStandInFieldsForFilesAlone: elsewhere the CRM could keep, or read,
// what nobody looked at.
func TestFilesStandInFieldsForFilesAlone(t *testing.T) {
	p := formCRM(t)
	for _, c := range []struct {
		path  string
		pairs []string
		want  string
	}{
		{"/save/7", []string{"name", "a", "photo@a.png", "\x89PNG\x00\xff"}, "update person[7]: name name, photo identity"},
		{"/save/7", []string{"photo@", ""}, "update person[7]: "},
		{"/save/7", []string{"photo@", "x"}, "update person[7]: photo identity"},
		{"/save/7", []string{"photo@a.png", ""}, "update person[7]: photo identity"},
		{"/save/7", []string{"photo", "x"}, "update person[7]: photo identity"},
		{"/new", []string{"photo@a.png", "x"}, "create person[]: photo identity"},
		{"/new", []string{"photo@a.png", ""}, "create person[]: photo identity"},
		{"/save/7", []string{"name@a.txt", "x"}, "file"},
		{"/save/7", []string{"name@", ""}, "file"},
		{"/save/7", []string{"nosuch@a.txt", "x"}, "file"},
		{"/save/7", []string{"_charset_@a", "UTF-8"}, "file"},
		{"/save", []string{"id@a.txt", "7", "name", "a"}, "file"},
		{"/mass", []string{"mass[]@a.txt", "7"}, "file"},
		{"/find", []string{"sort@a.txt", "name"}, "file"},
		{"/json", []string{"data@a.txt", `{"sort":"phone"}`}, "file"},
		{"/plain", []string{"a@a.txt", "x"}, "file"},
		{"/plain", []string{"a@", ""}, "file"},
	} {
		if got := summary(t, p, partsOf(t, c.path, c.pairs...)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.path, c.pairs, got, c.want)
		}
	}
	w := classify(t, p, partsOf(t, "/save/7", "name", "a", "photo@a.png", "x")).Writes()[0]
	if len(w.Fields) != 2 || w.Fields[0].File || !w.Fields[1].File {
		t.Errorf("fields %+v", w.Fields)
	}
	all := func(access.Category) bool { return true }
	if slices.Contains(w.FieldNames(all), "photo") {
		t.Error("a form that lacks a file would get it from what is stored")
	}
}

func TestFormOfAnotherEncodingIsRefused(t *testing.T) {
	p := formCRM(t)
	forged := partsOf(t, "/plain", "a", "b")
	forged.ContentType = "multipart/form-data; boundary=other"
	two := partsOf(t, "/plain", "a", "b")
	two.ContentType += "; boundary2=x"
	none := partsOf(t, "/plain", "a", "b")
	none.ContentType = ""
	for name, c := range map[string]struct {
		r    Request
		want string
	}{
		"urlencoded for form": {encoded("/plain", "a", "b"), ""}, "multipart for form": {partsOf(t, "/plain", "a", "b"), ""},
		"urlencoded for urlencoded": {encoded("/urlencoded", "a", "b"), ""}, "multipart for urlencoded": {partsOf(t, "/urlencoded", "a", "b"), "type"},
		"urlencoded for multipart": {encoded("/multipart", "a", "b"), "type"}, "multipart for multipart": {partsOf(t, "/multipart", "a", "b"), ""},
		"json for form":    {send("POST", "/plain", "application/json", "{}"), "type"},
		"mixed for form":   {send("POST", "/plain", "multipart/mixed", "--a--"), "type"},
		"another boundary": {forged, "malformed"}, "a further parameter": {two, "malformed"}, "no boundary": {none, "malformed"},
	} {
		if got := refused(t, p, c.r); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// FuzzForms holds that a form is judged alike in both encodings, whatever its
// names and values, where each can hold them.
func FuzzForms(f *testing.F) {
	f.Add("name", "a", "phone[]", "1")
	f.Add("kind", "mail", "value", "x")
	f.Add("_method", "x", "a.b", "ä")
	p := formCRM(f)
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		if strings.ContainsAny(n1+n2, "\"%\\\r\n@") || strings.Contains(v1+v2, "----F") {
			return
		}
		for _, path := range []string{"/save/7", "/save", "/new"} {
			a, b := summary(t, p, encoded(path, n1, v1, n2, v2)), summary(t, p, partsOf(t, path, n1, v1, n2, v2))
			if a != b && a != "malformed" && b != "malformed" {
				t.Fatalf("%q=%q %q=%q: urlencoded %s, multipart %s", n1, v1, n2, v2, a, b)
			}
		}
	})
}

// TestRepeatedNamesOfAFormAreAllRead: the CRM may heed the last of them.
func TestRepeatedNamesOfAFormAreAllRead(t *testing.T) {
	tree := classify(t, formCRM(t), encoded("/save/7", "a", "1", "b", "2", "a", "3")).Body()
	pth, err := parsePath(".a")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	pth.each(tree, doc.Root, func(n int) { got = append(got, tree.Text(n)) })
	if !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("got %q", got)
	}
}
