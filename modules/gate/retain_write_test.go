package gate

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/retain"
)

// TestAHoldStandsUnderEveryNameOfARecord: a CRM that knows a kind of record by several
// words deletes it by each of them.
func TestAHoldStandsUnderEveryNameOfARecord(t *testing.T) {
	a := newAgency(t, "hubspot", "p, m, contact, *, *, clear, , allow\n")
	ring, err := keys.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	a.h.Retain, a.h.Overdue = []string{"contact 3y after createdate"}, &Overdue{Roles: []string{"m"}}
	if err := a.h.loadRetention(); err != nil {
		t.Fatal(err)
	}
	a.o.retain = &retaining{h: a.h, store: a.store, ring: ring, wants: a.h.retention.Fields(), sites: map[string]*retainSite{}}
	site, err := a.o.retain.at("crm.example.de")
	if err != nil {
		t.Fatal(err)
	}
	held := access.Record{Entity: "contact", Type: "contacts", ID: "123"}
	if err := site.list.Add(t.Context(), []retain.Found{{Record: held, Verdict: retain.Verdict{Overdue: true, Rule: "r"}}}); err != nil {
		t.Fatal(err)
	}
	said := retain.Said{By: "e", At: time.Now(), Why: "court", Audit: "n/1"}
	if _, err := site.list.Hold(t.Context(), site.list.Name(held), said); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"contacts/123", "contact/123", "0-1/123", "contacts/0123"} {
		if w := a.ask("m", "DELETE", "/crm/v3/objects/"+target, ""); w.Code == 200 || len(a.asked) > 0 {
			t.Errorf("%s: %d %s, asked %v", target, w.Code, w.Body, a.asked)
		}
		a.asked = nil
	}
	if a.ask("m", "DELETE", "/crm/v3/objects/0-1/124", ""); len(a.asked) != 1 {
		t.Errorf("another record is held, too: %v", a.asked)
	}
}
