package gate_test

import (
	"archive/zip"
	"bytes"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// The desks of the environment: one where a purpose is enough, and one where a
// second person consents.
const (
	lightDesk = "desk {\n\t\t\tauditors role auditor\n\t\t\tofficers role dpo\n\t\t\town_accesses\n\t\t}"
	// A second person's consent.
	strictDesk = "desk {\n\t\t\tauditors role auditor\n\t\t\tofficers role dpo\n\t\t\tconsent role council\n\t\t\tpurpose lasts 1h\n\t\t}"
)

const desk = "/.crmgate/desk"

// visits opens a page of the desk.
func (b *browser) visits(t *testing.T, path string) *reply {
	t.Helper()
	return b.do(t, ask{path: path, page: true})
}

// post sends a form of the desk as its page does.
func (b *browser) post(t *testing.T, path string, form url.Values) *reply {
	t.Helper()
	return b.do(t, ask{path: path, method: http.MethodPost, body: form.Encode(), page: true, header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
	}})
}

// shows checks what stands on a page.
func (r *reply) shows(t *testing.T, want ...string) *reply {
	t.Helper()
	r.want(t, http.StatusOK)
	for _, w := range want {
		if !strings.Contains(string(r.body), w) {
			t.Errorf("%s isn't on the page: %s", w, r)
		}
	}
	return r
}

func (r *reply) showsNot(t *testing.T, no ...string) *reply {
	t.Helper()
	for _, w := range no {
		if strings.Contains(string(r.body), w) {
			t.Errorf("%s is on the page %s", w, r.url.Redacted())
		}
	}
	return r
}

// look checks that the entry of a page is that of the person's look.
func (r *reply) look(t *testing.T, who string, event audit.Event, detail string) {
	t.Helper()
	e := r.logged(t)[0].Entry
	if e.Kind != audit.Control || e.Event != event || e.Employee != who || !strings.HasPrefix(e.Detail, detail) {
		t.Errorf("the look's entry is %s %q by %s, want %s %q by %s", e.Event, e.Detail, e.Employee, event, detail, who)
	}
}

func TestDeskLooksAreEntries(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A. Uditor", "sales", "auditor")
	who := pseudonymOf(t, auditor)
	for path, detail := range map[string]string{
		desk: `desk: kind "intent"`, desk + "?record=contact%2F7&category=bank&shown=clear": `desk: record "contact/7", category "bank", shown "clear"`,
		desk + "/record?record=contact%2F7": `desk: record "contact/7"`, desk + "/volume": "desk: volumes", desk + "/log": "desk: state of the log",
		desk + "/entry?seq=0": "desk: entry 0", "/.crmgate/mine": `desk: employee "` + who + `"`,
	} {
		r := auditor.visits(t, path).want(t, http.StatusOK)
		r.look(t, who, audit.Searched, detail)
		if p := r.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "script-src") {
			t.Errorf("%s: policy %q", path, p)
		}
		if !strings.Contains(r.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s may be stored", path)
		}
	}
}

// A look that can't be written down shows nothing.
func TestDeskShowsNothingWithoutAnEntry(t *testing.T) {
	t.Parallel()
	c := newChild(t, env.crm.url, "INFO")
	dora := c.site.as(t, "dora")
	c.site.as(t, "vera").do(t, ask{path: "/api/contacts/1001"}).want(t, http.StatusOK)
	dora.visits(t, desk+"/record?record=contact%2F1001").shows(t, "contact/1001", "im Klartext")
	c.tell(t, "limit 0")
	for _, path := range []string{"", "/record?record=contact%2F1001", "/log", "/volume", "/entry?seq=1"} {
		dora.visits(t, desk+path).want(t, http.StatusServiceUnavailable).showsNot(t, "contact/1001", "im Klartext", "Knoten")
	}
	for _, path := range []string{"/search.csv", "/search.jsonl", "/export", "/verify"} {
		dora.post(t, desk+path, url.Values{}).want(t, http.StatusServiceUnavailable)
	}
	dora.visits(t, desk+"/report/register").want(t, http.StatusServiceUnavailable).showsNot(t, "sales")
	for _, as := range []string{"page", "print", "json"} {
		dora.post(t, desk+"/report/access", aboutPerson(as, "contact/1001")).want(t, http.StatusServiceUnavailable).showsNot(t, "contact/1001")
		dora.post(t, desk+"/report/breach", aboutBreach(as, nil)).want(t, http.StatusServiceUnavailable).showsNot(t, "contact/1001")
	}
	c.tell(t, "mend")
	eventually(t, "the log mends", func() bool { return dora.visits(t, desk).status == http.StatusOK })
	c.stop(t)
}

