package mask

import (
	stdjson "encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// plan shows every category under its treatment; what isn't named is clear.
func plan(treatments map[access.Category]access.Treatment) *access.Plan {
	cells := map[access.Category][]access.Verdict{}
	for _, c := range access.Categories() {
		tr, ok := treatments[c]
		if !ok {
			tr = access.Clear
		}
		cells[c] = []access.Verdict{{Treatment: tr, Allowed: true}}
	}
	return &access.Plan{Cells: map[access.Entity]map[access.Category][]access.Verdict{access.AnyEntity: cells}}
}

func parse(t testing.TB, src string) *doc.Tree {
	t.Helper()
	tree, err := json.Parse([]byte(src), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q): %v", src, err)
	}
	return tree
}

// locate finds a field wherever a member has the name of a category, possibly
// with a suffix ("name2"); several are joined by a comma.
func locate(t *doc.Tree) *access.Found {
	found := &access.Found{}
	for i := range t.Nodes {
		var cats []access.Category
		for part := range strings.SplitSeq(strings.TrimRight(t.Key(i), "0123456789"), ",") {
			if c := access.Category(part); c.Valid() {
				cats = append(cats, c)
			}
		}
		if len(cats) > 0 {
			found.Fields = append(found.Fields, access.FoundField{Node: i, Record: -1, Name: t.Key(i), Categories: cats})
		}
	}
	return found
}

func apply(t testing.TB, src string, p *access.Plan, opts Options, change ...func(*doc.Tree, *access.Found)) (string, Result) {
	t.Helper()
	tree := parse(t, src)
	found := locate(tree)
	for _, c := range change {
		c(tree, found)
	}
	res, err := New(Config{}).Apply(tree, found, p, opts)
	if err != nil {
		t.Fatalf("Apply(%s): %v", src, err)
	}
	body, err := res.Body(nil)
	if err != nil {
		t.Fatalf("Body: %v", err)
	}
	if _, err := json.Parse(body, doc.DefaultLimits()); err != nil {
		t.Fatalf("masked body %s: %v", body, err)
	}
	if res.Changed != (string(body) != src) {
		t.Errorf("Changed = %v for %s", res.Changed, body)
	}
	return string(body), res
}

func TestOnlyMaskedBytesChange(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden, access.Special: access.Hidden})
	got, res := apply(t, `{ "id" : 7,"email":"a\u0040b.de",  "special" : [1, true,"x" , {"y":null,"z":""}], "name":"E\u00fcr" }`, p, Options{})
	want := `{ "id" : 7,"email":"hidden@masked.invalid",  "special" : [null, null,"\u2022\u2022\u2022\u2022\u2022\u2022" , {"y":null,"z":""}], "name":"E\u00fcr" }`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if res.Masked != 4 {
		t.Errorf("Masked = %d, want 4", res.Masked)
	}
}

