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

// source is a profile with each way of writing.
const source = `
profile: test/1.0
evidence: documented
withheld: WITHHELD
normalize: {ids: integer}
wrapped: {key: __class__, kinds: {date: {year: year, month: month, day: day}, Decimal: {decimal: decimal}, bytes: {base64: base64}}}
entities:
  person:
    unknown: mask_if_string
    fields:
      name: name
      email: email
      phone: phone
      born: birthdate
      salary: bank
      photo: identity
      kind|state: public
      numbers: {parts: {value: phone, label|main: public}}
      value: {by: kind, detect: true, values: {mobile: phone, mail: email, "*": online}}
    relations: {friends: person}
transports:
  - {match: POST /rpc, body: json, members: [id, method, params], call: body.method, args: body.params, context: true, result: $.result, failure: {at: $.error, name: "[0]"}}
calls:
  - {call: model.*.read, sig: [ids, fields], records: [{at: "@"}]}
  - {call: model.*.write, sig: [ids, values], action: update, write: {pairs: true, syntax: commands, mode: partial, stored: {call: "model.{type}.read"}}}
  - {call: model.*.change, sig: [values], echo: true, ids: [values.id], write: {at: values, mode: echo, self: id, stored: {call: "model.{type}.read"}}, records: [{at: "@"}]}
  - {call: model.*.create, sig: [values], action: create, write: {at: values, syntax: commands, mode: create}}
  - {call: model.*.copy, sig: [ids, values], action: create, ids: [ids], write: {at: values, mode: copy}}
routes:
  - {match: "PUT /people/{id}", entity: person, ids: ["{id}"], write: {at: body, mode: full, stored: {get: "/people/{id}", at: $}}, records: [{at: $}]}
  - {match: "PATCH /people/{id}", entity: person, ids: ["{id}"], write: {at: body, mode: partial, stored: {get: "/people/{id}", at: $}}, records: [{at: $}]}
  - {match: "PUT /people", entity: person, write: {at: body, mode: full, self: id, stored: {get: "/people", at: $}}, records: [{at: $}]}
  - {match: "POST /form/{id}", entity: person, action: update, ids: ["{id}"], body: form, write: {at: body, mode: full, stored: {get: "/people/{id}", at: $}}}
`

