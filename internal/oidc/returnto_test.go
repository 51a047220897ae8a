package oidc

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// redirects is a corpus of open redirects, one a line, with \x escapes.
func redirects(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "openredirects.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "## ") {
			continue
		}
		list = append(list, strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\0`, "\x00", `\v`, "\v").Replace(line))
	}
	return list
}

func TestOpenRedirectsGoNowhere(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for _, raw := range redirects(t) {
		if got := ReturnTo(raw); got != "/" {
			t.Errorf("ReturnTo(%q) = %q", raw, got)
		}
		fin, err := p.Finish(t.Context(), p.begin(t, func(r *BeginRequest) { r.ReturnTo = raw }))
		if err != nil || fin.ReturnTo != "/" {
			t.Errorf("a sign-in for %q ended at %q, %v", raw, fin.ReturnTo, err)
		}
	}
}

func TestDeepLinksSurvive(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"/", "/contacts", "/index.php?module=Contacts&action=DetailView&record=7", "/a/b?next=https://evil.example/&x=//y",
		"/suche?q=M%C3%BCller+%26+S%C3%B6hne", "/.crmgate/", "/.crmgate/log/search?q=7", "/a;b/c", "/a%20b", "/...",
		"/" + strings.Repeat("x", returnLimit-1),
	} {
		if got := ReturnTo(raw); got != raw {
			t.Errorf("ReturnTo(%q) = %q", raw, got)
		}
	}
	if ReturnTo("/"+strings.Repeat("x", returnLimit)) != "/" {
		t.Error("a return URL over the limit was kept")
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, raw := range redirects(f) {
		f.Add(raw)
	}
	f.Add("/contacts?id=7")
	base, err := url.Parse("https://crm.example.de")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := ReturnTo(raw)
		if got != "/" && got != raw {
			t.Fatalf("ReturnTo(%q) = %q: neither itself nor /", raw, got)
		}
		if ReturnTo(got) != got {
			t.Fatalf("ReturnTo is not stable for %q", got)
		}
		// As a browser reads it: tab and line breaks dropped, backslash is a slash.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(got))
		u, err := base.Parse(seen)
		if err != nil || u.Host != base.Host || u.Scheme != "https" || strings.HasPrefix(seen, "//") {
			t.Fatalf("ReturnTo(%q) leads to %v", raw, u)
		}
		for _, way := range []string{"callback", "login", "logout", "sign-out"} {
			if strings.HasPrefix(strings.ToLower(u.Path)+"/", "/.crmgate/"+way+"/") {
				t.Fatalf("ReturnTo(%q) leads to %s", raw, way)
			}
		}
	})
}

func FuzzState(f *testing.F) {
	f.Add(state{returnTo: "/"}.encode())
	f.Add(state{stepUp: (&StepUp{Subject: "u-1", Demand: Demand{MaxAge: time.Minute}}).seal(), retry: true, returnTo: "/contacts?id=7"}.encode())
	f.Add([]byte{stateVersion})
	f.Add(append(state{}.encode(), "//evil.example"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b)
		if err != nil {
			return
		}
		if got := s.encode(); string(got) != string(b) {
			t.Fatalf("state %x is read as %x", b, got)
		}
		if ReturnTo(s.returnTo) != s.returnTo {
			t.Fatalf("state returns to %q", s.returnTo)
		}
	})
}

// FuzzCallback holds the whole callback to: no answer without the provider, no
// state of anybody else, no panic.
func FuzzCallback(f *testing.F) {
	p := &Provider{cfg: Config{Issuer: "https://login.example.de", ClientID: "crm", Seal: newBox(f)}}
	p.cfg.Now = newClock().Now
	bind := newBinding()
	s := state{begun: p.cfg.Now(), binding: bind.hash(), returnTo: "/"}
	sealed, err := p.seal(s, site)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed, bind.value())
	f.Add(sealed[1:], bind.value())
	f.Add("", "")
	f.Fuzz(func(t *testing.T, raw, cookie string) {
		st, err := p.open(raw, site)
		if err != nil {
			return
		}
		if raw != sealed {
			t.Fatalf("state %q was never sealed", raw)
		}
		if _, ok := st.bindingOf([]string{cookie}); ok && cookie != bind.value() {
			t.Fatalf("cookie %q took another browser's sign-in", cookie)
		}
	})
}
