package gate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// written is what the last disclosure of an exchange tells of changes.
func (x exchange) written(t *testing.T) []access.Change {
	t.Helper()
	e := x.last(t)
	if e.Kind != audit.Disclosure {
		t.Fatalf("the last entry is no disclosure: %s", x)
	}
	return e.Changes
}

// names are a change's fields, `?` for one that the profile doesn't list by name.
func names(c access.Change) string {
	var all []string
	for _, f := range c.Fields {
		if f.Name == "" {
			f.Name = "?"
		}
		all = append(all, f.Name)
	}
	return strings.Join(all, " ")
}

func TestASaveTellsWhatItChanged(t *testing.T) {
	t.Parallel()
	for _, s := range saves() {
		b, id := env.plain.as(t, "vera"), ownContact(t)
		rec := seen(t, b, id)
		rec["last_name"] = "Kanarienvogel"
		x := b.do(t, s.ask(t, id, rec)).want(t, s.ok).logged(t)
		all := x.written(t)
		if len(all) != 1 || all[0].Action != access.Update || all[0].Outcome != access.Changed || fmt.Sprint(all[0].IDs) != fmt.Sprintf("[%d]", id) {
			t.Fatalf("%s: %+v", s.name, all)
		}
		for _, f := range all[0].Fields {
			if f.Name == "phone" || f.Name == "iban" || f.Name == "notes" {
				t.Errorf("%s: %s was only shown masked, and counts as changed", s.name, f.Name)
			}
			if f.Name == "last_name" && (f.After == "" || f.Before == f.After) {
				t.Errorf("%s: %+v", s.name, f)
			}
		}
		if !strings.Contains(names(all[0]), "last_name") || all[0].Same == 0 {
			t.Errorf("%s: changed %q, %d the same", s.name, names(all[0]), all[0].Same)
		}
		if strings.Contains(x.String(), "Kanarienvogel") {
			t.Errorf("%s: the value is in an entry", s.name)
		}
	}
}

// A client can write a person's name in the place of a field's.
func TestAClientsOwnWordIsInNoEntry(t *testing.T) {
	t.Parallel()
	sc := newScene(t, jsonAnswer(http.StatusOK, `{"id":1003}`))
	b := env.plain.as(t, "paula")
	x := b.do(t, ask{method: "PATCH", path: "/api/contacts/1003", body: `{"last_name":"Neu","Erika Kanarienvogel":"x"}`, scene: sc}).logged(t)
	if strings.Contains(x.String(), "Kanarienvogel") || !strings.Contains(x.String(), `"?"`) {
		t.Errorf("the client's word is in an entry, or not told at all: %s", x)
	}
}

func TestAnEntrySaysWhetherAChangeWasSaved(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	for _, c := range []struct {
		what   string
		hook   http.HandlerFunc
		want   access.Outcome
		hashes bool
	}{
		{"saved", jsonAnswer(http.StatusOK, `{"id":1003}`), access.Changed, true},
		{"without content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, access.Changed, true},
		{"refused", jsonAnswer(http.StatusUnprocessableEntity, `{"error":"no"}`), access.Unchanged, false},
		{"an error", jsonAnswer(http.StatusInternalServerError, `{"error":"no"}`), access.Unsure, true},
		{"an error that calls itself success", jsonAnswer(http.StatusOK, `{"id":1003,"errors":["no"]}`), access.Unsure, true},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, access.Unsure, true},
	} {
		x := b.do(t, ask{method: "PATCH", path: "/api/contacts/1003", body: `{"last_name":"Neu"}`, scene: newScene(t, c.hook)}).logged(t)
		all := x.written(t)
		if len(all) != 1 || all[0].Outcome != c.want || names(all[0]) != "last_name" || (all[0].Fields[0].After != "") != c.hashes {
			t.Errorf("%s: %+v, want %s", c.what, all, c.want)
		}
	}
	x := b.do(t, ask{method: "DELETE", path: "/api/contacts/1003", scene: newScene(t, jsonAnswer(http.StatusNotFound, `{}`))}).logged(t)
	if strings.Contains(x.String(), `"changes"`) && x.written(t)[0].Outcome != access.Unchanged {
		t.Errorf("a deletion that failed: %s", x)
	}
}

// The record's history, and the search for a field, tell who read and who changed.
func TestDeskShowsChanges(t *testing.T) {
	t.Parallel()
	vera, id := env.plain.as(t, "vera"), ownContact(t)
	rec := seen(t, vera, id)
	rec["last_name"] = "Kanarienvogel"
	vera.do(t, saves()[1].ask(t, id, rec)).want(t, http.StatusOK)
	auditor := signedInWith(t, env.opened, somebody(), "A. Uditor", "sales", "auditor")
	path, saved, read := fmt.Sprintf("%s/record?record=contact%%2F%d", desk, id), "Änderung gespeichert", "<strong>Gelesen</strong>"
	auditor.visits(t, path).shows(t, saved, `<code translate="no">last_name</code>`, read, "1 gespeicherte Änderung").showsNot(t, "Kanarienvogel")
	auditor.visits(t, path+"&changed=last_name").shows(t, saved).showsNot(t, read)
	auditor.visits(t, path+"&changed=city").showsNot(t, saved, read)
	auditor.visits(t, path+"&action=read").shows(t, read).showsNot(t, saved)
	auditor.visits(t, desk+"?changed=last_name").shows(t, fmt.Sprintf("contact/%d", id), saved).showsNot(t, read)
}

// Each request of a batch has its own outcome.
func TestBatchTellsTheChangesOfEachOfItsRequests(t *testing.T) {
	t.Parallel()
	save := func(id string) string {
		body := `{"name":"Kanarienvogel"}`
		return fmt.Sprintf("PATCH people/%s HTTP/1.1\nContent-Type: application/json\nContent-Length: %d\n\n%s", id, len(body), body)
	}
	a := batchOf("/$batch", partOf(save("7")), partOf(save("8")))
	a.scene = newScene(t, inParts(partOf("HTTP/1.1 204 No Content"), told(http.StatusConflict, `{"error":{"code":"x","message":"y"}}`)))
	x := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK).logged(t)
	got := map[string]access.Outcome{}
	for _, s := range x {
		for _, c := range s.Entry.Changes {
			got[c.IDs[0]+" "+names(c)] = c.Outcome
		}
	}
	if len(got) != 2 || got["7 name"] != access.Changed || got["8 name"] != access.Unchanged {
		t.Errorf("changes %v: %s", got, x)
	}
	if strings.Contains(x.String(), "Kanarienvogel") {
		t.Error("the value is in an entry")
	}
	a.scene = newScene(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	x = env.leaky.as(t, "vera").do(t, a).logged(t)
	for _, s := range x {
		for _, c := range s.Entry.Changes {
			if c.Outcome != access.Unsure {
				t.Errorf("a batch that was cut off: %+v", c)
			}
		}
	}
}

func TestObservingSiteTellsChangesToo(t *testing.T) {
	t.Parallel()
	a := ask{method: "PATCH", path: "/api/contacts/80001", body: `{"last_name":"Kanarienvogel"}`, scene: newScene(t, jsonAnswer(http.StatusOK, row(80_001)))}
	x := env.observes.as(t, "sven").do(t, a).want(t, http.StatusOK).logged(t)
	if all := x.written(t); len(all) != 1 || all[0].Outcome != access.Changed || names(all[0]) != "last_name" || strings.Contains(x.String(), "Kanarienvogel") {
		t.Errorf("changes %+v", all)
	}
}
