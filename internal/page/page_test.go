package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// kind is a page as the gateway shows it.
type kind struct {
	name string
	page Page
}

// kinds are all pages that the gateway shows, with the longest texts.
func kinds() []kind {
	again := &Link{Href: "/", Text: Text{"Noch einmal anmelden", "Sign in again"}}
	crm := &Link{Href: "/", Text: Text{"Zum CRM", "To the CRM"}}
	return []kind{
		{"refused", Page{
			Status: http.StatusForbidden, Reason: "policy_denied", Reference: "n1/48213",
			Text: Text{"Ihre Rolle sieht das Exportieren von Kontakten nicht vor.", "Your role does not provide for exporting contacts."},
		}},
		{"sign-in-failed", Page{
			Status: http.StatusForbidden, Reason: "mfa_missing", Reference: "n1/48214", Link: again,
			Text: Text{
				"Ihr Anmeldedienst hat keinen zweiten Faktor bestätigt. Melden Sie sich ab und mit Ihrem zweiten Faktor (App, Sicherheitsschlüssel oder Passkey) wieder an. Bleibt es dabei, muss Ihre Administration ihn für diese Anwendung vorschreiben.",
				"Your sign-in service did not confirm a second factor. Sign out and sign in again with your second factor (app, security key or passkey). If that doesn't help, your administrator has to require it for this application.",
			},
		}},
		{"sign-in-needed", Page{
			Status: http.StatusUnauthorized, Reason: "signed_out", Reference: "01J9Z3K7V2QX4M8N6T5R1W0YBC", Link: &Link{Href: "/", Text: Text{"Anmelden", "Sign in"}},
			Text: Text{
				"Sie sind nicht angemeldet. Öffnen Sie das CRM in einem neuen Tab, melden Sie sich dort an und senden Sie dann noch einmal.",
				"You are not signed in. Open the CRM in a new tab, sign in there, and then send again.",
			},
		}},
		{"unavailable", Page{
			Status: http.StatusServiceUnavailable, Reason: "log", Reference: "01J9Z3K7V2QX4M8N6T5R1W0YBC",
			Text: Text{
				"Das Gateway startet gerade oder sein Protokoll ist nicht beschreibbar. Es wurde nichts weitergeleitet. Bitte versuchen Sie es gleich noch einmal.",
				"The gateway is starting, or its log can't be written. Nothing was forwarded. Please try again in a moment.",
			},
		}},
		{"bad-request", Page{
			Status: http.StatusBadRequest, Reason: "bad_request", Reference: "01J9Z3K7V2QX4M8N6T5R1W0YBC",
			Text: Text{
				"Die Anfrage ist nicht eindeutig und wurde deshalb nicht weitergeleitet.",
				"The request is ambiguous and was therefore not forwarded.",
			},
		}},
		{"not-found", Page{
			Status: http.StatusNotFound, Reason: "not_found", Reference: "01J9Z3K7V2QX4M8N6T5R1W0YBC",
			Text: Text{"Diese Seite gibt es nicht.", "There is no such page."},
		}},
		{"signed-out", Page{
			Status: http.StatusOK, Link: &Link{Href: "/", Text: Text{"Wieder anmelden", "Sign in again"}},
			Text: Text{"Sie sind abgemeldet.", "You are signed out."},
		}},
		{"signing-out", Page{
			Status: http.StatusOK, Next: "https://login.example.de/realms/acme/logout?client_id=crm&post_logout_redirect_uri=https%3A%2F%2Fcrm.example.de%2F.crmgate%2Fsigned-out",
			Title: Text{"Sie werden abgemeldet", "Signing you out"},
			Text:  Text{"Es geht gleich beim Anmeldedienst weiter.", "Your sign-in service takes over in a moment."},
		}},
		{"home", Page{
			Status: http.StatusOK, Link: crm, More: &Link{Href: "/.crmgate/why", Text: Text{"Warum ist etwas verdeckt?", "Why is something masked?"}}, Form: &Form{Action: "/.crmgate/sign-out", Text: Text{"Abmelden", "Sign out"}},
			Title: Text{"Angemeldet als Dr. Anna-Katharina Freifrau von Hohenstein-Wallenberg", "Signed in as Dr. Anna-Katharina Freifrau von Hohenstein-Wallenberg"},
			Text: Text{
				"Ihre Zugriffe auf personenbezogene Daten werden protokolliert. Verdeckte Felder sehen Sie, wie Ihre Rolle es vorsieht.",
				"Your accesses to personal data are logged. Masked fields are shown as your role provides.",
			},
		}},
		{"begin", Page{
			Status: http.StatusOK, Onward: &Onward{To: "https://login.example.de/authorize?client_id=crm&state=x", Keep: "/contacts?view=1"},
			Title: Text{"Anmeldung", "Signing in"},
			Text:  Text{"Es geht gleich beim Anmeldedienst weiter.", "Your sign-in service takes over in a moment."},
		}},
		{"arrive", Page{
			Status: http.StatusOK, Onward: &Onward{To: "/contacts?view=1"},
			Title: Text{"Angemeldet", "Signed in"}, Text: Text{"Es geht gleich weiter.", "One moment."},
		}},
		{"resend", Page{
			Status: http.StatusUnauthorized, Reason: "signed_out", Reference: "01J9Z3K7V2QX4M8N6T5R1W0YBC",
			Title: Text{"Ihre Sitzung ist beendet", "Your session has ended"},
			Link:  &Link{Href: "/.crmgate/continue", Text: Text{"In neuem Tab anmelden", "Sign in in a new tab"}, NewTab: true},
			Text: Text{
				"Es wurde noch nichts gesendet.",
				"Nothing has been sent yet.",
			},
		}},
		{"sessions", Page{
			Status: http.StatusOK, Link: crm, Form: &Form{Action: "/.crmgate/sessions", Text: Text{"Alle anderen beenden", "End all others"}, Name: "end", Value: "others"},
			Title: Text{"Ihre Sitzungen", "Your sessions"}, Text: Text{"Hier sind Sie angemeldet.", "You are signed in here."},
			Also: &Link{Href: "/.crmgate/", Text: Text{"Zurück", "Back"}},
			Rows: []Row{
				{
					Title: Text{"Firefox, Windows", "Firefox, Windows"}, Mark: Text{"diese", "this one"},
					Facts: []Fact{{Text{"Angemeldet", "Signed in"}, Text{"23.11.2026, 09:14 (CET)", "23 Nov 2026, 09:14 (CET)"}}},
				},
				{
					Title: Text{"Unbekannter Browser", "Unknown browser"},
					Facts: []Fact{{Text{"Adresse", "Address"}, Text{"2001:db8::7", "2001:db8::7"}}},
					Form:  &Form{Action: "/.crmgate/sessions", Text: Text{"Sitzung beenden", "End session"}, Name: "end", Value: "00112233"},
				},
			},
		}},
		{"why", Page{
			Status: http.StatusOK, Title: Text{"Warum ist etwas verdeckt?", "Why is something masked?"}, Link: crm,
			Text: Text{"Sie sehen, was Ihre Rolle braucht.", "You see what your role needs."},
			Tables: []Table{
				{
					Title: Text{"Platzhalter", "Placeholders"}, Head: [2]Text{{"Auf dem Bildschirm", "On the screen"}, {"Bedeutung", "Meaning"}},
					Lines: []Line{{Codes: []string{"••••••", "hidden@masked.invalid"}, Text: Text{"Verdeckt.", "Hidden."}}},
				},
				{
					Title: Text{"contact", "contact"}, Head: [2]Text{{"Daten", "Data"}, {"Sie sehen", "You see"}},
					Lines: []Line{{Name: Text{"Namen", "Names"}, Text: Text{"im Klartext", "in clear"}}},
				},
			},
		}},
		{"form-alone", Page{
			Status: http.StatusOK, Form: &Form{Action: "/.crmgate/sign-out", Text: Text{"Abmelden", "Sign out"}},
			Title: Text{"Abmelden?", "Sign out?"},
		}},
	}
}

