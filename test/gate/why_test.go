package gate_test

import (
	"net/http"
	"strings"
	"testing"
)

// The page says what placeholders mean and how the employee's own roles see each
// kind of data, in their language. It asks the CRM nothing and needs a session.
func TestEmployeeIsToldWhyAValueIsMasked(t *testing.T) {
	t.Parallel()
	told := func(t *testing.T, login, lang string) string {
		t.Helper()
		sc := newScene(t, nil)
		r := env.leaky.as(t, login).do(t, ask{
			path: "/.crmgate/why", page: true, scene: sc, header: http.Header{"Accept-Language": {lang}},
		}).want(t, http.StatusOK)
		if n := len(sc.requests()); n != 0 {
			t.Errorf("the CRM was asked %d times", n)
		}
		if cc := r.header.Get("Cache-Control"); cc != "private, no-store" {
			t.Errorf("Cache-Control = %q", cc)
		}
		return string(r.body)
	}
	rows := func(kind, how string) string { return `<th scope="row">` + kind + `</th><td>` + how + `</td>` }
	for _, c := range []struct {
		login, lang string
		want        []string
	}{
		{"vera", "de", []string{
			"••••••", "hidden@masked.invalid", rows("Namen", "im Klartext"), rows("Geburtsdaten", "vergröbert"),
			rows("besondere Kategorien (Gesundheit, Religion und andere)", "verdeckt (bei own im Klartext)"), rows("Telefonnummern", "verdeckt"),
		}},
		{"vera", "en", []string{"Why is something masked?", rows("dates of birth", "made coarser"), rows("phone numbers", "hidden")}},
		{"sven", "en", []string{rows("names", "as a pseudonym"), rows("e-mail addresses", "in part"), rows("bank details and amounts", "left out")}},
	} {
		got := told(t, c.login, c.lang)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s isn't told %q: %s", c.login, want, got)
			}
		}
	}
	newBrowser(env.leaky).do(t, ask{path: "/.crmgate/why"}).want(t, http.StatusUnauthorized)
	env.leaky.as(t, "vera").do(t, ask{path: "/.crmgate/why", method: http.MethodPost, body: "x"}).want(t, http.StatusNotFound)
	home := env.leaky.as(t, "vera").do(t, ask{path: "/.crmgate/", page: true}).want(t, http.StatusOK)
	if !strings.Contains(string(home.body), `href="/.crmgate/why"`) {
		t.Errorf("the first page doesn't lead there: %s", home.body)
	}
}
