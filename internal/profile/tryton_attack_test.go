package profile

import (
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/policies"
)

// house is the shipped profile under the shipped policy.
type house struct {
	p *Profile
	s *policy.Snapshot
}

func newHouse(t testing.TB) house {
	t.Helper()
	h := house{p: tryton(t)}
	file := func(name string) []byte {
		b, err := policies.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var err error
	h.s, err = policy.Load([]policy.File{{Name: "tryton.csv", Bytes: file("tryton.csv")}}, file("model.conf"), policy.Vocabulary{Entities: h.p.Entities()})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask says what becomes of a request: "" for one that is forwarded, otherwise
// the reason of its refusal; one that would be narrowed begins with "narrow".
func (h house) ask(t testing.TB, role string, r Request) string {
	t.Helper()
	x, err := h.p.Classify(r)
	var no *Refusal
	switch {
	case errors.As(err, &no):
		return no.Reason
	case err != nil:
		t.Fatal(err)
	case x.Pass:
		return "pass"
	}
	d, err := h.s.Decide([]string{role}, x.Accesses)
	switch {
	case err != nil:
		t.Fatal(err)
	case d.Refused && d.Narrow:
		return "narrow"
	case d.Refused:
		return d.Reason
	case len(d.Unchanged) > 0:
		return "compared"
	}
	return ""
}

// invoke is a remote call of Tryton's, with a context.
func invoke(method, params, context string) Request {
	if params != "" {
		params += ","
	}
	if context == "" {
		context = "{}"
	}
	return send("POST", "/crm/", "application/json", `{"id":1,"method":"`+method+`","params":[`+params+context+`]}`)
}

// TestSalesCantAskAboutWhatItDoesntSee: each of these makes Tryton 6.0 answer
// differently where a hidden value differs.
func TestSalesCantAskAboutWhatItDoesntSee(t *testing.T) {
	h := newHouse(t)
	const asks, narrow = "asks_masked", "narrow"
	for _, c := range []struct{ typ, domain, want string }{
		{"party.party", `[["contact_mechanisms.value","like","+49 171 39200%"]]`, asks},
		{"party.party", `[["contact_mechanisms","where",[["value","like","+49%"]]]]`, asks},
		{"party.party", `[["contact_mechanisms","ilike","%+49%"]]`, asks},
		{"party.party", `[["contact_mechanisms.rec_name",">=","0171,1"]]`, asks},
		{"party.party", `[["bank_accounts","ilike","DE89%"]]`, asks},
		{"party.party", `[["bank_accounts.numbers.number_compact","like","DE89%"]]`, asks},
		{"party.party", `[["identifiers.code","like","DE%"]]`, asks},
		{"party.party", `[["tax_identifier","=","DE136695976"]]`, asks},
		{"party.party", `[["tax_identifier",">=",136]]`, asks},
		{"party.party", `[["tax_identifier.code","like","DE%"]]`, asks},
		{"party.party", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"party.party", `[["rec_name.x","ilike","DE89%"]]`, asks},
		{"party.party", `[["replaced_by","ilike","DE89%"]]`, narrow},
		{"party.party", `[["replaced_by","child_of","DE89%"]]`, asks + "|" + narrow},
		{"party.party", `[["phone","like","+49%"]]`, asks},
		{"party.party", `[["receivable",">",1000]]`, asks},
		{"party.party", `[["create_uid.password_hash","like","$2%"]]`, "credential"},
		{"party.party", `[["create_uid.employees.party.bank_accounts.rec_name","like","DE%"]]`, asks},
		{"party.party", `[["write_uid","where",[["sessions",">",0]]]]`, "credential"},
		{"party.party", `[["nosuch","=","x"]]`, asks},
		{"party.party", `[["addresses..name","=","x"]]`, asks},
		{"sale.opportunity", `[["party","child_of","DE89%","replaced_by"]]`, asks + "|" + narrow},
		{"sale.opportunity", `[["party.replaced_by","ilike","DE89%","ir.ui.menu"]]`, "malformed"},
		{"sale.opportunity", `[["contact",">=","0171,1"]]`, asks},
		{"sale.opportunity", `[["employee","ilike","DE89%"]]`, narrow},
		{"sale.opportunity", `[["description","ilike","%krank%"]]`, asks},
		{"sale.sale", `[["rec_name","ilike","%Weber%"]]`, narrow},
		{"account.invoice", `[["rec_name","ilike","%DE89%"]]`, narrow},
		{"account.invoice.line", `[["rec_name","ilike","%DE89%"]]`, asks},
		{"party.relation.all", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"party.address", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"bank", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"bank.account", `[["rec_name","ilike","DE89%"]]`, asks},
		{"company.company", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"company.employee", `[["rec_name","ilike","DE89%"]]`, narrow},
		{"ir.note", `[["resource.rec_name","ilike","DE89%","party.party"]]`, narrow + "|" + asks},
		{"ir.note", `[["resource.name","ilike","DE89%","res.user"],["message","ilike","%x%"]]`, asks},
		{"res.user", `[["password_hash","like","$%"]]`, "credential"},
		{"stock.location", `[["address","ilike","%Musterstr%"]]`, narrow},
		{"stock.location", `[["address.street","like","x%","ir.ui.menu"]]`, "malformed"},
		{"stock.location", `[["address.party.phone","like","x%"]]`, asks},
		{"res.group", `[["users.password_hash","like","$%"]]`, "credential"},
		{"party.contact_mechanism.language", `[["contact_mechanism","ilike","+49%"]]`, asks},
		{"ir.model.button", `[["create_uid.password_hash","like","$%"]]`, "credential"},
		{"ir.model.button", `[["create_uid.employees.party.bank_accounts","ilike","DE%"]]`, asks},
		{"ir.ui.menu", `[["create_uid.signature","ilike","x%"]]`, asks},
		{"ir.ui.menu", `[["","",[["create_uid.password_hash","like","$%"]]]]`, "malformed"},
		{"product.product", `[["template.unknown_relation.phone","ilike","x%"]]`, asks},
	} {
		for _, method := range []string{"search", "search_count", "search_read", "export_data_domain"} {
			params := c.domain
			if method == "export_data_domain" {
				params += `,["id"]`
			}
			got := h.ask(t, "sales", invoke("model."+c.typ+"."+method, params, ""))
			if method == "export_data_domain" && got == "no_policy" {
				continue
			}
			if !strings.Contains("|"+c.want+"|", "|"+got+"|") {
				t.Errorf("%s.%s(%s): %q, want %s", c.typ, method, c.domain, got, c.want)
			}
		}
		csv := h.ask(t, "sales", get("/crm/data/"+c.typ, "f", "id", "d", c.domain))
		if csv == "" || csv == "pass" {
			t.Errorf("data/%s?d=%s is forwarded", c.typ, c.domain)
		}
	}
	for _, c := range []struct{ typ, order, want string }{
		{"party.party", `[["phone","ASC"]]`, asks},
		{"party.party", `[["tax_identifier","ASC"]]`, asks},
		{"party.party", `[["bank_accounts","ASC"]]`, asks},
		{"sale.opportunity", `[["contact","ASC"]]`, asks},
		{"sale.opportunity", `[["party.phone","ASC"]]`, asks},
		{"sale.opportunity", `[["employee.party.phone",null]]`, asks},
		{"res.user", `[["password_hash","ASC"]]`, "credential"},
		{"ir.ui.menu", `[["create_uid.password_hash","ASC"]]`, "credential"},
		{"party.party", `[{"phone":1,"ASC":2}]`, "malformed"},
	} {
		if got := h.ask(t, "sales", invoke("model."+c.typ+".search", `[],0,10,`+c.order, "")); got != c.want {
			t.Errorf("%s ordered by %s: %q, want %s", c.typ, c.order, got, c.want)
		}
	}
}

// TestSalesDoesItsOrdinaryWork: what the web client asks all day is forwarded.
func TestSalesDoesItsOrdinaryWork(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct{ method, params, want string }{
		{"common.db.login", `"vera",{"password":"x"},"de"`, "pass"},
		{"model.party.party.fields_view_get", `null,"form"`, "pass"},
		{"model.ir.action.act_window.get", `"party.act_party_form"`, "pass"},
		{"model.ir.ui.menu.favorite.get", ``, "pass"},
		{"model.sale.opportunity.line.get_opportunity_states", ``, "pass"},
		{"model.party.address.autocomplete_city", `{"city":"Mu"}`, "pass"},
		{"model.ir.ui.view_tree_state.set", `"party.party","[]","childs","[]","[]"`, "pass"},
		{"wizard.party.replace.create", ``, "pass"},
		{"model.res.user.get_preferences", `false`, ""},
		{"model.ir.ui.menu.read", `[1,2],["name","parent.rec_name","_timestamp"]`, ""},
		{"model.party.party.search", `[["name","ilike","%Weber%"]],0,1000,[["distance","ASC NULLS LAST"],["name","ASC"],["id",null]]`, ""},
		{"model.party.party.search", `[["rec_name","ilike","%Weber%"]],0,1000,null`, "narrow"},
		{"model.party.party.search_count", `[["code",">","100"],["addresses.city","=","Köln"]]`, ""},
		{"model.party.party.search_count", `[["active","=",false],["categories","=",3]]`, ""},
		{"model.party.party.read", `[1],["name","phone","lang.rec_name","bank_accounts.rec_name","_timestamp","_write","_delete"]`, ""},
		{"model.party.party.search_read", `[[["rec_name","ilike","%Mül%"],[]]],0,1000,null,["rec_name"]`, "narrow"},
		{"model.company.employee.search_read", `[["rec_name","ilike","%Ver%"]],0,1000,null,["rec_name"]`, "narrow"},
		{"model.sale.opportunity.search", `[["party","=",5],["state","in",["lead"]]],0,100,[["party","ASC"],["start_date","DESC"]]`, ""},
		{"model.ir.note.search", `[["resource","=","party.party,47"]],0,10,null`, ""},
		{"model.ir.attachment.search_read", `[["resource","=","party.party,47"]],0,20,null,["rec_name","name"]`, ""},
		{"model.party.party.resources", `[5]`, ""},
		{"model.party.party.history_revisions", `[5]`, ""},
		{"model.party.party.export_data", `[1,2],["code","lang/rec_name","contact_mechanisms/value","type.translated"]`, ""},
		{"model.party.party.default_get", `["name","lang","addresses"]`, ""},
		{"model.party.party.create", `[{"name":"Weber","addresses":[["create",[{"street":"x","city":"y","sequence":null}]]],"contact_mechanisms":[["create",[{"type":"mobile","value":"+49 171 1","other_value":"+49 171 1"}]]]}]`, ""},
		{"model.party.party.write", `[1],{"name":"Weber"}`, ""},
		{"model.party.address.write", `[1],{"street":"x","city":"y"}`, ""},
		{"model.party.contact_mechanism.write", `[1],{"value":"a@b.example","email":"a@b.example"}`, "compared"},
		{"model.sale.opportunity.write", `[1],{"amount":{"__class__":"Decimal","decimal":"5"},"party":7}`, ""},
		{"model.sale.opportunity.lost", `[1]`, ""},
		{"model.sale.opportunity.cancel", `[1]`, ""},
		{"model.ir.note.create", `[{"resource":"party.party,47","message":"x"}]`, ""},
		{"model.ir.note.write", `[1],{"unread":false}`, ""},
		{"model.party.contact_mechanism.on_change_other_value", `{"id":-1,"type":"mobile","other_value":"+49 171 1"}`, ""},
		{"model.sale.opportunity.on_change_party", `{"id":-4,"party":33,"company":1}`, ""},
		{"model.ir.email.complete", `"web",5`, ""},
	} {
		if got := h.ask(t, "sales", invoke(c.method, c.params, "")); got != c.want {
			t.Errorf("%s(%s): %q, want %q", c.method, c.params, got, c.want)
		}
	}
}

// TestSalesCantGoAround: other words for what is refused.
func TestSalesCantGoAround(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct{ name, method, params, context, want string }{
		{"reading a credential", "model.res.user.read", `[1],["password_hash"]`, "", "credential"},
		{"reading one behind another record", "model.party.party.read", `[1],["create_uid.password_hash"]`, "", "credential"},
		{"reading an image", "model.party.party.read", `[1],["avatar"]`, "", "asks_masked"},
		{"naming the size of another type", "model.party.party.read", `[1],["avatar"]`, `{"ir.attachment.data":"size"}`, "asks_masked"},
		{"naming the size of its type", "model.party.party.read", `[1],["avatar"]`, `{"party.party.avatar":"size"}`, ""},
		{"an attachment's content", "model.ir.attachment.read", `[1],["data"]`, `{"party.party.avatar":"size"}`, "asks_masked"},
		{"exporting an attachment", "model.party.party.export_data", `[1],["avatars/image"]`, "", "asks_masked"},
		{"another type of record", "model.ir.session.search_read", `[],0,3,null,["key"]`, "", "unknown_type"},
		{"the CRM's data", "model.ir.model.data.read", `[1],["values"]`, "", "unknown_type"},
		{"translations", "model.ir.translation.search", `[]`, "", "unknown_type"},
		{"rules", "model.ir.rule.write", `[1],{"domain":"[]"}`, "", "unknown_type"},
		{"tasks", "model.ir.cron.create", `[{"method":"x"}]`, "", "unknown_type"},
		{"saved states of others", "model.ir.ui.view_tree_state.search_read", `[],0,9,null,["domain","user.rec_name"]`, "", "unknown_type"},
		{"saved searches of others", "model.ir.ui.view_search.read", `[1],["domain"]`, "", "unknown_type"},
		{"history", "model.sale.opportunity.history.search_read", `[],0,1,null,["description"]`, "", "unknown_type"},
		{"triggers", "model.ir.trigger.create", `[{}]`, "", "unknown_type"},
		{"modules", "model.ir.module.activate", `[1]`, "", "unknown_call"},
		{"a password's reset", "model.res.user.reset_password", `[1]`, "", "unknown_call"},
		{"the list of methods", "system.listMethods", ``, "", "unknown_call"},
		{"a method's help", "system.methodHelp", `"x"`, "", "unknown_call"},
		{"another method of what passes", "common.db.create", `"x"`, "", "unknown_call"},
		{"another method of a button", "model.ir.model.button.search_read", `[["create_uid.signature","like","x"]],0,1,null,["name"]`, "", "asks_masked"},
		{"another method of the device", "model.res.user.device.search", `[]`, "", "unknown_type"},
		{"a report of another type", "report.party.letter.execute", `[1],{"model":"ir.ui.menu","id":1}`, "", "asks_masked"},
		{"another report", "report.account.aged_balance.execute", `[1],{"model":"party.party"}`, "", "unknown_call"},
		{"a mail with a report", "model.ir.email.send", `"me@x.example","","","s","b",[],["party.party",47],[1],[]`, "", "no_policy"},
		{"a template's texts", "model.ir.email.template.get_default", `"party.party",47`, "", ""},
		{"a template of another type", "model.ir.email.template.get_default", `"ir.cron",47`, "", "unknown_type"},
		{"a wizard", "wizard.party.replace.execute", `1,{"ask":{"source":1}},"ask"`, "", "no_policy"},
		{"an import", "model.party.party.import_data", `["name"],[["x"]]`, "", "asks_masked"},
		{"a search of everything", "model.ir.model.global_search", `"DE89",10`, "", "asks_masked"},
		{"its preferences", "model.res.user.set_preferences", `{"password":"x"},{}`, "", "no_policy"},
		{"a search with another argument", "model.party.party.search", `[],0,1,null,false,true`, "", "malformed"},
		{"a count with one", "model.party.party.search_count", `[],0`, "", "malformed"},
		{"ids as texts", "model.party.party.read", `["47"],["name"]`, "", "malformed"},
		{"fields as an object", "model.party.party.read", `[47],{"phone":1}`, "", "malformed"},
		{"stored records as values", "model.party.contact_mechanism.on_change_with_url", `[458]`, "", "malformed"},
		{"a stored record by a decimal", "model.party.contact_mechanism.on_change_value", `{"id":{"__class__":"Decimal","decimal":"458"},"other_value":"+49"}`, "", "malformed"},
		{"another kind of contact", "model.party.contact_mechanism.write", `[458],{"type":"email"}`, "", "compared"},
		{"a copy as another kind of contact", "model.party.contact_mechanism.copy", `[458],{"type":"email"}`, "", "writes_masked"},
		{"a nested copy as another kind", "model.party.party.write", `[1],{"contact_mechanisms":[["copy",[458],{"type":"email"}]]}`, "", "writes_masked"},
		{"a bank account without a value", "model.party.party.write", `[1],{"bank_accounts":[["create",[{"owners":[["add",[1]]]}]]]}`, "", "no_policy"},
		{"bank accounts moved", "model.party.party.write", `[1],{"bank_accounts":[["add",[5]]]}`, "", "no_policy"},
		{"a nested delete", "model.party.party.write", `[1],{"addresses":[["delete",[5]]]}`, "", "no_policy"},
		{"a record nested as an object", "model.sale.opportunity.write", `[1],{"party.":{"id":5,"name":"x"}}`, "", "malformed"},
		{"values under dotted names", "model.party.party.copy", `[1],{"contact_mechanisms.type":"email"}`, "", "writes_masked"},
		{"a user's group", "model.res.user.write", `[1],{"groups":[["add",[1]]]}`, "", "no_policy"},
		{"what holds no persons", "model.ir.action.report.create", `[{"report_content":"x"}]`, "", "no_policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := h.ask(t, "sales", invoke(c.method, c.params, c.context)); got != c.want {
				t.Errorf("%s(%s): %q, want %q", c.method, c.params, got, c.want)
			}
		})
	}
	for _, r := range []Request{
		send("POST", "/crm/ir/html/party.party/2/name", "text/html", "x"),
		send("POST", "/crm/user/application/", "application/json", "{}"),
		send("POST", "/crm/bus", "application/json", "{}"),
		send("OPTIONS", "/crm/", "", ""),
		send("POST", "/crm", "application/json", "{}"),
		send("POST", "/crm/", "text/xml", "<methodCall/>"),
		get("/crm/data/party.party", "f", "name", "h", "00"),
		get("/crm/data/ir.session", "f", "key"),
		get("/crm/data/res.user", "f", "password_hash"),
		get("/crm/data/party.party", "f", "name", "count", "1"),
		get("/avatar/Y3Jt/36d8c6128d1640ed8bc6e31242b415b1", "s", "20"),
	} {
		if got := h.ask(t, "sales", r); got == "" || got == "pass" {
			t.Errorf("%s %s %v is forwarded", r.Method, r.Path, r.Query)
		}
	}
}

