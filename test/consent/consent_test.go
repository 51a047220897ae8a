package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	root   = "/.crmgate/consent"
	canary = "canary.person@example.org"
	text   = "Ja, ich möchte den Rundbrief der Muster GmbH per E-Mail bekommen."
)

func wish(email string) url.Values {
	return url.Values{"email": {email}, "consent": {"newsletter:email:2026-11"}, "language": {"de"}}
}

// TestTheWayOfAConsent goes from the form over the mail to the proof, and what stands is
// said of it at the desk.
func TestTheWayOfAConsent(t *testing.T) {
	t.Setenv("SMTP_PASSWORD", "a mail secret")
	h := newHouse(t)
	person, officer := h.visitor(t), h.visitor(t)
	officer.signIn(t, "dora")
	t.Run("the form is taken and a mail comes", func(t *testing.T) {
		p := person.sends(t, http.MethodGet, root+"/", nil, nil).is(t, http.StatusOK, text, "newsletter:email:2026-11", "Umfragen zur Zufriedenheit")
		if strings.Contains(p.body, "alter Text") || strings.Contains(p.body, "anrufen") || strings.Contains(p.body, "<script") {
			t.Errorf("the form shows what it shouldn't: %s", p.body)
		}
		person.sends(t, http.MethodPost, root+"/ask", wish(canary), nil).is(t, http.StatusAccepted, "Postfach")
	})
	m := h.mail(t)
	confirm, end := m.link(t, h.url+root+"/c/"), m.link(t, h.url+root+"/w/")
	t.Run("the mail", func(t *testing.T) { checkMail(t, m, end) })
	t.Run("a look changes nothing", func(t *testing.T) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, link := range []string{confirm, end} {
				for range 2 {
					person.sends(t, method, link, nil, map[string]string{"Sec-Fetch-Site": "cross-site"}).is(t, http.StatusOK)
				}
			}
		}
		officer.finds(t, canary).is(t, http.StatusOK, "angefragt, nicht bestätigt")
	})
	t.Run("only an answer of the page confirms", func(t *testing.T) {
		person.sends(t, http.MethodPost, confirm, url.Values{}, nil).is(t, http.StatusBadRequest)
		person.sends(t, http.MethodPost, confirm, url.Values{"answer": {"confirm"}}, map[string]string{"Sec-Fetch-Site": "cross-site"}).is(t, http.StatusForbidden)
		person.sends(t, http.MethodPut, confirm, url.Values{"answer": {"confirm"}}, nil).is(t, http.StatusMethodNotAllowed)
		officer.finds(t, canary).is(t, http.StatusOK, "angefragt, nicht bestätigt")
		person.sends(t, http.MethodPost, confirm, url.Values{"answer": {"confirm"}}, nil).is(t, http.StatusOK, "Danke, Ihre Einwilligung gilt", text)
		person.sends(t, http.MethodPost, confirm, url.Values{"answer": {"confirm"}}, nil).is(t, http.StatusOK, "schon bestätigt")
		person.sends(t, http.MethodGet, confirm, nil, nil).is(t, http.StatusOK, "schon bestätigt")
	})
	t.Run("the proof", func(t *testing.T) { officer.checksProof(t, m) })
	t.Run("one click withdraws", func(t *testing.T) {
		mailer := h.visitor(t)
		plain := map[string]string{"Accept": "", "Accept-Language": "", "Sec-Fetch-Mode": "", "Sec-Fetch-Site": ""}
		mailer.sends(t, http.MethodPost, end, url.Values{"List-Unsubscribe": {"One-Click"}}, plain).is(t, http.StatusOK, "Withdrawn")
		mailer.sends(t, http.MethodPost, end, url.Values{"List-Unsubscribe": {"One-Click"}}, plain).is(t, http.StatusOK, "already")
		person.sends(t, http.MethodPost, confirm, url.Values{"answer": {"confirm"}}, nil).is(t, http.StatusOK, "schon widerrufen")
		officer.finds(t, canary).is(t, http.StatusOK, "widerrufen")
	})
	t.Run("whoever lost the mail asks for a link", func(t *testing.T) {
		person.sends(t, http.MethodPost, root+"/ask", wish("second@example.org"), nil).is(t, http.StatusAccepted)
		person.sends(t, http.MethodPost, h.mail(t).link(t, h.url+root+"/c/"), url.Values{"answer": {"confirm"}}, nil).is(t, http.StatusOK)
		person.sends(t, http.MethodGet, root+"/stop", nil, nil).is(t, http.StatusOK)
		person.sends(t, http.MethodPost, root+"/stop", url.Values{"email": {"second@example.org"}}, nil).is(t, http.StatusAccepted, "Postfach")
		link := h.mail(t).link(t, h.url+root+"/w/")
		person.sends(t, http.MethodGet, link, nil, nil).is(t, http.StatusOK, "Worin Sie eingewilligt haben", "Rundbrief · E-Mail")
		person.sends(t, http.MethodPost, link, url.Values{"end": {"newsletter:email"}}, nil).is(t, http.StatusOK, "Es gilt keine Einwilligung")
	})
	t.Run("a server that puts off or refuses", func(t *testing.T) {
		person.sends(t, http.MethodPost, root+"/ask", wish("nobody@example.org"), nil).is(t, http.StatusAccepted)
		person.sends(t, http.MethodPost, root+"/ask", wish("third@example.org"), nil).is(t, http.StatusAccepted)
		if m := h.mail(t); m.To[0] != "third@example.org" {
			t.Errorf("the mail is to %v", m.To)
		}
	})
	t.Run("forms of others", func(t *testing.T) { h.refusesOthers(t) })
	t.Run("nobody is told of anybody", func(t *testing.T) {
		h.holdsNothingInClear(t, canary, strings.TrimPrefix(end, h.url+root+"/w/"), "third@example.org", "a mail secret")
	})
}

