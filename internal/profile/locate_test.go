package profile

import (
	"errors"
	"strings"
	"testing"
)

func reading(t testing.TB) *Exchange {
	t.Helper()
	return classify(t, mini(t), rpc("model.crm.person.read", `[1],["name"]`))
}

// TestRecordsAndFieldsAreFound in what a read answers with.
func TestRecordsAndFieldsAreFound(t *testing.T) {
	for _, c := range []struct {
		name, result string
		want         []string
	}{
		{"plain", `[{"id":1,"name":"a","state":"open","count":3,"flag":true,"none":null}]`, []string{"record crm.person/1", "field name=a name of crm.person/1"}},
		{"unknown text", `[{"id":1,"word":"a"}]`, []string{"record crm.person/1", "field word=a unclassified of crm.person/1"}},
		{"unknown list", `[{"id":1,"words":["a"]}]`, []string{"record crm.person/1", `field words=["a"] unclassified of crm.person/1`}},
		{"glob", `[{"id":1,"any_x":"a"}]`, []string{"record crm.person/1", "field any_x=a online of crm.person/1"}},
		{"not a list", `{"id":1,"name":"a"}`, []string{"record crm.person/1", "field name=a name of crm.person/1"}},
		{"without id", `[{"name":"a"}]`, []string{"field name=a name"}},
		{"id that is none", `[{"id":"Weber","name":"a"}]`, []string{"field id=Weber unclassified", "field name=a name"}},
		{"number for text", `[{"id":1,"phone":49}]`, []string{"record crm.person/1", "field phone=49 phone of crm.person/1"}},
		{"nested by suffix", `[{"id":1,"boss":2,"boss.":{"id":2,"phone":"b"}}]`, []string{"record crm.person/1", "record crm.person/2", "record crm.person/2", "field phone=b phone of crm.person/2"}},
		{"nested list", `[{"id":1,"accounts.":[{"id":5,"iban":"x"},{"id":6,"iban":"y"}]}]`, []string{"record crm.person/1", "record crm.account/5", "record crm.account/6", "field iban=x bank of crm.account/5", "field iban=y bank of crm.account/6"}},
		{"nested twice", `[{"id":1,"boss.":{"id":2,"boss.":{"id":3,"email":"c"}}}]`, []string{"record crm.person/1", "record crm.person/2", "record crm.person/3", "field email=c email of crm.person/3"}},
		{"ids of relations", `[{"id":1,"accounts":[5,6],"place":9}]`, []string{"record crm.person/1", "record crm.account/5", "record crm.account/6"}},
		{"nested of an unknown kind", `[{"id":1,"pet.":{"id":3,"rec_name":"a","n":4}}]`, []string{"record crm.person/1", `field pet.={"id":3,"rec_name":"a","n":4} unclassified of crm.person/1`}},
		{"relation of every entity", `[{"id":1,"create_uid.":{"id":4,"name":"c"}}]`, []string{"record crm.person/1", "record crm.person/4", "field name=c name of crm.person/4"}},
		{"nested without persons", `[{"id":1,"place.":{"id":9,"rec_name":"Lager","note":"x"}}]`, []string{"record crm.person/1"}},
		{"person behind one without", `[{"id":1,"place.":{"id":9,"keeper.":{"id":2,"name":"k"}}}]`, []string{"record crm.person/1", "record crm.person/2", "field name=k name of crm.person/2"}},
		{"unknown behind one without", `[{"id":1,"place.":{"id":9,"owner.":{"id":2,"name":"k"},"owner":7}}]`, []string{"record crm.person/1", `field owner.={"id":2,"name":"k"} unclassified`}},
		{"object behind one without", `[{"id":1,"place.":{"id":9,"extra":{"name":"k"},"list":[[{"a":"b"}]],"when":{"__class__":"date","year":1,"month":2,"day":3}}}]`, []string{"record crm.person/1", `field extra={"name":"k"} unclassified`, `field list=[[{"a":"b"}]] unclassified`}},
		{"display instead of an id", `[{"id":1,"boss":"Weber","accounts":["DE89"]}]`, []string{"record crm.person/1", "field crm.person=Weber name", "field crm.account=DE89 bank"}},
		{"reference", `[{"id":1,"about":"crm.account,5","about.":{"id":5,"iban":"x"}}]`, []string{"record crm.person/1", "record crm.account/5", "record crm.account/5", "field iban=x bank of crm.account/5"}},
		{"reference to an unknown kind", `[{"id":1,"about":"crm.pet,5","about.":{"id":5,"iban":"x"}}]`, []string{"record crm.person/1", "record crm.pet/5", `field crm.pet={"id":5,"iban":"x"} unclassified`}},
		{"reference that is none", `[{"id":1,"about":"Weber, 5","boss":"weber,5"}]`, []string{"record crm.person/1", "field about=Weber, 5 unclassified of crm.person/1", "field crm.person=weber,5 name"}},
		{"reference that is an object", `[{"id":1,"about":{"0":"Weber"}}]`, []string{"record crm.person/1", `field about={"0":"Weber"} unclassified of crm.person/1`}},
		{"no reference", `[{"id":1,"about":null}]`, []string{"record crm.person/1"}},
		{"empty reference", `[{"id":1,"about":""}]`, []string{"record crm.person/1"}},
		{"by sibling", `[{"id":1,"kind":"mobile","value":"x"},{"id":2,"kind":"mail","value":"x"},{"id":3,"kind":"fax","value":"x"}]`, []string{"record crm.person/1", "record crm.person/2", "record crm.person/3", "field value=x phone of crm.person/1", "field value=x email of crm.person/2", "field value=x online of crm.person/3"}},
		{"by form", `[{"id":1,"value":"a@b.example"},{"id":2,"kind":null,"value":"+49 171 1234"},{"id":3,"value":"Weber"}]`, []string{"record crm.person/1", "record crm.person/2", "record crm.person/3", "field value=a@b.example email of crm.person/1", "field value=+49 171 1234 phone of crm.person/2", "field value=Weber email+online+phone of crm.person/3"}},
		{"date", `[{"id":1,"born":{"__class__":"date","year":1980,"month":5,"day":3}}]`, []string{"record crm.person/1", "field born=1980 birthdate as year of crm.person/1", "field born=5 birthdate as month of crm.person/1", "field born=3 birthdate as day of crm.person/1"}},
		{"number in an object", `[{"id":1,"amount":{"__class__":"Decimal","decimal":"-1.5E3"},"phone":{"__class__":"Decimal","decimal":"49"}}]`, []string{"record crm.person/1", "field phone=49 phone as decimal of crm.person/1"}},
		{"text in a number's object", `[{"id":1,"amount":{"__class__":"Decimal","decimal":"Weber"}}]`, []string{"record crm.person/1", "field amount=Weber unclassified as decimal of crm.person/1"}},
		{"more in a number's object", `[{"id":1,"amount":{"__class__":"Decimal","decimal":"1","x":"Weber"}}]`, []string{"record crm.person/1", `field amount={"__class__":"Decimal","decimal":"1","x":"Weber"} unclassified of crm.person/1`}},
		{"file", `[{"id":1,"picture":{"__class__":"bytes","base64":"eA=="}}]`, []string{"record crm.person/1", "field picture=eA== identity as base64 of crm.person/1"}},
		{"file as a number that nobody asked for", `[{"id":1,"picture":123}]`, []string{"record crm.person/1", "field picture=123 identity of crm.person/1"}},
		{"keys hold values", `[{"id":1,"tags":{"Weber":1}}]`, []string{"record crm.person/1", `field tags={"Weber":1} free_text of crm.person/1 keys`}},
		{"changes", `{"accounts":{"add":[[0,{"id":-3,"iban":"x"}]],"update":[{"id":5,"iban":"y"}],"remove":[6]}}`, []string{"record crm.account/5", "field iban=x bank", "field iban=y bank of crm.account/5"}},
		{"changes that are texts", `{"accounts":{"add":["DE89"]}}`, []string{"field crm.account=DE89 unclassified"}},
		{"what looks like changes", `{"accounts":{"add":[1],"note":"x"}}`, []string{"field add=[1] unclassified", "field note=x unclassified"}},
		{"document in a text", `[{"id":1,"extra":"{\"id\":2,\"phone\":\"x\"}"}]`, []string{"record crm.person/1", "nested record crm.person/2", "nested field phone=x phone of crm.person/2"}},
		{"list in a text", `[{"id":1,"extra":"[{\"id\":2,\"phone\":\"x\"}]"}]`, []string{"record crm.person/1", "nested record crm.person/2", "nested field phone=x phone of crm.person/2"}},
		{"no document in a text", `[{"id":1,"extra":"{Weber"},{"id":2,"extra":"491711234"}]`, []string{"record crm.person/1", "record crm.person/2", "field extra={Weber free_text of crm.person/1", "field extra=491711234 free_text of crm.person/2"}},
		{"withheld field", `[{"id":1,"fault":"Weber"}]`, []string{"record crm.person/1", "withheld Weber"}},
		{"text alone", `"Weber"`, []string{"field crm.person=Weber name"}},
		{"number alone", `7`, []string{"record crm.person/7"}},
		{"nothing", `null`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.result, answered(t, reading(t), c.result), c.want...)
		})
	}
}

