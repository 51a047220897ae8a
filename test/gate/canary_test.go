package gate_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// canaries are values for every field of a contact and a lead that can hold text,
// found nowhere else.
func canaries() (contact, lead map[string]any) {
	contact = map[string]any{
		"salutation": "Frau", "first_name": "Kanarella", "last_name": "Vogelsangweiler", "company": "Zwitscherfirma GmbH", "position": "Piepmatzpflegerin",
		"email": "kanarella.vw@zwitscher.example", "phone": "+49 30 23125 9171", "mobile": "+49 171 3920 9272", "street": "Am Vogelkäfig 7171",
		"postal_code": "98761", "city": "Singhausen", "country": "DE", "birth_date": "1961-12-13", "iban": canary, "newsletter": true,
		"credit_limit": 91827364554637.5, "owner": "gefiederpfleger", "notes": "Frisst nur Sonnenblumenkerne, rief unter 0171 39209272 an.",
	}
	lead = map[string]any{
		"contact_name": "Flattermann Flügelschlag", "company": "Nistkasten AG", "email": "flatter@nistkasten.example", "phone": "+49 30 23125 9373",
		"status": "new", "value": 81726354453627.5, "source": "Futterstellenmesse", "owner": "gefiederpfleger", "description": "Möchte Hirsekolbenhandel eröffnen.",
	}
	return contact, lead
}

// tweets are the forms in which a value could be written down.
func tweets(t *testing.T) map[string]bool {
	forms := map[string]bool{}
	contact, lead := canaries()
	for _, rec := range []map[string]any{contact, lead} {
		for name, v := range rec {
			text := fmt.Sprint(v)
			switch name {
			case "salutation", "country", "status", "newsletter", "postal_code":
				continue
			case "value", "credit_limit":
				text = strings.TrimSuffix(text, ".5")
			}
			for _, s := range append(strings.Fields(text), text, strings.ReplaceAll(text, " ", "")) {
				if len(s) < 6 || strings.HasPrefix(s, "rief") || s == "Möchte" || s == "eröffnen." {
					continue
				}
				forms[s], forms[url.QueryEscape(s)], forms[url.PathEscape(s)] = true, true, true
				quoted := strings.Trim(fmt.Sprintf("%+q", s), `"`)
				forms[quoted] = true
				forms[base64.StdEncoding.EncodeToString([]byte(s))[:8]] = true
				forms[hex.EncodeToString([]byte(s))] = true
			}
		}
	}
	if len(forms) < 60 {
		t.Fatalf("only %d forms", len(forms))
	}
	return forms
}

func newRecord(t *testing.T, crm *standIn, path string, rec map[string]any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, crm.url+path, strings.NewReader(toJSON(t, rec)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := newBrowser(env.plain).send(&http.Client{}, req)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, http.StatusCreated)
	id := 0
	if _, err := fmt.Sscanf(string(r.body), `{"id":%d`, &id); err != nil {
		t.Fatal(err)
	}
	return id
}

