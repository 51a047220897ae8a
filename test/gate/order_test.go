package gate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// hasIntent reports whether the log has an intent for the method and the record.
func hasIntent(t *testing.T, method, id string) bool {
	t.Helper()
	for _, s := range entries(t, env.data()) {
		if s.Entry.Kind != audit.Intent || s.Entry.Method != method {
			continue
		}
		for _, a := range s.Entry.Accesses {
			if slices.Contains(a.IDs, id) {
				return true
			}
			if a.Question != "" && strings.Contains(a.Question, id) {
				return true
			}
		}
	}
	return false
}

// The CRM looks into the log, on the disk, when it is asked.
func intentIsDurableBeforeTheCRMIsAsked(t *testing.T) {
	t.Parallel()
	for i, c := range []struct{ method, path, body string }{
		{"GET", "/api/contacts/%s", ""},
		{"HEAD", "/api/contacts/%s", ""},
		{"GET", "/contacts/%s", ""},
		{"GET", "/contacts/%s/edit", ""},
		{"GET", "/api/contacts?limit=%s", ""},
		{"GET", "/contacts/export.csv?limit=%s", ""},
		{"GET", streamPath + "?limit=%s", ""},
		{"PATCH", "/api/contacts/%s", `{"last_name":"x"}`},
		{"PUT", "/api/contacts/%s", `{"last_name":"x"}`},
		{"DELETE", "/api/contacts/%s", ""},
	} {
		id := fmt.Sprint(71_000 + i)
		asked := false
		var mu sync.Mutex
		sc := newScene(t, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked = true
			if !hasIntent(t, c.method, id) {
				t.Errorf("%s %s: the CRM was asked before the intent was durable", c.method, c.path)
			}
			w.WriteHeader(http.StatusNoContent)
		})
		r := env.plain.as(t, "paula").do(t, ask{method: c.method, path: fmt.Sprintf(c.path, id), body: c.body, scene: sc})
		mu.Lock()
		if !asked {
			t.Errorf("%s %s never reached the CRM: %s", c.method, c.path, r)
		}
		mu.Unlock()
	}
}

// Every record id that a client received is in the log by then.
func disclosureIsDurableBeforeTheClientHasIt(t *testing.T) {
	t.Parallel()
	for path, pattern := range map[string]string{
		"/api/contacts?limit=50": `"id":(\d+)`, "/contacts?limit=50": `data-id="(\d+)"`, "/api/contacts/1003": `"id":(\d+)`, "/contacts/1003": `data-id="(\d+)"`,
		"/contacts/export.csv": `(?m)^(\d+);`, streamPath: `"id":(\d+)`,
	} {
		r := env.plain.as(t, "sven").get(t, path, nil).want(t, http.StatusOK)
		x := r.logged(t)
		contacts, leads := x.records("contact"), x.records("lead")
		ids := regexp.MustCompile(pattern).FindAllStringSubmatch(string(r.body), -1)
		if len(ids) == 0 {
			t.Errorf("%s shows no record: %s", path, r)
		}
		for _, id := range ids {
			if contacts[id[1]].ID == "" && leads[id[1]].ID == "" {
				t.Errorf("%s: record %s is not in the log", path, id[1])
			}
		}
	}
}

// A CSV without ids names the people by keyed hashes of what identifies them.
func TestAnswerWithoutIDsIsLoggedWithItsQuestion(t *testing.T) {
	t.Parallel()
	sc := newScene(t, typed("text/csv; charset=utf-8", 200, "Vorname;Nachname;E-Mail\r\nErika;Muster;erika@example.com\r\nMax;Muster;max@example.com\r\n"))
	r := env.plain.as(t, "sven").get(t, "/contacts/export.csv?email=erika@example.com", sc)
	if r.status == http.StatusForbidden {
		r = env.plain.as(t, "paula").get(t, "/contacts/export.csv?email=erika@example.com", sc)
	}
	r.want(t, http.StatusOK)
	x := r.logged(t)
	part := x[1].Entry
	if part.Disclosure.Rows != 2 || len(part.Keyed) < 2 || x[0].Entry.Accesses[0].Question == "" {
		t.Errorf("entries %s, want two rows, their keyed values and the question", x)
	}
	if raw, _ := json.Marshal(x); bytes.Contains(raw, []byte("max@example")) {
		t.Errorf("the entries hold a value: %s", raw)
	}
}

func TestMaskedFieldCannotBeAskedAbout(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera") // sees names and mail in clear
	for query, allowed := range map[string]bool{
		"sort=email": true, "sort=-last_name": true, "email=x@example.com": true, "company=Muster": true, "fields=id,iban": true,
		"sort=iban": false, "sort=-iban": false, "sort=phone": false, "sort=birth_date": false, "sort=city": false, "sort=notes": false,
		"iban=" + canary: false, "phone=%2B49": false, "city=Berlin": false, "birth_date=1970-01-01": false, "tax_id=1": false, "notes=x": false,
		"q=muster&in=phone": false, "q=muster&in=last_name,notes": false, "in=notes": true, "q=&sort=iban": false,
		"email=x&iban=y": false, "sort=iban,email": false, "sort=%20iban": false, "sort=--iban": false, "IBAN=x": false, "iban%20=x": false, "fields=*": true,
	} {
		for _, path := range []string{"/api/contacts?", "/contacts?"} {
			sc := newScene(t, nil)
			r := b.get(t, path+query, sc)
			if allowed {
				if r.status >= 500 || len(sc.requests()) != 1 {
					t.Errorf("%s%s: got %s", path, query, r)
				}
				continue
			}
			if r.status != http.StatusForbidden && r.status != http.StatusBadRequest {
				t.Errorf("%s%s: got %s, want it refused", path, query, r)
			}
			if strings.Contains(string(r.body), "canary") || strings.Contains(string(r.body), canary) {
				t.Errorf("%s%s: the refusal quotes what was asked: %s", path, query, r)
			}
			sc.nothing(t)
		}
	}
}

