package gate_test

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// entries reads the whole log from the disk, as it stands there.
func entries(t testing.TB, data string) []audit.Stored {
	t.Helper()
	ring, err := keys.Open(filepath.Join(data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	var all []audit.Stored
	for s, err := range audit.Read(t.Context(), filepath.Join(data, "log"), ring) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// exchange are the entries of one request.
type exchange []audit.Stored

// logged returns the entries of the request that an answer's Audit-Id names.
func (r *reply) logged(t testing.TB) exchange {
	t.Helper()
	return loggedIn(t, env.data(), r)
}

func loggedIn(t testing.TB, data string, r *reply) exchange {
	t.Helper()
	_, number, ok := strings.Cut(r.header.Get("Audit-Id"), "/")
	if !ok {
		t.Fatalf("the answer %s names no entry", r)
	}
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, data)
	var found exchange
	request := ""
	for _, s := range all {
		if s.Seq == seq {
			request = s.Entry.Request
		}
	}
	for _, s := range all {
		if request != "" && s.Entry.Request == request {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		t.Fatalf("there is no entry %s", r.header.Get("Audit-Id"))
	}
	return found
}

// refused checks that the request's only entry is a refusal with that reason.
func (x exchange) refused(t testing.TB, reason string) {
	t.Helper()
	if len(x) != 1 || x[0].Entry.Kind != audit.Intent {
		t.Fatalf("entries %s, want one refusal", x)
	}
	e := x[0].Entry
	if e.Decision == nil || !e.Decision.Refused || e.Decision.Reason != reason {
		t.Errorf("decision %+v, want a refusal for %q", e.Decision, reason)
	}
	if e.Employee == "" || len(e.Roles) == 0 {
		t.Error("the entry names no employee")
	}
}

// faulted checks that the intent is closed by a disclosure of nothing.
func (x exchange) faulted(t testing.TB, word string) {
	t.Helper()
	last := x.last(t)
	if last.Error != word {
		t.Errorf("error %q, want %q in %s", last.Error, word, x)
	}
	if d := last.Disclosure; d == nil || len(d.Records)+d.Rows > 0 {
		t.Errorf("disclosure %+v, want an empty one", d)
	}
}

// last returns the disclosure that closes the request's first intent.
func (x exchange) last(t testing.TB) audit.Entry {
	t.Helper()
	if x[0].Entry.Kind != audit.Intent || x[0].Entry.Employee == "" {
		t.Fatalf("entries %s, want an employee's intent first", x)
	}
	e := x[len(x)-1].Entry
	if len(x) < 2 || e.Kind != audit.Disclosure || e.Intent != x[0].Seq || e.Part != e.Parts {
		t.Fatalf("entries %s, want a disclosure that closes the intent", x)
	}
	return e
}

// records are the ids that the request's disclosures name, of one type.
func (x exchange) records(typ string) map[string]access.DisclosedRecord {
	ids := map[string]access.DisclosedRecord{}
	for _, s := range x {
		if s.Entry.Disclosure == nil {
			continue
		}
		for _, r := range s.Entry.Disclosure.Records {
			if r.Type == typ {
				ids[r.ID] = r
			}
		}
	}
	return ids
}

func (x exchange) String() string {
	raw, err := json.Marshal([]audit.Stored(x))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
