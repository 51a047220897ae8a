package gate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	forbidden = "4111 1111 1111 1111"
	flagged   = "B-AB 1234"
)

func TestForbiddenDataIsRefusedByFieldAndKind(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Karte " + forbidden, "Karte 4111-1111-1111-1111", "<p>Karte 4111&nbsp;1111&nbsp;<b>1111</b> 1111</p>", "SVNR 1237 010180"} {
		for _, s := range saves() {
			b, id := env.plain.as(t, "paula"), ownContact(t)
			a := s.ask(t, id, map[string]any{"last_name": "Neu", "notes": text})
			a.scene = newScene(t, nil)
			r := b.do(t, a)
			if r.status != http.StatusUnprocessableEntity || !strings.Contains(string(r.body), "notes (") || strings.Contains(string(r.body), "1111 1111") {
				t.Errorf("%s of %q: got %s, want 422 that names the field and the kind", s.name, text, r)
			}
			for _, got := range a.scene.requests() {
				if got.method != http.MethodGet {
					t.Errorf("%s of %q: the CRM received %s", s.name, text, got.method)
				}
			}
			if last := r.logged(t).last(t); last.Error != "forbidden" || !strings.Contains(last.Detail, "notes (") || strings.Contains(last.Detail, "1111") {
				t.Errorf("%s of %q: entry %+v", s.name, text, last)
			}
		}
	}
	sc := newScene(t, nil)
	r := env.plain.as(t, "vera").do(t, ask{method: "POST", path: "/api/contacts", scene: sc, body: `{"last_name":"Neu","notes":"` + forbidden + `"}`})
	r.want(t, http.StatusUnprocessableEntity)
	sc.nothing(t)
	// The rule is for contacts.
	lead := ask{method: "POST", path: "/api/leads", body: `{"notes":"` + forbidden + `"}`, scene: newScene(t, jsonAnswer(http.StatusCreated, `{"id":9002}`))}
	env.plain.as(t, "paula").do(t, lead).want(t, http.StatusCreated)
}

// What was there before the rule may stay; a second one may not come.
func TestForbiddenDataThatIsStoredMayStay(t *testing.T) {
	t.Parallel()
	for _, s := range saves() {
		b, id := env.plain.as(t, "paula"), ownContact(t)
		past := ask{method: "PATCH", path: fmt.Sprintf("/api/contacts/%d", id), body: `{"notes":"alt: ` + forbidden + `"}`}
		env.alone().do(t, past).want(t, http.StatusOK)
		b.do(t, s.ask(t, id, map[string]any{"last_name": "Neu", "notes": "immer noch 4111111111111111"})).want(t, s.ok)
		b.do(t, s.ask(t, id, map[string]any{"last_name": "Neu", "notes": forbidden + ", 5555 5555 5555 4444"})).want(t, http.StatusUnprocessableEntity)
	}
}

// Whoever doesn't see a text gets one answer for a right guess and a wrong one.
func TestForbiddenDataTellsNothingOfUnseenTexts(t *testing.T) {
	t.Parallel()
	b, id := env.plain.as(t, "vera"), ownContact(t)
	path := fmt.Sprintf("/api/contacts/%d", id)
	env.alone().do(t, ask{method: "PATCH", path: path, body: `{"notes":"` + forbidden + `"}`}).want(t, http.StatusOK)
	for _, guess := range []string{forbidden, "5555 5555 5555 4444", "nichts"} {
		r := b.do(t, ask{method: "PATCH", path: path, body: `{"notes":"` + guess + `"}`}).want(t, http.StatusUnprocessableEntity)
		if last := r.logged(t).last(t); last.Error != "writes_masked" {
			t.Errorf("%q: entry %+v", guess, last)
		}
	}
}

func TestFlaggedDataIsSavedAndInTheEntry(t *testing.T) {
	t.Parallel()
	for _, s := range saves() {
		b, id := env.plain.as(t, "paula"), ownContact(t)
		r := b.do(t, s.ask(t, id, map[string]any{"last_name": "Neu", "notes": "Kennzeichen " + flagged})).want(t, s.ok)
		if last := r.logged(t).last(t); last.Detail != "flagged: notes (kennzeichen)" {
			t.Errorf("%s: entry %+v", s.name, last)
		}
		if stored(t, id)["notes"] != "Kennzeichen "+flagged {
			t.Errorf("%s wasn't saved", s.name)
		}
	}
}
