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

// TestTwentySavesByVariablesKeepWhatTheirAuthorCannotSee: in parts of a value, in new
// records and in lists of them.
func TestTwentySavesByVariablesKeepWhatTheirAuthorCannotSee(t *testing.T) {
	src, err := profile.Builtin("twenty")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	const (
		id     = "20202020-1c25-4d02-bf25-6aeccf7ea419"
		update = `{"query":"mutation U($id: UUID!, $input: PersonUpdateInput!) { updatePerson(id: $id, data: $input) { id } }","variables":{"id":"` + id + `","input":`
		create = `{"query":"mutation C($input: PersonCreateInput!) { createPerson(data: $input) { id } }","variables":{"input":`
		many   = `{"query":"mutation M($input: [PersonCreateInput!]!) { createPeople(data: $input) { id } }","variables":{"input":`
		end    = `}}`
		stored = `{"data":{"person":{"id":"` + id + `","jobTitle":"CEO","name":{"firstName":"Zoe","lastName":"Weber"},"phones":{"primaryPhoneNumber":"30 5550147"},"emails":{"primaryEmail":"z@x.example"}}}}`
	)
	shown := map[access.Category]access.Treatment{access.Name: access.Clear, access.Phone: access.Partial, access.Public: access.Clear}
	write := map[access.Category]access.Treatment{access.Name: access.Clear, access.Public: access.Clear}
	plans := restore.Plans{Shown: plan(access.Read, shown), Write: plan(access.Update, write)}
	part, hidden := placeholder(access.Phone, "", doc.String, "30 5550147"), "hidden@masked.invalid"
	for name, c := range map[string]struct{ body, want, refused string }{
		"untouched":       {update + `{"name":{"firstName":"Zoé"},"phones":{"primaryPhoneNumber":"` + part + `"},"emails":{"primaryEmail":"` + hidden + `"}}` + end, update + `{"name":{"firstName":"Zoé"}}` + end, ""},
		"edited":          {update + `{"emails":{"primaryEmail":"` + hidden + `x"}}` + end, "", "emails"},
		"a right guess":   {update + `{"emails":{"primaryEmail":"z@x.example"}}` + end, "", "emails"},
		"new":             {create + `{"name":{"firstName":"Zoé"},"emails":{"primaryEmail":"a@x.example"}}` + end, create + `{"name":{"firstName":"Zoé"},"emails":{"primaryEmail":"a@x.example"}}` + end, ""},
		"new with a mask": {create + `{"name":{"firstName":"Zoé"},"phones":{"primaryPhoneNumber":"` + part + `"}}` + end, "", "phones"},
		"many, of which one has a mask": {
			many + `[{"name":{"firstName":"A"}},{"emails":{"primaryEmail":"` + hidden + `"}}]` + end, "", "emails",
		},
		"JSON for a type":     {strings.Replace(update, "PersonUpdateInput", "JSON", 1) + `{"jobTitle":"x","emails":{"primaryEmail":"` + hidden + `"}}` + end, strings.Replace(update, "PersonUpdateInput", "JSON", 1) + `{"jobTitle":"x"}` + end, ""},
		"a text with JSON":    {update + `"{\"emails\":{\"primaryEmail\":\"x\"}}"` + end, "", "malformed"},
		"a list with a text":  {many + `["{}"]` + end, "", "malformed"},
		"a default":           {`{"query":"mutation U($id: UUID!, $input: P = {phones: {primaryPhoneNumber: \"` + part + `\"}}) { updatePerson(id: $id, data: $input) { id } }","variables":{"id":"` + id + `"}}`, "", "inline"},
		"a variable below it": {strings.Replace(update, "data: $input", "data: {emails: $input}", 1) + `{"primaryEmail":"` + hidden + `"}` + end, strings.Replace(update, "data: $input", "data: {emails: $input}", 1), "inline"},
	} {
		t.Run(name, func(t *testing.T) {
			body, no := judgedSave(t, p, c.body, plans, stored)
			if no != c.refused || no == "" && body != c.want {
				t.Errorf("refused %q, want %q; the CRM gets\n%s\nwant\n%s", no, c.refused, body, c.want)
			}
		})
	}
}

// judgedSave is a save by GraphQL as it is forwarded, or why it isn't.
func judgedSave(t *testing.T, p *profile.Profile, body string, plans restore.Plans, stored string) (forwarded, refused string) {
	t.Helper()
	x, err := p.Classify(send("POST", "/graphql", "application/json", body))
	if no, ok := errors.AsType[*profile.Refusal](err); ok {
		return "", no.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	var edits []doc.Edit
	for _, w := range x.Writes() {
		var s restore.Stored
		if w.CanStore() && len(restore.Fields(x.Body(), w, plans)) > 0 {
			if s.Tree, err = json.Parse([]byte(stored), doc.DefaultLimits()); err != nil {
				t.Fatal(err)
			}
			if s.Records, err = w.ReadStored(s.Tree); err != nil {
				t.Fatal(err)
			}
		}
		res := restore.Judge(mask.New(mask.Config{}), "session", x.Body(), w, s, plans)
		if len(res.Refused) > 0 {
			return "", strings.Join(res.Refused, ",")
		}
		edits = append(edits, res.Edits...)
	}
	out, err := x.Splice([]byte(body), edits)
	if errors.Is(err, profile.ErrInline) {
		return "", "inline"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), ""
}
