package profile

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

func builtinProfile(t testing.TB, name string) *Profile {
	t.Helper()
	src, err := Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kw is a call of Odoo's web client. args and kwargs are JSON.
func kw(model, method, args, kwargs string) Request {
	return send("POST", "/web/dataset/call_kw/"+model+"/"+method, "application/json",
		`{"id":7,"jsonrpc":"2.0","method":"call","params":{"model":"`+model+`","method":"`+method+`","args":`+args+`,"kwargs":`+kwargs+`}}`)
}

func json2(model, method, body string) Request {
	return send("POST", "/json/2/"+model+"/"+method, "application/json", body)
}

// odooAsks are the references of a request without those that select, or the
// reason of its refusal.
func odooAsks(t *testing.T, p *Profile, r Request) string {
	t.Helper()
	return alikeInXML(t, r, func(r Request) string { return odooAsked(t, p, r) })
}

func odooAsked(t *testing.T, p *Profile, r Request) string {
	t.Helper()
	if reason := refused(t, p, r); reason != "" {
		return reason
	}
	var out []string
	for _, a := range asks(classify(t, p, r)) {
		if !strings.HasPrefix(a, "select") {
			out = append(out, a)
		}
	}
	return strings.Join(out, "; ")
}

// TestOdooFiltersAreReadWhole: each field that a filter names is asked about, over
// relations and in sub-filters; what can't be read is refused.
func TestOdooFiltersAreReadWhole(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for domain, want := range map[string]string{
		`[]`:                      "",
		`false`:                   "",
		`null`:                    "",
		`[["email","ilike","x"]]`: "filter email email",
		`["|",["email","ilike","x"],"!",["is_company","=",true]]`:         "filter email email; filter is_company public",
		`["&","|",["phone","=",false],["id","in",[1,2]],["x_own","=",1]]`: "filter phone phone; filter id public; filter x_own unclassified",
		`[["bank_ids.acc_number","=like","DE75%"]]`:                       "filter bank_ids.acc_number bank",
		`[["parent_id.child_ids.email","=","x"]]`:                         "filter parent_id.child_ids.email email",
		`[["bank_ids","any",[["acc_holder_name","=","x"]]]]`:              "filter bank_ids.acc_holder_name name",
		`[["parent_id","not any",["|",["zip","=","1"],["ref","=","2"]]]]`: "filter parent_id.zip address; filter parent_id.ref public",
		`[["user_id","=",7]]`:                                                   "filter user_id public",
		`[["user_id","ilike","Klein"]]`:                                         "filter user_id public",
		`[["bank_ids","=",false],["bank_ids","in",[1]]]`:                        "filter bank_ids public; filter bank_ids public",
		`[["bank_ids","ilike","DE"]]`:                                           "filter bank_ids bank+name+name+email+public+tax_id+phone",
		`[["display_name","ilike","x"]]`:                                        "filter display_name name+email+public+tax_id+phone",
		`[[1,"=",1]]`:                                                           "",
		`[["unknown_id.email","=","x"]]`:                                        "filter unknown_id.email unclassified",
		`[["create_date.month_number","=",3]]`:                                  "filter create_date.month_number unclassified",
		`[["unknown_id","any",[["email","=","x"]]]]`:                            "unknown_field",
		`[["email","any",[["email","=","x"]]]]`:                                 "unknown_field",
		`[["bank_ids","any!",[["acc_number","=","x"]]]]`:                        "malformed",
		`[["id","inselect",["select id from res_partner where email='x'",[]]]]`: "malformed",
		`[["email","similar","x"]]`:                                             "malformed",
		`[["email","="]]`:                                                       "malformed",
		`[["email","=","x","y"]]`:                                               "malformed",
		`[["","=","x"]]`:                                                        "malformed",
		`[{"email":"x"}]`:                                                       "malformed",
		`["email","=","x"]`:                                                     "malformed",
		`[["email","=",{"x":1}]]`:                                               "malformed",
		`[[["email","=","x"]]]`:                                                 "malformed",
		`"[('email','=','x')]"`:                                                 "malformed",
		`true`:                                                                  "malformed",
		`{"email":"x"}`:                                                         "malformed",
		strings.Repeat(`[["parent_id","any",`, 20) + `[]` + strings.Repeat(`]]`, 20): "malformed",
	} {
		for how, r := range map[string]Request{
			"by place": kw("res.partner", "search_count", "["+domain+"]", `{}`),
			"by name":  kw("res.partner", "search_count", "[]", `{"domain":`+domain+`}`),
			"json-2":   json2("res.partner", "search_count", `{"domain":`+domain+`}`),
		} {
			if got := odooAsks(t, p, r); got != want {
				t.Errorf("%s, %s: %s, want %s", domain, how, got, want)
			}
		}
	}
}

func TestOdooOrdersAndGroupsAreReadWhole(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for kwargs, want := range map[string]string{
		`{"order":"email desc, phone ASC NULLS last,id"}`: "sort email email; sort phone phone; sort id public",
		`{"order":"user_id"}`:                             "sort user_id public",
		`{"order":"parent_id desc"}`:                      "sort parent_id name",
		`{"order":""}`:                                    "",
		`{"order":false}`:                                 "",
		`{"order":["email"]}`:                             "malformed",
		`{"order":{"email":1}}`:                           "malformed",
		`{"order":"email; drop"}`:                         "malformed",
		`{"order":"(select 1)"}`:                          "malformed",
		`{"order":"email desc desc"}`:                     "malformed",
		`{"order":"email,,id"}`:                           "malformed",
		`{"specification":{"bank_ids":{"fields":{},"order":"acc_number desc"}}}`: "sort bank_ids.acc_number bank",
		`{"specification":{"bank_ids":{"sort":"acc_number"}}}`:                   "malformed",
		`{"specification":{"bank_ids":{"order":["acc_number"]}}}`:                "malformed",
		`{"specification":["email"]}`:                                            "malformed",
		`{"specification":{"email":true}}`:                                       "malformed",
		`{"having":[["email:max","=","x"]]}`:                                     "malformed",
	} {
		if got := odooAsks(t, p, kw("res.partner", "web_search_read", "[]", kwargs)); got != want {
			t.Errorf("%s: %s, want %s", kwargs, got, want)
		}
	}
	for kwargs, want := range map[string]string{
		`{"groupby":["email"]}`:                                                                   "group email email",
		`{"groupby":"email"}`:                                                                     "group email email",
		`{"groupby":["create_date:month","user_id"]}`:                                             "group create_date public; group user_id public",
		`{"groupby":["birthdate_date:year"]}`:                                                     "group birthdate_date birthdate",
		`{"groupby":["parent_id"],"fields":["id:count"]}`:                                         "group parent_id name; aggregate id public",
		`{"groupby":[],"aggregates":["__count","email:max"]}`:                                     "aggregate email email",
		`{"groupby":[],"fields":["color:max(email)"]}`:                                            "malformed",
		`{"groupby":[["email"]]}`:                                                                 "malformed",
		`{"groupby":["user_id"],"orderby":"email desc,__count"}`:                                  "group user_id public; sort email email",
		`{"groupby":["user_id"],"order":"email:max desc"}`:                                        "group user_id public; sort email email",
		`{"groupby":["user_id"],"unfold_read_specification":{"bank_ids":{"order":"acc_number"}}}`: "group user_id public; sort bank_ids.acc_number bank",
	} {
		if got := odooAsks(t, p, kw("res.partner", "web_read_group", "[[]]", kwargs)); got != want {
			t.Errorf("%s: %s, want %s", kwargs, got, want)
		}
	}
}

// TestOdooArgumentsHaveOneMeaning: one that is unknown, or comes by place and by
// name, is refused: the CRM would heed one of them.
func TestOdooArgumentsHaveOneMeaning(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for _, c := range []struct {
		what string
		r    Request
		want string
	}{
		{"twice", kw("res.partner", "search_count", `[[]]`, `{"domain":[["email","=","x"]]}`), "malformed"},
		{"unknown by name", kw("res.partner", "search_read", `[]`, `{"sudo":true}`), "malformed"},
		{"more by place", kw("res.partner", "search_count", `[[],1,2]`, `{}`), "malformed"},
		{"the method of the address means nothing", send("POST", "/web/dataset/call_kw/res.partner/fields_get", "application/json",
			`{"id":1,"jsonrpc":"2.0","method":"call","params":{"model":"res.partner","method":"my_own_method","args":[],"kwargs":{}}}`), "unknown_call"},
		{"model that isn't known", kw("hr.employee", "search_read", `[]`, `{}`), "unknown_type"},
		{"private method", kw("res.partner", "_search", `[]`, `{}`), "unknown_call"},
		{"method of an address", kw("res.partner", "/mail/data", `[]`, `{}`), "unknown_call"},
		{"execute", send("POST", "/jsonrpc", "application/json", `{}`), "denied"},
		{"another member", send("POST", "/web/dataset/call_kw", "application/json", `{"id":1,"jsonrpc":"2.0","method":"call","params":{},"x":1}`), "malformed"},
		{"no text", kw("res.partner", "search_count", `[]`, `[]`), "malformed"},
		{"context that is a list", kw("res.partner", "search_count", `[]`, `{"context":[1]}`), "malformed"},
		{"id that is a text", json2("res.partner", "read", `{"ids":["7"]}`), "malformed"},
		{"JSON-2 unknown argument", json2("res.partner", "read", `{"ids":[7],"args":[]}`), "malformed"},
		{"JSON-2 list", json2("res.partner", "read", `[7]`), "malformed"},
		{"no action of the server", send("POST", "/web/action/run", "application/json", `{"id":1,"jsonrpc":"2.0","method":"call","params":{"action_id":1}}`), "unknown_call"},
		{"resequence", send("POST", "/web/dataset/resequence", "application/json", `{"id":1,"jsonrpc":"2.0","method":"call","params":{"model":"res.partner"}}`), "unknown_call"},
		{"good", kw("res.partner", "search_count", `[[]]`, `{"context":{"lang":"de_DE"}}`), ""},
	} {
		if got := alikeInXML(t, c.r, func(r Request) string { return refused(t, p, r) }); got != c.want {
			t.Errorf("%s: refused %q, want %q", c.what, got, c.want)
		}
	}
}

// TestOdooGroupsHoldNoValueInClear: in the group's own value, in the filters and
// ranges that lead into it, and in records that are unfolded in it.
func TestOdooGroupsHoldNoValueInClear(t *testing.T) {
	p := builtinProfile(t, "odoo")
	x := classify(t, p, kw("res.partner", "web_read_group", "[[]]", `{"groupby":["birthdate_date:month"]}`))
	same(t, "groups", odooAnswer(t, x, `{"groups":[{
		"birthdate_date:month":"März 1984","__count":2,"id":2,"user_id":[7,"Petra Klein"],"parent_id":[5,"Anna Weber"],"email:max":"z@x.de",
		"__domain":["&",["birthdate_date",">=","1984-03-01"],["create_date","<","2026-04-01"],["bank_ids","any",[["acc_number","in",["DE1","DE2"]]]],["user_id","=",7],["parent_id","ilike","Anna"],["x","similar","Zoe"],"Zoe"],
		"__range":{"birthdate_date:month":{"from":"1984-03-01","to":"1984-04-01"}},
		"__records":[{"id":9,"email":"r@x.de"}],
		"__groups":{"length":1,"groups":[{"email":"n@x.de","__extra_domain":[["email","=","n@x.de"]]}]},
		"__values":{"id":5,"name":"V"}}],"length":1}`),
		"record company/5",
		"record res.partner/9",
		"field birthdate_date=März 1984 birthdate",
		"field employee=Petra Klein public",
		"field company=Anna Weber name",
		"field email=z@x.de email",
		"field birthdate_date=1984-03-01 birthdate",
		`field acc_number=["DE1","DE2"] bank`,
		"field __domain=Anna name",
		`field __domain=["x","similar","Zoe"] unclassified`,
		"field __domain=Zoe unclassified",
		"field birthdate_date=1984-03-01 birthdate",
		"field birthdate_date=1984-04-01 birthdate",
		"field email=r@x.de email of res.partner/9",
		"field email=n@x.de email",
		"field email=n@x.de email",
		`field __values={"id":5,"name":"V"} unclassified`)

	x = classify(t, p, kw("res.partner", "read_progress_bar", "[]", `{"domain":[],"group_by":"email","progress_bar":{"field":"activity_state","colors":{}}}`))
	same(t, "progress bar", odooAnswer(t, x, `{"a@x.de":{"planned":1}}`), `field email={"a@x.de":{"planned":1}} email keys`, `field email={"planned":1} public`)
	x = classify(t, p, kw("res.partner", "read_progress_bar", "[]", `{"domain":[],"group_by":"parent_id","progress_bar":{"field":"activity_state","colors":{}}}`))
	same(t, "progress bar", odooAnswer(t, x, `{"Anna":{}}`), `field parent_id={"Anna":{}} name keys`, "field parent_id={} public")
}

func odooAnswer(t *testing.T, x *Exchange, result string) []string {
	t.Helper()
	found := locateJSON(t, x, `{"jsonrpc":"2.0","id":7,"result":`+result+`}`, 200)
	answeredAlike(t, x, result, found)
	return found
}

// TestOdooDisplayHoldsWhatTheContextAsksFor.
func TestOdooDisplayHoldsWhatTheContextAsksFor(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for _, c := range []struct {
		r    Request
		want string
	}{
		{kw("res.partner", "name_search", `["a"]`, `{}`), "name"},
		{kw("res.partner", "name_search", `["a"]`, `{"context":{"show_email":true}}`), "email+name"},
		{kw("res.partner", "name_search", `["a"]`, `{"context":{"show_address":1,"show_vat":1}}`), "address+name+tax_id"},
		{kw("res.partner", "name_search", `["a"]`, `{"args":[["name","=","show_email"]]}`), "name"},
		{json2("res.partner", "name_search", `{"name":"a","context":{"show_email":1}}`), "email+name"},
	} {
		x := classify(t, p, c.r)
		answer := `[[3,"Anna"]]`
		if x.tr.bare {
			same(t, string(c.r.Body), sortedCategories(locateJSON(t, x, answer, 200)), "record res.partner/3", "field display_name=Anna "+c.want+" of res.partner/3")
			continue
		}
		same(t, string(c.r.Body), sortedCategories(odooAnswer(t, x, answer)), "record res.partner/3", "field display_name=Anna "+c.want+" of res.partner/3")
	}
	// In a part of the request, and shown by another record.
	x := classify(t, p, kw("sale.order", "web_read", `[[1]]`, `{"specification":{"partner_id":{"fields":{"display_name":{}},"context":{"show_address":1}}}}`))
	got := strings.Join(sortedCategories(odooAnswer(t, x, `[{"id":1,"partner_id":{"id":2,"display_name":"Anna\nWeg 1"}},{"id":3,"partner_id":[2,"Anna\nWeg 1"]}]`)), "; ")
	for _, want := range []string{"field display_name=Anna\nWeg 1 address+name of res.partner/2", "field res.partner=Anna\nWeg 1 address+name"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// sortedCategories sorts the categories of what was located: those of a context
// have no order.
func sortedCategories(list []string) []string {
	for i, s := range list {
		words := strings.Split(s, " ")
		for j, w := range words {
			if strings.Contains(w, "+") && !strings.ContainsAny(w, "=\n") {
				parts := strings.Split(w, "+")
				slices.Sort(parts)
				words[j] = strings.Join(parts, "+")
			}
		}
		list[i] = strings.Join(words, " ")
	}
	return list
}

// TestOdooAnswersInAllTheirForms: relations as pairs, objects, ids and commands;
// false for nothing; pictures as sizes; the errors of both interfaces.
func TestOdooAnswersInAllTheirForms(t *testing.T) {
	p := builtinProfile(t, "odoo")
	x := classify(t, p, kw("crm.lead", "read", "[[1]]", `{"context":{"bin_size":true}}`))
	same(t, "lead", odooAnswer(t, x, `[{"id":1,"name":"Dach für Weber","email_from":false,"partner_id":[4,"Anna Weber"],"activity_ids":[8,9],
		"user_id":false,"stage_id":[1,"Neu"],"x_own":"?","x_number":4,"x_flag":false,"x_rel_id":[5,"Anna"],"probability":12.5}]`),
		"record crm.lead/1", "record res.partner/4", "record mail.activity/8", "record mail.activity/9",
		"field name=Dach für Weber free_text of crm.lead/1", "field res.partner=Anna Weber name", "field crm.stage=Neu public",
		"field x_own=? unclassified of crm.lead/1", `field x_rel_id=[5,"Anna"] unclassified of crm.lead/1`)

	x = classify(t, p, kw("res.partner", "web_read", "[[1]]", `{"specification":{"avatar_128":{}},"context":{"bin_size":true}}`))
	same(t, "size", odooAnswer(t, x, `[{"id":1,"avatar_128":"12.34 Kb","image_1920":"iVBORw0KGgo="}]`), "record res.partner/1", "field image_1920=iVBORw0KGgo= identity of res.partner/1")
	if got := refsOf(x, RefWhole); len(got) != 0 {
		t.Errorf("the size of a picture is refused: %v", got)
	}
	x = classify(t, p, kw("res.partner", "web_read", "[[1]]", `{"specification":{"avatar_128":{}}}`))
	if got := refsOf(x, RefWhole); len(got) != 1 {
		t.Errorf("a picture's bytes are asked for as %v", got)
	}

	x = classify(t, p, kw("res.partner", "onchange", `[[1],{"bank_ids":[[1,3,{"acc_number":"DE1"}]]},["bank_ids"],{"bank_ids":{"fields":{"acc_number":{}}}}]`, `{}`))
	same(t, "onchange", odooAnswer(t, x, `{"value":{"phone":"0","parent_id":{"id":5,"display_name":"Anna"},"bank_ids":[[5],[4,6],[1,7,{"acc_number":"DE2"}],[0,"virtual_1",{"acc_number":"DE3"}],[6,0,[8]],[9,1,2],["x"]]},"warning":{"title":"T","message":"Anna"}}`),
		"record company/5", "record res.partner.bank/6", "record res.partner.bank/7", "record res.partner.bank/8",
		"field phone=0 phone", "field display_name=Anna name of company/5",
		"field acc_number=DE2 bank of res.partner.bank/7", "field acc_number=DE3 bank",
		"field res.partner.bank=[9,1,2] unclassified", `field res.partner.bank=["x"] unclassified`,
		"field title=T unclassified", "field message=Anna unclassified")

	x = classify(t, p, json2("res.partner", "read", `{"ids":[1]}`))
	same(t, "error", locateJSON(t, x, `{"name":"odoo.exceptions.UserError","message":"Anna is here","arguments":["Anna"],"context":{},"debug":"…"}`, 422),
		"withheld Anna is here", "withheld Anna", "withheld …")
	same(t, "bare result", locateJSON(t, x, `[{"id":1,"name":"Anna"}]`, 200), "record res.partner/1", "field name=Anna name of res.partner/1")

	x = classify(t, p, kw("res.partner", "read", "[[1]]", "{}"))
	same(t, "error", locateJSON(t, x, `{"jsonrpc":"2.0","id":7,"error":{"code":200,"message":"Odoo Server Error","data":{"name":"odoo.exceptions.UserError","debug":"Traceback","message":"Anna","arguments":["Anna"],"context":{}}}}`, 200),
		"withheld Traceback", "withheld Anna", "withheld Anna")
	same(t, "unknown error", locateJSON(t, x, `{"jsonrpc":"2.0","id":7,"error":{"code":0,"message":"Anna","data":{"name":"x.Anna"}}}`, 200),
		"field =0 unclassified as number", "withheld Anna", "withheld x.Anna")
	for _, odd := range []string{`{"jsonrpc":"2.0","id":7}`, `{"jsonrpc":"2.0","id":7,"result":[],"error":{}}`, `{"jsonrpc":"2.0","id":7,"result":[],"more":"Anna"}`, `[]`} {
		if _, err := x.Locate(parse(t, odd), 200); err == nil {
			t.Errorf("%s is released", odd)
		}
	}
}

// TestOdooStoresAreReadByTheirKeys: whichever records stand in an answer of the
// mail module; a kind that isn't known is hidden whole.
func TestOdooStoresAreReadByTheirKeys(t *testing.T) {
	p := builtinProfile(t, "odoo")
	x := classify(t, p, send("POST", "/mail/data", "application/json", `{"id":1,"jsonrpc":"2.0","method":"call","params":{"fetch_params":["failures"],"context":{"lang":"de_DE"}}}`))
	same(t, "store", odooAnswer(t, x, `{"mail.activity":[{"id":3,"summary":"Anna anrufen","res_id":5,"res_model":"crm.lead","user_id":7}],"res.partner":[{"id":4,"name":"Anna"}],"hr.employee":[{"id":1,"name":"Zoe"}],"Store":{"self":"x"}}`),
		"record mail.activity/3", "record crm.lead/5", "record res.partner/4",
		"field summary=Anna anrufen free_text+name of mail.activity/3", "field name=Anna name of res.partner/4",
		`field hr.employee={"id":1,"name":"Zoe"} unclassified`, "field self=x unclassified")
	x = classify(t, p, send("POST", "/mail/thread/messages", "application/json", `{"id":1,"jsonrpc":"2.0","method":"call","params":{"thread_model":"crm.lead","thread_id":5,"fetch_params":{"search_term":"Anna"}}}`))
	if got := asks(x); len(got) != 1 || !strings.HasPrefix(got[0], "search __search ") || !strings.Contains(got[0], "bank") || x.Accesses[0].Entity != "lead" {
		t.Errorf("%v of %s", got, x.Accesses[0].Entity)
	}
	same(t, "list of 16", odooAnswer(t, x, `[{"id":3,"body":"<p>x</p>","author":{"id":4,"type":"partner","name":"Anna"},"model":"crm.lead","res_id":5,"trackingValues":[{"changedField":"E-Mail","oldValue":{"value":"a@x.de"},"newValue":{"value":false}}]}]`),
		"record mail.message/3", "record partner/4", "record crm.lead/5",
		"field body=<p>x</p> free_text+name of mail.message/3", "field author.name=Anna name of mail.message/3",
		`field trackingValues.oldValue={"value":"a@x.de"} name+email+phone+address+birthdate+bank+tax_id+free_text+online of mail.message/3`,
		`field trackingValues.newValue={"value":false} name+email+phone+address+birthdate+bank+tax_id+free_text+online of mail.message/3`)
}

// TestOdooSavesAreReadInAllTheirForms: which records a save creates, changes and
// deletes, and with which fields.
func TestOdooSavesAreReadInAllTheirForms(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for _, c := range []struct {
		what string
		r    Request
		want string
	}{
		{"update", kw("res.partner", "web_save", `[[1],{"phone":"0","user_id":7}]`, `{"specification":{"name":{}}}`), "update contact [1] phone phone"},
		{"create", kw("res.partner", "web_save", `[[],{"phone":"0","email":false}]`, `{"specification":{}}`), "create contact [] phone phone"},
		{
			"commands", kw("res.partner", "write", `[[1],{"bank_ids":[[0,"virtual_1",{"acc_number":"DE1"}],[1,3,{"acc_holder_name":"A"}],[2,4,false],[3,5],[4,6,0],[5],[6,0,[7,8]]]}]`, `{}`),
			"create bank_account [] acc_number bank; delete bank_account [4]; update bank_account [3] acc_holder_name name; update bank_account [5]; update bank_account [6]; update bank_account [7 8]; update contact [1]",
		},
		{"ids alone", kw("res.partner", "write", `[[1],{"category_id":[1,2]}]`, `{}`), "update contact [1]; update internal [1]; update internal [2]"},
		{"own kind", kw("res.partner", "create", `[[{"name":"A","child_ids":[[0,0,{"email":"e"}]]}]]`, `{}`), "create contact [] email email; create contact [] name name"},
		{"copy", kw("res.partner", "copy", `[[1]]`, `{"default":{"phone":"1"}}`), "create contact [1] phone phone"},
		{"from the context", kw("res.partner", "create", `[{"name":"A"}]`, `{"context":{"default_phone":"1","default_name":"B","default_user_id":7,"lang":"de"}}`), "create contact [] name name; create contact [] phone phone"},
		{"of a line from the context", kw("res.partner", "write", `[[1],{"bank_ids":[[0,0,{}]]}]`, `{"context":{"default_acc_number":"1"}}`), "create bank_account [] acc_number bank; update contact [1]"},
		{"JSON-2", json2("res.partner", "write", `{"ids":[1],"vals":{"phone":"0"}}`), "update contact [1] phone phone"},
		{"unknown command", kw("res.partner", "write", `[[1],{"bank_ids":[[7,1,{}]]}]`, `{}`), "malformed"},
		{"values in a link", kw("res.partner", "write", `[[1],{"bank_ids":[[4,1,{"acc_number":"x"}]]}]`, `{}`), "malformed"},
		{"object", kw("res.partner", "write", `[[1],{"bank_ids":{"create":[]}}]`, `{}`), "malformed"},
		{"command without values", kw("res.partner", "write", `[[1],{"bank_ids":[[1,3]]}]`, `{}`), "malformed"},
		{"several in one", kw("res.partner", "write", `[[1],{"bank_ids":[[1,[3,4],{"acc_number":"x"}]]}]`, `{}`), "malformed"},
		{"unknown relation", kw("res.partner", "write", `[[1],{"x_ids":[[0,0,{"name":"x"}]]}]`, `{}`), "update contact [1] x_ids unclassified"},
		{"all at once", kw("res.partner", "web_save_multi", `[[1],[{}]]`, `{}`), "unknown_call"},
	} {
		if got := odooWrites(t, p, c.r); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// odooWrites are the accesses and the fields of a save.
func odooWrites(t *testing.T, p *Profile, r Request) string {
	t.Helper()
	return alikeInXML(t, r, func(r Request) string { return odooWritten(t, p, r) })
}

func odooWritten(t *testing.T, p *Profile, r Request) string {
	t.Helper()
	if reason := refused(t, p, r); reason != "" {
		return reason
	}
	var out []string
	for _, a := range classify(t, p, r).Accesses {
		if a.Action == access.Read || a.Action == access.Update && a.IDs == nil && len(a.Refs) == 0 {
			continue
		}
		line := string(a.Action) + " " + string(a.Entity) + " [" + strings.Join(a.IDs, " ") + "]"
		n := len(out)
		for _, ref := range a.Refs {
			if ref.Role == access.RefWrite {
				out = append(out, line+" "+ref.Field+" "+string(ref.Categories[0]))
			}
		}
		if len(out) == n {
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// TestOdooStoredValuesAreReadByTheEmployeesOwnCall with another name, and other
// arguments, in both interfaces.
func TestOdooStoredValuesAreReadByTheEmployeesOwnCall(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for _, c := range []struct {
		r          Request
		path, want string
	}{
		{
			kw("res.partner", "web_save", `[[1],{"bank_ids":[[1,3,{"acc_number":"x"}]]}]`, `{"context":{"lang":"de_DE"},"specification":{}}`), "/web/dataset/call_kw/res.partner/web_save",
			`{"id":7,"jsonrpc":"2.0","method":"call","params":{"args":[[3],["id","acc_number"]],"kwargs":{"context":{"lang":"de_DE"}},"method":"read","model":"res.partner.bank"}}`,
		},
		{
			json2("res.partner", "write", `{"ids":[1],"vals":{"bank_ids":[[1,3,{"acc_number":"x"}]]}}`), "/json/2/res.partner.bank/read",
			`{"context":{},"fields":["id","acc_number"],"ids":[3]}`,
		},
	} {
		w := classify(t, p, c.r).Writes()[0]
		got, err := w.Stored([]string{"acc_number"})
		if err != nil || got.Path != c.path || string(got.Body) != c.want || got.Method != "POST" || got.MediaType != "application/json" {
			t.Errorf("%s: %+v %s, %v", c.path, got, got.Body, err)
		}
		if reason := refused(t, p, Request{Method: got.Method, Path: got.Path, MediaType: got.MediaType, Body: got.Body}); reason != "" {
			t.Errorf("the gateway's own read is refused: %s", reason)
		}
		answer := `[{"id":3,"acc_number":"DE1"}]`
		if strings.HasPrefix(c.path, "/web") {
			answer = `{"jsonrpc":"2.0","id":7,"result":` + answer + `}`
		}
		if records, err := w.ReadStored(parse(t, answer)); err != nil || len(records) != 1 {
			t.Errorf("%v, %v", records, err)
		}
	}
}

// TestOdooExportsAreKnownByTheirColumns, not by what the client writes above them.
func TestOdooExportsAreKnownByTheirColumns(t *testing.T) {
	p := builtinProfile(t, "odoo")
	post := func(data string) Request {
		return send("POST", "/web/export/csv", "application/x-www-form-urlencoded", "data="+url.QueryEscape(data)+"&token=dummy")
	}
	const fields = `"fields":[{"name":".id","label":"Nr"},{"name":"email","label":"Status"},{"name":"bank_ids/acc_number","label":"Ort"},{"name":"id","label":"Ext"},{"name":"partner_id/id","label":"P"}]`
	x := classify(t, p, post(`{"model":"res.partner","ids":false,"domain":[["email","!=",false]],"groupby":[],"import_compat":false,`+fields+`}`))
	got, _, err := locateCSV(t, x, "\"Nr\",\"Status\",\"Ort\",\"Ext\",\"P\"\r\n\"7\",\"a@x.de\",\"DE1\",\"partner_anna\",\"x.anna\"\r\n\"\",\"\",\"'+49\",\"\",\"\"\r\n")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "export", got, "record res.partner/7", "field email=a@x.de email of res.partner/7", "field bank_ids.acc_number=DE1 bank of res.partner/7",
		"field id=partner_anna unclassified of res.partner/7", "field email= email", "field bank_ids.acc_number='+49 bank", "field id= unclassified")
	if _, _, err := locateCSV(t, x, "\"7\",\"a@x.de\",\"DE1\",\"x\",\"y\"\r\n"); err == nil {
		t.Error("a CSV without its headings is released")
	}
	for data, want := range map[string]string{
		`{"model":"hr.employee",` + fields + `}`:                                "unknown_type",
		`{"model":"res.partner","sudo":1,` + fields + `}`:                       "unknown_parameter",
		`{"model":"res.partner","domain":"[('email','=','x')]",` + fields + `}`: "malformed",
		`{"model":"res.partner","groupby":["partner_id"],` + fields + `}`:       "denied",
		`["x"]`: "malformed",
		`{`:     "malformed",
	} {
		if got := refused(t, p, post(data)); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
	for _, body := range []string{"token=x", "data={}&data={}", "data=%7B%7D&model=res.partner", "data=%7B%7D&_method=GET"} {
		if got := refused(t, p, send("POST", "/web/export/csv", "application/x-www-form-urlencoded", body)); got == "" {
			t.Errorf("%s passes", body)
		}
	}
}

func TestRefusalsOfAnAPIHaveItsShape(t *testing.T) {
	p := builtinProfile(t, "odoo")
	a, ok := p.ShapesAt("POST", "/json/2/res.partner/read").Refuse(0, "no", "1")
	if !ok || a.Status != 403 || !strings.Contains(string(a.Body), `"message":"no"`) || strings.Contains(string(a.Body), "jsonrpc") {
		t.Errorf("%+v %s", a, a.Body)
	}
	a, _ = p.ShapesAt("POST", "/web/dataset/call_kw/x").Refuse(0, "no", "1")
	if a.Status != 200 || !strings.Contains(string(a.Body), `"jsonrpc":"2.0"`) {
		t.Errorf("%+v %s", a, a.Body)
	}
	a, _ = p.ShapesAt("POST", "/json/2/res.partner/read").SignedOut("no", "1")
	if a.Status != 401 {
		t.Errorf("%+v", a)
	}
}

func TestCompaniesAreToldFromPersonsByTheirLegalForm(t *testing.T) {
	for name, want := range map[string]bool{
		"Nordlicht Maschinenbau GmbH": true, "Domplein Beheer B.V.": true, "Müller GmbH & Co. KG": true, "Atelier Saône SARL": true, "X UG (haftungsbeschränkt)": true,
		"GmbH": false, "Anna Weber": false, "Nordlicht GmbH, Anna Weber": false, "Anna (Nordlicht GmbH)": false, "Max Weber e.K.": false,
		"Anna SA": false, "anna gmbh": false, "Nordlicht GmbH\nWeg 1": false, "Anna <a@x.de> Ltd": false, "Anna GmbH Weber": false, "": false,
	} {
		if got := isCompany(name); got != want {
			t.Errorf("isCompany(%q) = %v", name, got)
		}
	}
}