// A value of the CRM, or of a question about it, is in no log and in no file:
// not with Caddy's access log on, not at debug level, not when the CRM is down.
func canariesAreInNoLogAndNoFile(t *testing.T) {
	t.Parallel()
	crm := newStandInFor(t)
	contact, lead := canaries()
	id := newRecord(t, crm, "/api/contacts", contact)
	leadID := newRecord(t, crm, "/api/leads", lead)
	dir := t.TempDir()
	c := newChildIn(t, dir, crm.url, "DEBUG\n\tcrmgate {\n\t\tlog {\n\t\t\tsink file "+dir+"/sink.jsonl {\n\t\t\t\tfrom start\n\t\t\t}\n\t\t}\n\t}")
	for _, login := range []string{"vera", "paula", "sven", "iris", "markus"} {
		sing(t, c, crm, login, id, leadID)
	}
	ring, err := keys.Open(filepath.Join(dir, "data", "keys"))
	if err != nil {
		t.Fatal(err)
	}
	entries := uint64(0)
	for s, err := range audit.Read(t.Context(), filepath.Join(dir, "data", "log"), ring) {
		if err != nil {
			t.Fatal(err)
		}
		entries = s.Seq + 1
	}
	eventually(t, "the sink has the log", func() bool { next, _ := inSink(t, dir+"/sink.jsonl", "n"); return next >= entries })
	c.stop(t)
	forms, places := tweets(t), 0
	search := func(name string, raw []byte) {
		places++
		for form := range forms {
			if at := bytes.Index(raw, []byte(form)); at >= 0 {
				t.Errorf("%s holds %q: …%q…", name, form, raw[max(0, at-300):min(len(raw), at+60)])
			}
		}
	}
	search("the standard error", []byte(c.logs.String()))
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		search(strings.TrimPrefix(path, c.dir), raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := os.ReadFile(filepath.Join(c.dir, "logs", "process.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(logs, []byte("upstream roundtrip")) || !bytes.Contains(logs, []byte(`"route":"contact list"`)) || places < 6 {
		t.Errorf("the logs are not those of a debug level: %d places, %d bytes", places, len(logs))
	}
}

// sing makes traffic of all kinds as one employee.
func sing(t *testing.T, c *child, crm *standIn, login string, id, leadID int) {
	t.Helper()
	b := c.site.as(t, login)
	contact, lead := canaries()
	ask1 := func(a ask) *reply {
		h := http.Header{"Referer": {c.site.url + "/contacts?q=Vogelsangweiler&email=kanarella.vw%40zwitscher.example#Kanarella"}}
		maps.Copy(h, a.header)
		a.header = h
		r, err := b.try(a)
		if err != nil {
			return &reply{}
		}
		return r
	}
	down := crm.scene(t, rawAnswer(""))
	cut := crm.scene(t, rawAnswer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"+toJSON(t, contact)))
	broken := crm.scene(t, jsonAnswer(200, toJSON(t, contact)+toJSON(t, lead)))
	brokenHTML := crm.scene(t, typed("text/html", 200, "<p>"+toJSON(t, contact)))
	failing := crm.scene(t, jsonAnswer(500, `{"error":`+toJSON(t, toJSON(t, contact))+`}`))
	brokenCSV := crm.scene(t, typed("text/csv", 200, "Nachname;\"Vogelsangweiler\r\n"))
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	paths := []string{
		"/", "/contacts", "/contacts?q=Vogelsangweiler", "/contacts?email=kanarella.vw@zwitscher.example", "/contacts?iban=" + canary, "/contacts?sort=last_name",
		"/leads", "/leads?q=Hirsekolbenhandel", fmt.Sprintf("/contacts/%d", id), fmt.Sprintf("/contacts/%d/edit", id), fmt.Sprintf("/leads/%d", leadID),
		"/contacts/export.csv", "/contacts/export.csv?last_name=Vogelsangweiler", streamPath, streamPath + "?company=Zwitscherfirma",
		"/api/contacts?q=Kanarella", "/api/contacts?limit=500", fmt.Sprintf("/api/contacts/%d", id), fmt.Sprintf("/api/leads/%d", leadID), "/api/leads?limit=99",
		"/Vogelsangweiler/Kanarella", "/api/contacts/Vogelsangweiler", "/contacts/Kanarella?x=Vogelsangweiler", "/api/contacts?Vogelsangweiler=1", "/api/contacts?q=Vogelsangweiler;x",
		"/api//contacts/Vogelsangweiler", "/.crmgate/Vogelsangweiler", "/.crmgate/callback?state=Vogelsangweiler&code=Kanarella&error=Zwitscherfirma",
		"/static/app.css?Vogelsangweiler", "/healthz?q=Vogelsangweiler",
	}
	for _, path := range paths {
		for _, sc := range []*scene{nil, down, cut, broken, brokenHTML, failing, brokenCSV} {
			for _, page := range []bool{false, true} {
				ask1(ask{path: path, scene: sc, page: page})
			}
		}
	}
	other := toJSON(t, map[string]any{"last_name": "Vogelsangweiler", "email": "kanarella.vw@zwitscher.example", "iban": canary, "notes": "Sonnenblumenkerne,"})
	for _, sc := range []*scene{nil, down, failing} {
		for _, a := range []ask{
			{method: "POST", path: "/api/contacts", body: other}, // 422: the address is taken
			{method: "POST", path: "/api/contacts", body: `{"last_name":"Vogelsangweiler","email":"kanarella.vw@zwitscher.example"}`},
			{method: "PUT", path: fmt.Sprintf("/api/contacts/%d", id), body: toJSON(t, contact)},
			{method: "PATCH", path: fmt.Sprintf("/api/contacts/%d", id), body: other},
			{method: "PATCH", path: fmt.Sprintf("/api/contacts/%d", id), body: `{"phone":"Vogelsangweiler"}`},
			{method: "PATCH", path: "/api/contacts/1001", body: `{"last_name":"Vogelsangweiler`},
			{method: "POST", path: "/contacts/new", body: url.Values{"last_name": {"Vogelsangweiler"}, "email": {"kanarella.vw@zwitscher.example"}}.Encode(), header: form, page: true},
			{method: "POST", path: fmt.Sprintf("/contacts/%d", id), body: url.Values{"last_name": {""}, "notes": {"Sonnenblumenkerne,"}}.Encode(), header: form, page: true},
			{method: "POST", path: "/Vogelsangweiler", body: other},
			{method: "DELETE", path: "/api/contacts/Vogelsangweiler"},
			{method: "GET", path: "/contacts", header: http.Header{"Upgrade": {"Vogelsangweiler"}, "Connection": {"Upgrade"}}},
		} {
			a.scene = sc
			ask1(a)
		}
	}
	// Nobody is signed in, and the address holds a value.
	stranger := newBrowser(c.site)
	for _, page := range []bool{true, false} {
		if _, err := stranger.try(ask{path: "/contacts?q=Vogelsangweiler", page: page}); err != nil {
			t.Error(err)
		}
	}
}

// A log of the proxy alone is at debug level, and the gate's is not.
func TestProxysOwnDebugLogHoldsNoQuestion(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "proxy.log")
	c := newChild(t, env.crm.url, "INFO\n\tlog proxy {\n\t\toutput file "+file+"\n\t\tlevel DEBUG\n\t\tinclude http.handlers.reverse_proxy\n\t}")
	c.site.as(t, "vera").do(t, ask{path: "/contacts?q=Vogelsangweiler", header: http.Header{"Referer": {c.site.url + "/contacts?q=Vogelsangweiler"}}}).want(t, http.StatusOK)
	c.stop(t)
	raw, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(raw, []byte("upstream roundtrip")) {
		t.Fatalf("no log of the proxy: %v", err)
	}
	if bytes.Contains(raw, []byte("Vogelsangweiler")) {
		t.Errorf("the log holds the question: %s", raw)
	}
	process, err := os.ReadFile(filepath.Join(c.dir, "logs", "process.log"))
	if err != nil || !bytes.Contains(process, []byte("exclude http.handlers.reverse_proxy")) {
		t.Errorf("nobody was warned: %v", err)
	}
}
