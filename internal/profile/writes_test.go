package profile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// written renders the accesses that a write leads to: "update person[1 2]: name name".
func written(x *Exchange) []string {
	var out []string
	for _, a := range x.Accesses {
		var refs []string
		for _, r := range a.Refs {
			if r.Role == access.RefWrite {
				refs = append(refs, r.Field+" "+names(r.Categories))
			}
		}
		out = append(out, fmt.Sprintf("%s %s%v: %s", a.Action, a.Entity, a.IDs, strings.Join(refs, ", ")))
	}
	return out
}

// TestWriteNamesEveryRecordAndField, nested ones included: a record that is
// only made, moved or taken out is an access too.
func TestWriteNamesEveryRecordAndField(t *testing.T) {
	const all = "email+online+phone"
	p := mini(t)
	for _, c := range []struct {
		name, method, params string
		want                 []string
	}{
		{"pairs", "write", `[1,2],{"name":"a"},[3],{"phone":"b"}`, []string{"update person[1 2 3]: name name, phone phone"}},
		{"nothing", "write", `[1],{}`, []string{"update person[1]: "}},
		{"relation by id", "write", `[1],{"boss":5}`, []string{"update person[1]: "}},
		{"unknown field", "write", `[1],{"nosuch":"x"}`, []string{"update person[1]: nosuch unclassified"}},
		{"dotted", "write", `[1],{"accounts.iban":"x"}`, []string{"update person[1]: accounts.iban unclassified"}},
		{
			"commands", "write",
			`[1],{"accounts":[["create",[{"iban":"x"}]],["write",[4],{"iban":"y"},[5],{"iban":"z"}],["delete",[6]],["add",[7]],["remove",[8]]]}`,
			[]string{"update person[1]: ", "create account[]: iban bank", "update account[4 5]: iban bank, iban bank", "delete account[6]: ", "update account[7]: ", "update account[8]: "},
		},
		{"empty nested create", "write", `[1],{"accounts":[["create",[{}]]]}`, []string{"update person[1]: ", "create account[]: "}},
		{"nested create with relations alone", "write", `[1],{"accounts":[["create",[{"owners":[["add",[2]]]}]]]}`, []string{"update person[1]: ", "create account[]: ", "update person[2]: "}},
		{"nested record of the same kind", "write", `[1],{"boss.":[["write",[9],{"phone":"x"}]]}`, []string{"update person[1 9]: phone phone"}},
		{"create", "create", `[{"name":"a","phone":""},{"phone":"b","boss":null}]`, []string{"create person[]: name name, phone phone"}},
		{"create by sibling", "create", `[{"kind":"mail","value":"x"},{"kind":"fax","value":"x"},{"value":"a@b.example"}]`, []string{"create person[]: kind public, value email, kind public, value online, value " + all}},
		{"update ignores the sibling sent", "write", `[1],{"kind":"mail","value":"a@b.example"}`, []string{"update person[1]: kind " + all + "+public, value " + all}},
		{"copy ignores the sibling sent", "copy", `[1],{"kind":"mail"}`, []string{"create person[1]: kind " + all + "+public"}},
		{"nested copy", "write", `[1],{"accounts":[["copy",[4],{"iban":"x"}],["copy",[5]]]}`, []string{"update person[1]: ", "create account[]: iban bank", "create account[4]: ", "create account[5]: "}},
		{"echo saves nothing", "change", `{"id":3,"phone":"1","boss":{"id":4,"phone":"2"}}`, []string{"read person[3]: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.params, written(classify(t, p, rpc("model.crm.person."+c.method, c.params))), c.want...)
		})
	}
}

