package observed_test

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile/observed"
)

func send(t testing.TB, method, path, request, answer string) observed.Exchange {
	t.Helper()
	e := get(t, path, answer)
	e.Method, e.RequestMedia, e.Request = method, "application/json", tree(t, request)
	return e
}

func draftOf(t *testing.T, list ...observed.Exchange) string {
	t.Helper()
	c := observed.New()
	for i := range list {
		c.Add(list[i])
	}
	src, err := c.Draft("test/1")
	if err != nil {
		t.Fatal(err)
	}
	load(t, src)
	return string(src)
}

func has(t *testing.T, src string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(src, w) {
			t.Errorf("%q is missing", w)
		}
	}
	if t.Failed() {
		t.Log(src)
	}
}

func TestFieldsGetCategoriesByTheirNamesAndByWhatIsInThem(t *testing.T) {
	src := draftOf(t, get(t, "/api/kunden", `{"treffer":[
		{"id":1,"Vorname":"Anna","nachname":"Kranz","geburtsdatum":"1980-02-03","strasse":"Weg 1","PLZ":"12345","steuer_id":"x","IBAN":"DE02","Telefonnummer":"1","personalausweisnummer":"2","konfession":"rk","passwort":"x","kontaktweg":"a@example.org","farbe":"rot","aktiv":true,"angelegt_am":"2024-01-01T10:00:00Z","groesse":180},
		{"id":2,"kontaktweg":"b@example.org","farbe":"blau"},{"id":3,"kontaktweg":"c@example.org","bemerkung":"x"}]}`))
	has(t, src, "  kunde:\n", "      Vorname: name #", "      nachname: name #", "      geburtsdatum: birthdate #", "      strasse: address #", "      PLZ: address #", "      steuer_id: tax_id #",
		"      IBAN: bank #", "      Telefonnummer: phone #", "      personalausweisnummer: identity #", "      konfession: special #", "      passwort: credential #", "      bemerkung: free_text #",
		"      kontaktweg: email # seen 3 times, an e-mail address in 3; by what was found in it", "      aktiv: public # CHECK", "      angelegt_am: public # CHECK",
		"      # farbe: seen 2 times", "      # groesse: seen once", `- {at: "$.treffer[*]"}`)
}

func TestNothingIsPublicByGuessWhereSomethingWasFound(t *testing.T) {
	src := draftOf(t, get(t, "/api/notes", `[{"id":1,"created":"a@example.org","count":"b@example.org","active":"c@example.org","ref_id":"d@example.org"},
		{"id":2,"created":"e@example.org","count":"x","active":true,"ref_id":"f@example.org","call_id":"00494012345678","deleted":"x"}]`))
	if strings.Contains(src, ": public") {
		t.Error(src)
	}
}

func TestIDsThatSaySomethingAreNone(t *testing.T) {
	src := draftOf(t, get(t, "/api/people", `[{"id":"a@example.org","name":"x"},{"id":"b@example.org","name":"y"}]`), get(t, "/api/people/a@example.org", `{"id":"a@example.org","name":"x"}`),
		get(t, "/api/calls", `[{"id":"00494012345678","name":"x"},{"id":"00494012345679","name":"y"}]`))
	has(t, src, `- {at: "$[*]", id: none}`)
	if strings.Contains(src, "id: public") || strings.Contains(src, "\n    id: id") || strings.Count(src, "id: none") != 2 {
		t.Error(src)
	}
}

func TestKeysThatAreValuesAreMasked(t *testing.T) {
	src := draftOf(t, get(t, "/api/people", `{"list":[{"id":1,"name":"x","shares":{"a@example.org":1}}],"scores":{"b@example.org":2,"c@example.org":3}}`))
	has(t, src, "shares: {category: unclassified, keys: true}", "scores: {category: unclassified, keys: true}", `{at: "$.scores", id: none, field: scores}`)
}

func TestReadsAreFoundByStructure(t *testing.T) {
	one := `{"id":7,"properties":{"first_name":"x","city":"y"},"company":{"id":3,"name":"z","city":"w"},"emails":[{"value":"a@example.org","kind_of":"work"}]}`
	src := draftOf(t, get(t, "/api/v2/contacts", `{"data":{"rows":[`+one+`]},"next":"abc"}`, "q", "sort", "order", "page[size]", "filter[city]", "city", "depth", "where[0][kind_of]"),
		get(t, "/api/v2/contacts/7", `{"success":true,"data":`+one+`}`), get(t, "/api/v2/search", `{"contacts":[`+one+`],"invoices":[{"id":1,"contact_id":7,"sum":3}]}`),
		get(t, "/api/v2/companies/3/contacts", `[`+one+`]`))
	has(t, src, `at: "$.data.rows[*]"`, `at: "$.data"`, `{at: "$.invoices[*]"`, "properties: {flat: true}", "first_name: name", "      company: company", "contact_id: {link: contact}",
		"          value: email", `match: "GET /api/v2/companies/{company_id}/contacts"`,
		`query: [city, "filter[city]", order, "page[size]", q, sort]`, `{role: sort, at: "query.sort", syntax: order_by}`, `{role: search, at: "query.q", syntax: search, field: q}`,
		`{role: filter, at: "query.filter[city]", syntax: search, field: city}`, "except: [", "# the parameter depth, seen once, is refused", `# the parameter "where[*][kind_of]", seen once, is refused`)
}

