package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// TestNobodyGetsInWithoutASecondFactor signs in somebody whose password is right
// and who has no second factor: a page says so, there is no session, nothing
// reaches the CRM, and the attempt is an entry.
func TestNobodyGetsInWithoutASecondFactor(t *testing.T) {
	t.Parallel()
	s := startBefore(t, &tryton{addr: "127.0.0.1:1"})
	nina, a := s.visit(t, "nina")
	if a.Status != http.StatusForbidden || !strings.HasPrefix(a.URL.String(), s.Base) {
		t.Fatalf("signing in without a second factor ended at %s with %d:\n%s", a.URL, a.Status, a.Body)
	}
	if !strings.Contains(a.Body, "zweite") {
		t.Errorf("the page doesn't speak of the second factor:\n%s", a.Body)
	}
	for range 2 { // trying again changes nothing
		a = nina.Navigate(t, http.MethodGet, s.Base+"/", nil)
		if a.Status == http.StatusOK && !strings.Contains(a.Body, `action="/interaction/`) {
			t.Errorf("afterwards %s answers %d:\n%s", a.URL, a.Status, a.Body)
		}
	}
	req := &handMade{
		Name: "without a session", Method: http.MethodPost, Path: "/crm/",
		Headers: map[string]string{"Content-Type": "application/json", "Cookie": nina.Cookies(t)},
	}
	got := send(t, strings.TrimPrefix(s.Base, "http://"), req, []byte(`{"id":7,"method":"model.party.party.search","params":[[],0,1,null,{}]}`), nil)
	if !strings.Contains(string(got.body), `"id":7,"error":["UserError"`) {
		t.Errorf("a call without a session is answered\n%s", got.raw)
	}
	if n := s.relay.count(); n != 0 {
		t.Errorf("%d requests reached the CRM", n)
	}
	refused := 0
	for _, e := range s.Entries(t) {
		switch e.Entry.Event {
		case audit.Refused:
			refused++
			if !strings.HasPrefix(e.Entry.Employee, "e-") || e.Entry.Error == "" {
				t.Errorf("the entry is %+v", e.Entry)
			}
		case audit.SignIn:
			t.Errorf("a sign-in is an entry: %+v", e.Entry)
		}
	}
	if refused == 0 {
		t.Error("the attempt is no entry")
	}
}
