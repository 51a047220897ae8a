package trial

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
)

// book is a profile with one entity, and one mistake: it doesn't know of `alias`.
const book = `
profile: book/1
evidence: documented
withheld: W
entities:
  person: {types: [Person], unknown: pass, fields: {name: name, mail: email, note: {category: free_text, decode: json}, job: public, marks: free_text}}
  place: {types: [Place], unknown: mask}
routes:
  - {match: "GET /static/**", pass: true}
  - {match: "GET /export", entity: Person, action: export, type: csv, csv: {header: "1"}, records: [{columns: header, id: id, fields: {id: id, name: name, mail: mail}}]}
  - {match: "GET /people", entity: Person, action: search, query: [q, sort, fields], refs: [{role: sort, at: query.sort}, {role: select, at: query.fields, syntax: csv}, {role: search, at: query.q, syntax: search, field: name}], records: [{at: "$.list[*]"}]}
  - {match: "PATCH /people/{id}", entity: Person, ids: ["{id}"], write: {at: body, mode: partial, stored: {get: "/people/{id}", at: $}}, records: [{at: $}]}
`

// folder writes a folder with one case.
func folder(t *testing.T, c string, files map[string]string) *Folder {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest := `{"crm":"book","host":"https://crm.example.de","cases":[` + c + `]}`
	if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func run(t *testing.T, f *Folder) Result {
	t.Helper()
	p, err := profile.Load([]byte(book))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Run(f, p)
	if err != nil {
		t.Fatal(err)
	}
	return rep.Cases[0]
}

const people = `{"list":[{"id":7,"name":"Zoë Canary","mail":"zoe@example.de","job":"boss","note":"{\"name\":\"Zoë Canary\"}"}]}`

// listCase is a list with everything found but what change takes away.
func listCase(old, with string) string {
	c := `{"id":"1","decision":"mask","request":{"method":"GET","url":"/people?q=zö&sort=mail&fields=name,job"},
		"response":{"status":200,"content_type":"application/json","body_file":"1.json"},
		"refs":{"sort":["Person.mail"],"select":["Person.name","Person.job"],"search":true},
		"records":[{"entity":"person","id":"7"}],
		"personal":[{"at":"/list/0/name","kind":"value","category":"name"},{"at":"/list/0/mail","kind":"value","category":"email"},
			{"at":"/list/0/note#json/name","kind":"value","category":"name"}]}`
	return strings.Replace(c, old, with, 1)
}

func TestEverythingFoundIsNoDifference(t *testing.T) {
	r := run(t, folder(t, listCase("", ""), map[string]string{"1.json": people}))
	want := Count{Records: 1, RecordsFound: 1, Values: 3, ValuesMasked: 3, Refs: 4, RefsFound: 4, Decisions: 1, DecisionsOK: 1, Masked: 3}
	if len(r.Differences) > 0 || r.Count != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// TestDifferencesAreNamed: each thing that a profile misses is a difference of
// its own, and none quotes a value.
func TestDifferencesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, old, with, body, want string }{
		{"record", `"id":"7"`, `"id":"8"`, people, "the record person/8 would not be in the log"},
		{"record of another name", `"entity":"person"`, `"entity":"human"`, people, "the record human/7 would be in the log as person/7"},
		{"value", `"/list/0/mail"`, `"/list/0/job"`, people, "the email at /list/0/job is not masked"},
		{"value in an unknown field", `"/list/0/mail"`, `"/list/0/alias"`, `{"list":[{"id":7,"name":"Zoë","alias":"Canary","note":"{\"name\":\"Zoë\"}"}]}`, "the email at /list/0/alias is not masked"},
		{"mark without place", `"/list/0/mail"`, `"/list/9/mail"`, people, "the mark at /list/9/mail leads nowhere"},
		{"reference", `"sort":["Person.mail"]`, `"filter":["Person.mail"]`, people, "the reference filter Person.mail isn't found"},
		{"reference of another entity", `"Person.job"`, `"Place.job"`, people, "the reference select Place.job isn't found"},
		{"unknown parameter", `&sort=mail`, `&where=mail`, people, "the profile refuses it (unknown_parameter"},
		{"no canonical form", `&sort=mail`, `&sort=mail&sort=name`, people, "the profile refuses it (the request has no canonical form"},
		{"pass", `"decision":"mask"`, `"decision":"pass"`, people, "pass is false, want pass"},
		{"export", `"decision":"mask"`, `"decision":"export-policy"`, people, "it is no export to the profile"},
		{"another shape", "", "", `{"rows":[]}`, "the answer would be withheld as a whole"},
		{"another type", `"application/json"`, `"text/html"`, people, "the answer would be withheld as a whole: it is text/html"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, folder(t, listCase(c.old, c.with), map[string]string{"1.json": c.body}))
			if !slices.ContainsFunc(r.Differences, func(d string) bool { return strings.Contains(d, c.want) }) {
				t.Errorf("%q, want %q", r.Differences, c.want)
			}
			if text := strings.Join(r.Differences, " "); strings.Contains(text, "Zoë") || strings.Contains(text, "Canary") {
				t.Errorf("a value is quoted: %s", text)
			}
		})
	}
}

