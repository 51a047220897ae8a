package crm

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func ids(list map[string]any) string {
	var found []string
	items, _ := list["items"].([]any)
	for _, x := range items {
		item, _ := x.(map[string]any)
		n, _ := item["id"].(float64)
		found = append(found, strconv.Itoa(int(n)))
	}
	return strings.Join(found, " ")
}

func TestListsFilterSortAndPage(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/api/contacts?q=o%27brien":                     "1004",
		"/api/contacts?q=ÖZDEMIR":                       "1003",
		"/api/contacts?email=erika.mueller@example.com": "1001",
		"/api/contacts?city=Wien&sort=-last_name":       "1040 1027 1017",
		"/api/contacts?sort=last_name&limit=2":          "1029 1057",
		"/api/contacts?limit=3&page=2":                  "1004 1005 1006",
		"/api/contacts?limit=2&offset=58":               "1059 1060",
		"/api/contacts?offset=99":                       "",
		"/api/leads?contact_id=1001":                    "501",
		"/api/leads?sort=-value&limit=1":                "508",
	} {
		list := s.json(http.MethodGet, path, "", 200)
		if got := ids(list); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	if total := s.json(http.MethodGet, "/api/contacts?limit=1", "", 200)["total"]; total != 60.0 {
		t.Errorf("total = %v, want all 60", total)
	}
	if _, text := s.do(http.MethodGet, "/api/contacts?fields=id,email&limit=1", ""); text !=
		`{"total":60,"items":[{"id":1001,"email":"erika.mueller@example.com"}]}` {
		t.Errorf("fields: %s", text)
	}
}

func TestUnknownParametersAreRefused(t *testing.T) {
	s := newSite(t)
	for _, q := range []string{"emial=x", "sort=nothing", "fields=id,secret", "limit=0", "limit=x", "offset=-1", "page=999999999999999999"} {
		s.json(http.MethodGet, "/api/contacts?"+q, "", 400)
	}
}

func TestAPIShapesStayAsProfilesKnowThem(t *testing.T) {
	s := newSite(t)
	_, contact := s.do(http.MethodGet, "/api/contacts/1003", "")
	want := `^\{"id":1003,"salutation":"Frau","first_name":"Ayşe","last_name":"Özdemir","company":"Özdemir \\u0026 Söhne KG",` +
		`"position":"Geschäftsführerin","email":"[^"]+","phone":"[^"]+","mobile":"[^"]+","street":"[^"]+","postal_code":"20095","city":"Hamburg",` +
		`"country":"DE","birth_date":"\d{4}-\d\d-\d\d","iban":"DE\d{20}","tax_id":"0\d{10}","newsletter":true,"credit_limit":41266.5,"owner":"vera",` +
		`"notes":"[^"]+","created_at":"[^"]+Z","updated_at":"[^"]+Z"\}$`
	if !regexp.MustCompile(want).MatchString(contact) {
		t.Errorf("contact = %s", contact)
	}
	_, lead := s.do(http.MethodGet, "/api/leads/501", "")
	want = `^\{"id":501,"contact_name":"Erika Müller","company":"Nordlicht Möbel GmbH","email":"[^"]+","phone":"[^"]+","status":"new","value":12500,` +
		`"source":"Messe","owner":"vera","description":"[^"]+","contact_id":1001,"created_at":"[^"]+","updated_at":"[^"]+",` +
		`"contact":\{"id":1001,"name":"Erika Müller","email":"[^"]+","phone":"[^"]+"\}\}$`
	if !regexp.MustCompile(want).MatchString(lead) {
		t.Errorf("lead = %s", lead)
	}
	if _, lead = s.do(http.MethodGet, "/api/leads/503", ""); !strings.HasSuffix(lead, `"contact":null}`) || !strings.Contains(lead, `"contact_id":null`) {
		t.Errorf("lead without contact = %s", lead)
	}
}

func TestPutIsAFullWriteAndPatchAPartialOne(t *testing.T) {
	s := newSite(t)
	before, _ := s.crm.store.get("contact", 1001)
	s.json(http.MethodPatch, "/api/contacts/1001", `{"city":"Bremen","iban":null,"id":7,"created_at":"never"}`, 200)
	after, _ := s.crm.store.get("contact", 1001)
	for name, was := range before {
		switch is := after[name]; {
		case name == "city" && is == "Bremen", name == "iban" && is == "", name == "updated_at" && is != was:
		case is != was || name == "city" || name == "iban" || name == "updated_at":
			t.Errorf("PATCH: %s = %v, was %v", name, is, was)
		}
	}
	s.json(http.MethodPut, "/api/contacts/1001", `{"last_name":"Meier","newsletter":null}`, 200)
	after, _ = s.crm.store.get("contact", 1001)
	for name, is := range after {
		switch name {
		case "id", "last_name", "created_at", "updated_at":
		default:
			if is != "" && is != false && is != 0.0 {
				t.Errorf("PUT without %s left %v", name, is)
			}
		}
	}
	if after["id"] != 1001 || after["created_at"] != before["created_at"] {
		t.Errorf("PUT changed id or created_at: %v", after)
	}
}