// each runs f for every page in both languages.
func each(t *testing.T, f func(t *testing.T, lang string, k kind)) {
	t.Helper()
	for _, k := range kinds() {
		for _, lang := range []string{"de", "en"} {
			t.Run(k.name+"."+lang, func(t *testing.T) { f(t, lang, k) })
		}
	}
}

// TestPagesAreAsTheyWereReviewed compares with testdata; UPDATE=1 writes it. The
// style is in style.css already and stands there as a word.
func TestPagesAreAsTheyWereReviewed(t *testing.T) {
	each(t, func(t *testing.T, lang string, k kind) {
		got := bytes.Replace(Render(lang, k.page), []byte(style), []byte("style.css"), 1)
		file := filepath.Join("testdata", k.name+"."+lang+".html")
		if os.Getenv("UPDATE") == "1" {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; UPDATE=1 go test ./internal/page writes it:\n%s", file, got)
		}
	})
	files, err := filepath.Glob("testdata/*.html")
	if err != nil || len(files) != 2*len(kinds()) {
		t.Errorf("%d pages in testdata, want %d: %v", len(files), 2*len(kinds()), err)
	}
}

func TestPolicyAllowsTheStyleOfEveryPage(t *testing.T) {
	each(t, func(t *testing.T, lang string, k kind) {
		styles := elements(t, Render(lang, k.page), "style")
		if len(styles) != 1 || styles[0].FirstChild == nil {
			t.Fatalf("%d style elements, want one", len(styles))
		}
		sum := sha256.Sum256([]byte(styles[0].FirstChild.Data))
		want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
		if !strings.Contains(ContentSecurityPolicy, want) {
			t.Errorf("ContentSecurityPolicy = %q, want in it %q", ContentSecurityPolicy, want)
		}
	})
}

