package profile_test

import (
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
)

func TestBuiltinProfilesLoad(t *testing.T) {
	for _, name := range profile.BuiltinNames() {
		src, err := profile.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := profile.Load(src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