// TestGuessesAreNotConfirmed: the answer to a value typed into a stored record
// neither shows it nor differs by it in what is located.
func TestGuessesAreNotConfirmed(t *testing.T) {
	p := tryton(t)
	x := classify(t, p, invoke("model.party.contact_mechanism.on_change_value", `{"id":458,"type":"mobile","other_value":"+49 171 3920099"}`, ""))
	for _, s := range answered(t, x, `{"other_value":"+49 171 3920099","value_compact":"+491713920099","url":"tel:+49"}`) {
		if strings.Contains(s, "echo") {
			t.Errorf("found %q", s)
		}
	}
	x = classify(t, p, invoke("model.party.contact_mechanism.on_change_value", `{"id":-1,"type":"mobile","value":"+49 171 3920099","party":108}`, ""))
	for _, s := range answered(t, x, `{"other_value":"+49 171 3920099"}`) {
		t.Errorf("what is typed into a new record doesn't come back: %q", s)
	}
	x = classify(t, p, invoke("model.party.contact_mechanism.on_change_value", `{"id":-1,"type":"phone","value":"030 23125990","party":{"id":108}}`, ""))
	for _, s := range answered(t, x, `{"value":"+49 30 23125990","value_compact":"+493023125990"}`) {
		t.Errorf("what is typed into a new record comes back in another notation only where nobody may see it: %q", s)
	}
	for _, s := range answered(t, x, `{"party.":{"id":108,"phone":"+49 30 23125106"}}`) {
		if strings.Contains(s, "echo") {
			t.Errorf("found %q", s)
		}
	}
}