// TestDocumentsInDocumentsHaveABottom: below it, a text is masked as one.
func TestDocumentsInDocumentsHaveABottom(t *testing.T) {
	src := `{"phone":"x"}`
	for range 5 {
		src = `{"extra":` + quote(src) + `}`
	}
	got := answered(t, reading(t), src)
	if len(got) != 1 || !strings.HasPrefix(got[0], "nested nested nested field extra={") {
		t.Errorf("found %q", got)
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func TestBareIDsAreRecords(t *testing.T) {
	x := classify(t, mini(t), rpc("model.crm.person.search", `[]`))
	same(t, "ids", answered(t, x, `[3,4]`), "record crm.person/3", "record crm.person/4")
	same(t, "no ids", answered(t, x, `["Weber",{"name":"x"},null,3.5]`), "field crm.person=Weber unclassified", `field crm.person={"name":"x"} unclassified`, "field crm.person=3.5 unclassified")
	tree := parse(t, `{"id":7,"result":12}`)
	if l, err := x.Locate(tree, 200); err != nil || l.Rows != 1 {
		t.Errorf("a count: %+v, %v", l, err)
	}
	x = classify(t, mini(t), rpc("model.ref.place.search", `[]`))
	same(t, "ids without persons", answered(t, x, `[3]`))
}

// TestPositionalRowsAreTheirColumns, which the profile or the request names.
func TestPositionalRowsAreTheirColumns(t *testing.T) {
	p := mini(t)
	x := classify(t, p, rpc("model.crm.person.find", `"web"`))
	same(t, "tuple", answered(t, x, `[["crm.person",4,"Weber"],["crm.account",5,"DE89"],["ref.place",6,"Lager"],["crm.pet",7,"Rex"]]`),
		"record crm.person/4", "record crm.account/5", "record crm.pet/7",
		"field rec_name=Weber name of crm.person/4", "field rec_name=DE89 bank of crm.account/5", "field crm.pet=Rex unclassified of crm.pet/7")
	same(t, "longer tuple", answered(t, x, `[["crm.person",4,"a","b"]]`), "record crm.person/4", "field rec_name=a name of crm.person/4", "field crm.person=b unclassified of crm.person/4")
	same(t, "no tuple", answered(t, x, `["Weber",{"a":"Weber"}]`), "field =Weber unclassified", `field ={"a":"Weber"} unclassified`)

	x = classify(t, p, rpc("model.crm.person.export_data", `[1],["state","phone","accounts/iban","boss","value","kind.translated","nosuch/name","boss/picture"]`))
	same(t, "columns", answered(t, x, `[["open","1","DE89","Weber","a@b.example","Art","x",""],["","2","DE90"]]`),
		"field phone=1 phone", "field accounts.iban=DE89 bank", "field boss=Weber name", "field value=a@b.example email", "field nosuch.name=x unclassified", "field boss.picture= identity",
		"field phone=2 phone", "field accounts.iban=DE90 bank")
	same(t, "more cells than columns", answered(t, x, `[["open","1","","","","","","","Weber"]]`),
		"field phone=1 phone", "field accounts.iban= bank", "field boss= name", "field value= email+online+phone", "field nosuch.name= unclassified", "field boss.picture= identity", "field crm.person=Weber unclassified")
	same(t, "no row", answered(t, x, `["Weber"]`), "field crm.person=Weber unclassified")
}

// TestWhatNobodyAccountsForIsUnclassified: texts outside records.
func TestWhatNobodyAccountsForIsUnclassified(t *testing.T) {
	p := mini(t)
	x := classify(t, p, get("/people"))
	same(t, "page", locateJSON(t, x, `{"items":[{"id":1,"name":"a"}],"best":{"id":2,"phone":"b"},"total":2,"next":{"page":"x"},"hint":"Weber","more":[["Weber"]]}`, 200),
		"record crm.person/1", "record crm.person/2", "field name=a name of crm.person/1", "field phone=b phone of crm.person/2", "field hint=Weber unclassified", "field =Weber unclassified")
	same(t, "error", locateJSON(t, x, `{"message":"Weber","code":5,"empty":""}`, 500), "withheld Weber")
	same(t, "error with a record's place", locateJSON(t, classify(t, p, get("/people/7")), `{"id":7,"name":"a"}`, 404), "withheld a")
	same(t, "status with a place of its own", locateJSON(t, classify(t, p, get("/people/7")), `{"id":7,"name":"a"}`, 422), "record crm.person/7", "field name=a name of crm.person/7")
	x = classify(t, p, rpc("model.crm.person.button_click", `[1]`))
	same(t, "public member", answered(t, x, `"reload"`))
	x = classify(t, p, rpc("model.crm.person.delete", `[1]`))
	same(t, "no place", answered(t, x, `"Weber"`), "field result=Weber unclassified")
}

// TestRowOfAStreamIsLocatedAlone.
func TestRowOfAStreamIsLocatedAlone(t *testing.T) {
	x := classify(t, mini(t), get("/people/7"))
	tree := parse(t, `{"id":7,"phone":"x"}`)
	l, err := x.LocateRow(tree)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "row", located(tree, l), "record crm.person/7", "field phone=x phone of crm.person/7")
}

func TestAnswerOfAnotherShapeIsNotLocated(t *testing.T) {
	x := reading(t)
	for _, body := range []string{`[]`, `"x"`, `{}`, `{"id":7}`, `{"result":1,"error":[]}`, `{"result":1,"more":2}`, `{"id":7,"Result":[]}`} {
		if _, err := x.Locate(parse(t, body), 200); !errors.Is(err, ErrShape) {
			t.Errorf("Locate(%s) = %v, want ErrShape", body, err)
		}
	}
}

// TestErrorsAreWithheldButForWhatIsKnown: texts can quote values of any
// entity, so that who may not see all of one of them doesn't see them.
func TestErrorsAreWithheldButForWhatIsKnown(t *testing.T) {
	x := reading(t)
	for failure, want := range map[string][]string{
		`["UserError",["Weber ist nicht gültig","","x"]]`: {"withheld Weber ist nicht gültig", "withheld x"},
		`["UserError",["a","b",[["name","=","Weber"]]]]`:  {"withheld a", "withheld b", "withheld name", "withheld =", "withheld Weber"},
		`["UserError",["a"],"Weber"]`:                     {"withheld a", "withheld Weber"},
		`["UserWarning",["key_7","Weber",""]]`:            {"withheld Weber"},
		`["KeyError","Traceback Weber"]`:                  {"withheld KeyError", "withheld Traceback Weber"},
		`"Weber"`:                                         {"withheld Weber"},
		`{"0":"UserError"}`:                               {"withheld UserError"},
		`["Weber",4711]`:                                  {"field =4711 unclassified as number", "withheld Weber"},
	} {
		same(t, failure, locateJSON(t, x, `{"id":7,"error":`+failure+`}`, 200), want...)
	}
	tree := parse(t, `{"id":7,"error":["Weber"]}`)
	l, err := x.Locate(tree, 200)
	if err != nil || len(l.Withheld) != 2 || l.Withheld[0].Entity != "person" || l.Withheld[1].Entity != "account" || l.Withheld[0].Text != "WITHHELD" {
		t.Errorf("withheld %+v, %v", l.Withheld, err)
	}
	tree = parse(t, `{"id":7,"error":["Weber"]}`)
	l, err = classify(t, mini(t), rpc("model.ref.place.read", `[1],["name"]`)).Locate(tree, 200)
	if err != nil || len(l.Withheld) != 3 || l.Withheld[2].Entity != "place" {
		t.Errorf("withheld %+v, %v", l.Withheld, err)
	}
}

// TestOnlyNewRecordsEcho: beside a stored record, a value that stays clear
// because the client sent the same would confirm a guess.
func TestOnlyNewRecordsEcho(t *testing.T) {
	p := mini(t)
	for _, c := range []struct {
		name, method, values, result string
		want                         []string
	}{
		{"new", "change", `{"id":-3,"phone":"1"}`, `{"phone":"1","note":"x"}`, []string{"field phone=1 phone echo", "field note=x free_text echo"}},
		{"new, in a list", "change", `{"phone":"1"}`, `[{"phone":"1"}]`, []string{"field phone=1 phone echo"}},
		{"stored", "change", `{"id":3,"phone":"1"}`, `{"phone":"1"}`, []string{"record crm.person/3", "field phone=1 phone of crm.person/3"}},
		{"stored within new", "change", `{"id":-3,"accounts":[{"id":4,"iban":"1"}]}`, `{"phone":"1"}`, []string{"field phone=1 phone"}},
		{"stored beside new", "change", `{"id":-3,"boss":{"id":4,"phone":"1"}}`, `{"phone":"1"}`, []string{"field phone=1 phone"}},
		{"related to new", "change", `{"id":-3,"boss":4}`, `{"boss.":{"id":4,"phone":"1"},"accounts":["DE89"],"phone":"1"}`, []string{"record crm.person/4", "field phone=1 phone of crm.person/4", "field crm.account=DE89 bank", "field phone=1 phone echo"}},
		{"one value, new", "change_with_phone", `{"id":-3}`, `"1"`, []string{"field phone=1 phone echo"}},
		{"one value, stored", "change_with_phone", `{"id":3}`, `"1"`, []string{"record crm.person/3", "field phone=1 phone of crm.person/3"}},
		{"one relation", "change_with_boss", `{"id":-3}`, `"Weber"`, []string{"field crm.person=Weber name"}},
		{"no echo", "read", `[1],["phone"]`, `[{"phone":"1"}]`, []string{"field phone=1 phone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := classify(t, p, rpc("model.crm.person."+c.method, c.values))
			same(t, c.result, answered(t, x, c.result), c.want...)
		})
	}
	x := classify(t, p, send("POST", "/people", "application/json", `{"phone":"1"}`))
	same(t, "created", locateJSON(t, x, `{"id":9,"phone":"1","boss":{"id":2,"phone":"1"}}`, 201),
		"record crm.person/9", "record crm.person/2", "field phone=1 phone of crm.person/9 echo", "field phone=1 phone of crm.person/2")
}

func TestOwnerSettlesTheFactOwn(t *testing.T) {
	x := classify(t, mini(t), get("/people/7"))
	for user, want := range map[string]string{"vera": "2 1 0", "": "1 1 0"} {
		x.User = user
		tree := parse(t, `[{"id":1,"owner":"vera"},{"id":2,"owner":"max"},{"id":3}]`)
		l, err := x.Locate(tree, 200)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range l.Records {
			got = append(got, string('0'+rune(r.Facts["own"])))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("user %q: own is %s, want %s", user, s, want)
		}
	}
}

func TestCSVColumnsAreNamedByRequestOrHeader(t *testing.T) {
	p := mini(t)
	x := classify(t, p, get("/data/crm.person", "f", "id", "f", "phone", "f", "accounts/iban", "f", "nosuch"))
	got, rows, err := locateCSV(t, x, "id,phone,accounts/iban,nosuch\r\n7,1,DE89,x\r\n,,DE90,\r\n")
	if err != nil || rows != 1 {
		t.Fatalf("rows %d, %v", rows, err)
	}
	same(t, "request", got, "record crm.person/7",
		"field phone=1 phone of crm.person/7", "field accounts.iban=DE89 bank of crm.person/7", "field nosuch=x unclassified of crm.person/7",
		"field phone= phone", "field accounts.iban=DE90 bank", "field nosuch= unclassified")

	x = classify(t, p, get("/data/crm.person", "f", "phone", "h", "0", "dl", ";"))
	got, _, err = locateCSV(t, x, "1\r\n2\r\n")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "without header", got, "field phone=1 phone", "field phone=2 phone")

	x = classify(t, p, get("/export.csv"))
	got, _, err = locateCSV(t, x, "Nr.;Name;Stand;Neu\n7;Weber;offen;x\n")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "by header", got, "record crm.person/7", "field =Neu unclassified", "field name=Weber name of crm.person/7", "field =x unclassified of crm.person/7")
}

