package restore_test

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// xmlCalls is a CRM that writes false for no value, as Odoo does, and whose saves by
// replace empty what they leave out.
const xmlCalls = `
profile: calls/1.0
evidence: documented
withheld: W
normalize: {ids: integer, empty: "false"}
entities:
  person:
    fields: {id: public, name: name, phone: phone, iban: bank, tags: bank, age: birthdate}
transports:
  - {match: POST /rpc, body: xmlrpc, call: body.methodName, args: body.params, failure: {name: .faultCode}}
calls:
  - {call: read, entity: person, sig: [ids, fields], ids: [ids], refs: [{role: select, at: fields, syntax: list}], records: [{at: "@[*]"}]}
  - {call: write, entity: person, action: update, sig: [id, values], ids: [id], write: {at: values, mode: partial, stored: {call: read}}}
  - {call: replace, entity: person, action: update, sig: [id, values], ids: [id], write: {at: values, mode: full, stored: {call: read}}}
`

func xmlMembers(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("<member><name>" + pairs[i] + "</name><value>" + pairs[i+1] + "</value></member>")
	}
	return "<struct>" + b.String() + "</struct>"
}

// TestXMLRPCKeepsWhatItsAuthorCannotSee: placeholders are taken out or become the
// stored values with their types, edits without sight are refused.
func TestXMLRPCKeepsWhatItsAuthorCannotSee(t *testing.T) {
	p, err := profile.Load([]byte(xmlCalls))
	if err != nil {
		t.Fatal(err)
	}
	clear := map[access.Category]access.Treatment{access.Name: access.Clear}
	shown := map[access.Category]access.Treatment{access.Name: access.Clear, access.Phone: access.Partial}
	plans := restore.Plans{Shown: plan(access.Read, shown), Write: plan(access.Update, clear)}
	hidden, part := mask.HiddenText, placeholder(access.Phone, "", doc.String, "+49 30 5550147")
	const bank, none, tags = "<string>DE02 ü</string>", "<boolean>0</boolean>", "<array><data><value>ü</value></data></array>"
	stored := `<methodResponse><params><param><value><array><data><value>` +
		xmlMembers("id", "<int>7</int>", "name", "Zoe", "phone", "+49 30 5550147", "iban", bank, "tags", none, "age", "<i8>42</i8>") + `</value></data></array></value></param></params></methodResponse>`
	for _, c := range []struct {
		what, call, sent, want, refused, stored string
	}{
		{"untouched", "write", xmlMembers("name", "Zoé", "iban", hidden, "phone", part), xmlMembers("name", "Zoé"), "", ""},
		{"untouched, all", "write", xmlMembers("iban", hidden), "<struct></struct>", "", ""},
		{"nothing, as before", "write", xmlMembers("tags", none, "name", "x"), xmlMembers("name", "x"), "", ""},
		{"something for nothing", "write", xmlMembers("tags", "x"), "", "tags", ""},
		{"nothing for something", "write", xmlMembers("iban", none), "", "iban", ""},
		{"true for nothing", "write", xmlMembers("tags", "<boolean>1</boolean>"), "", "tags", ""},
		{"edited", "write", xmlMembers("phone", part+"1"), "", "phone", ""},
		{"a right guess", "write", xmlMembers("iban", bank), "", "iban", ""},
		{
			"all values", "replace", xmlMembers("name", "Z", "phone", part, "iban", hidden),
			xmlMembers("name", "Z", "phone", "+49 30 5550147", "iban", bank, "age", "<i8>42</i8>", "tags", none), "", "",
		},
		{
			"into a document of ASCII", "replace", xmlMembers("name", "Z"),
			xmlMembers("name", "Z", "age", "<i8>42</i8>", "iban", "<string>DE02 &#252;</string>", "phone", "+49 30 5550147", "tags", strings.Replace(tags, "ü", "&#252;", 1)), "", strings.Replace(stored, none, tags, 1),
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			body := `<methodCall><methodName>` + c.call + `</methodName><params><param><value><int>7</int></value></param><param><value>` + c.sent + `</value></param></params></methodCall>`
			x, err := p.Classify(send("POST", "/rpc", "text/xml", body))
			if err != nil {
				t.Fatal(err)
			}
			w := x.Writes()[0]
			if c.stored == "" {
				c.stored = stored
			}
			tree, err := w.ParseStored([]byte(c.stored))
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
			out, err := x.Splice([]byte(body), res.Edits)
			if want := strings.Replace(body, c.sent, c.want, 1); c.refused == "" && (err != nil || string(out) != want) {
				t.Errorf("the CRM gets %v\n%s\nwant\n%s", err, out, want)
			}
		})
	}
}
