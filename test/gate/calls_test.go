package gate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A client of remote calls understands its CRM's own answers alone.
func TestCallWithoutSessionGetsOneAnswer(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.calls)
	call := `{"id":7,"method":"model.party.party.read","params":[[1],["name"],{}]}`
	for name, a := range map[string]ask{
		"a call":       {body: call},
		"coded":        {body: "\x1f\x8b", header: http.Header{"Content-Encoding": {"gzip"}}},
		"no JSON":      {body: "<x/>"},
		"too large":    {body: `{"id":7,"x":"` + strings.Repeat("x", 5<<20) + `"}`},
		"another type": {body: call, header: http.Header{"Content-Type": {"application/json; charset=utf-16"}}},
		"id of a text": {body: strings.Replace(call, "7", `"</script>"`, 1)},
		"id of a tree": {body: strings.Replace(call, "7", `{"a":1}`, 1)},
	} {
		a.method, a.path, a.scene = "POST", "/crm/", env.crm.scene(t, nil)
		r := b.do(t, a)
		var answer struct {
			ID    any
			Error any
		}
		if err := json.Unmarshal(r.body, &answer); err != nil || answer.Error == nil {
			t.Errorf("%s: got %s, want one answer in the CRM's shape", name, r)
			continue
		}
		want := any(nil)
		if name == "a call" {
			want = 7.0
		}
		if fmt.Sprint(answer.ID) != fmt.Sprint(want) {
			t.Errorf("%s: id %v, want %v", name, answer.ID, want)
		}
		if r.header.Get("Audit-Id") != "" {
			t.Errorf("%s: a stranger made an entry", name)
		}
		a.scene.nothing(t)
	}
}