// A search over everything is narrowed to what the employee sees; what is
// narrowed is what is judged, logged and forwarded.
func TestSearchIsNarrowedToReadableFields(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	b := env.plain.as(t, "vera")
	r := b.get(t, "/api/contacts?q=Beispiel&sort=email", sc).want(t, http.StatusOK)
	got := sc.requests()
	if len(got) != 1 {
		t.Fatalf("the CRM received %d requests", len(got))
	}
	u, err := url.Parse(got[0].target)
	if err != nil {
		t.Fatal(err)
	}
	in := u.Query().Get("in")
	if in == "" || u.Query().Get("q") != "Beispiel" || u.Query().Get("sort") != "email" {
		t.Fatalf("the CRM received %s", got[0].target)
	}
	for _, name := range unseen {
		if strings.Contains(","+in+",", ","+name+",") {
			t.Errorf("the search looks into %s", name)
		}
	}
	if q := r.logged(t)[0].Entry.Accesses[0].Question; !strings.Contains(q, "in="+in) {
		t.Errorf("the log has the question %q", q)
	}
	// A value that only stands in a masked field finds nobody.
	iban := stored(t, 1003)["notes"].(string)
	r = b.get(t, "/api/contacts?q="+url.QueryEscape(iban[:20]), nil).want(t, http.StatusOK)
	if !strings.Contains(string(r.body), `"items":[]`) {
		t.Errorf("got %s", r)
	}
}

// direct is the CRM's own answer, without a gateway.
func direct(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, env.crm.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newBrowser(env.plain).send(&http.Client{}, req)
	if err != nil {
		t.Fatal(err)
	}
	return r.body
}

func TestBytesOutsideMaskedValuesStay(t *testing.T) {
	t.Parallel()
	// Other tests add contacts meanwhile, but none of sven's.
	paths := []string{
		"/api/contacts/1005", "/api/contacts?limit=7&owner=sven", "/contacts/1005", "/contacts/1005/edit", "/contacts?owner=sven",
		"/contacts/export.csv?owner=sven", "/api/leads/505", "/leads/505",
	}
	paula := newBrowser(env.plain) // of its own: the CRM's pages greet who has just saved something
	if err := paula.signIn("paula"); err != nil {
		t.Fatal(err)
	}
	streamed := "[ " + row(1) + ",\n\t" + strings.ReplaceAll(row(2), "/", `\/`) + " ]\r\n"
	r := paula.get(t, streamPath, newScene(t, jsonAnswer(http.StatusOK, streamed))).want(t, http.StatusOK)
	if string(r.body) != streamed {
		t.Errorf("the stream was changed: %q", r.body)
	}
	for _, path := range paths {
		want := direct(t, path)
		r := paula.get(t, path, nil).want(t, http.StatusOK)
		if !bytes.Equal(r.body, want) {
			t.Errorf("%s: somebody who sees everything gets other bytes than the CRM sent", path)
		}
	}
	// Cut the values of masked fields out of both: what is left is the same.
	masked := regexp.MustCompile(`"(phone|mobile|street|postal_code|city|birth_date|iban|tax_id|notes)":("(?:[^"\\]|\\.)*"|null)`)
	for _, path := range []string{"/api/contacts/1005", "/api/contacts?limit=7&owner=sven"} {
		want, got := direct(t, path), env.plain.as(t, "vera").get(t, path, nil).want(t, http.StatusOK).body
		if bytes.Equal(want, got) {
			t.Errorf("%s: nothing was masked", path)
		}
		if !bytes.Equal(masked.ReplaceAll(want, []byte("$1")), masked.ReplaceAll(got, []byte("$1"))) {
			t.Errorf("%s: other bytes than masked values were changed:\n%s\n%s", path, want, got)
		}
	}
}

// What sales may not see stands on none of its pages, in no spelling that the
// CRM uses.
func TestMaskedValuesAreNowhereInTheAnswer(t *testing.T) {
	t.Parallel()
	rec := stored(t, 1007)
	for _, path := range []string{"/api/contacts/1007", "/api/contacts?limit=100", "/contacts/1007", "/contacts/1007/edit", "/contacts?limit=100"} {
		for _, login := range []string{"vera", "markus", "iris"} {
			body := string(env.plain.as(t, login).get(t, path, nil).body)
			for _, name := range unseen {
				v := fmt.Sprint(rec[name])
				if len(v) < 5 {
					continue
				}
				for _, form := range []string{v, strings.ReplaceAll(v, " ", ""), url.QueryEscape(v)} {
					if strings.Contains(body, form) {
						t.Errorf("%s shows %s to %s", path, name, login)
					}
				}
			}
		}
	}
}

// What may be searched for can be guessed: who searches without end is refused.
func TestSearchesAreBounded(t *testing.T) {
	t.Parallel()
	b := signedInWith(t, env.opened, "searcher", "Searcher", "sales")
	sc := newScene(t, jsonAnswer(200, `{"items":[]}`))
	var last *reply
	for range 6 {
		last = b.get(t, "/api/contacts?q=Erika", sc)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" || len(sc.requests()) != 5 {
		t.Errorf("the sixth search of five got %s after %d requests", last, len(sc.requests()))
	}
	last.logged(t).refused(t, "search_rate")
	b.get(t, "/api/contacts/1", newScene(t, jsonAnswer(200, "{}"))).want(t, http.StatusOK)
}