func TestWritesAreDraftedWhereTheyCanBeJudged(t *testing.T) {
	one := `{"id":7,"first_name":"x","city":"y"}`
	src := draftOf(t, get(t, "/api/contacts/7", one), send(t, "PATCH", "/api/contacts/7", `{"city":"y"}`, one), send(t, "PUT", "/api/contacts/7", `{"city":"y"}`, one),
		send(t, "POST", "/api/contacts", `{"first_name":"y"}`, one), send(t, "PATCH", "/api/leads/7", `{"city":"y"}`, one), send(t, "POST", "/api/contacts/7/merge", `{"city":"y"}`, one),
		send(t, "POST", "/api/contacts/search", `{"query":"x","limit":3,"fields":["city"],"filters":[{"a":1}]}`, `{"results":[`+one+`]}`),
		send(t, "POST", "/rpc", `{"jsonrpc":"2.0","method":"x","params":[]}`, one), send(t, "POST", "/graphql", `{"query":"{a}","variables":{}}`, one))
	has(t, src, `write: {at: "body", mode: partial, stored: {get: "/api/contacts/{id}", at: "$"}}`, `mode: full, stored`, `write: {at: "body", mode: create}`,
		"# PATCH /api/leads/{id}, seen once: GET of the same address wasn't seen", "# POST /api/contacts/{contact_id}/merge, seen once: what it does",
		"members: [fields, limit, query]", "# the member filters of the request", "# POST /rpc, seen once: it takes remote calls", "# POST /graphql, seen once: it takes GraphQL")
}

func TestFormsAreWrites(t *testing.T) {
	body, err := form.Parse([]byte("first_name=x&city=y"), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	src := draftOf(t, get(t, "/api/contacts/7", `{"id":7,"first_name":"x","city":"y"}`),
		observed.Exchange{Method: "POST", Path: "/api/contacts", RequestMedia: "application/x-www-form-urlencoded", Request: body, Status: 201})
	has(t, src, "body: urlencoded", "mode: create")
}

func TestRoutesWithoutPersonalDataAreSuggestedAlone(t *testing.T) {
	src := draftOf(t, get(t, "/api/contacts", `[{"id":7,"first_name":"x"}]`), get(t, "/api/settings", `{"theme":"dark"}`), get(t, "/api/who", `{"theme":["a@example.org"],"x":1}`),
		observed.Exchange{Method: "GET", Path: "/app.css", Status: 200, Media: "text/css"}, observed.Exchange{Method: "GET", Path: "/home", Status: 200, Media: "text/html"})
	has(t, src, "# GET /api/settings, seen once: nothing personal was recognised", "# GET /app.css, seen once: it answers with text/css", "# GET /home, seen once: it answers with pages")
	for line := range strings.Lines(src) {
		if strings.Contains(line, "pass: true") && !strings.HasPrefix(line, "  # ") {
			t.Errorf("a route passes by guess: %s", line)
		}
	}
}

func TestWithoutRecordsThereIsNoDraft(t *testing.T) {
	if _, err := observed.New().Draft("x/1"); err == nil || !strings.Contains(err.Error(), "no route with records") {
		t.Error(err)
	}
}

// FuzzDraft: whatever was seen, the draft can be loaded.
func FuzzDraft(f *testing.F) {
	f.Add("/api/contacts", `{"items":[{"id":1,"name":"Anna Meier","no":{"x":1},"byMail":{"anna@example.com":2}}],"yes":true}`)
	f.Add("/x/search", `{"query":"a","ids":[{"id":3}],"fields":["a"],"properties":{"a.b":{"value":"x"},"c":{"value":"y"}}}`)
	f.Add("/{a}/*", `[{"id":3,"x y":[{"id":1,"name":"b"}],"@type":"c","$ref":{"id":4,"email":"x"}}]`)
	f.Fuzz(func(t *testing.T, path, body string) {
		parse := func() *doc.Tree {
			tr, err := json.Parse([]byte(body), doc.Limits{Depth: 30, Nodes: 2000})
			if err != nil {
				return nil
			}
			return tr
		}
		if parse() == nil {
			return
		}
		c := observed.New()
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			for _, end := range []string{"", "/7", "/search", "/7/sub"} {
				c.Add(observed.Exchange{
					Method: method, Path: path + end, Query: []string{"q", "sort", "name", body}, RequestMedia: "application/json", Request: parse(), Status: 200,
					Media: "application/json", Answer: parse(),
				})
			}
		}
		if src, err := c.Draft("x/1"); err == nil {
			load(t, src)
		}
	})
}

// TestEntitiesAreNamedByWhatTheyAre: not by the word for what holds them.
func TestEntitiesAreNamedByWhatTheyAre(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v2/contacts/records":     "contact",
		"/api/collections/leads/items": "lead",
		"/rest/people/7/entries":       "person",
		"/api/items":                   "item",
		"/data/list":                   "data",
	} {
		src := draftOf(t, get(t, path, `[{"id":1,"Vorname":"Anna"},{"id":2,"Vorname":"Ben"}]`))
		if !strings.Contains(src, "\n  "+want+":\n") {
			t.Errorf("%s is not %s:\n%s", path, want, src)
		}
	}
}
