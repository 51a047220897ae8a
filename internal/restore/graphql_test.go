package restore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

const graphs = `
profile: graphs/1.0
evidence: documented
withheld: WITHHELD
entities:
  person:
    types: [person, people]
    fields: {name: name, phones: {parts: {number: phone, code: public}}, phone: phone}
routes:
  - match: POST /graphql
    graphql:
      arguments: {filter: filter, dryRun: none}
      operators: [eq]
      fields:
        - {query: "{type}", action: search}
        - {mutation: "update{Type}", ids: [id], write: {at: data, mode: partial, stored: {query: "{type}(filter: {id: {eq: {id}}}) { id {fields} }", at: "$.data.*"}}}
        - {mutation: "save{Type}", ids: [input.id], write: {at: input.values, mode: partial, stored: {query: "{type}(filter: {id: {eq: {id}}}) { id {fields} }", at: "$.data.*"}}}
`

// TestGraphQLSaveGetsStoredValuesInItsVariables: every other byte is the sender's,
// and what stands anywhere else is refused.
func TestGraphQLSaveGetsStoredValuesInItsVariables(t *testing.T) {
	const (
		one    = `{"query":"mutation($i: ID!, $d: D!) { updatePerson(id: $i, data: $d) { id } }", "variables": {"i": 7, "d": `
		stored = `{"data":{"person":{"id":7,"name":"Weber","phone":"` + phone + `","phones":{"code":"49","number":"` + phone + `"}}}}`
	)
	p, err := profile.Load([]byte(graphs))
	if err != nil {
		t.Fatal(err)
	}
	shown := shownPhone()
	clear := map[access.Category]access.Treatment{access.Name: access.Clear, access.Phone: access.Partial}
	plans := restore.Plans{Shown: plan(access.Read, clear), Write: plan(access.Update, clear)}
	for name, c := range map[string]struct{ body, want, asks, refused string }{
		"untouched": {one + `{"name":"Neu","phone":"` + shown + `"} }}`, one + `{"name":"Neu"} }}`, "{ person(filter: {id: {eq: \"7\"}}) { id phone } }", ""},
		"a part":    {one + `{"phones": {"number":"` + shown + `", "code":"49"}}}}`, one + `{}}}`, "{ person(filter: {id: {eq: \"7\"}}) { id phones { code number } } }", ""},
		"edited":    {one + `{"phone":"` + shown + `1"}}}`, "", "", "phone"},
		"in a member": {
			`{"query":"mutation($v: I!) { savePerson(input: {id: 7, values: $v}) { id } }","variables":{"v":{"phone":"` + shown + `","name":"x"}}}`,
			`{"query":"mutation($v: I!) { savePerson(input: {id: 7, values: $v}) { id } }","variables":{"v":{"name":"x"}}}`, "", "",
		},
		"in the text": {`{"query":"mutation { updatePerson(id: 7, data: {name: \"x\", phone: \"` + shown + `\"}) { id } }"}`, "inline", "", ""},
		"at two places": {
			`{"query":"mutation($d: D!) { a: updatePerson(id: 7, data: $d) { id } b: updatePerson(id: 8, data: $d, dryRun: $d) { id } }","variables":{"d":{"name":"x","phone":"` + shown + `"}}}`,
			"inline", "", "",
		},
		"clear in the text": {
			`{"query":"mutation { updatePerson(id: 7, data: {name: \"x\"}) { id } }"}`,
			`{"query":"mutation { updatePerson(id: 7, data: {name: \"x\"}) { id } }"}`, "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := send("POST", "/graphql", "application/json", c.body)
			x, err := p.Classify(r)
			if err != nil {
				t.Fatal(err)
			}
			w := x.Writes()[0]
			if fields := restore.Fields(x.Body(), w, plans); len(fields) > 0 {
				req, err := w.Stored(fields)
				if err != nil || req.Method != "POST" || req.Path != "/graphql" {
					t.Fatalf("Stored = %+v, %v", req, err)
				}
				if tree, err := json.Parse(req.Body, doc.DefaultLimits()); err != nil || c.asks != "" && tree.Text(tree.Member(doc.Root, "query")) != c.asks {
					t.Errorf("asks %s, want %s", req.Body, c.asks)
				}
			}
			tree, err := json.Parse([]byte(stored), doc.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			records, err := w.ReadStored(tree)
			if err != nil {
				t.Fatal(err)
			}
			res := restore.Judge(mask.New(mask.Config{}), "session", x.Body(), w, restore.Stored{Tree: tree, Records: records}, plans)
			if got := strings.Join(res.Refused, ","); got != c.refused {
				t.Fatalf("refused %q, want %q", got, c.refused)
			}
			if c.refused != "" {
				return
			}
			body, err := x.Splice(r.Body, res.Edits)
			if errors.Is(err, profile.ErrInline) {
				body, err = []byte("inline"), nil
			}
			if err != nil || string(body) != c.want {
				t.Errorf("the CRM gets %v\n%s\nwant\n%s", err, body, c.want)
			}
		})
	}
}

// TestStoredReadOfGraphQLHoldsNamesAlone: what the client calls a field, or an id,
// can't become a query of its own.
func TestStoredReadOfGraphQLHoldsNamesAlone(t *testing.T) {
	p, err := profile.Load([]byte(graphs))
	if err != nil {
		t.Fatal(err)
	}
	for _, vars := range []string{
		`{"i":"7\"}}) { id } evil: people { x","d":{"phone":"x"}}`, `{"i":"7","d":{"phone } } evil { x":"x"}}`,
		`{"i":"7","d":{"phones":{"number } } evil { x":"x"}}}`, `{"i":["7","8"],"d":{"phone":"x"}}`,
	} {
		x, err := p.Classify(send("POST", "/graphql", "application/json", `{"query":"mutation($i: ID!, $d: D!) { updatePerson(id: $i, data: $d) { id } }","variables":`+vars+`}`))
		if err != nil {
			t.Fatal(err)
		}
		w := x.Writes()[0]
		var names []string
		for _, f := range w.Fields {
			names = append(names, f.Name)
		}
		if req, err := w.Stored(names); err == nil {
			t.Errorf("%s: asks %s", vars, req.Body)
		}
	}
}