func checkMail(t *testing.T, m *delivered, end string) {
	t.Helper()
	if !m.TLS || m.User != "crmgate" || m.From != "rundbrief@example.de" || len(m.To) != 1 || m.To[0] != canary {
		t.Errorf("the mail is from %s to %v, TLS %t", m.From, m.To, m.TLS)
	}
	for name, want := range map[string]string{
		"List-Unsubscribe": "<" + end + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated",
	} {
		if got := m.header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, want := range []string{text, "Muster GmbH, Musterweg 1, 12345 Berlin", "https://www.example.de/datenschutz"} {
		if !strings.Contains(m.text, want) {
			t.Errorf("%q isn't in the mail", want)
		}
	}
}

// finds looks an address up at the desk.
func (v *visitor) finds(t *testing.T, email string) *answer {
	t.Helper()
	a := v.sends(t, http.MethodPost, "/.crmgate/desk/consent", url.Values{"email": {email}}, nil)
	if a.Header.Get("Audit-Id") == "" {
		t.Error("the look is no entry")
	}
	return a
}

var proofLink = regexp.MustCompile(`/\.crmgate/desk/consent/proof\?id=[^"]+`)

// checksProof checks a proof as an auditor would: the page, and the hashes of the JSON.
func (v *visitor) checksProof(t *testing.T, m *delivered) {
	t.Helper()
	link := strings.ReplaceAll(proofLink.FindString(v.finds(t, canary).is(t, http.StatusOK, "eingewilligt").body), "&amp;", "&")
	id := strings.Trim(m.header.Get("Message-Id"), "<>")
	v.sends(t, http.MethodGet, link, nil, nil).is(t, http.StatusOK, canary, text, "das Protokoll enthält den Hash jedes Schritts", id, "List-Unsubscribe: &lt;", "(token)")
	v.sends(t, http.MethodGet, link+"&as=print", nil, nil).is(t, http.StatusOK, text)
	raw := v.sends(t, http.MethodGet, link+"&as=json", nil, nil).is(t, http.StatusOK).body
	var got struct {
		Whole bool `json:"whole"`
		Log   []struct {
			Entry, Log, Hashed, SHA256 string
		} `json:"log"`
	}
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Whole || len(got.Log) != 4 {
		t.Errorf("the proof is %+v", got)
	}
	for _, s := range got.Log {
		sum := sha256.Sum256([]byte(s.Hashed))
		if hex.EncodeToString(sum[:]) != s.SHA256 || s.Log != "same" || s.Entry == "" {
			t.Errorf("a step is %+v", s)
		}
	}
	v.sends(t, http.MethodGet, "/.crmgate/desk/consent/proof?ledger=x&id=y", nil, nil).is(t, http.StatusNotFound)
}

// refusesOthers posts what must not be taken.
func (h *house) refusesOthers(t *testing.T) {
	t.Helper()
	v := h.visitor(t)
	other := func(origin string) map[string]string {
		return map[string]string{"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Accept": "application/json"}
	}
	for _, origin := range []string{"https://evil.example.com", "null", "https://www.example.de.evil.example.com", "http://www.example.de"} {
		a := v.sends(t, http.MethodPost, root+"/ask", wish("fourth@example.org"), other(origin)).is(t, http.StatusForbidden)
		if a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read the answer", origin)
		}
	}
	a := v.sends(t, http.MethodOptions, root+"/ask", nil, other("https://www.example.de")).is(t, http.StatusNoContent)
	if a.Header.Get("Access-Control-Allow-Origin") != "https://www.example.de" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the preflight says %v", a.Header)
	}
	known := v.sends(t, http.MethodPost, root+"/ask", wish(canary), other("https://www.example.de")).is(t, http.StatusAccepted, "accepted")
	unknown := v.sends(t, http.MethodPost, root+"/ask", wish("fifth@example.org"), other("https://www.example.de")).is(t, http.StatusAccepted)
	known.Header.Del("Date")
	unknown.Header.Del("Date")
	if known.body != unknown.body || len(known.Header) != len(unknown.Header) || known.Header.Get("Set-Cookie") != "" || known.Header.Get("Audit-Id") != "" {
		t.Errorf("a known address is told from an unknown one: %v %v", known.Header, unknown.Header)
	}
	h.mail(t)
	if m := h.mail(t); strings.Contains(m.text, "evil") {
		t.Error("the mail leads elsewhere")
	}
	bad := wish("sixth@example.org")
	bad.Set("name", "unread")
	v.sends(t, http.MethodPost, root+"/ask", bad, nil).is(t, http.StatusBadRequest)
	for _, consents := range [][]string{nil, {"newsletter:email:2020-01"}, {"newsletter:phone:2026-11"}, {"newsletter"}, {"a:b:c:d"}} {
		v.sends(t, http.MethodPost, root+"/ask", url.Values{"email": {"sixth@example.org"}, "consent": consents}, nil).is(t, http.StatusBadRequest, "wählen Sie aus")
	}
	v.sends(t, http.MethodPost, root+"/ask", url.Values{"email": {strings.Repeat("x", 9000)}}, nil).is(t, http.StatusBadRequest)
	v.sends(t, http.MethodGet, root+"/ask", nil, nil).is(t, http.StatusMethodNotAllowed)
	v.sends(t, http.MethodGet, root+"/c/"+strings.Repeat("A", 43), nil, nil).is(t, http.StatusNotFound, "Dieser Link gilt nicht")
	v.sends(t, http.MethodPost, root+"/w/x", url.Values{}, nil).is(t, http.StatusNotFound)
	v.sends(t, http.MethodPost, "/.crmgate/desk/consent", url.Values{"email": {canary}}, map[string]string{"Sec-Fetch-Mode": "cors"}).is(t, http.StatusUnauthorized)
	vera := h.visitor(t)
	vera.signIn(t, "vera")
	vera.sends(t, http.MethodPost, "/.crmgate/desk/consent", url.Values{"email": {canary}}, nil).is(t, http.StatusForbidden)
	limited := false
	for range 60 {
		a := v.sends(t, http.MethodPost, root+"/ask", wish("not an address"), nil)
		limited = limited || a.StatusCode == http.StatusTooManyRequests && a.Header.Get("Retry-After") != ""
	}
	if !limited {
		t.Error("nothing bounds a flood")
	}
}

// holdsNothingInClear looks for values in everything that the gateway has written.
func (h *house) holdsNothingInClear(t *testing.T, values ...string) {
	t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, v := range values {
			if strings.Contains(strings.ToLower(string(raw)), strings.ToLower(v)) {
				t.Errorf("%s holds the value %d in clear", strings.TrimPrefix(path, h.dir), i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