func TestMalformedWritesAreRefused(t *testing.T) {
	p := mini(t)
	for _, c := range []struct{ method, params, want string }{
		{"write", `[1]`, "malformed"},
		{"write", ``, "malformed"},
		{"write", `[1],{},[2]`, "malformed"},
		{"write", `[1],"x"`, "malformed"},
		{"write", `[1],[1]`, "malformed"},
		{"write", `{"id":1},{"name":"x"}`, "malformed"},
		{"write", `["1"],{"name":"x"}`, "malformed"},
		{"write", `[1],{"accounts":{"id":1}}`, "malformed"},
		{"write", `[1],{"accounts":[["create"]]}`, "malformed"},
		{"write", `[1],{"accounts":[[1,2]]}`, "malformed"},
		{"write", `[1],{"accounts":[["explode",[1]]]}`, "malformed"},
		{"write", `[1],{"accounts":[["write",[1]]]}`, "malformed"},
		{"write", `[1],{"accounts":[["write",["1"],{}]]}`, "malformed"},
		{"write", `[1],{"accounts":[["delete",[true]]]}`, "malformed"},
		{"write", `[1],{"accounts":[["create",["x"]]]}`, "malformed"},
		{"create", `"x"`, "malformed"},
		{"change", `47`, "malformed"},
		{"change", `[47]`, "malformed"},
		{"change", `{"id":"47"}`, "malformed"},
		{"change", `{"id":true}`, "malformed"},
		{"change", `{"id":47.0}`, "malformed"},
		{"change", `{"id":[47]}`, "malformed"},
		{"change", `{"id":{"__class__":"Decimal","decimal":"47"}}`, "malformed"},
		{"change", `{"id":-1,"accounts":[{"id":{"__class__":"Decimal","decimal":"4"},"iban":"x"}]}`, "malformed"},
	} {
		if got := refused(t, p, rpc("model.crm.person."+c.method, c.params)); got != c.want {
			t.Errorf("%s(%s): refused %q, want %q", c.method, c.params, got, c.want)
		}
	}
}

// TestSelfIDTellsStoredFromNew: a negative id is the client's own.
func TestSelfIDTellsStoredFromNew(t *testing.T) {
	p := mini(t)
	for values, want := range map[string]string{
		`{"id":3}`: "[[3]]", `{"id":-3}`: "[[]]", `{"id":null}`: "[[]]", `{"id":0}`: "[[]]", `{}`: "[[]]",
		`{"id":-1,"accounts":[{"id":4},{"id":-2}]}`: "[[4] [] []]",
		`{"id":-1,"boss":{"id":5}}`:                 "[[5] []]",
	} {
		var ids [][]string
		for _, w := range classify(t, p, rpc("model.crm.person.change", values)).Writes() {
			ids = append(ids, w.IDs)
		}
		if got := fmt.Sprint(ids); got != want {
			t.Errorf("%s: ids %s, want %s", values, got, want)
		}
	}
}

func TestEchoLeavesOutWhatIsAnotherRecords(t *testing.T) {
	x := classify(t, mini(t), rpc("model.crm.person.change", `{"id":3,"_parent_boss.phone":"1","name":"x"}`))
	var fields []string
	for _, f := range x.Writes()[0].Fields {
		fields = append(fields, f.Name)
	}
	same(t, "fields", fields, "name")
}