func TestDeskIsForThoseWithTheRole(t *testing.T) {
	t.Parallel()
	vera := signedInWith(t, env.audited, somebody(), "V", "sales")
	for _, path := range []string{desk, desk + "/record?record=contact%2F7", desk + "/employees", desk + "/volume", desk + "/log", desk + "/entry?seq=1", desk + "/employee"} {
		vera.visits(t, path).want(t, http.StatusForbidden).logged(t).refused(t, "no_auditor")
		newBrowser(env.audited).do(t, ask{path: path}).want(t, http.StatusUnauthorized)
		newBrowser(env.audited).visits(t, path).want(t, http.StatusFound)
	}
	for _, path := range []string{"/search.csv", "/search.jsonl", "/ask", "/name", "/decide", "/verify", "/export"} {
		vera.post(t, desk+path, url.Values{}).want(t, http.StatusForbidden)
	}
	auditor := signedInWith(t, env.audited, somebody(), "A", "sales", "auditor")
	auditor.post(t, desk+"/name", url.Values{}).want(t, http.StatusForbidden)
	auditor.post(t, desk+"/decide", url.Values{}).want(t, http.StatusForbidden)
	council := signedInWith(t, env.audited, somebody(), "C", "council")
	council.visits(t, desk).want(t, http.StatusForbidden)
	council.visits(t, desk+"/employees").want(t, http.StatusOK)
	auditor.visits(t, "/.crmgate/mine").want(t, http.StatusNotFound)
	// At the CRM, who has no role there but one at the desk is led to it.
	for role, led := range map[string]bool{"auditor": true, "dpo": true, "nothing": false} {
		r := signedInWith(t, env.audited, somebody(), "R", role).visits(t, "/contacts").want(t, http.StatusForbidden)
		if got := strings.Contains(string(r.body), `href="`+desk+`"`); got != led {
			t.Errorf("%s is led to the desk: %t, want %t", role, got, led)
		}
	}
	auditor.visits(t, desk+"/reports-of-tomorrow").want(t, http.StatusNotFound)
	// A site without a desk has no such pages, whatever a role is called.
	signedInWith(t, env.forged, somebody(), "B", "sales", "auditor", "dpo").visits(t, desk).want(t, http.StatusNotFound)
}

func TestDeskFindsWhatTheLogHolds(t *testing.T) {
	t.Parallel()
	who := somebody()
	sales := signedInWith(t, env.opened, who, "Sales "+who, "sales")
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor")
	sc := newScene(t, jsonAnswer(http.StatusOK, row(424242)))
	shown := sales.get(t, "/api/contacts/424242", sc).want(t, http.StatusOK)
	sales.do(t, ask{path: "/api/contacts?sort=iban"}).want(t, http.StatusForbidden)
	seq := strconv.FormatUint(shown.logged(t)[0].Seq, 10)
	me := shown.logged(t)[0].Entry.Employee
	entry := "seq=" + seq + "\""
	page := auditor.visits(t, desk+"/record?record=contact%2F424242").shows(t, "contact/424242", me, entry, "Gelesen", "1 Antwort enthielt")
	page.showsNot(t, "Sales "+who, "Muster")
	for query, found := range map[string]bool{
		"category=name&shown=clear": true, "category=bank&shown=clear": false, "category=bank&shown=masked": true, "action=read": true, "action=delete": false,
		"entity=contact": true, "entity=lead": false, "decision=allowed": true, "decision=refused": false, "since=2020-01-01": true, "until=2020-01-01": false,
		"kind=control": false,
	} {
		r := auditor.visits(t, desk+"?record=contact%2F424242&"+query).want(t, http.StatusOK)
		if got := strings.Contains(string(r.body), entry); got != found {
			t.Errorf("%s: found %t, want %t", query, got, found)
		}
	}
	auditor.visits(t, desk+"?record=contact%2F42424").showsNot(t, entry)
	sales.visits(t, "/.crmgate/mine").shows(t, "contact/424242", "abgelehnt", "asks_masked")
	auditor.visits(t, "/.crmgate/mine").showsNot(t, "Gelesen", "asks_masked") // looks at the desk alone
}

