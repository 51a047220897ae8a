package desk

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/page"
)

// Below five a number, or what is left of another, could tell of somebody.
func TestSmallNumbersTellOfNobody(t *testing.T) {
	for _, c := range []struct{ left, all, count, of int }{
		{0, 0, 0, 0}, {0, 100, 0, 0}, {1, 1, 0, 0}, {4, 4, 0, 0}, {4, 100, 0, 0}, {5, 5, 5, 5}, {5, 6, 5, 0}, {5, 9, 5, 0}, {5, 10, 5, 10}, {96, 100, 96, 0}, {50, 100, 50, 100},
	} {
		got := CountOutstanding(c.left, c.all)
		if got.Few != (c.left < 5) || got.Count != c.count || got.Of != c.of {
			t.Errorf("%d of %d is shown as %+v", c.left, c.all, got)
		}
		body, _ := Render("en", Page{Name: "rules", Title: page.Text{EN: "R"}, Body: RulesView{Days: 30, Sites: []RulesSite{{Site: "s", Count: got}}}})
		if few := strings.Contains(string(body), "fewer than 5 people"); few != (c.left < 5) {
			t.Errorf("%d of %d is shown with few %t", c.left, c.all, few)
		}
	}
}

// While overdue records are only listed, the page of them doesn't say that they are masked.
func TestOverduePageSaysWhetherItMasks(t *testing.T) {
	for _, c := range []struct {
		lang, until, says, not string
	}{
		{"en", "", "All others see them masked", "only get on this list"},
		{"en", "2026-12-20", "20 Dec 2026", "All others see them masked"},
		{"de", "2026-12-20", "20.12.2026", "Alle anderen sehen sie"},
	} {
		body, _ := Render(c.lang, Page{Name: "overdue", Title: page.Text{DE: "O", EN: "O"}, Body: OverdueView{Observes: c.until}})
		if text := string(body); !strings.Contains(text, c.says) || strings.Contains(text, c.not) {
			t.Errorf("%s until %q: %s", c.lang, c.until, text)
		}
	}
	for text, want := range map[string]string{
		"retain 3y after closed_at": "3 years after closed_at (kept by the gateway)", "three years after the last order": "three years after the last order", "retain what the law says": "retain what the law says",
	} {
		if got := erasureWord(text).EN; got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}