func TestLeastRevealingCategoryDecides(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden, access.Phone: access.Partial})
	got, _ := apply(t, `{"name,email,phone":"erika@web.de"}`, p, Options{})
	if want := `{"name,email,phone":"hidden@masked.invalid"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatNoLineAllowsIsHidden(t *testing.T) {
	for _, p := range []*access.Plan{
		{},
		{Cells: map[access.Entity]map[access.Category][]access.Verdict{"*": {access.Name: {{Treatment: access.Clear}}}}},
	} {
		if got, _ := apply(t, `{"name":"Erika"}`, p, Options{}); strings.Contains(got, "Erika") {
			t.Errorf("shown: %s", got)
		}
	}
	_, err := New(Config{}).Apply(parse(t, `{}`), nil, &access.Plan{}, Options{})
	if err == nil {
		t.Error("Apply without anything located has no error")
	}
}

func TestFactsOfTheRecordDecide(t *testing.T) {
	hidden, shown := access.Verdict{Treatment: access.Hidden, Allowed: true}, access.Verdict{Treatment: access.Clear, Allowed: true}
	p := &access.Plan{
		FactNames: []string{"own"},
		Cells: map[access.Entity]map[access.Category][]access.Verdict{
			"*": {access.Name: {hidden, hidden, shown}, access.Public: {shown, shown, shown}},
		},
	}
	got, res := apply(t, `[{"name":"Erika"},{"name":"Max"},{"name":"Otto"}]`, p, Options{}, func(_ *doc.Tree, f *access.Found) {
		f.Records = []access.FoundRecord{
			{Record: access.Record{Type: "c", ID: "1"}, Facts: access.Facts{"own": access.FactTrue}},
			{Record: access.Record{Type: "c", ID: "2"}, Facts: access.Facts{"own": access.FactFalse}},
		}
		f.Fields[0].Record, f.Fields[1].Record = 0, 1
	})
	if want := `[{"name":"Erika"},{"name":"••••••"},{"name":"••••••"}]`; unescaped(got) != want {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
	want := []access.DisclosedRecord{
		{Record: access.Record{Type: "c", ID: "1"}, Treated: map[access.Category]access.Treatment{access.Name: access.Clear}},
		{Record: access.Record{Type: "c", ID: "2"}, Treated: map[access.Category]access.Treatment{access.Name: access.Hidden}},
	}
	if !reflect.DeepEqual(res.Disclosure.Records, want) {
		t.Errorf("Records = %v, want %v", res.Disclosure.Records, want)
	}
	if ids := res.Disclosure.Identifying; len(ids) != 1 || ids[0].Value != "Otto" {
		t.Errorf("Identifying = %v, want Otto alone", ids)
	}
}

func unescaped(s string) string { return strings.ReplaceAll(s, `\u2022`, "•") }

func TestDroppedMembersLeaveAValidObject(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Drop})
	for src, want := range map[string]string{
		`{"email":1}`:                                   `{}`,
		`{ "email" : 1 , "a":2 }`:                       `{ "a":2 }`,
		`{"a":2 , "email":1 }`:                          `{"a":2 }`,
		`{"email":1,"email2":2,"a":3}`:                  `{"a":3}`,
		`{"a":3,"email":1,"email2":2}`:                  `{"a":3}`,
		`{"email":1,"a":2,"email2":3,"b":4,"email3":5}`: `{"a":2,"b":4}`,
		`{"email":1,"email2":[1,{"x":"y"}]}`:            `{}`,
		`{"a":{"email":1},"b":[{"email":1,"c":[]}]}`:    `{"a":{},"b":[{"c":[]}]}`,
		`{"email":{"x":"y","name":"Erika"}}`:            `{"email":{"name":"Erika"}}`,
		`{"email":["x",{"name":"Erika"}]}`:              `{"email":[null,{"name":"Erika"}]}`,
		`{"a":1,"email":null,"email2":""}`:              `{"a":1}`,
	} {
		if got, _ := apply(t, src, p, Options{}); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
}

func TestWithheldTextIsReplacedUnlessAllIsClear(t *testing.T) {
	src := `{"error":{"message":"Duplicate entry erika@x.de","email":"erika@x.de"},"name":"x"}`
	withhold := func(_ *doc.Tree, f *access.Found) {
		f.Withheld = []access.Withheld{{Node: 2, Text: "inner"}, {Node: 1, Text: "withheld"}}
	}
	got, res := apply(t, src, plan(map[access.Category]access.Treatment{access.TaxID: access.Hidden}), Options{}, withhold)
	if want := `{"error":"withheld","name":"x"}`; got != want || res.Disclosure.Withheld != 1 {
		t.Errorf("got %s (%d), want %s", got, res.Disclosure.Withheld, want)
	}
	p := plan(map[access.Category]access.Treatment{access.Credential: access.Hidden, access.Unclassified: access.Hidden})
	if got, _ := apply(t, src, p, Options{}, withhold); got != src {
		t.Errorf("all clear: got %s", got)
	}
}

func TestKeysThatHoldValuesAreMaskedAndStayApart(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden})
	got, _ := apply(t, `{"email":{"a@x.de":{"b@x.de":1},"c@x.de":2},"d":1}`, p, Options{SecondPass: true},
		func(_ *doc.Tree, f *access.Found) { f.Fields[0].Keys = true })
	if want := `{"email":{"••••••-1":{"••••••-1":null},"••••••-2":null},"d":1}`; unescaped(got) != want {
		t.Errorf("got %s, want %s", unescaped(got), want)
	}
}

func TestEchoStaysClearOnlyWhereFoundSaysSo(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden, access.Phone: access.Hidden})
	echo := Echo{}
	echo.Add(access.Email, " Erika@X.de ")
	echo.Add(access.Phone, "0049 30 123456")
	echo.Add(access.Name, "max@x.de")
	src := `{"email":"erika@x.de","email2":"erika@x.de","email3":"max@x.de","phone":"+49 (0)30 / 123456"}`
	got, _ := apply(t, src, p, Options{Echo: echo}, func(_ *doc.Tree, f *access.Found) {
		f.Fields[0].Echo, f.Fields[2].Echo, f.Fields[3].Echo = true, true, true
	})
	want := `{"email":"erika@x.de","email2":"hidden@masked.invalid","email3":"hidden@masked.invalid","phone":"+49 (0)30 / 123456"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDocumentsStyleIsKept(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Name: access.Hidden})
	got, _ := apply(t, `{"name":"Erika","x":"ä"}`, p, Options{})
	if want := `{"name":"••••••","x":"ä"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIdentifyingValuesOfUnnamedRows(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden})
	_, res := apply(t, `[{"name":"Erika","email":"e@x.de","public":"p","free_text":"t","birthdate":"1971-02-15","phone":null}]`, p, Options{},
		func(_ *doc.Tree, f *access.Found) { f.Rows = 1 })
	want := []access.Identifier{
		{Category: access.Name, Value: "Erika"}, {Category: access.Email, Value: "e@x.de"}, {Category: access.Birthdate, Value: "1971-02-15"},
	}
	if !slices.Equal(res.Disclosure.Identifying, want) || res.Disclosure.Rows != 1 {
		t.Errorf("Identifying = %v, want %v", res.Disclosure.Identifying, want)
	}
	if b, err := stdjson.Marshal(res.Disclosure); err != nil || strings.Contains(string(b), "Erika") {
		t.Errorf("a disclosure writes values: %s, %v", b, err)
	}
}

func TestIdentifyingValuesOfDroppedContainers(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Phone: access.Drop})
	got, res := apply(t, `[{"phone":["030 1","030 2"]}]`, p, Options{})
	if ids := res.Disclosure.Identifying; got != `[{}]` || len(ids) != 2 || ids[1].Value != "030 2" {
		t.Errorf("%s, Identifying = %v", got, ids)
	}
}

// TestCellsAreDroppedInPlace: a table's cells share the names in its head; taking
// a cell out would move its neighbours.
func TestCellsAreDroppedInPlace(t *testing.T) {
	src := `["email","name"]["e@x.de","Erika Mustermann"]`
	tree := &doc.Tree{Src: []byte(src), Format: json.Format{}, Nodes: []doc.Node{
		{Kind: doc.Array, Start: 16, End: 46, Parent: -1, Next: 4},
		{Kind: doc.Object, Start: 16, End: 46, Parent: 0, Next: 4},
		{Kind: doc.String, Start: 17, End: 25, KeyStart: 1, KeyEnd: 8, Parent: 1, Next: 3},
		{Kind: doc.String, Start: 26, End: 44, KeyStart: 9, KeyEnd: 15, Parent: 1, Next: 4},
	}}
	found := locate(tree)
	found.Fields[0].Keys = true
	res, err := New(Config{}).Apply(tree, found, plan(map[access.Category]access.Treatment{access.Email: access.Drop}), Options{SecondPass: true})
	if err != nil {
		t.Fatal(err)
	}
	body, err := res.Body(nil)
	if want := `["email","name"][null,"Erika Mustermann"]`; err != nil || string(body) != want {
		t.Errorf("%s (%v), want %s", body, err, want)
	}
}

func TestWhatPointsOutsideIsAnError(t *testing.T) {
	for _, f := range []*access.Found{
		{Fields: []access.FoundField{{Node: 1, Record: -1}}},
		{Fields: []access.FoundField{{Node: -1, Record: -1}}},
		{Fields: []access.FoundField{{Node: 0, Record: 0}}},
		{Withheld: []access.Withheld{{Node: 1}}},
	} {
		if _, err := New(Config{}).Apply(parse(t, `"x"`), f, &access.Plan{}, Options{}); !errors.Is(err, ErrUnlocated) {
			t.Errorf("Apply = %v, want ErrUnlocated", err)
		}
	}
}

func TestLocatedTwiceIsTheLessRevealing(t *testing.T) {
	p := plan(map[access.Category]access.Treatment{access.Email: access.Hidden})
	for _, cats := range [][]access.Category{{access.Name, access.Email}, {access.Email, access.Name}} {
		got, _ := apply(t, `{"email":"e@x.de"}`, p, Options{}, func(_ *doc.Tree, f *access.Found) {
			f.Fields = append(f.Fields, f.Fields[0])
			f.Fields[0].Categories, f.Fields[1].Categories = cats[:1], cats[1:]
		})
		if strings.Contains(got, "e@x.de") {
			t.Errorf("%v: %s", cats, got)
		}
	}
}

func parseAny(src string) (*doc.Tree, error) { return json.Parse([]byte(src), doc.DefaultLimits()) }

func quoted(s string) string {
	return string(json.Format{}.Encode(nil, &doc.Tree{}, 0, doc.Value{Kind: doc.String, Text: s}))
}