func TestDeskTakesNothingAtItsWord(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor", "dpo")
	for _, hostile := range []string{
		`contact/"><script>alert(1)</script>`, `contact/1' OR '1'='1`, `contact/1") UNION SELECT 1--`, "contact/\u202e", "contact/{{.}}",
	} {
		r := auditor.visits(t, desk+"/record?record="+url.QueryEscape(hostile))
		if r.status != http.StatusOK && r.status != http.StatusBadRequest {
			t.Errorf("%q is answered by %s", hostile, r)
		}
		r.showsNot(t, "<script", "seq=")
	}
	for _, query := range []string{
		"record=contact", "record=" + strings.Repeat("a/", 101), "category=blood", "action=drop", "since=yesterday", "before=-1",
		"before=99999999999999999999", "shown=1", "decision=maybe", "employee=vera", "kind=%00", "entity=%22",
	} {
		auditor.visits(t, desk+"?"+query).want(t, http.StatusBadRequest).showsNot(t, "seq=", "Dazu steht nichts")
	}
	auditor.visits(t, desk+"/entry?seq=18446744073709551615").want(t, http.StatusNotFound)
	auditor.visits(t, desk+"/entry?seq=4000000000000").want(t, http.StatusNotFound)
	for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {appOrigin}}} {
		for _, path := range []string{"/verify", "/export", "/search.csv", "/search.jsonl", "/ask", "/name"} {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
			auditor.do(t, ask{path: desk + path, method: http.MethodPost, body: "a=b", header: h}).want(t, http.StatusForbidden)
		}
	}
	auditor.post(t, desk+"/ask", url.Values{"note": {strings.Repeat("x", 10<<10)}}).want(t, http.StatusBadRequest)
	auditor.visits(t, desk+"/verify").want(t, http.StatusNotFound) // by a link nothing is done
}

func TestDeskExports(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor", "sales")
	who := pseudonymOf(t, auditor)
	sc := newScene(t, jsonAnswer(http.StatusOK, row(515151)))
	auditor.get(t, "/api/contacts/515151", sc).want(t, http.StatusOK)
	file := auditor.post(t, desk+"/search.csv", url.Values{"record": {"contact/515151"}})
	file.look(t, who, audit.Exported, `desk: CSV of record "contact/515151"`)
	file.shows(t, ",contact/515151,", who)
	if d := file.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename=audit-") {
		t.Errorf("disposition %q", d)
	}
	auditor.post(t, desk+"/search.csv", url.Values{"employee": {who}}).want(t, http.StatusNotFound)
	file = auditor.post(t, desk+"/search.jsonl", url.Values{"record": {"contact/515151"}})
	file.look(t, who, audit.Exported, `desk: OCSF of record "contact/515151"`)
	file.shows(t, `"class_uid":6001`, `"event_code":"intent"`, `"event_code":"disclosure"`, `"name":"contact/515151"`, who)
	if d := file.header.Get("Content-Disposition"); !strings.HasSuffix(d, ".jsonl") {
		t.Errorf("disposition %q", d)
	}
	auditor.post(t, desk+"/search.jsonl", url.Values{"employee": {who}}).want(t, http.StatusNotFound)

	eventually(t, "a checkpoint is signed over what is exported", func() bool {
		file = auditor.post(t, desk+"/export", url.Values{}).want(t, http.StatusOK)
		file.look(t, who, audit.Exported, "desk: the whole log")
		dir := filepath.Join(t.TempDir(), "export")
		unzip(t, file.body, dir)
		report, err := audit.VerifyExport(t.Context(), dir, "", audit.Attesters{}, nil)
		if err != nil || report.Opened {
			t.Fatalf("the export is %+v, %v", report, err)
		}
		return report.Size > 0
	})
}

func unzip(t *testing.T, raw []byte, dir string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeskVerifiesBehindThePage(t *testing.T) {
	t.Parallel()
	auditor := signedInWith(t, env.opened, somebody(), "A", "auditor")
	auditor.post(t, desk+"/verify", url.Values{}).want(t, http.StatusSeeOther)
	eventually(t, "the log is verified", func() bool {
		r := auditor.visits(t, desk+"/log").want(t, http.StatusOK)
		if strings.Contains(string(r.body), "Die Prüfung läuft") {
			if r.header.Get("Refresh") == "" {
				t.Error("the page doesn't load itself anew")
			}
			auditor.visits(t, desk+"/log?still=1").want(t, http.StatusOK)
			return false
		}
		return strings.Contains(html.UnescapeString(string(r.body)), "Das Protokoll ist, was geschrieben wurde.")
	})
}
