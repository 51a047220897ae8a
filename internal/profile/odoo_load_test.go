package profile

import (
	"errors"
	"strings"
	"testing"
)

// TestWordsOfCallsAreCheckedAtLoad: each mistake is named, with its remedy.
func TestWordsOfCallsAreCheckedAtLoad(t *testing.T) {
	src, err := Builtin("odoo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{`empty: "false"`, `empty: "null"`, `empty: "null" is not served`},
		{"    type: body.params.model\n", "    type: body.params.model\n    call: body.method\n", "either `call`, or `method` and the `type`"},
		{"    method: body.params.method\n", "", "either `call`, or `method` and the `type`"},
		{"    args: body.params.args\n", "    args: \"body.params.args[5]\"\n", "are paths of members"},
		{"    members: [id, jsonrpc, method, params]\n    type", "    type", "list the request's members"},
		{"    failure:\n      at: $\n", "    failure:\n      at: $.error\n", "so is the error"},
		{"    context: true\n    defaults: default_\n    result: $.result", "    defaults: default_\n    result: $.result", "add `context: true`"},
		{"mode: save, syntax: numbered", "mode: store, syntax: numbered", `mode "store" is neither`},
		{"mode: save, syntax: numbered", "mode: save, syntax: numbers", `syntax "numbers" is neither`},
		{"field: group_by, keys: true", "keys: true", "keys are values of a field"},
		{"form: &export_form {json: data, ", "form: &export_form {", "a form that holds JSON"},
		{"{filter: true}", "{filter: true, flat: true}", "a value is one of link"},
		{"show_email: email", "show_email: mail", `unknown category "mail"`},
		{"syntax: prefix_domain}", "syntax: polish}", `unknown syntax "polish"`},
		{"    query: [unique]\n", "    query: [\"*\"]\n", "the parameter * is for opaque answers"},
	} {
		text := strings.Replace(string(src), c.old, c.with, 1)
		if text == string(src) {
			t.Errorf("%q isn't in the profile", c.old)
		}
		if _, err := Load([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want it to say %q", c.with, err, c.want)
		}
	}
}

// FuzzOdoo: whatever a request and an answer hold, they are judged or refused.
func FuzzOdoo(f *testing.F) {
	p := builtinProfile(f, "odoo")
	for _, call := range []string{"web_search_read", "web_read_group", "web_save", "onchange", "name_search", "read_progress_bar", "export_data"} {
		f.Add(call, `{"domain":[["a","any",[["b","=",1]]]],"specification":{"a":{"fields":{}}},"groupby":["a:month"],"ids":[1],"vals":{"bank_ids":[[1,2,{}]]}}`,
			`{"id":1,"jsonrpc":"2.0","result":{"groups":[{"__domain":[["a","=",1]],"bank_ids":[[0,0,{}]]}]}}`)
	}
	f.Fuzz(func(t *testing.T, method, kwargs, answer string) {
		for _, r := range []Request{kw("res.partner", "read", "[]", kwargs), kw("crm.lead", method, kwargs, "{}"), json2("res.partner", method, kwargs)} {
			x, err := p.Classify(r)
			if err != nil {
				if _, ok := errors.AsType[*Refusal](err); !ok {
					t.Fatal(err)
				}
				continue
			}
			for _, w := range x.Writes() {
				if w.CanStore() {
					_, _ = w.Stored([]string{"phone"})
				}
			}
			if tree, err := parseJSON([]byte(answer)); err == nil && !x.Pass {
				_, _ = x.Locate(tree, 200)
			}
		}
	})
}
