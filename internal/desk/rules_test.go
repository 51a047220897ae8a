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
