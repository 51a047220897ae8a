package restore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// told is what is told of a change, in one line: fields that the profile lists by their
// names, others by `?`, and values where they are told.
func told(all []access.Change) string {
	var lines []string
	for _, c := range all {
		line := fmt.Sprintf("%s %s/%s", c.Action, c.Type, strings.Join(c.IDs, ","))
		for _, f := range c.Fields {
			name := f.Name
			if name == "" {
				name = "?" + f.Word
			}
			line += " " + name
			if f.Was != nil {
				line += "(" + *f.Was + ")"
			}
			if f.Is != nil {
				line += "=" + strings.NewReplacer(" ", "_").Replace(short(*f.Is))
			}
		}
		if c.Same > 0 {
			line += fmt.Sprintf(" same:%d", c.Same)
		}
		if c.More > 0 {
			line += fmt.Sprintf(" more:%d", c.More)
		}
		if c.Unread {
			line += " unread"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func short(s string) string {
	if strings.HasPrefix(s, "sha256:") {
		return "digest"
	}
	return s
}

func classified(t *testing.T, p *profile.Profile, r profile.Request) *profile.Exchange {
	t.Helper()
	x, err := p.Classify(r)
	if err != nil {
		t.Fatalf("Classify(%s) = %v", r.Body, err)
	}
	return x
}

func builtin(t *testing.T, name string) *profile.Profile {
	t.Helper()
	src, err := profile.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAWriteTellsWhichFieldsItChangesInEachFormat(t *testing.T) {
	own := load(t)
	graph, err := profile.Load([]byte(graphs))
	if err != nil {
		t.Fatal(err)
	}
	xml, err := profile.Load([]byte(xmlCalls))
	if err != nil {
		t.Fatal(err)
	}
	calls := func(method, params string) profile.Request { return rpc(method, params) }
	odoo := send("POST", "/web/dataset/call_kw/res.partner/write", "application/json",
		`{"id":1,"jsonrpc":"2.0","method":"call","params":{"model":"res.partner","method":"write","args":[[7,8],{"email":"a@x.de","phone":false,"x_max_mustermann":"y"}],"kwargs":{}}}`)
	tryton := send("POST", "/db/", "application/json",
		`{"id":1,"method":"model.party.party.create","params":[[{"name":"Zoe"},{"name":"Ute","contact_mechanisms":[["create",[{"type":"email","value":"u@x.de"}]]]}],{}]}`)
	for _, c := range []struct {
		what string
		p    *profile.Profile
		r    profile.Request
		want string
	}{
		{"JSON", own, send("PATCH", "/people/7", "application/json", `{"name":"Zoe","state":null,"Max Mustermann":"x","friends":5}`), "update person/7 name=Zoe state= ?Max Mustermann=x friends=5"},
		{"a form", own, send("POST", "/form/7", "application/x-www-form-urlencoded", "name=Zoe&phone=&state=a&state=b"), "update person/7 name=Zoe phone= state=digest"},
		{"a list of calls", own, calls("write", `[7,8],{"name":"Zoe"},[9],{"email":"a@x.de"}`), "update person/7 name=Zoe\nupdate person/8 name=Zoe\nupdate person/9 email=a@x.de"},
		{"a new record", own, calls("create", `{"name":"Zoe","phone":""}`), "create person/ name=Zoe"},
		{"a value in parts", own, send("PATCH", "/people/7", "application/json", `{"numbers":{"value":"030 1","main":true,"Frau Weber":1}}`), "update person/7 numbers.value=030_1 numbers.main=true ?numbers.Frau Weber=1"},
		{"a wrapped value", own, calls("write", `[7],{"born":{"__class__":"date","year":1990,"month":1,"day":2}}`), "update person/7 born=digest"},
		{"what is only computed", own, calls("change", `{"id":7,"name":"x"}`), ""},
		{"GraphQL", graph, send("POST", "/graphql", "application/json", `{"query":"mutation($d: D!) { updatePerson(id: 7, data: $d) { id } }","variables":{"d":{"name":"Zoe","nick":"z"}}}`), "update person/7 name=Zoe ?nick=z"},
		{"XML-RPC", xml, send("POST", "/rpc", "text/xml", `<methodCall><methodName>write</methodName><params><param><value><int>7</int></value></param><param><value>`+xmlMembers("name", "Zoe", "tags", "<boolean>0</boolean>")+`</value></param></params></methodCall>`), "update person/7 name=Zoe tags="},
		{"Odoo", builtin(t, "odoo"), odoo, "update res.partner/7 email=a@x.de phone= ?x_max_mustermann=y\nupdate res.partner/8 email=a@x.de phone= ?x_max_mustermann=y"},
		{"Tryton", builtin(t, "tryton"), tryton, "create party.party/ name=Zoe\ncreate party.contact_mechanism/ type=email value=u@x.de\ncreate party.party/ name=Ute contact_mechanisms=digest"},
	} {
		if got := told(restore.Changes(classified(t, c.p, c.r), nil)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}

// What stood there before is told where the gateway has read it, and a mask that came
// back is no change.
func TestAChangeIsToldAgainstWhatIsStored(t *testing.T) {
	stored := `[{"id":7,"name":"Zoe","email":"a@x.de","phone":"` + phone + `","state":"x","born":null}]`
	for _, c := range []struct{ method, body, want string }{
		{"PATCH", `{"name":"Zoe","email":"b@x.de","phone":"` + shownPhone() + `"}`, "update person/7 email(a@x.de)=b@x.de same:2"},
		{"PUT", `{"name":"Zoë","email":"a@x.de","phone":"` + shownPhone() + `","state":"x","born":null}`, "update person/7 name(Zoe)=Zoë same:4"},
	} {
		x := classified(t, load(t), send(c.method, "/people/7", "application/json", c.body))
		w := x.Writes()[0]
		tree, err := json.Parse([]byte(stored), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		s := restore.Stored{Tree: tree, Records: map[string]int{"7": tree.First(0)}}
		res := restore.Judge(mask.New(mask.Config{}), "s", x.Body(), w, s, sales())
		got := told(restore.Changes(x, map[*profile.Write]restore.Before{w: {Stored: s, Kept: res.Kept}}))
		if got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.method, c.body, got, c.want)
		}
	}
}

// Whatever a client sends, what is told has an end, and is told together where it is
// the same for many.
func TestWhatIsToldOfChangesIsBounded(t *testing.T) {
	var fields, ids, pairs []string
	for i := range 700 {
		fields = append(fields, fmt.Sprintf(`"field %d":%d`, i, i))
		ids = append(ids, fmt.Sprint(i+1))
		pairs = append(pairs, fmt.Sprintf(`[%d],{"name":"n%d"}`, i+1, i))
	}
	x := classified(t, load(t), send("PATCH", "/people/7", "application/json", "{"+strings.Join(fields, ",")+"}"))
	if all := restore.Changes(x, nil); len(all) != 1 || len(all[0].Fields) != 200 || all[0].More != 500 {
		t.Errorf("of 700 fields: %d changes, %d fields, %d more", len(all), len(all[0].Fields), all[0].More)
	}
	x = classified(t, load(t), rpc("write", "["+strings.Join(ids, ",")+`],{"name":"Zoe"}`))
	all := restore.Changes(x, nil)
	if len(all) != 2 || len(all[0].IDs)+len(all[1].IDs) != 700 || told(all[:1])[:14] != "update person/" || len(all[1].Fields) != 1 {
		t.Errorf("of 700 records: %d changes", len(all))
	}
	x = classified(t, load(t), rpc("write", strings.Join(pairs, ",")))
	all = restore.Changes(x, nil)
	if len(all) != 500 || all[499].More != 200 {
		t.Errorf("of 700 writes: %d changes, %d more", len(all), all[len(all)-1].More)
	}
}

func TestADeletionIsAChangeWithoutFields(t *testing.T) {
	x := classified(t, builtin(t, "tryton"), send("POST", "/db/", "application/json", `{"id":1,"method":"model.party.party.delete","params":[[3,4],{}]}`))
	all := restore.Changes(x, nil)
	if len(all) != 1 || all[0].Action != access.Delete || !slices.Equal(all[0].IDs, []string{"3", "4"}) || all[0].Unread {
		t.Errorf("a deletion is told as %+v", all)
	}
}

// An id can be any text of the client's: a change has to fit into a leaf all the same.
func TestLongIDsAreNotToldAgain(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, id := range []string{long, strings.Repeat("y", 1000)} {
		x := classified(t, load(t), send("PATCH", "/people/7", "application/json", `{"name":"Zoe"}`))
		x.Writes()[0].IDs = slices.Repeat([]string{id}, 60)
		for _, c := range restore.Changes(x, nil) {
			if n := len(strings.Join(c.IDs, "")); n > 10<<10 || slices.Contains(c.IDs, long) {
				t.Errorf("a change with %d bytes of ids", n)
			}
		}
	}
}

// What is linked beside what is written is told, too, and what is copied isn't changed.
func TestLinkedAndCopiedRecords(t *testing.T) {
	tryton := builtin(t, "tryton")
	for params, want := range map[string]string{
		`[[7],{"name":"Zoe","contact_mechanisms":[["delete",[3]],["write",[4],{"value":"x"}],["add",[5]]]},{}]`: "update party.contact_mechanism/4 value=x\n" +
			"update party.party/7 name=Zoe contact_mechanisms=digest\ndelete party.contact_mechanism/3\nupdate party.contact_mechanism/5 unread",
	} {
		x := classified(t, tryton, send("POST", "/db/", "application/json", `{"id":1,"method":"model.party.party.write","params":`+params+`}`))
		if got := told(restore.Changes(x, nil)); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	x := classified(t, load(t), rpc("copy", `[7],{"name":"Zoe"}`))
	if got := told(restore.Changes(x, nil)); got != "create person/ name=Zoe" {
		t.Errorf("a copy: %s", got)
	}
}
