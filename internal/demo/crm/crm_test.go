package crm

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// site is a running CRM and a browser that doesn't follow redirects.
type site struct {
	t      *testing.T
	crm    *CRM
	url    string
	client *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	m := newCRM(t)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	t.Cleanup(m.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, crm: m, url: server.URL, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *site) do(method, path, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "de")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

func (s *site) post(path string, form url.Values) (*http.Response, string) {
	s.t.Helper()
	return s.do(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func (s *site) json(method, path, body string, status int) map[string]any {
	s.t.Helper()
	resp, text := s.do(method, path, body)
	if resp.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, text)
	}
	var v map[string]any
	if text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return v
}

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

func TestFormIsAFullWrite(t *testing.T) {
	s := newSite(t)
	resp, _ := s.post("/contacts/1001", url.Values{
		"last_name": {"Müller"}, "first_name": {"Erika"}, "notes": {"eins\r\nzwei"}, "credit_limit": {"99.5"}, "newsletter": {"1"},
	})
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/contacts/1001" {
		t.Fatalf("status %d, Location %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	r, _ := s.crm.store.get("contact", 1001)
	if r["notes"] != "eins\nzwei" || r["credit_limit"] != 99.5 || r["newsletter"] != true || r["email"] != "" || r["iban"] != "" {
		t.Errorf("stored %v", r)
	}
	if _, page := s.do(http.MethodGet, "/contacts/1001", ""); !strings.Contains(page, "Erika Müller wurde gespeichert.") {
		t.Error("no message after the save")
	}
	if _, page := s.do(http.MethodGet, "/contacts/1001", ""); strings.Contains(page, "wurde gespeichert") {
		t.Error("the message stays")
	}
	if resp, _ := s.post("/leads/new", url.Values{"contact_name": {"X Y"}, "status": {"new"}, "contact_id": {"1002"}}); resp.Header.Get("Location") != "/leads/526" {
		t.Errorf("new lead: status %d, Location %s", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestRefusedFormComesBackWithWhatWasTyped(t *testing.T) {
	s := newSite(t)
	form := url.Values{"last_name": {"<Neu>"}, "email": {"erika.mueller@example.com"}}
	resp, page := s.post("/contacts/new", form)
	if resp.StatusCode != 422 || !strings.Contains(page, "E-Mail &#39;erika.mueller@example.com&#39; is already used by Erika Müller") {
		t.Errorf("status %d:\n%s", resp.StatusCode, page)
	}
	if !strings.Contains(page, `name="last_name" type="text" value="&lt;Neu&gt;"`) {
		t.Errorf("the typed name is lost:\n%s", page)
	}
	for _, number := range []string{"NaN", "Inf", "viel", "-1"} {
		if resp, _ := s.post("/contacts/new", url.Values{"last_name": {"x"}, "credit_limit": {number}}); resp.StatusCode != 422 {
			t.Errorf("credit limit %s: status %d", number, resp.StatusCode)
		}
	}
}

func TestPagesShowValuesWhereRealOnesDo(t *testing.T) {
	s := newSite(t)
	_, page := s.do(http.MethodGet, "/contacts/1004", "")
	mail := s.crm.Contacts()[3].text("email")
	for _, want := range []string{
		"<title>Seán O&#39;Brien · Kontor</title>",
		`<meta name="description" content="Seán O&#39;Brien, O&#39;Brien &amp; Daughters Ltd">`,
		"<!-- contact #1004 Seán O&#39;Brien &lt;" + strings.ReplaceAll(mail, "'", "&#39;"),
		`<h1 class="name">Seán O&#39;Brien</h1>`,
		`<dd class="mobile"><a href="tel:&#43;44770090`,
		`<script type="application/json" id="record">{"id":1004,`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s:\n%s", want, page)
		}
	}
	_, list := s.do(http.MethodGet, "/contacts?q=O%27Brien", "")
	for _, want := range []string{
		`<tr class="contact" data-id="1004" data-name="Seán O&#39;Brien" data-email="`,
		`<td class="name"><a href="/contacts/1004" title="Seán O&#39;Brien, O&#39;Brien &amp; Daughters Ltd">O&#39;Brien, Seán</a></td>`,
		`<td class="email"><a href="mailto:`, `type="search" value="O&#39;Brien"`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("list lacks %s:\n%s", want, list)
		}
	}
	_, edit := s.do(http.MethodGet, "/contacts/1024/edit", "")
	for _, want := range []string{`name="company" type="text" value="Schulze IT &lt;Systeme&gt;"`, `<textarea id="f-notes" name="notes"`, `\u003cSysteme\u003e`} {
		if !strings.Contains(edit, want) {
			t.Errorf("form lacks %s:\n%s", want, edit)
		}
	}
	for _, path := range []string{"/leads", "/leads/501", "/leads/501/edit", "/leads/new", "/contacts/new", "/contacts?page=3", "/leads?sort=-value"} {
		if resp, page := s.do(http.MethodGet, path, ""); resp.StatusCode != 200 || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}

func TestMarkupInValuesStaysText(t *testing.T) {
	s := newSite(t)
	hostile := `--><script>alert(1)</script>"'`
	body, err := json.Marshal(map[string]any{"first_name": hostile, "company": hostile, "notes": hostile + "</textarea>", "city": hostile})
	if err != nil {
		t.Fatal(err)
	}
	s.json(http.MethodPatch, "/api/contacts/1001", string(body), 200)
	for _, path := range []string{"/contacts", "/contacts/1001", "/contacts/1001/edit", "/contacts?q=" + url.QueryEscape(hostile), "/contacts?sort=" + url.QueryEscape(hostile)} {
		if _, page := s.do(http.MethodGet, path, ""); strings.Contains(page, "<script>") || strings.Contains(page, "--><s") {
			t.Errorf("%s lets markup through", path)
		}
	}
}

func TestExportIsWhatGermanSpreadsheetsRead(t *testing.T) {
	s := newSite(t)
	resp, text := s.do(http.MethodGet, "/contacts/export.csv?sort=id", "")
	if resp.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(text, "\uFEFF") {
		t.Fatalf("type %s, starts with %q", resp.Header.Get("Content-Type"), text[:8])
	}
	first, _, _ := strings.Cut(text[3:], "\r\n")
	if want := "Nr.;Anrede;Vorname;Nachname;Firma;Position;E-Mail;Telefon;Mobil;Straße;PLZ;Ort;Land;Geburtsdatum;IBAN;Steuer-ID;" +
		"Newsletter;Kreditlimit;Betreuer;Notizen;Angelegt am;Geändert am"; first != want {
		t.Errorf("heading = %s", first)
	}
	in := csv.NewReader(strings.NewReader(text[3:]))
	in.Comma = ';'
	rows, err := in.ReadAll()
	if err != nil || len(rows) != 61 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[7]; r[4] != `Café "Zur alten Post"` || !regexp.MustCompile(`^\d\d\.\d\d\.\d{4}$`).MatchString(r[13]) || !strings.Contains(r[17], ",") {
		t.Errorf("row = %q", r)
	}
	if _, text = s.do(http.MethodGet, "/contacts/export.csv?city=Wien", ""); strings.Count(text, "Wien") != 3 {
		t.Errorf("filtered export:\n%s", text)
	}
}

func TestStreamComesRecordByRecordInASCII(t *testing.T) {
	s := newSite(t)
	resp, text := s.do(http.MethodGet, "/api/stream/contacts", "")
	if resp.ContentLength >= 0 {
		t.Error("the stream has a length")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e }) || !strings.Contains(text, `\u00fc`) || !strings.Contains(text, `\ud83c\udf7c`) || !strings.Contains(text, `\/Top`) {
		t.Error("the stream isn't escaped as PHP does")
	}
	var records []map[string]any
	if err := json.Unmarshal([]byte(text), &records); err != nil || len(records) != 60 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, c := range s.crm.Contacts() {
		if records[i]["notes"] != c["notes"] || records[i]["company"] != c["company"] {
			t.Errorf("record %d = %v, want %v", i, records[i], c)
		}
	}
}

func TestEventsPingUntilTheCRMCloses(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for want := range strings.SplitSeq("id: 1|event: ping|data: {\"n\":1}||id: 2", "|") {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("line %q, want %q", lines.Text(), want)
		}
	}
	s.crm.Close()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

func TestGzipIsSentToThoseWhoTakeIt(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/contacts", "/api/contacts", "/contacts/export.csv", "/static/app.css"} {
		resp, packed := s.do(http.MethodGet, path, "", "Accept-Encoding", "gzip")
		if resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: Content-Encoding %q", path, resp.Header.Get("Content-Encoding"))
			continue
		}
		in, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, want := s.do(http.MethodGet, path, "", "Accept-Encoding", "identity"); want != string(plain) {
			t.Errorf("%s: packed and plain differ", path)
		}
	}
}

func TestRequestsAreRememberedAsTheyCame(t *testing.T) {
	s := newSite(t)
	s.do(http.MethodPatch, "/api/contacts/1001?x=%2F", `{"city":"Ulm"}`, "X-Test", "1")
	got := s.crm.Requests()
	if len(got) != 1 || got[0].Method != "PATCH" || got[0].Target != "/api/contacts/1001?x=%2F" || got[0].Path != "/api/contacts/1001" ||
		string(got[0].Body) != `{"city":"Ulm"}` || got[0].Header.Get("X-Test") != "1" {
		t.Errorf("requests = %+v", got)
	}
	if s.crm.Forget(); len(s.crm.Requests()) != 0 {
		t.Error("Forget left requests")
	}
}

func TestHookCanAnswerInTheCRMsPlace(t *testing.T) {
	s := newSite(t)
	s.crm.SetHook(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/contacts/1001" {
			return false
		}
		w.WriteHeader(http.StatusTeapot)
		return true
	})
	s.json(http.MethodGet, "/api/contacts/1001", "", 418)
	s.json(http.MethodGet, "/api/contacts/1002", "", 200)
	s.crm.SetHook(nil)
	s.json(http.MethodGet, "/api/contacts/1001", "", 200)
}

