package gate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// TestEveryIntentIsDurableBeforeABatchIsForwarded: the CRM looks into the log, on the
// disk, when it is asked; and the client finds what it was told there.
func TestEveryIntentIsDurableBeforeABatchIsForwarded(t *testing.T) {
	t.Parallel()
	var parts, answers []string
	for id := 81_000; id < 81_012; id++ {
		parts = append(parts, partOf(fmt.Sprintf("GET people/%d HTTP/1.1", id)))
		answers = append(answers, told(200, fmt.Sprintf(`{"id":%d}`, id)))
	}
	a := batchOf("/$batch", parts...)
	answer := inParts(answers...)
	a.scene = newScene(t, func(w http.ResponseWriter, r *http.Request) {
		durable := map[string]bool{}
		for _, s := range entries(t, env.data()) {
			for _, a := range s.Entry.Accesses {
				for _, id := range a.IDs {
					durable[id] = durable[id] || s.Entry.Kind == audit.Intent && s.Entry.Method == "GET"
				}
			}
		}
		for id := 81_000; id < 81_012; id++ {
			if !durable[fmt.Sprint(id)] {
				t.Errorf("the CRM was asked before the intent for %d was durable", id)
			}
		}
		answer(w, r)
	})
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	if ids := r.logged(t).records("person"); len(ids) != 12 {
		t.Errorf("%d records in the log, want 12", len(ids))
	}
}

func TestNamedPartInTheLog(t *testing.T) {
	t.Parallel()
	a := batchOf("/$batch", partOf(readPerson), partOf(readOther))
	a.scene = newScene(t, inParts(told(200, person), told(200, `{"id":8}`)))
	for _, s := range env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK).logged(t) {
		if !strings.HasPrefix(s.Entry.Detail, "request 1 of 2 in one") && !strings.HasPrefix(s.Entry.Detail, "request 2 of 2 in one") {
			t.Errorf("entry %+v", s.Entry)
		}
		if s.Entry.Kind == audit.Intent && s.Entry.Accesses[0].Action != access.Read {
			t.Errorf("entry %+v", s.Entry)
		}
	}
}

// TestObservedBatchIsLoggedForEachOfItsRequests: nothing is masked or refused, and the
// entries say what would be.
func TestObservedBatchIsLoggedForEachOfItsRequests(t *testing.T) {
	t.Parallel()
	for part, would := range map[string]string{readOther: "", "GET people?sort=email HTTP/1.1": "asks_masked", "GET nosuch HTTP/1.1": "unknown_route", "GET //people HTTP/1.1": "empty_segment", "GET stream HTTP/1.1": "batch_type"} {
		a := batchOf("/$batch", partOf(readPerson), partOf(part))
		answer := inParts(told(200, person), told(200, `{"id":8}`))
		a.scene = newScene(t, answer)
		r := env.watched.as(t, "vera").do(t, a).want(t, http.StatusOK)
		if !read(r).Holds(leakMail) || len(a.scene.requests()) != 1 || string(a.scene.requests()[0].body) != a.body {
			t.Errorf("%s: got %s", part, r)
		}
		x := r.logged(t)
		if len(x) != 2 {
			t.Fatalf("%s: entries %s", part, x)
		}
		d, e := x[0].Entry.Decision, x[1].Entry
		if d.Reason != would || d.Observe != (would != "") || len(x[0].Entry.Accesses) == 0 || x[0].Entry.Accesses[0].IDs[0] != "7" {
			t.Errorf("%s: intent %+v, want %q", part, x[0].Entry, would)
		}
		if !e.Disclosure.Unread {
			t.Errorf("%s: disclosure %+v", part, e)
		}
	}
}
