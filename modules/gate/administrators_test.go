package gate

import (
	"testing"

	"go.uber.org/zap"
)

func TestAdministratorsAreNamedRoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		roles []string
		good  bool
	}{
		{nil, true},
		{[]string{"it_admin", "urn:acme:admin"}, true},
		{[]string{""}, false},
		{[]string{"*"}, false},
		{[]string{"it admin"}, false},
		{[]string{"{env.ROLE}"}, false},
		{[]string{"a", "b", "a"}, false},
	} {
		h := &Handler{AdministratorRoles: c.roles, logger: zap.NewNop()}
		if err := h.checkAdministrators(); (err == nil) != c.good {
			t.Errorf("%q: %v", c.roles, err)
		}
	}
}