// TestLeavesOfEqualValuesStandInOneOrder, whatever the order of their members.
func TestLeavesOfEqualValuesStandInOneOrder(t *testing.T) {
	p := mini(t)
	for _, c := range []struct{ value, want string }{
		{`"x"`, "x"},
		{`{"day":3,"__class__":"date","year":1999,"month":2}`, "3:day 2:month 1999:year"},
		{`{"__class__":"Decimal","decimal":"1.5"}`, "1.5:decimal"},
		{`{"__class__":"bytes","base64":"eA=="}`, "eA==:base64"},
		{`{"__class__":"other","b":"y","a":"x"}`, "other x y"},
		{`{"__class__":"Decimal","decimal":"1","more":"x"}`, "Decimal 1 x"},
		{`["b",["a"]]`, "b a"},
	} {
		tree := parse(t, c.value)
		var got []string
		for _, l := range p.leaves(tree, doc.Root, unclassifiedField()) {
			s := tree.Text(l.Node)
			if l.Shape != "" {
				s += ":" + string(l.Shape)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: leaves %q, want %q", c.value, s, c.want)
		}
	}
}

// TestStoredRequestReadsWhatIsAsked in the employee's own context, but at no
// other point in time.
func TestStoredRequestReadsWhatIsAsked(t *testing.T) {
	p := mini(t)
	body := `{"id":7,"method":"model.crm.person.write","params":[[1,2],{"phone":"x"},{"_datetime":{"__class__":"date"},"language":"de","_x":1}]}`
	w := classify(t, p, send("POST", "/db/", "application/json", body)).Writes()[0]
	if !w.CanStore() {
		t.Fatal("CanStore = false")
	}
	r, err := w.Stored([]string{"phone", `a"b`})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":0,"method":"model.crm.person.read","params":[[1,2],["id","phone","a\"b"],{"language":"de"}]}`
	if string(r.Body) != want || r.Method != "POST" || r.Path != "/db/" || r.MediaType != "application/json" {
		t.Errorf("Stored = %s %s %s, want %s", r.Method, r.Path, r.Body, want)
	}
	if r, err = w.Stored([]string{"phone"}); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, p, send(r.Method, r.Path, r.MediaType, string(r.Body))); got != "" {
		t.Errorf("the gateway's own read is refused: %s", got)
	}

	w = classify(t, p, send("PUT", "/people/7", "application/json", `{}`)).Writes()[0]
	if r, err = w.Stored(nil); err != nil || r.Method != "GET" || r.Path != "/people/7" || r.Body != nil {
		t.Errorf("Stored = %+v, %v", r, err)
	}
	if w := classify(t, p, rpc("model.crm.person.create", `[{"name":"x"}]`)).Writes()[0]; w.CanStore() {
		t.Error("a new record has stored values")
	}
}

func TestReadStoredWantsEveryRecord(t *testing.T) {
	p := mini(t)
	w := classify(t, p, rpc("model.crm.person.write", `[1,2],{"phone":"x"}`)).Writes()[0]
	tree := parse(t, `{"id":0,"result":[{"id":2,"phone":"b"},{"id":1,"phone":"a"}]}`)
	at, err := w.ReadStored(tree)
	if err != nil || tree.Text(tree.Member(at["1"], "phone")) != "a" || tree.Text(tree.Member(at["2"], "phone")) != "b" {
		t.Errorf("ReadStored = %v, %v", at, err)
	}
	for _, answer := range []string{`{"id":0,"result":[{"id":2}]}`, `{"id":0,"error":["UserError",["Weber",""]]}`, `{"id":0,"result":null}`, `[]`} {
		_, err := w.ReadStored(parse(t, answer))
		if err == nil || !strings.Contains(err.Error(), "crm.person/1") || strings.Contains(err.Error(), "Weber") {
			t.Errorf("ReadStored(%s) = %v", answer, err)
		}
	}
	w = classify(t, p, send("PUT", "/people/7", "application/json", `{}`)).Writes()[0]
	if at, err := w.ReadStored(parse(t, `{"name":"x"}`)); err != nil || at["7"] != doc.Root {
		t.Errorf("a record without its id: %v, %v", at, err)
	}
	if _, err := w.ReadStored(parse(t, `{"id":8,"name":"x"}`)); err == nil {
		t.Error("another record is taken for the one that was asked for")
	}
}

// TestStoredRecordTellsWhatAFieldHolds, not what the client says of it.
func TestStoredRecordTellsWhatAFieldHolds(t *testing.T) {
	p := mini(t)
	const stored = `{"id":1,"kind":"mobile","value":"+49 171 3920099","count":5,"word":"x"}`
	for _, c := range []struct{ values, field, held, sent string }{
		{`{"value":"a@b.example"}`, "value", "phone", "phone"},
		{`{"value":"a@b.example","kind":"mail"}`, "value", "phone", "email"},
		{`{"kind":"mail"}`, "kind", "public", "email+online+phone+public"},
		{`{"kind":"mobile"}`, "kind", "public", "public"},
		{`{"count":6}`, "count", "public", "public"},
		{`{"count":"x"}`, "count", "public", "unclassified"},
		{`{"word":6}`, "word", "unclassified", "public"},
	} {
		w := classify(t, p, rpc("model.crm.person.write", `[1],`+c.values)).Writes()[0]
		tree := parse(t, stored)
		for i := range w.Fields {
			f := &w.Fields[i]
			if f.Name != c.field {
				continue
			}
			_, _, held := w.StoredField(tree, doc.Root, f.Name)
			if sent := w.Sent(f, tree, doc.Root); names(held) != c.held || names(sent) != c.sent {
				t.Errorf("%s: %s holds %s and gets %s, want %s and %s", c.values, c.field, names(held), names(sent), c.held, c.sent)
			}
		}
	}
	w := classify(t, p, rpc("model.crm.person.write", `[1],{"value":"x"}`)).Writes()[0]
	same(t, "beside", w.Beside([]string{"value", "name"}), "kind")
	if node, _, _ := w.StoredField(parse(t, stored), doc.Root, "nosuch"); node != -1 {
		t.Errorf("a field that isn't stored is node %d", node)
	}
}

func TestFieldNamesAreThoseThatCanHoldACategory(t *testing.T) {
	w := classify(t, mini(t), send("PUT", "/people/7", "application/json", `{}`)).Writes()[0]
	got := map[string]bool{}
	for _, n := range w.FieldNames(func(c access.Category) bool { return c == access.Phone }) {
		got[n] = true
	}
	if len(got) != 2 || !got["phone"] || !got["value"] {
		t.Errorf("FieldNames = %v, want phone and value", got)
	}
}
