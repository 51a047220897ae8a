package gate

import (
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
)

// C30: a path is exact, or a whole tree; never a part of a word.
func TestSignInStepUpMatchesWholePaths(t *testing.T) {
	t.Parallel()
	x := &profile.Exchange{}
	for _, c := range []struct {
		line, path string
		want       bool
	}{
		{"/admin", "/admin", true},
		{"/admin", "/admin/", true},
		{"/admin", "/admin/users", false},
		{"/admin", "/administrator", false},
		{"/admin", "/x/admin", false},
		{"/admin/*", "/admin", true},
		{"/admin/*", "/admin/", true},
		{"/admin/*", "/admin/users/7", true},
		{"/admin/*", "/administrator", false},
		{"/admin/*", "/x/admin/users", false},
		{"/*", "/", true},
		{"/*", "/anything", true},
		{"/", "/", true},
		{"/", "/anything", false},
	} {
		t.Run("C30-"+c.line+"-"+c.path, func(t *testing.T) {
			t.Parallel()
			if got := (&StepUp{Paths: []string{c.line}}).matches(c.path, x); got != c.want {
				t.Errorf("step_up %s for %s is %t, want %t", c.line, c.path, got, c.want)
			}
		})
	}
}

// Any entity or action of the request counts: one that is only asked about, too.
func TestStepUpMatchesEveryAccessOfARequest(t *testing.T) {
	t.Parallel()
	x := &profile.Exchange{Accesses: []access.Access{
		{Entity: "lead", Action: access.Read}, {Entity: "contact", Action: access.Export},
	}}
	for _, c := range []struct {
		line StepUp
		want bool
	}{
		{StepUp{Entities: []string{"contact"}}, true},
		{StepUp{Actions: []string{"export"}}, true},
		{StepUp{Entities: []string{"party"}, Actions: []string{"export"}}, true},
		{StepUp{Entities: []string{"party"}, Actions: []string{"delete"}}, false},
		{StepUp{}, false},
	} {
		if got := c.line.matches("/x", x); got != c.want {
			t.Errorf("%+v is %t", c.line, got)
		}
	}
}
