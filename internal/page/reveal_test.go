package page

import (
	"strings"
	"testing"
)

func TestRevealPageIsTextInBothLanguages(t *testing.T) {
	t.Parallel()
	both := func(s string) Text { return Text{DE: "DE" + s, EN: "EN" + s} }
	p := Reveal{
		Title: both("title"), Text: both("text"), Wrong: both("wrong"), Action: "/.crmgate/reveal", Reference: "0-1",
		Parts: []RevealPart{{
			Title: both("part"), Text: both("about"),
			Items: []RevealItem{{
				Title: `contact/"><script>`, Link: `javascript:alert(1)`, Mark: both("mark"), Note: both("note"), Facts: []Fact{{both("fact"), both("value")}},
				Buttons: []RevealButton{{Do: "end", ID: `"><b>`, Text: both("button")}},
			}},
			Form: &RevealForm{Do: "ask", Hidden: [][2]string{{"record", `"><i>`}}, Button: both("send"), Main: true, Fields: []RevealField{
				{Name: "field", Label: both("which"), Options: []RevealOption{{Value: "a", Code: "a", Text: both("option"), Chosen: true}, {Value: "b", Text: both("other")}}},
				{Name: "note", Label: both("label"), Hint: both("hint"), Value: `"><u>`, Most: 30},
			}},
		}},
		Ways: []Link{{Href: "/", Text: both("way")}},
	}
	for lang, other := range map[string]string{"de": "EN", "en": "DE", "fr": "DE"} {
		body, policy := RenderReveal(lang, p)
		page := string(body)
		for _, bad := range []string{"<script", "<b>", "<i>", "<u>", "javascript:alert", other + "t", "error\x00"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: %q is on the page", lang, bad)
			}
		}
		for _, want := range []string{"title", "text", "wrong", "part", "about", "mark", "note", "fact", "value", "button", "send", "which", "option", "other", "label", "hint", "way"} {
			if !strings.Contains(page, map[string]string{"DE": "EN", "EN": "DE"}[other]+want) {
				t.Errorf("%s: %q is missing", lang, want)
			}
		}
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "form-action 'self'") {
			t.Errorf("policy %q", policy)
		}
	}
}
