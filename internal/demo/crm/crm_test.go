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
