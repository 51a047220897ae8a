package restore_test

import (
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// TestSaveRepeatsWhatIsRevealed: whoever sees a value for the time being may send it
// back as it is stored, and change nothing; from the end on it is an edit of what its
// author can't see, right or not.
func TestSaveRepeatsWhatIsRevealed(t *testing.T) {
	t.Parallel()
	const stored = `{"id":1,"name":"Weber","phone":"` + phone + `","numbers":{"value":"030 5550147","main":"x"},"salary":5}`
	plans := sales()
	plans.Revealed = func(id, field string, cats []access.Category) bool {
		return id == "1" && (field == "phone" || field == "numbers") && !slices.ContainsFunc(cats, func(c access.Category) bool { return c != access.Phone })
	}
	for _, c := range []struct{ name, body, want, refused, ended string }{
		{"repeated", `{"name":"a","phone":"` + phone + `"}`, `{"name":"a"}`, "", "phone;"},
		{"the placeholder of before", `{"name":"a","phone":"` + shownPhone() + `"}`, `{"name":"a"}`, "", ""},
		{"edited", `{"phone":"` + phone + `0"}`, "", "phone;", "phone;"},
		{"emptied", `{"phone":""}`, "", "phone;", "phone;"},
		{"another field", `{"salary":5}`, "", "salary;", "salary;"},
		{"with parts", `{"numbers":{"value":"030 5550147","main":"x"}}`, `{}`, "", "numbers;"},
		{"an edited part", `{"numbers":{"value":"030 5550148","main":"x"}}`, "", "numbers;", "numbers;"},
	} {
		got := judge(t, send("PATCH", "/people/1", "application/json", c.body), plans, stored)
		if got.refused != c.refused || c.refused == "" && got.body != c.want {
			t.Errorf("%s: %s, refused %q; want %s, refused %q", c.name, got.body, got.refused, c.want, c.refused)
		}
		if got := judge(t, send("PATCH", "/people/1", "application/json", c.body), sales(), stored); got.refused != c.ended {
			t.Errorf("%s, ended: %s, refused %q; want %q", c.name, got.body, got.refused, c.ended)
		}
	}
	got := judge(t, send("PUT", "/people/1", "application/json", `{"phone":"`+phone+`","numbers":{"value":"030 5550147","main":"x"},"salary":5}`), plans, stored)
	if got.refused != "salary;" {
		t.Errorf("a full write: %+v", got)
	}
	got = judge(t, send("PUT", "/people/1", "application/json", `{"name":"a","phone":"`+phone+`","numbers":{"main":"x","value":"030 5550147"}}`), plans, stored)
	if want := `{"name":"a","phone":"` + phone + `","numbers":{"value":"030 5550147","main":"x"},"salary":5}`; got.refused != "" || got.body != want {
		t.Errorf("a full write: %+v, want %s", got, want)
	}
}