// TestSecondPassIsToldFromTheProfile: what only the second pass finds is counted
// by itself.
func TestSecondPassIsToldFromTheProfile(t *testing.T) {
	body := `{"list":[{"id":7,"name":"Zoë Canary","mail":"zoe@example.de","alias":"Zoë Canary","note":"{\"name\":\"Zoë Canary\"}"}]}`
	r := run(t, folder(t, listCase(`{"at":"/list/0/mail","kind":"value","category":"email"}`, `{"at":"/list/0/alias","kind":"value","category":"name"}`), map[string]string{"1.json": body}))
	if r.ValuesMasked != 3 || r.SecondPass != 1 {
		t.Errorf("%+v: want 3 masked, 1 by the second pass", r.Count)
	}
	if r.Overmasked != 1 || !slices.Equal(r.Unneeded, []string{"/list/0/mail"}) {
		t.Errorf("%d %v masked without need, want the mail", r.Overmasked, r.Unneeded)
	}
}

// TestRecordsThatTheRequestNamesAreInTheLog: the entry is written before the CRM
// answers, and whatever it answers.
func TestRecordsThatTheRequestNamesAreInTheLog(t *testing.T) {
	c := `{"id":"1","decision":"mask","request":{"method":"PATCH","url":"/people/7","headers":{"Content-Type":"application/json"},"body_file":"in.json"},
		"response":{"status":409,"content_type":"application/json","body_file":"1.json"},"records":[{"entity":"person","id":"7"}],
		"refs":{"write":["Person.name"]},"personal":[]}`
	r := run(t, folder(t, c, map[string]string{"in.json": `{"name":"Zoë"}`, "1.json": `{"code":"conflict"}`}))
	if r.RecordsFound != 1 || len(r.Differences) > 0 {
		t.Errorf("%+v", r)
	}
}

// TestPartsOfAFieldCountAsTheField that a manifest names, and not the other way round.
func TestPartsOfAFieldCountAsTheField(t *testing.T) {
	c := listCase(`sort=mail`, `sort=mail.value`)
	if r := run(t, folder(t, c, map[string]string{"1.json": people})); r.RefsFound != 4 {
		t.Errorf("%+v", r)
	}
	c = strings.Replace(listCase("", ""), `"Person.mail"`, `"Person.mail.value"`, 1)
	if r := run(t, folder(t, c, map[string]string{"1.json": people})); r.RefsFound != 3 {
		t.Errorf("%+v", r)
	}
}