// TestHeaderThatRepeatsNothingIsARowOfValues.
func TestHeaderThatRepeatsNothingIsARowOfValues(t *testing.T) {
	x := classify(t, mini(t), get("/data/crm.person", "f", "phone", "f", "name"))
	for _, body := range []string{"1,Weber\r\n", "name,phone\r\n", "phone\r\n"} {
		if _, _, err := locateCSV(t, x, body); !errors.Is(err, ErrShape) {
			t.Errorf("Locate(%q) = %v, want ErrShape", body, err)
		}
	}
	// Nor does a row of which the profile knows nothing.
	x = classify(t, mini(t), get("/export.csv"))
	for _, body := range []string{"7;Weber\n8;Huber\n", "Kontakte von Weber\n", "nr.;name\n7;Weber\n"} {
		if _, _, err := locateCSV(t, x, body); !errors.Is(err, ErrShape) {
			t.Errorf("Locate(%q) = %v, want ErrShape", body, err)
		}
	}
}

// TestPagesAreFoundByTheirSelectors: text of a record that no selector names is
// unclassified.
func TestPagesAreFoundByTheirSelectors(t *testing.T) {
	x := classify(t, mini(t), get("/page/7"))
	got, err := locateHTML(t, x, `<body><h1>Weber</h1><p>Hilfe</p>`+
		`<article data-id="7" data-phone="1"><dl><dt>Telefon</dt><dd class="phone">2</dd><dd class="fixed">offen</dd><dd class="email">`+
		`<span title="a@b">c@d</span></dd><dd class="nosuch">n</dd><dd>- / -</dd></dl>frei</article>`+
		`<script id="json" type="application/json">{"id":7,"phone":"3"}</script></body>`, 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "page", got, "record crm.person/7", "record crm.person/7",
		"field phone=1 phone of crm.person/7", "field phone=2 phone of crm.person/7", "field email=c@d email of crm.person/7", "field nosuch=n unclassified of crm.person/7",
		"field email=a@b email of crm.person/7", "field #text=frei unclassified of crm.person/7", "field name=Weber name of crm.person/7",
		"nested record crm.person/7", "nested field phone=3 phone of crm.person/7")
}

