package restore_test

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// multipart is a form of raw parts.
func multipart(path, boundary string, parts ...string) profile.Request {
	r := send("POST", path, "multipart/form-data", raw(boundary, parts...))
	r.ContentType = "multipart/form-data; boundary=" + boundary
	return r
}

func raw(boundary string, parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; name=" + p + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// TestMultipartFormGetsStoredValuesInPlace: every other byte is the sender's.
func TestMultipartFormGetsStoredValuesInPlace(t *testing.T) {
	const stored = `{"id":1,"name":"Weber","phone":"` + phone + `","email":"w@x.example","salary":"47 ä\n\"b\"","kind":"mobile","value":"` + phone + `","born":null,"photo":"p"}`
	p := shownPhone()
	added := []string{"born\r\n\r\n", "photo\r\n\r\np", "salary\r\n\r\n47 ä\n\"b\"", "value\r\n\r\n" + phone}
	for i, a := range added {
		name, rest, _ := strings.Cut(a, "\r\n")
		added[i] = `"` + name + "\"\r\n" + rest
	}
	for name, c := range map[string]struct {
		parts, want []string
		refused     string
	}{
		"untouched": {
			[]string{"name\r\n\r\nNeu", "\"phone\"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + p},
			append([]string{"name\r\n\r\nNeu", "\"phone\"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + phone}, added...), "",
		},
		"emptied":           {[]string{"phone\r\n\r\n"}, append([]string{"phone\r\n\r\n" + phone}, added...), ""},
		"twice":             {[]string{"phone\r\n\r\n" + p, "phone\r\n\r\n"}, append([]string{"phone\r\n\r\n" + phone, "phone\r\n\r\n" + phone}, added...), ""},
		"edited":            {[]string{"phone\r\n\r\n" + p + "1"}, nil, "phone;"},
		"twice, one typed":  {[]string{"phone\r\n\r\n" + p, "phone\r\n\r\n1"}, nil, "phone;"},
		"in a file's field": {[]string{"photo\r\n\r\n••••••", "phone\r\n\r\n" + p}, append([]string{"photo\r\n\r\np", "phone\r\n\r\n" + phone, added[0]}, added[2:]...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(t, multipart("/form/1", "--F", c.parts...), sales(), stored)
			if got.refused != c.refused {
				t.Fatalf("refused %q, want %q", got.refused, c.refused)
			}
			if want := raw("--F", c.want...); c.refused == "" && got.body != want {
				t.Errorf("the CRM gets\n%s\nwant\n%s", got.body, want)
			}
		})
	}
}

// TestBoundaryCannotCutAStoredValue: the sender chooses the boundary. One that
// stands in the stored value would divide it, or have it changed.
func TestBoundaryCannotCutAStoredValue(t *testing.T) {
	for name, salary := range map[string]string{"at the start": "--47", "behind a line": "a\\r\\n--47", "within": "a--47"} {
		stored := `{"id":1,"name":"Weber","phone":"","salary":"` + salary + `","photo":""}`
		for _, parts := range [][]string{{"name\r\n\r\nx"}, {"name\r\n\r\nx", "salary\r\n\r\n••••••"}} {
			if got := judge(t, multipart("/form/1", "4", parts...), sales(), stored); !strings.Contains(got.refused, "salary") {
				t.Errorf("%s: refused %q, body %q", name, got.refused, got.body)
			}
			if got := judge(t, multipart("/form/1", "5", parts...), sales(), stored); got.refused != "" {
				t.Errorf("%s: refused %q", name, got.refused)
			}
		}
	}
	// The same goes for what an urlencoded form can't hold.
	zero := `{"id":1,"name":"Weber","phone":"","salary":"a\u0000b","photo":""}`
	if got := judge(t, send("POST", "/form/1", "application/x-www-form-urlencoded", "name=x"), sales(), zero); got.refused != "salary;" {
		t.Errorf("a NUL: refused %q, body %q", got.refused, got.body)
	}
}

const files = `
profile: files/1.0
evidence: documented
withheld: WITHHELD
entities:
  person:
    fields: {name: name, phone: phone, photo: {category: identity, file: true}, card: {category: name, file: true}}
routes:
  - {match: "POST /full/{id}", entity: person, action: update, ids: ["{id}"], body: form, write: {at: body, mode: full, stored: {get: "/people/{id}", at: $}}}
  - {match: "POST /part/{id}", entity: person, action: update, ids: ["{id}"], body: form, write: {at: body, mode: partial, stored: {get: "/people/{id}", at: $}}}
  - {match: "POST /new", entity: person, body: form, write: {at: body, mode: create}}
`

// TestFileIsUploadedByWhoSeesWhatItReplaces, and is never made of what is stored.
func TestFileIsUploadedByWhoSeesWhatItReplaces(t *testing.T) {
	const stored = `{"id":1,"name":"Weber","phone":"` + phone + `","photo":"aGk=","card":"eA=="}`
	const file = `; filename="a.png"` + "\r\nContent-Type: image/png\r\n\r\n"
	p := shownPhone()
	plans := sales()
	plans.Shown = plan(access.Read, map[access.Category]access.Treatment{access.Name: access.Clear, access.Phone: access.Partial})
	for name, c := range map[string]struct {
		path, refused string
		parts, want   []string
	}{
		"readable":            {"/full/1", "", []string{"card" + file + "\x89\x00", "phone\r\n\r\n" + p}, []string{"card" + file + "\x89\x00", "phone\r\n\r\n" + phone}},
		"unreadable":          {"/full/1", "photo;", []string{"photo" + file + "\x89\x00", "phone\r\n\r\n" + p}, nil},
		"unreadable, partial": {"/part/1", "photo;", []string{"photo" + file + "\x89\x00"}, nil},
		"unreadable, emptied": {"/full/1", "photo;", []string{"photo" + file, "phone\r\n\r\n" + p}, nil},
		"a placeholder":       {"/full/1", "photo;", []string{"photo" + file + mask.HiddenText, "phone\r\n\r\n" + p}, nil},
		"left alone":          {"/full/1", "", []string{"photo; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n", "phone\r\n\r\n" + p}, []string{"photo; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n", "phone\r\n\r\n" + phone}},
		"partial":             {"/part/1", "", []string{"phone\r\n\r\n" + p, "card" + file + "x"}, []string{"card" + file + "x"}},
		"partial, last":       {"/part/1", "", []string{"card" + file + "x", "phone\r\n\r\n" + p}, []string{"card" + file + "x"}},
		"partial, alone":      {"/part/1", "", []string{"phone\r\n\r\n" + p}, nil},
		"new":                 {"/new", "", []string{"photo" + file + "x"}, []string{"photo" + file + "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			body, refused := judgeIn(t, files, multipart(c.path, "F", c.parts...), plans, stored)
			if refused != c.refused {
				t.Fatalf("refused %q, want %q", refused, c.refused)
			}
			if want := raw("F", c.want...); refused == "" && body != want {
				t.Errorf("the CRM gets\n%s\nwant\n%s", body, want)
			}
		})
	}
}

// judgeIn is judge for a profile of its own.
func judgeIn(t *testing.T, source string, r profile.Request, plans restore.Plans, stored string) (body, refused string) {
	t.Helper()
	p, err := profile.Load([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.Classify(r)
	if err != nil {
		t.Fatal(err)
	}
	w := x.Writes()[0]
	var s restore.Stored
	if w.CanStore() {
		if s.Tree, err = json.Parse([]byte(stored), doc.DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		if s.Records, err = w.ReadStored(s.Tree); err != nil {
			t.Fatal(err)
		}
	}
	res := restore.Judge(mask.New(mask.Config{}), "session", x.Body(), w, s, plans)
	out, err := doc.Splice(nil, r.Body, res.Edits)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Refused) > 0 {
		refused = strings.Join(res.Refused, ",") + ";"
	}
	return string(out), refused
}
