package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// operators are Tryton's: a list with one of them in the second place is a
// clause to it.
var operators = [...]string{
	"where", "not where", "child_of", "not child_of", "parent_of", "not parent_of", "=", "!=", "like", "not like",
	"ilike", "not ilike", "in", "not in", "<=", ">=", "<", ">",
}

// trytonAsks lists the names that Tryton would read in a filter, each with what
// leads to it.
func trytonAsks(domain any, prefix string) []string {
	list, ok := domain.([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	if op, ok := second(list).(string); ok && len(list) > 2 && slices.Contains(operators[:], op) {
		name := fmt.Sprint(list[0])
		if strings.HasSuffix(op, "where") {
			return trytonAsks(list[2], prefix+name+".")
		}
		return []string{prefix + name}
	}
	var names []string
	for _, d := range list {
		names = append(names, trytonAsks(d, prefix)...)
	}
	return names
}

func second(list []any) any {
	if len(list) < 2 {
		return nil
	}
	return list[1]
}

// FuzzClassify: no body makes it panic, and a call that is let through is the
// one that other parsers read in it: its method, its records, the fields that it
// asks about.
func FuzzClassify(f *testing.F) {
	for _, r := range []Request{
		rpc("model.party.party.read", `[1,2],["name"]`),
		rpc("model.party.party.search_count", `[["OR",["name","ilike","%a%"],["contact_mechanisms","where",[["value","=","x"]]]]]`),
		rpc("model.party.party.search", `[["party","child_of",[1],"parent"]],0,10,[["name","ASC"]]`),
		rpc("model.party.party.write", `[1],{"addresses":[["create",[{"city":"x"}]],["write",[2],{"city":"y"}]]}`),
		rpc("model.party.contact_mechanism.on_change_value", `{"id":1,"value":"x"}`),
		rpc("model.sale.opportunity.on_change_with", `{"id":-1,"lines":[{"id":2}]},["amount"]`),
		rpc("report.party.letter.execute", `[1],{"model":"party.party"}`),
		rpc("common.db.login", `"a",{}`),
	} {
		f.Add(r.Body)
	}
	f.Add([]byte(`{"id":1,"method":"model.party.party.read","method":"model.res.user.read","params":[[1],["name"],{}]}`))
	f.Add([]byte(`{"ID":1,"Method":"model.party.party.read","Params":[[1],["name"],{}]}`))
	f.Add(rpc("model.party.party.search", `[["","",[["phone","=",""]]]]`).Body)
	p := tryton(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := p.Classify(send("POST", "/crm/", "application/json", string(body)))
		if err != nil {
			if _, ok := errors.AsType[*Refusal](err); !ok {
				t.Fatalf("Classify = %v, want a refusal", err)
			}
			return
		}
		var call map[string]any
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		if err := dec.Decode(&call); err != nil || len(call) != 3 {
			t.Fatalf("let through what encoding/json reads as %v, %v", call, err)
		}
		method, _ := call["method"].(string)
		params, ok := call["params"].([]any)
		if strings.TrimPrefix(method, "model.") != x.Call || !ok {
			t.Fatalf("classified as %q, others read %q(%v)", x.Call, method, call["params"])
		}
		if x.Pass {
			return
		}
		if len(x.Accesses) == 0 {
			t.Fatalf("no access for %s", method)
		}
		if len(params) == 0 {
			return
		}
		checkIDs(t, x, method, params[0])
		if strings.HasSuffix(method, ".search_count") || strings.HasSuffix(method, ".search") {
			checkAsked(t, x, params[0])
		}
	})
}

// checkIDs: every record that the first argument names is named in an access.
func checkIDs(t *testing.T, x *Exchange, method string, arg any) {
	named := map[string]bool{}
	for _, a := range x.Accesses {
		for _, id := range a.IDs {
			named[id] = true
		}
	}
	list, ok := arg.([]any)
	if !ok || !slices.Contains([]string{"read", "delete", "copy", "export_data", "write"}, method[strings.LastIndexByte(method, '.')+1:]) {
		return
	}
	for _, id := range list {
		n, ok := id.(json.Number)
		if !ok {
			continue
		}
		i, err := strconv.ParseFloat(n.String(), 64)
		if err == nil && i >= 0 && !named[strconv.FormatFloat(i, 'f', -1, 64)] {
			t.Errorf("%s of record %s isn't named: %v", method, n, x.Accesses)
		}
	}
}

// checkAsked: every name that Tryton reads in the filter is asked about.
func checkAsked(t *testing.T, x *Exchange, domain any) {
	asked := map[string]bool{}
	for _, r := range x.Accesses[0].Refs {
		if r.Role.Asks() && len(r.Categories) > 0 {
			asked[r.Field] = true
		}
	}
	for _, name := range trytonAsks(domain, "") {
		if !asked[name] {
			t.Errorf("%q isn't asked about: %v", name, x.Accesses[0].Refs)
		}
	}
}

// calls are calls with an answer to be located.
func locatedCalls() []Request {
	return []Request{
		rpc("model.party.party.read", `[1],["name"]`),
		rpc("model.party.contact_mechanism.search_read", `[],0,1,null,["value"]`),
		rpc("model.sale.opportunity.search", `[]`),
		rpc("model.party.party.search_count", `[]`),
		rpc("model.ir.note.read", `[1],["resource.rec_name"]`),
		rpc("model.ir.ui.menu.read", `[1],["name"]`),
		rpc("model.party.party.default_get", `["name"]`),
		rpc("model.party.party.history_revisions", `[1]`),
		rpc("model.res.user.get_preferences", `false`),
		rpc("model.ir.model.global_search", `"x",1`),
		rpc("model.ir.email.complete", `"x",1`),
		rpc("model.ir.email.template.get_default", `"party.party",1`),
		rpc("model.ir.model.button.click.get_click", `"a","b",1`),
		rpc("model.party.party.export_data", `[1],["name","addresses/city","lang/name","nosuch"]`),
		rpc("model.party.contact_mechanism.on_change", `{"id":1},["value"]`),
		rpc("model.party.contact_mechanism.on_change_with_url", `{"id":-1}`),
		rpc("model.party.contact_mechanism.on_change_value", `{"id":-1,"party":{"id":5}}`),
		rpc("model.party.party.write", `[1],{"name":"x"}`),
		rpc("model.party.party.create", `[{"name":"x"}]`),
		rpc("model.party.party.delete", `[1]`),
		rpc("model.party.party.resources", `[1]`),
		rpc("model.sale.opportunity.lost", `[1]`),
	}
}

// FuzzLocate: whatever the CRM answers with, every text is found, or stands in a
// field that the profile knows to be public.
func FuzzLocate(f *testing.F) {
	for i, result := range []string{
		`[{"id":1,"name":"a","phone":"b","lang.":{"rec_name":"de"},"addresses.":[{"id":2,"city":"x"}]}]`,
		`[{"id":1,"type":"email","value":"a@b.example","party.":{"id":2,"rec_name":"x"}}]`,
		`[1,2,"x"]`, `5`,
		`[{"resource":"party.party,1","resource.":{"id":1,"rec_name":"x"}}]`,
		`[{"id":1,"name":"x","extra":{"a":"b"},"parent.":{"rec_name":"x"},"pet.":{"a":"x"}}]`,
		`{"party.":{"rec_name":"x"}}`,
		`[[{"__class__":"datetime","year":1},1,"Vera"]]`,
		`{"name":"x","employee.rec_name":"y","groups":[1]}`,
		`[[0.5,"party.party","Partei",1,"Weber","icon"],["x"],"y"]`,
		`[[0.5,"a <b>","c"]]`, `{"to":["x"],"subject":"y"}`, `{"1":"Vera"}`,
		`[["a","b","c","d","e"],"f"]`,
		`[{"value":"x","party":{"add":[[0,{"name":"y"}]]}}]`,
		`"tel:x"`, `null`, `[3]`, `true`, `{"note_count":1,"x":"y"}`, `"reload"`,
	} {
		f.Add(i, `{"id":1,"result":`+result+`}`)
	}
	f.Add(0, `{"id":1,"error":["UserError",["Weber","",null]]}`)
	f.Add(0, `{"id":1,"error":["KeyError","Weber"]}`)
	p := tryton(f)
	var exchanges []*Exchange
	for _, r := range locatedCalls() {
		exchanges = append(exchanges, classify(f, p, r))
	}
	f.Fuzz(func(t *testing.T, call int, body string) {
		x := exchanges[uint(call)%uint(len(exchanges))]
		tree, err := parseJSON([]byte(body))
		if err != nil {
			return
		}
		l, err := x.Locate(tree, 200)
		if err != nil {
			if !errors.Is(err, ErrShape) {
				t.Fatalf("Locate = %v", err)
			}
			return
		}
		for _, s := range unlocated(x, tree, l) {
			t.Errorf("%s: %q passes in %s", x.Call, s, body)
		}
		for _, f := range l.Fields {
			if len(f.Categories) == 0 || f.Node >= len(tree.Nodes) || f.Record >= len(l.Records) {
				t.Errorf("field %+v", f)
			}
		}
		for _, r := range l.Records {
			if e := p.entityOf(r.Type); r.ID == "" || e != nil && e.internal || r.Entity == access.AnyEntity {
				t.Errorf("record %+v", r)
			}
		}
	})
}
