package crm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

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