// TestReasonsSayWhatToWrite of what is masked without need.
func TestReasonsSayWhatToWrite(t *testing.T) {
	p, err := profile.Load([]byte(strings.Replace(book, "unknown: pass, fields", "unknown: mask, fields", 1)))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"list":[{"id":7,"name":"Zoë Canary","mail":"zoe@example.de","marks":"x","kind":"a","of":{"kind":"b"},"job":"Zoë Canary"}],"state":"full"}`
	rep, err := Run(folder(t, strings.Replace(listCase("", ""), `"/list/0/note#json/name"`, `"/list/0/name"`, 1), map[string]string{"1.json": body}), p)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rep.Reasons() {
		got = append(got, strconv.Itoa(r.Places)+" "+r.Text)
	}
	for i, want := range []string{"1 person.kind isn't listed", "1 person.marks is [free_text]", "1 person.of isn't listed", "1 state stands outside of records: `public: [state]`"} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLinesAreJudgedByWhatStandsInThem(t *testing.T) {
	c := `{"id":"1","decision":"export-policy","request":{"method":"GET","url":"/export"},
		"response":{"status":200,"content_type":"text/csv","body_file":"1.csv"},"records":[{"entity":"person","id":"7"}],
		"personal":[{"at":"line 2","kind":"text","category":"name"},{"at":"line 2","kind":"text","category":"KIND"}]}`
	body := map[string]string{"1.csv": "id,name,mail\n7,Zoë Canary,zoe@example.de\n"}
	if r := run(t, folder(t, strings.Replace(c, "KIND", "email", 1), body)); len(r.Differences) > 0 || r.ValuesMasked != 2 {
		t.Errorf("%+v", r)
	}
	r := run(t, folder(t, strings.Replace(c, "KIND", "bank", 1), body))
	if len(r.Differences) != 1 || !strings.Contains(r.Differences[0], "the bank at line 2") {
		t.Errorf("%q: no field of the line holds an account", r.Differences)
	}
}

// TestRefusalsAreComparedWithTheDecision: a request may be refused by the profile
// only where the case says so, and has to be where a policy must be able to.
func TestRefusalsAreComparedWithTheDecision(t *testing.T) {
	for _, c := range []struct {
		decision, method, url, body string
		ok                          bool
	}{
		{"deny", "GET", "/nowhere", "", true},
		{"mask", "GET", "/nowhere", "", false},
		{"deny", "GET", "/people?sort=mail", "", true},
		{"deny-if-filter-masked", "GET", "/people?q=x", "", true},
		{"deny-if-filter-masked", "GET", "/people?sort=job", "", false},
		{"deny-mask-writeback", "PATCH", "/people/7", `{"mail":"x"}`, true},
		{"deny-mask-writeback", "PATCH", "/people/7", `{"job":"x"}`, false},
		{"deny-or-mask", "GET", "/people", "", true},
		{"pass", "GET", "/static/x.js", "", true},
		{"mask", "GET", "/static/x.js", "", false},
	} {
		raw, err := json.Marshal(map[string]any{"id": "1", "decision": c.decision, "request": map[string]string{"method": c.method, "url": c.url, "body_file": map[bool]string{true: "b.json"}[c.body != ""]}})
		if err != nil {
			t.Fatal(err)
		}
		r := run(t, folder(t, string(raw), map[string]string{"b.json": c.body}))
		if got := len(r.Differences) == 0; got != c.ok || r.DecisionsOK != map[bool]int{true: 1}[c.ok] {
			t.Errorf("%s %s for %s: %q, want good = %v", c.method, c.url, c.decision, r.Differences, c.ok)
		}
	}
}

// TestWhatIsRefusedInVainIsMissing: a profile can't become perfect by refusing.
func TestWhatIsRefusedInVainIsMissing(t *testing.T) {
	r := run(t, folder(t, listCase("/people?", "/nowhere?"), map[string]string{"1.json": people}))
	if r.Records != 1 || r.RecordsFound != 0 || r.Values != 3 || r.ValuesMasked != 0 || r.Refs != 4 || r.RefsFound != 0 {
		t.Errorf("%+v", r.Count)
	}
}

func TestKeysAndCodedDocumentsAreMarked(t *testing.T) {
	body := `{"a":{"zoe@example.de":1},"c":"eyJuIjoiWm/DqyJ9"}`
	a := readAnswer([]byte(body))
	for _, c := range []struct {
		mark Mark
		want string
	}{
		{Mark{At: "/a", Kind: "key"}, "zoe@example.de"},
		{Mark{At: "/a/zoe@example.de", Kind: "key"}, "key"},
		{Mark{At: "/c#b64json/n", Kind: "value"}, "Zoë"},
	} {
		if got, ok := a.at(c.mark); !ok || got != c.want {
			t.Errorf("%+v is %q, %v, want %q", c.mark, got, ok, c.want)
		}
	}
	b := readAnswer([]byte(`{"a":{"••••••":1},"c":"eyJuIjoiWm/DqyJ9"}`))
	if got := a.changed(b); !slices.Equal(got, []string{"/a/zoe@example.de"}) {
		t.Errorf("changed = %q", got)
	}
}

func TestManifestReadsNoBodyOutsideItsFolder(t *testing.T) {
	f := folder(t, `{"id":"1"}`, nil)
	if err := os.WriteFile(filepath.Join(filepath.Dir(f.dir), "secret"), []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", filepath.Join(filepath.Dir(f.dir), "secret"), "a/../../secret"} {
		if raw, err := f.ReadFile(name); err == nil {
			t.Errorf("ReadFile(%q) = %q", name, raw)
		}
	}
}

func TestUnreadableFoldersAreErrors(t *testing.T) {
	for name, manifest := range map[string]string{"no cases": `{"cases":[]}`, "no JSON": `{`} {
		if _, err := Parse("x", []byte(manifest)); err == nil {
			t.Errorf("%s: Parse took it", name)
		}
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a folder without a manifest is read")
	}
}
