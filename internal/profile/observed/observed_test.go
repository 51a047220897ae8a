package observed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile/observed"
)

func tree(t testing.TB, src string) *doc.Tree {
	t.Helper()
	tr, err := json.Parse([]byte(src), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func get(t testing.TB, path, answer string, query ...string) observed.Exchange {
	t.Helper()
	e := observed.Exchange{Method: "GET", Path: path, Query: query, Status: 200, Media: "application/json"}
	if answer != "" {
		e.Answer = tree(t, answer)
	}
	return e
}

func saved(t testing.TB, c *observed.Collector) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.json")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v", info.Mode())
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := observed.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if err := again.Save(path); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(src) != string(second) {
		t.Errorf("what was loaded differs from what was saved:\n%s\n%s", src, second)
	}
	return string(src)
}

func TestNamesAreKeptAndValuesAreNot(t *testing.T) {
	c := observed.New()
	for i := range 3 {
		c.Add(get(t, fmt.Sprintf("/api/v1/Kontakte/%d", 4711+i), `{"id":4711,"Vorname":"Friederike","schuhgroesse":"achtunddreissig","mail":"f.kranz@example.org",
			"byId":{"a3f0c9d2e1":{"x":1},"b7e4d1f2a9":{"x":2}},"byMail":{"f.kranz@example.org":7},"byName":{"Friederike":1},"custom_field_17":true}`, "sort", "where[0][type]"))
	}
	got := saved(t, c)
	for _, want := range []string{`"path": "/api/v1/Kontakte/{id}"`, `"Vorname"`, `"schuhgroesse"`, `"email": 3`, `"where[*][type]": 3`, `"custom_field_17"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	for _, no := range []string{"4711", "Friederike", "achtund", "kranz", "example.org", "a3f0c9", "b7e4d1"} {
		if strings.Contains(got, no) {
			t.Errorf("%s stands in\n%s", no, got)
		}
	}
}

func TestIDsInAddressesAreVariables(t *testing.T) {
	for path, want := range map[string]string{
		"/api/contacts":                               "/api/contacts",
		"/crm/v3/objects/contacts/90210000151":        "/crm/v3/objects/contacts/{id}",
		"/crm/objects/2026-03/contacts/search":        "/crm/objects/2026-03/contacts/search",
		"/x/9c9f62b3-bf21-5db4-8017-d792f7db7f0a":     "/x/{id}",
		"/api/v1/Contact/177abd5e8a4e08c4d":           "/api/v1/Contact/{id}",
		"/services/data/v60.0/sobjects/003Ax000004Bc": "/services/data/v60.0/sobjects/{id}",
		"/people/anna@example.com":                    "/people/{id}",
		"/people/+4940123456/calls":                   "/people/{id}/calls",
		"/a/aBcDeFgHiJkLmNoP":                         "/a/{id}",
		"/emailAddressesWithStatus/":                  "/emailAddressesWithStatus/",
		"/static/app.css":                             "/static/app.css",
		"/":                                           "/",
	} {
		c := observed.New()
		c.Add(get(t, path, ""))
		if got := saved(t, c); !strings.Contains(got, fmt.Sprintf(`"path": %q`, want)) {
			t.Errorf("%s: want %s in\n%s", path, want, got)
		}
	}
}

func TestManyWordsAtOnePlaceAreValues(t *testing.T) {
	c, other := observed.New(), observed.New()
	names := strings.Fields("anton berta caesar dora emil friedrich gustav heinrich ida julius kaufmann ludwig martha nordpol otto paula quelle richard samuel theodor ulrich viktor wilhelm xanthippe")
	for _, name := range names {
		c.Add(get(t, "/users/"+name, `{"id":1,"shoe":3}`))
		other.Add(get(t, "/api/"+name, `{"list":[{"id":1,"`+name+`Field":3}]}`))
	}
	c.Add(get(t, "/users/zacharias", ""))
	c.Add(get(t, "/users/search", ""))
	got := saved(t, c)
	for _, name := range append(names, "zacharias") {
		if strings.Contains(got, name) {
			t.Errorf("%s stands in the file", name)
		}
	}
	if !strings.Contains(got, `"/users/search"`) || !strings.Contains(got, `"/users/{id}"`) {
		t.Errorf("%s", got)
	}
	if got := saved(t, other); !strings.Contains(got, "/api/xanthippe") {
		t.Errorf("collections with members of their own were folded: %s", got)
	}
}

func TestAddressesThatFailAreNotKept(t *testing.T) {
	c := observed.New()
	c.Add(observed.Exchange{Method: "GET", Path: "/people/Friederike", Status: 404})
	if got := saved(t, c); strings.Contains(got, "Friederike") || !strings.Contains(got, `"failed": 1`) {
		t.Errorf("%s", got)
	}
}

func TestCollectionIsBounded(t *testing.T) {
	c := observed.New()
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, `,"n%c%c%c":{"v":%d}`, 'a'+rune(i%26), 'a'+rune(i/26%26), 'a'+rune(i/676), i)
	}
	c.Add(get(t, "/wide", `{"id":1`+b.String()+`}`))
	c.Add(get(t, "/deep", strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)))
	if got := saved(t, c); len(got) > 20_000 {
		t.Errorf("%d bytes are kept", len(got))
	}
}

func TestCollectorIsSafeForConcurrentUse(t *testing.T) {
	c := observed.New()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				c.Add(get(t, "/api/contacts", `{"items":[{"id":1,"name":"x"}]}`))
			}
		})
	}
	wg.Wait()
	if got := saved(t, c); !strings.Contains(got, `"exchanges": 400`) || !strings.Contains(got, `"count": 400`) {
		t.Errorf("%s", got)
	}
}

func TestOtherFilesAreNoCollections(t *testing.T) {
	for _, src := range []string{
		"", "{}", `{"format":"crmgate-observed/2"}`, `{"format":"crmgate-observed/1","routes":[{"method":"GET","path":"x"}]}`,
		`{"format":"crmgate-observed/1","routes":[{"method":"GET","path":"/x","answer":{"seen":1,"found":{"name of somebody":1}}}]}`,
	} {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := observed.Load(path); err == nil {
			t.Errorf("%s was read", src)
		}
	}
}