// TestRepeatedAttributesAreAllTheField: browsers heed the first alone, but the others
// are in the page, too.
func TestRepeatedAttributesAreAllTheField(t *testing.T) {
	x := classify(t, mini(t), get("/page/7"))
	got, err := locateHTML(t, x, `<body><article data-id="7" DATA-ID="8" data-phone="1" data-phone=2 DATA-PHONE='3'><dl><dd class="email" class="fixed"><span title="a@b" TITLE="c@d"></span></dd></dl></article></body>`, 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "page", got, "record crm.person/7", "record crm.person/7", "field phone=1 phone of crm.person/7", "field phone=2 phone of crm.person/7", "field phone=3 phone of crm.person/7",
		"field email=a@b email of crm.person/7", "field email=c@d email of crm.person/7")
}

func TestPageWithoutItsRecordHasAnotherShape(t *testing.T) {
	src := change(t, `      - {select: body, page: true, id: "{id}", fields: {h1: name, "script#json": extra}}`+"\n", "")
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locateHTML(t, classify(t, p, get("/page/7")), `<body><section>Weber</section></body>`, 200); !errors.Is(err, ErrShape) {
		t.Errorf("Locate = %v, want ErrShape", err)
	}
}

// TestListWithoutItsRecordsHasAnotherShape: nobody can say what stands where,
// unless the page has what the profile says stands in an empty one.
func TestListWithoutItsRecordsHasAnotherShape(t *testing.T) {
	x := classify(t, mini(t), get("/pages"))
	for _, page := range []string{
		`<body></body>`,
		`<body><ul><li>Weber</li></ul></body>`,
		`<body><table><tbody></tbody></table></body>`,
		`<body><table><tbody><tr class="people"><td class="name">Weber</td></tr></tbody></table></body>`,
	} {
		if _, err := locateHTML(t, x, page, 200); !errors.Is(err, ErrShape) {
			t.Errorf("Locate(%s) = %v, want ErrShape", page, err)
		}
	}
	got, err := locateHTML(t, x, `<body><p class="none">Nobody</p></body>`, 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "an empty list", got)
}

