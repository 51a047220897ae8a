package restore_test

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// TestTextShownInPartIsKeptOrRefused: what came back as it was shown stays as it
// is stored; whoever doesn't see all of a text can't change it.
func TestTextShownInPartIsKeptOrRefused(t *testing.T) {
	p, err := profile.Load([]byte(strings.Replace(source, "photo: identity", "photo: identity\n      note: free_text", 1)))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[access.Category]access.Treatment{access.FreeText: access.Partial, access.Phone: access.Partial}
	plans := restore.Plans{Shown: plan(access.Read, shown), Write: plan(access.Update, map[access.Category]access.Treatment{access.FreeText: access.Clear})}
	for _, c := range []struct{ note, want, refused string }{
		{"Rückruf 0••••••17 bitte", `[[1],{},{}]`, ""},
		{"Rückruf 030 23125017 bitte", "", "note"},
		{"Rückruf 0••••••17 bitte!", "", "note"},
		{"", "", "note"},
		{"ganz neu", "", "note"},
	} {
		r := send("POST", "/rpc", "application/json", `{"id":1,"method":"model.person.write","params":[[1],{"note":"`+c.note+`"},{}]}`)
		x, err := p.Classify(r)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := json.Parse([]byte(`{"id":1,"result":[{"id":1,"note":"Rückruf 030 23125017 bitte"}]}`), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		w := x.Writes()[0]
		records, err := w.ReadStored(tree)
		if err != nil {
			t.Fatal(err)
		}
		res := restore.Judge(mask.New(mask.Config{}), "s", x.Body(), w, restore.Stored{Tree: tree, Records: records}, plans)
		if got := strings.Join(res.Refused, ","); got != c.refused {
			t.Errorf("%q: refused %q, want %q", c.note, got, c.refused)
		}
		if body, err := doc.Splice(nil, r.Body, res.Edits); err != nil || c.refused == "" && !strings.Contains(string(body), c.want) {
			t.Errorf("%q becomes %s, %v", c.note, body, err)
		}
	}
}
