package signin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// TestSignInLeadsToThePageThatWasAskedFor signs in with password and code at
// another vendor's provider.
func TestSignInLeadsToThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := start(t, plan{})
	vera := s.person(t, "vera")
	a := want(t, vera.Visit(t, "/contacts?sort=last_name"), http.StatusOK)
	if a.URL.String() != s.Base+"/contacts?sort=last_name" || !strings.Contains(a.Body, "tr") {
		t.Errorf("the sign-in ended at %s", a.URL)
	}
	want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
	for _, r := range s.crm.requests() {
		if _, err := r.Cookie(sessionCookie); err == nil {
			t.Error("the session reached the CRM")
		}
	}
	in := s.events(t, audit.SignIn)
	if len(in) != 1 || !strings.Contains(in[0].Factor, "amr=pwd+otp+mfa") || len(in[0].Roles) != 1 {
		t.Errorf("the entries of the sign-in are %+v", in)
	}
}