func TestWhatWasReadCanBeWrittenBack(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/api/contacts/1004", "/api/leads/501", "/api/leads/503"} {
		_, before := s.do(http.MethodGet, path, "")
		resp, after := s.do(http.MethodPut, path, before)
		stamp := regexp.MustCompile(`"updated_at":"[^"]*"`)
		if resp.StatusCode != 200 || stamp.ReplaceAllString(after, "") != stamp.ReplaceAllString(before, "") {
			t.Errorf("PUT %s: status %d\n%s\n%s", path, resp.StatusCode, before, after)
		}
	}
}

func TestRecordsAreCreatedAndDeleted(t *testing.T) {
	s := newSite(t)
	resp, text := s.do(http.MethodPost, "/api/contacts", `{"last_name":"Neu","email":"neu@example.org"}`)
	if resp.StatusCode != 201 || resp.Header.Get("Location") != "/api/contacts/1061" {
		t.Fatalf("POST: %d %s %s", resp.StatusCode, resp.Header.Get("Location"), text)
	}
	s.json(http.MethodDelete, "/api/contacts/1061", "", 204)
	s.json(http.MethodDelete, "/api/contacts/1061", "", 404)
	s.json(http.MethodDelete, "/api/contacts/1001", "", 204)
	if lead := s.json(http.MethodGet, "/api/leads/501", "", 200); lead["contact_id"] != nil || lead["contact"] != nil {
		t.Errorf("lead of a deleted contact = %v", lead)
	}
	for _, id := range []string{"9", "x", "01002", "+1002", "1002%20"} {
		s.json(http.MethodGet, "/api/contacts/"+id, "", 404)
	}
}

func TestRefusalsQuoteTheValueAsRealCRMsDo(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]string{
		`{"email":"ERIKA.mueller@example.com"}`: "E-Mail 'ERIKA.mueller@example.com' is already used by Erika Müller (contact 1001)",
		`{"iban":"DE00900000000000000000"}`:     "IBAN 'DE00900000000000000000' of Seán O'Brien is not valid",
		`{"birth_date":"12.03.1984"}`:           "Date of birth '12.03.1984' of Seán O'Brien is not valid",
		`{"tax_id":"01234567890"}`:              "Tax ID '01234567890' of Seán O'Brien is not valid",
		`{"phone":"+49 ••• 17"}`:                "Phone '+49 ••• 17' of Seán O'Brien is not valid",
		`{"email":"nowhere"}`:                   "E-mail 'nowhere' of Seán O'Brien is not valid",
		`{"credit_limit":"12"}`:                 "Credit limit '12' is not valid",
		`{"credit_limit":-1}`:                   "Credit limit -1 must not be negative",
		`{"newsletter":"yes"}`:                  "Newsletter 'yes' is not valid",
		`{"salutation":"Dr."}`:                  "Salutation 'Dr.' of Seán O'Brien is not valid",
		`{"last_name":" "}`:                     "Last name must not be empty",
		`{"shoe_size":44}`:                      "contact has no field 'shoe_size'",
	} {
		got := s.json(http.MethodPatch, "/api/contacts/1004", body, 422)["error"]
		if want != got {
			t.Errorf("%s: %v, want %s", body, got, want)
		}
	}
	s.json(http.MethodPatch, "/api/leads/501", `{"contact_id":9}`, 422)
	s.json(http.MethodPatch, "/api/leads/501", `{"contact_id":1.5}`, 422)
	for _, body := range []string{`[]`, `null`, `{"city":`, `{} {}`, `{}x`} {
		s.json(http.MethodPatch, "/api/contacts/1004", body, 400)
	}
	if resp, _ := s.do(http.MethodPatch, "/api/contacts/1004", `{}`, "Content-Type", "text/plain"); resp.StatusCode != 415 {
		t.Errorf("text/plain: status %d, want 415", resp.StatusCode)
	}
}