func TestSessionCookieIsSetOnce(t *testing.T) {
	s := newSite(t)
	resp, _ := s.do(http.MethodGet, "/contacts", "")
	c := resp.Cookies()
	if len(c) != 1 || c[0].Name != "kontor_session" || !c[0].HttpOnly || c[0].Value == "" {
		t.Fatalf("cookies = %v", c)
	}
	if resp, _ = s.do(http.MethodGet, "/contacts", ""); len(resp.Cookies()) != 0 {
		t.Errorf("cookies on the second request = %v", resp.Cookies())
	}
}

func TestPageNamesWhoIsSignedIn(t *testing.T) {
	s := newSite(t)
	if _, page := s.do(http.MethodGet, "/contacts", "", UserHeader, "vera"); !strings.Contains(page, "angemeldet als <strong>vera</strong>") {
		t.Errorf("page:\n%s", page)
	}
	if _, page := s.do(http.MethodGet, "/contacts", "", "Accept-Language", "en-GB", UserHeader, "J%C3%B6rg"); !strings.Contains(page, "signed in as <strong>Jörg</strong>") {
		t.Errorf("page:\n%s", page)
	}
}

func TestFormFromAnotherSiteIsRefused(t *testing.T) {
	s := newSite(t)
	before, _ := s.crm.store.get("contact", 1001)
	resp, _ := s.do(http.MethodPost, "/contacts/1001", "last_name=x", "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://example.org")
	if after, _ := s.crm.store.get("contact", 1001); resp.StatusCode != 403 || after["last_name"] != before["last_name"] {
		t.Errorf("status %d, %v", resp.StatusCode, after["last_name"])
	}
}

func TestBodyOverAMegabyteIsRefused(t *testing.T) {
	s := newSite(t)
	if resp, _ := s.do(http.MethodPut, "/api/contacts/1001", strings.Repeat(" ", bodyMax+1)); resp.StatusCode != 413 {
		t.Errorf("status %d, want 413", resp.StatusCode)
	}
}

func TestHealthAndRootAnswer(t *testing.T) {
	s := newSite(t)
	s.json(http.MethodGet, "/healthz", "", 200)
	if resp, _ := s.do(http.MethodGet, "/", ""); resp.StatusCode != 302 || resp.Header.Get("Location") != "/contacts" {
		t.Errorf("status %d", resp.StatusCode)
	}
}
