package page

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// fields are all places that text can come from.
func fields() map[string]func(p *Page, s string) {
	return map[string]func(p *Page, s string){
		"Title":     func(p *Page, s string) { p.Title = Text{s, s} },
		"Text":      func(p *Page, s string) { p.Text = Text{s, s} },
		"Reason":    func(p *Page, s string) { p.Reason = s },
		"Reference": func(p *Page, s string) { p.Reference = s },
		"Link.Href": func(p *Page, s string) { p.Link.Href = s },
		"Link.Text": func(p *Page, s string) { p.Link.Text = Text{s, s} },
		"Form.Action": func(p *Page, s string) {
			p.Form.Action = s
		},
		"Form.Text": func(p *Page, s string) { p.Form.Text = Text{s, s} },
		"Next":      func(p *Page, s string) { p.Next = s },
		"Form.Name": func(p *Page, s string) { p.Form.Name = s },
		"Form.Value": func(p *Page, s string) {
			p.Form.Value = s
		},
		"Also.Href":   func(p *Page, s string) { p.Also = &Link{Href: s, Text: Text{"A", "A"}} },
		"Also.Text":   func(p *Page, s string) { p.Also = &Link{Href: "/a", Text: Text{s, s}} },
		"Row.Title":   func(p *Page, s string) { p.Rows[0].Title = Text{s, s} },
		"Row.Mark":    func(p *Page, s string) { p.Rows[0].Mark = Text{s, s} },
		"Row.Fact":    func(p *Page, s string) { p.Rows[0].Facts[0].Value = Text{s, s} },
		"Row.Action":  func(p *Page, s string) { p.Rows[0].Form.Action = s },
		"Row.Value":   func(p *Page, s string) { p.Rows[0].Form.Value = s },
		"Onward.To":   func(p *Page, s string) { p.Onward = &Onward{To: s, Keep: "/"} },
		"Onward.Keep": func(p *Page, s string) { p.Onward = &Onward{To: "/", Keep: s} },
	}
}

func full(status int) Page {
	return Page{
		Status: status, Title: Text{"T", "T"}, Text: Text{"S", "S"}, Reason: "r", Reference: "n1/1",
		Link: &Link{Href: "/", Text: Text{"L", "L"}}, Form: &Form{Action: "/f", Text: Text{"F", "F"}}, Next: "https://login.example.de/x",
		Rows: []Row{{
			Title: Text{"R", "R"}, Mark: Text{"M", "M"}, Facts: []Fact{{Text{"N", "N"}, Text{"V", "V"}}},
			Form: &Form{Action: "/r", Text: Text{"E", "E"}, Name: "n", Value: "v"},
		}},
	}
}

func TestNoFieldCarriesMarkup(t *testing.T) {
	for name, set := range fields() {
		for _, attack := range []string{
			`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>`,
			`</style><script>`, `--><script>`, `javascript:alert(1)`, "java\tscript:alert(1)", " javascript:alert(1)",
			`data:text/html,<script>`, `vbscript:x`, `0; url=javascript:alert(1)`, `https://x/"><script>`, "\x00<b>", "\xff<b>\xc0",
			`{{.Style}}`, `&lt;b&gt;<b>`, `https://x;url=javascript:alert(1)`,
		} {
			for _, status := range []int{200, 403} {
				p := full(status)
				set(&p, attack)
				raw := Render("de", p)
				if len(elements(t, raw, "html")) != 1 || !ownScripts(t, raw) || bytes.Contains(raw, []byte("<img")) {
					t.Errorf("%s = %q: %s", name, attack, raw)
				}
				checkShape(t, raw)
			}
		}
	}
}

// TestTextArrivesAsItIs: escaping changes what is sent, not what is read.
func TestTextArrivesAsItIs(t *testing.T) {
	const text = `Ä & "O'Neil" <b> &amp; „x“`
	for name, set := range fields() {
		if strings.HasSuffix(name, "Href") || strings.HasSuffix(name, "Action") || name == "Next" ||
			strings.HasSuffix(name, ".Value") || strings.HasSuffix(name, ".Name") || strings.HasPrefix(name, "Onward") {
			continue
		}
		p := full(403)
		set(&p, text)
		var read strings.Builder
		for _, n := range elements(t, Render("de", p), "main") {
			for c := range n.Descendants() {
				if c.Type == html.TextNode {
					read.WriteString(c.Data)
				}
			}
		}
		if !strings.Contains(read.String(), text) {
			t.Errorf("%s: %q is not read in %q", name, text, read.String())
		}
	}
}

// FuzzRender: whatever the fields hold, the page keeps its own elements, one
// heading, valid UTF-8 and the style that the policy allows.
func FuzzRender(f *testing.F) {
	f.Add(403, "Anna", "<script>", "mfa_missing", "/", "/f", "https://login.example.de/x?a=b")
	f.Add(200, `"><svg onload=x>`, "\xff\x00", "</style>", "javascript:x", "data:,x", "http://x/'\"><b>")
	f.Add(503, "{{.}}", "<!--", "]]>", "//x", "mailto:a@b", "https://x;url=javascript:x")
	f.Fuzz(func(t *testing.T, status int, title, text, word, href, action, next string) {
		p := Page{
			Status: status, Title: Text{title, title}, Text: Text{text, text}, Reason: word, Reference: word + text,
			Link: &Link{Href: href, Text: Text{word, text}}, Form: &Form{Action: action, Text: Text{text, word}}, Next: next,
		}
		for _, lang := range []string{"de", "en", word} {
			raw := Render(lang, p)
			if !utf8.Valid(raw) {
				t.Error("the page is not UTF-8")
			}
			checkShape(t, raw)
			if n := len(elements(t, raw, "h1")); n != 1 {
				t.Errorf("%d headings", n)
			}
			styles := elements(t, raw, "style")
			if len(styles) != 1 || styles[0].FirstChild.Data != string(style) {
				t.Error("the style is not the one that the policy allows")
			}
		}
	})
}

// ownScripts reports whether the page has no script but the one that the policy
// allows, and that where a page leads Onward.
func ownScripts(t *testing.T, raw []byte) bool {
	t.Helper()
	for _, s := range elements(t, raw, "script") {
		if s.FirstChild == nil || s.FirstChild.Data != string(onward) || s.FirstChild.NextSibling != nil {
			return false
		}
	}
	return true
}
