package gate_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the CRM has and the profile doesn't is said once, by name and without a
// value; it stays refused and masked.
func TestWhatTheProfileDoesNotKnowIsSaidOnce(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	for range 3 {
		b.do(t, ask{path: "/api/brand-new/90123/notes"}).want(t, http.StatusForbidden)
		r := b.get(t, "/api/contacts/90123", newScene(t, jsonAnswer(200, `{"id":90123,"last_name":"Muster","shoe_size_eu":"`+canary+`","kanarella@example.com":"x1y2z3"}`)))
		if r.want(t, http.StatusOK); strings.Contains(string(r.body), canary) {
			t.Errorf("got %s", r.body)
		}
	}
	log := func() string {
		raw, err := os.ReadFile(filepath.Join(env.logs(), "process.log"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	eventually(t, "both are in the process log", func() bool {
		return strings.Contains(log(), `"route":"GET /api/brand-new/{id}/notes"`) && strings.Contains(log(), `"field":"shoe_size_eu"`)
	})
	for _, once := range []string{`"route":"GET /api/brand-new/{id}/notes"`, `"field":"shoe_size_eu"`} {
		if n := strings.Count(log(), once); n != 1 {
			t.Errorf("%s is said %d times", once, n)
		}
	}
	if strings.Contains(log(), "kanarella@example") {
		t.Error("a key that is a value is in the process log")
	}
}