func load(t testing.TB) *profile.Profile {
	t.Helper()
	p, err := profile.Load([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plan shows the given categories as they say, everything else not at all.
func plan(action access.Action, cells map[access.Category]access.Treatment) *access.Plan {
	p := &access.Plan{Action: action, Cells: map[access.Entity]map[access.Category][]access.Verdict{access.AnyEntity: {}}}
	for c, tr := range cells {
		p.Cells[access.AnyEntity][c] = []access.Verdict{{Treatment: tr, Allowed: true}}
	}
	return p
}

// sales sees names and mail clear, phone numbers in part, nothing else, and may
// write what it sees.
func sales() restore.Plans {
	clear := map[access.Category]access.Treatment{access.Name: access.Clear, access.Email: access.Clear}
	shown := map[access.Category]access.Treatment{access.Name: access.Clear, access.Email: access.Clear, access.Phone: access.Partial, access.Birthdate: access.Generalise}
	return restore.Plans{Shown: plan(access.Read, shown), Write: plan(access.Update, clear)}
}

func rpc(method, params string) profile.Request {
	return profile.Request{
		Method: "POST", Path: "/rpc", MediaType: "application/json",
		Body: []byte(`{"id":1,"method":"model.person.` + method + `","params":[` + params + `,{}]}`),
	}
}

func send(method, path, media, body string) profile.Request {
	return profile.Request{Method: method, Path: path, MediaType: media, Body: []byte(body)}
}

// judged is what becomes of a request: its body, and what was refused by name.
type judged struct {
	body    string
	refused string
	asked   string // the fields that were read for it
}

// judge takes a request through every step as the gate does. stored are the
// records by their ids, "" for none.
func judge(t testing.TB, r profile.Request, plans restore.Plans, stored string) judged {
	t.Helper()
	return judgeBy(t, load(t), r, plans, stored)
}

// judgeBy is judge with another profile.
func judgeBy(t testing.TB, p *profile.Profile, r profile.Request, plans restore.Plans, stored string) judged {
	t.Helper()
	x, err := p.Classify(r)
	if err != nil {
		t.Fatalf("Classify(%s) = %v", r.Body, err)
	}
	m := mask.New(mask.Config{})
	var out judged
	var edits []doc.Edit
	for _, w := range x.Writes() {
		plans := plans
		if w.Mode == profile.WriteEcho {
			plans.Write = nil
		}
		var s restore.Stored
		fields := restore.Fields(x.Body(), w, plans)
		out.asked += strings.Join(fields, ",") + ";"
		if len(fields) > 0 && w.CanStore() && stored != "" {
			if s.Tree, err = json.Parse([]byte(stored), doc.DefaultLimits()); err != nil {
				t.Fatal(err)
			}
			if s.Records, err = w.ReadStored(s.Tree); err != nil {
				t.Fatal(err)
			}
		}
		res := restore.Judge(m, "session", x.Body(), w, s, plans)
		edits = append(edits, res.Edits...)
		if len(res.Refused) > 0 {
			out.refused += strings.Join(res.Refused, ",") + ";"
		}
	}
	body, err := x.Splice(r.Body, edits)
	if err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	out.body = string(body)
	return out
}

// placeholder is what stands in a stored value's place.
func placeholder(c access.Category, s access.Shape, k doc.Kind, text string) string {
	_, tr := mask.Decide(sales().Shown, "person", []access.Category{c}, nil)
	v, _ := mask.New(mask.Config{}).Value(c, s, k, text, tr, "session")
	return v.Text
}

const (
	phone = "+49 171 3920099"
	taken = `{"id":1,"result":[{"id":1,"name":"Weber","phone":"` + phone + `","email":"w@x.example","salary":{"__class__":"Decimal","decimal":"4711.5"},"born":{"__class__":"date","year":1980,"month":5,"day":3},"kind":"mobile","value":"` + phone + `","photo":null,"state":"open","word":"secret","count":7}]}`
)

func shownPhone() string { return placeholder(access.Phone, "", doc.String, phone) }

// TestPartialWriteTakesUnchangedPlaceholdersOut and refuses the rest by name.
func TestPartialWriteTakesUnchangedPlaceholdersOut(t *testing.T) {
	p := shownPhone()
	if p == phone || p == mask.HiddenText {
		t.Fatalf("the phone number is shown as %q", p)
	}
	for _, c := range []struct{ name, values, want, refused string }{
		{"nothing hidden", `{"name":"Webers","email":"v@x.example"}`, `{"name":"Webers","email":"v@x.example"}`, ""},
		{"placeholder alone", `{"phone":"` + p + `"}`, `{}`, ""},
		{"placeholder first", `{"phone":"` + p + `", "name":"a"}`, `{"name":"a"}`, ""},
		{"placeholder between", `{"name":"a","phone":"` + p + `","email":"b"}`, `{"name":"a","email":"b"}`, ""},
		{"placeholder last", `{"name":"a" , "phone":"` + p + `"}`, `{"name":"a"}`, ""},
		{"placeholders around", `{"phone":"` + p + `","name":"a","value":"` + p + `"}`, `{"name":"a"}`, ""},
		{"all of them", `{"phone":"` + p + `","value":"` + p + `","word":"••••••"}`, `{}`, ""},
		{"escaped placeholder", `{"word":"\u2022\u2022\u2022\u2022\u2022\u2022"}`, `{}`, ""},
		{"placeholder in a field that is seen", `{"name":"••••••"}`, "", "name;"},
		{"placeholder of another field", `{"name":"` + p + `"}`, "", "name;"},
		{"edited", `{"name":"a","phone":"+49 30 1"}`, "", "phone;"},
		{"digit behind the placeholder", `{"phone":"` + p + `1"}`, "", "phone;"},
		{"emptied", `{"phone":""}`, "", "phone;"},
		{"null", `{"phone":null}`, "", "phone;"},
		{"another placeholder", `{"phone":"••••••"}`, "", "phone;"},
		{"several edited", `{"word":"x","phone":"1"}`, "", "phone,word;"},
		{"date", `{"born":{"__class__":"date","year":1980,"month":1,"day":1},"name":"a"}`, `{"name":"a"}`, ""},
		{"date in another order", `{"born":{"day":1,"month":1,"year":1980,"__class__":"date"},"name":"a"}`, `{"name":"a"}`, ""},
		{"edited date", `{"born":{"__class__":"date","year":1980,"month":5,"day":3}}`, "", "born;"},
		{"date as a text", `{"born":"1980-01-01"}`, "", "born;"},
		{"number in an object", `{"salary":{"__class__":"Decimal","decimal":"0"}}`, `{}`, ""},
		{"edited number in an object", `{"salary":{"__class__":"Decimal","decimal":"4711.5"}}`, "", "salary;"},
		{"empty stays empty", `{"photo":null,"name":"a"}`, `{"name":"a"}`, ""},
		{"empty is filled", `{"photo":{"__class__":"bytes","base64":"eA=="}}`, "", "photo;"},
		{"unknown number", `{"count":8}`, `{"count":8}`, ""},
		{"unknown number as a text", `{"count":"8"}`, "", "count;"},
		{"not stored", `{"nosuch":"x"}`, "", "nosuch;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rpc("write", "[1],"+c.values)
			got := judge(t, r, sales(), taken)
			if got.refused != c.refused {
				t.Fatalf("%s: refused %q, want %q", c.values, got.refused, c.refused)
			}
			if want := strings.Replace(string(r.Body), c.values, c.want, 1); c.refused == "" && got.body != want {
				t.Errorf("%s becomes %s, want %s", c.values, got.body, want)
			}
		})
	}
}

// TestRightGuessIsRefusedLikeAWrongOne: the stored value itself is no
// placeholder, and what is read for it doesn't depend on it.
// TestPartsAreComparedEachAsWhatItIs: what stands in clear beside a placeholder
// comes back as it is, and a change of either is refused.
func TestPartsAreComparedEachAsWhatItIs(t *testing.T) {
	stored := `{"id":7,"numbers":[{"value":"` + phone + `","label":"work","main":true}]}`
	for sent, want := range map[string]string{
		`{"value":"` + shownPhone() + `","label":"work","main":true}`: `{"state":"x"}`,
		`{"main":true,"label":"work","value":"` + shownPhone() + `"}`: `{"state":"x"}`,
		`{"value":"` + shownPhone() + `","label":"home","main":true}`: "",
		`{"value":"` + shownPhone() + `","label":"work"}`:             "",
		`{"value":"+4930111","label":"work","main":true}`:             "",
		`{"value":"work","label":"` + shownPhone() + `","main":true}`: "",
	} {
		got := judge(t, send("PATCH", "/people/7", "application/json", `{"state":"x","numbers":[`+sent+`]}`), sales(), stored)
		switch {
		case want == "" && got.refused != "numbers;":
			t.Errorf("%s is saved as %s", sent, got.body)
		case want != "" && (got.body != want || got.refused != ""):
			t.Errorf("%s becomes %s, refused %q, want %s", sent, got.body, got.refused, want)
		}
	}
}

func TestRightGuessIsRefusedLikeAWrongOne(t *testing.T) {
	for _, c := range []struct {
		name         string
		right, wrong profile.Request
	}{
		{"partial", rpc("write", `[1],{"phone":"`+phone+`"}`), rpc("write", `[1],{"phone":"+49 171 3920098"}`)},
		{"wrapped", rpc("write", `[1],{"salary":{"__class__":"Decimal","decimal":"4711.5"}}`), rpc("write", `[1],{"salary":{"__class__":"Decimal","decimal":"4711.6"}}`)},
		{"echo", rpc("change", `{"id":1,"phone":"`+phone+`"}`), rpc("change", `{"id":1,"phone":"+49 171 3920098"}`)},
		{"echo by another kind", rpc("change", `{"id":1,"kind":"mail","value":"`+phone+`"}`), rpc("change", `{"id":1,"kind":"mail","value":"x"}`)},
	} {
		right, wrong := judge(t, c.right, sales(), taken), judge(t, c.wrong, sales(), taken)
		if right.refused == "" || right.refused != wrong.refused || right.asked != wrong.asked {
			t.Errorf("%s: the right guess is refused %q, the wrong one %q", c.name, right.refused, wrong.refused)
		}
	}
	full := strings.TrimSuffix(strings.TrimPrefix(taken, `{"id":1,"result":[`), `]}`)
	right := judge(t, send("PUT", "/people/1", "application/json", `{"phone":"`+phone+`"}`), sales(), full)
	wrong := judge(t, send("PUT", "/people/1", "application/json", `{"phone":"x"}`), sales(), full)
	if right.refused != "phone;" || wrong.refused != "phone;" {
		t.Errorf("full: refused %q and %q", right.refused, wrong.refused)
	}
}

// TestStoredRecordDecidesWhatAFieldHolds: not the kind that the client names.
func TestStoredRecordDecidesWhatAFieldHolds(t *testing.T) {
	const mail = `{"id":1,"result":[{"id":1,"kind":"mail","value":"w@x.example"}]}`
	for _, c := range []struct{ name, values, stored, refused string }{
		{"mail for mail", `{"value":"v@x.example"}`, mail, ""},
		{"mail with its kind", `{"kind":"mail","value":"v@x.example"}`, mail, ""},
		{"mail for a number", `{"value":"v@x.example"}`, taken, "value;"},
		{"mail for a number, by another kind", `{"kind":"mail","value":"v@x.example"}`, taken, "kind,value;"},
		{"another kind alone", `{"kind":"mail"}`, taken, "kind;"},
		{"the same kind", `{"kind":"mobile","name":"a"}`, taken, ""},
		{"number for mail", `{"kind":"mobile","value":"+49 1"}`, mail, "kind,value;"},
	} {
		if got := judge(t, rpc("write", "[1],"+c.values), sales(), c.stored); got.refused != c.refused {
			t.Errorf("%s: refused %q, want %q", c.name, got.refused, c.refused)
		}
	}
	if got := judge(t, rpc("write", `[1],{"value":"x"}`), sales(), taken); got.asked != "kind,value;" {
		t.Errorf("read %q for it, want the field and the one beside it", got.asked)
	}
}

// TestWriteOfSeveralRecordsIsUnchangedInAllOrRefused.
func TestWriteOfSeveralRecordsIsUnchangedInAllOrRefused(t *testing.T) {
	const two = `{"id":1,"result":[{"id":2,"phone":"` + phone + `"},{"id":1,"phone":"` + phone + `"}]}`
	const differ = `{"id":1,"result":[{"id":1,"phone":"` + phone + `"},{"id":2,"phone":"+49 30 123456789"}]}`
	values := `{"name":"a","phone":"` + shownPhone() + `"}`
	if got := judge(t, rpc("write", `[1,2],`+values), sales(), two); got.refused != "" || !strings.Contains(got.body, `[[1,2],{"name":"a"},{}]`) {
		t.Errorf("equal: %+v", got)
	}
	if got := judge(t, rpc("write", `[1,2],`+values), sales(), differ); got.refused != "phone;" {
		t.Errorf("different: %+v", got)
	}
	if got := judge(t, rpc("write", `[1],`+values+`,[2],`+values), sales(), two); got.refused != "" || strings.Contains(got.body, "phone") {
		t.Errorf("pairs: %+v", got)
	}
	if got := judge(t, rpc("write", `[1],{"friends":[["write",[2],`+values+`],["create",[{"phone":"+49 1"}]]],"phone":"`+shownPhone()+`"}`), sales(), two); got.refused != "" ||
		!strings.Contains(got.body, `{"friends":[["write",[2],{"name":"a"}],["create",[{"phone":"+49 1"}]]]}`) {
		t.Errorf("nested: %+v", got)
	}
}

// TestFullWriteKeepsWhatItsAuthorCantSee: in placeholders, in empty values and
// in what is missing.
// TestFullWriteWithoutAStoredRecordIsRefused: nobody knows what it would empty.
// TestEchoComputesWithStoredValues: placeholders are filled in; what is typed
// for a new record stays.
// TestNewRecordsHoldNoPlaceholders: there is nothing stored that they stand for.
// TestDemoSavesAreRestored runs the shipped demo profile's form once through.
func TestDemoSavesAreRestored(t *testing.T) {
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.Classify(send("POST", "/contacts/1003", "application/x-www-form-urlencoded", "first_name=A&iban=%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2&notes="))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := json.Parse([]byte(`{"id":1003,"first_name":"B","iban":"DE89","notes":"krank","email":null}`), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	w := x.Writes()[0]
	records, err := w.ReadStored(tree)
	if err != nil {
		t.Fatal(err)
	}
	res := restore.Judge(mask.New(mask.Config{}), "s", x.Body(), w, restore.Stored{Tree: tree, Records: records}, sales())
	body, err := doc.Splice(nil, x.Body().Src, res.Edits)
	if err != nil || len(res.Refused) > 0 {
		t.Fatalf("%v, refused %v", err, res.Refused)
	}
	if got := string(body); got != "first_name=A&iban=DE89&notes=krank" {
		t.Errorf("forwarded %s", got)
	}
}
