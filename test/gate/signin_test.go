package gate_test

import (
	"net/http"
	"testing"
)

func TestEmployeeSignsInAndSeesTheCRM(t *testing.T) {
	t.Parallel()
	for _, s := range []*site{env.plain, env.secure} {
		r := s.as(t, "vera").get(t, "/api/contacts/1001", nil).want(t, http.StatusOK)
		if x := r.logged(t); x.records("contact")["1001"].ID == "" {
			t.Errorf("entries %s, want contact/1001", x)
		}
	}
}
