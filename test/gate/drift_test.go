package gate_test

import (
	"fmt"
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
	var refused *reply
	for i := range 5 {
		refused = b.do(t, ask{path: "/api/brand-new/90123/notes"}).want(t, http.StatusForbidden)
		id := 90_100 + i
		body := fmt.Sprintf(`{"id":%d,"last_name":"Muster","shoe_size_eu":"%s","only%d":"x","kanarella@example.com":"x1y2z3"}`, id, canary, i)
		r := b.get(t, fmt.Sprint("/api/contacts/", id), newScene(t, jsonAnswer(200, body)))
		if r.want(t, http.StatusOK); strings.Contains(string(r.body), canary) {
			t.Errorf("got %s", r.body)
		}
	}
	if x := refused.logged(t); x[0].Entry.Accesses[0].Route != "GET /api/brand-new/{id}/notes" {
		t.Errorf("entries %s, want the address without its id", x)
	}
	log := ""
	eventually(t, "the field is in the process log", func() bool {
		raw, err := os.ReadFile(filepath.Join(env.logs(), "process.log"))
		if err != nil {
			t.Fatal(err)
		}
		log = string(raw)
		return strings.Contains(log, `"field":"shoe_size_eu"`)
	})
	if n := strings.Count(log, `"field":"shoe_size_eu"`); n != 1 {
		t.Errorf("the field is said %d times", n)
	}
	for _, never := range []string{"kanarella@example", `"field":"only`, "brand-new"} {
		if strings.Contains(log, never) {
			t.Errorf("the process log holds %q", never)
		}
	}
}