func TestPolicyAllowsNothingElse(t *testing.T) {
	for directive := range strings.SplitSeq(ContentSecurityPolicy, "; ") {
		name, _, _ := strings.Cut(directive, " ")
		if !slices.Contains([]string{"default-src", "style-src", "form-action", "base-uri", "frame-ancestors"}, name) {
			t.Errorf("directive %q", directive)
		}
	}
	for _, want := range []string{"default-src 'none'; ", "; form-action 'self'; ", "; base-uri 'none'; ", "; frame-ancestors 'self'"} {
		if !strings.Contains(ContentSecurityPolicy, want) {
			t.Errorf("ContentSecurityPolicy = %q, want in it %q", ContentSecurityPolicy, want)
		}
	}
	for _, no := range []string{"unsafe", "http:", "https:", "data:", "*"} {
		if strings.Contains(ContentSecurityPolicy, no) {
			t.Errorf("ContentSecurityPolicy allows %q", no)
		}
	}
}

// TestPageFetchesNothing: no script, no address of another site but the one that
// the page was made to lead to, nothing that the policy would block anyway.
func TestPageFetchesNothing(t *testing.T) {
	for _, no := range []string{"url(", "@import", "@font-face", "expression", "//"} {
		if strings.Contains(string(style), no) {
			t.Errorf("style.css holds %q", no)
		}
	}
	each(t, func(t *testing.T, lang string, k kind) {
		raw := Render(lang, k.page)
		checkShape(t, raw)
		if k.page.Next == "" && k.page.Onward == nil && bytes.Contains(raw, []byte("//")) {
			t.Error("an address of another site is on the page")
		}
	})
}

func TestPageIsReadWithoutEyesOrMouse(t *testing.T) {
	each(t, func(t *testing.T, lang string, k kind) {
		raw := Render(lang, k.page)
		if got := attr(elements(t, raw, "html")[0], "lang"); got != lang {
			t.Errorf("lang = %q, want %q", got, lang)
		}
		for _, one := range []string{"h1", "main", "header", "title"} {
			if n := len(elements(t, raw, one)); n != 1 {
				t.Errorf("%d %s elements, want 1", n, one)
			}
		}
		for _, svg := range elements(t, raw, "svg") {
			if attr(svg, "aria-hidden") != "true" {
				t.Error("the mark is read out")
			}
		}
		if alert := bytes.Contains(raw, []byte(` role="alert"`)); alert != (k.page.Status >= 400) {
			t.Errorf("alert = %v for status %d", alert, k.page.Status)
		}
		main := 0
		for _, class := range slices.Concat(elements(t, raw, "a"), elements(t, raw, "button")) {
			if attr(class, "class") == "button main" {
				main++
			}
		}
		if way := k.page.Link != nil || k.page.Form != nil || k.page.Next != "" || k.page.Onward != nil; way != (main == 1) {
			t.Errorf("%d main ways on", main)
		}
	})
}

func TestEveryStatusHasATitleInBothLanguages(t *testing.T) {
	for status := 100; status < 600; status++ {
		title := titleOf(status)
		if title.DE == "" || title.EN == "" || title.DE == title.EN {
			t.Errorf("titleOf(%d) = %+v", status, title)
		}
	}
}

func TestUnknownLanguageIsEnglish(t *testing.T) {
	p := kinds()[0].page
	if got := Render(`fr"><script>`, p); !bytes.Equal(got, Render("en", p)) {
		t.Errorf("Render(fr) = %s", got)
	}
}

func TestServedPageShowsNoReference(t *testing.T) {
	for status, want := range map[int]bool{200: false, 400: true, 401: true, 403: true, 503: true} {
		raw := Render("en", Page{Status: status, Reason: "a_reason", Reference: "n1/7"})
		if got := bytes.Contains(raw, []byte("a_reason")) && bytes.Contains(raw, []byte("n1/7")); got != want {
			t.Errorf("status %d: reference and reason shown = %v, want %v", status, got, want)
		}
	}
}

func TestPageLeadsByItselfToWebAddressesOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"https://login.example.de/logout?a=b&c=d": true, "http://localhost:9000/logout": true,
		"": false, "/": false, "//login.example.de": false, "javascript:alert(1)": false, "data:text/html,x": false,
		"https:": false, "https:///x": false, "JAVASCRIPT://x/%0aalert(1)": false, "https://x\r\ny": false,
	} {
		raw := Render("en", Page{Status: 200, Next: address})
		if got := bytes.Contains(raw, []byte(`http-equiv="refresh"`)); got != want {
			t.Errorf("Next %q: refresh = %v, want %v", address, got, want)
		}
	}
	got := attr(elements(t, Render("en", Page{Status: 200, Next: "https://a.example/b?c=d&e='f"}), "a")[0], "href")
	if want := "https://a.example/b?c=d&e=%27f"; got != want {
		t.Errorf("Next leads to %q, want %q", got, want)
	}
}

// checkShape fails unless the page holds the gateway's own elements and
// attributes alone, whatever stands in its fields.
func checkShape(t *testing.T, raw []byte) {
	t.Helper()
	allowed := map[string][]string{
		"html": {"lang"}, "head": nil, "meta": {"charset", "name", "content", "http-equiv"}, "title": nil, "style": nil,
		"body": {"class"}, "header": nil, "main": nil, "div": {"class", "role"}, "h1": {"dir"}, "p": {"class"},
		"svg":  {"class", "viewbox", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "aria-hidden", "focusable"},
		"path": {"d", "fill", "fill-opacity"}, "a": {"class", "href", "target", "rel"}, "form": {"method", "action"}, "button": {"type", "class", "name", "value"},
		"dl": {"class"}, "dt": nil, "dd": nil, "code": {"class", "translate"}, "ul": nil, "li": nil,
		"h2": {"dir"}, "span": {"class"}, "noscript": nil, "script": {"data-to", "data-keep"},
		"table": nil, "caption": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"scope"}, "td": nil,
	}
	z := html.NewTokenizer(bytes.NewReader(raw))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			return
		case html.CommentToken:
			t.Error("a comment is on the page")
		case html.StartTagToken, html.SelfClosingTagToken:
			checkTag(t, z.Token(), allowed)
		}
	}
}

func checkTag(t *testing.T, tag html.Token, allowed map[string][]string) {
	t.Helper()
	names, ok := allowed[tag.Data]
	if !ok {
		t.Errorf("element %q", tag.Data)
	}
	for _, a := range tag.Attr {
		if !slices.Contains(names, a.Key) {
			t.Errorf("attribute %s of %s", a.Key, tag.Data)
		}
		if scheme, _, ok := strings.Cut(a.Val, ":"); ok && (a.Key == "href" || a.Key == "action") &&
			!strings.ContainsAny(scheme, "/?#") && !slices.Contains([]string{"http", "https", "mailto"}, strings.ToLower(scheme)) {
			t.Errorf("%s = %q", a.Key, a.Val)
		}
	}
}

func elements(t *testing.T, raw []byte, name string) []*html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func TestOnlyOnwardHasAScriptAndThePolicyAllowsIt(t *testing.T) {
	sum := sha256.Sum256([]byte(onward))
	if want := "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; ScriptPolicy != ContentSecurityPolicy+want {
		t.Errorf("ScriptPolicy = %q, want %q at its end", ScriptPolicy, want)
	}
	each(t, func(t *testing.T, lang string, k kind) {
		n := len(elements(t, Render(lang, k.page), "script"))
		if want := k.page.Onward != nil; want != (n == 1) || !ownScripts(t, Render(lang, k.page)) {
			t.Errorf("%d scripts", n)
		}
	})
}

func TestOnwardLeadsToPathsAndWebAddressesOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"/": true, "/contacts?view=1&x=a%20b": true, "https://login.example.de/a?b=c": true,
		"": false, "contacts": false, "//evil.example": false, "/\\evil.example": false, "javascript:alert(1)": false, "data:,x": false,
	} {
		raw := Render("en", Page{Status: 200, Onward: &Onward{To: address, Keep: "/"}})
		if got := len(elements(t, raw, "script")) == 1; got != want {
			t.Errorf("Onward %q: %v, want %v", address, got, want)
		}
		if want && attr(elements(t, raw, "script")[0], "data-to") != address {
			t.Errorf("Onward %q leads to %q", address, attr(elements(t, raw, "script")[0], "data-to"))
		}
	}
}