func TestRowOfAListThatNoSelectorNamesIsUnclassified(t *testing.T) {
	x := classify(t, mini(t), get("/pages"))
	got, err := locateHTML(t, x, `<body><table><thead><tr><th>Telefon</th></tr></thead><tbody><tr class="group"><td>Familie Weber</td></tr>`+
		`<tr class="person" data-id="7"><td class="phone">1</td></tr></tbody></table></body>`, 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "list", got, "record crm.person/7", "field phone=1 phone of crm.person/7", "field #text=Familie Weber unclassified")
}

func TestPlacesOfAPageCanBeForOneStatus(t *testing.T) {
	x := classify(t, mini(t), send("POST", "/page/7", "application/x-www-form-urlencoded", "a=1"))
	const page = `<body><p class="error">Weber</p><article><dd class="phone">1</dd></article></body>`
	for status, want := range map[int][]string{
		422: {"withheld Weber"},
		201: {"record crm.person/7", "field phone=1 phone of crm.person/7"},
	} {
		got, err := locateHTML(t, x, page, status)
		if err != nil {
			t.Fatal(err)
		}
		same(t, page, got, want...)
	}
	if _, err := locateHTML(t, x, page, 500); !errors.Is(err, ErrShape) {
		t.Errorf("a status that no place is for: %v, want ErrShape", err)
	}
}
