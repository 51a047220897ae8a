package profile

import (
	"strings"
	"testing"
)

const whens = `
profile: whens/1
evidence: documented
withheld: W
entities:
  person: {types: [Person], fields: {name: name, mail: email, job: public}}
routes:
  - {match: "POST /ws", when: {body.op: retrieve}, name: read, entity: person, action: read, body: urlencoded, members: [op, id], ids: [body.id]}
  - {match: "POST /ws", when: {body.op: find|search, body.module: Person}, name: find, entity: person, action: search, body: json|nested, members: [op, module, filter, select], refs: [{role: select, at: "body.select", syntax: list}, {role: filter, at: body.filter, syntax: clauses, clauses: {prefixes: ["%", ">="]}}]}
  - {match: "POST /ws", when: {body.op: ask}, name: ask, entity: person, action: search, body: form, form: {json: q, fields: [op], members: [sort]}, refs: [{role: sort, at: body.sort}]}
  - {match: "POST /ws", when: {body.op: logout}, name: logout, pass: true, body: urlencoded, members: [op]}
`

func TestBodyPicksTheRoute(t *testing.T) {
	p := loadText(t, whens)
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct{ media, body, want string }{
		{form, "op=retrieve&id=7", "read"},
		{form, "op=logout", "logout"},
		{json, `{"op":"find","module":"Person","filter":{"%mail":"x"}}`, "find: filter mail email"},
		{form, "op=search&module=Person&filter[%25mail]=x&filter[%3E%3Djob]=y&select[]=name&select[]=job", "find: select name name; select job public; filter mail email; filter job public"},
		{form, "op=search&module=Person&filter[mail][]=x&filter[mail][]=y", "find: filter mail email"},
		{form, "op=search&module=Person&select[0]=name&select[0]=job", "unknown_call"},
		{form, "op=search&module=Person&select=name", "malformed"},
		{form, "op=search&module=Person&filter[a]=x&other[b]=y", "unknown_parameter"},
		{form, "op=retrieve&op=logout", "unknown_call"},
		{form, "op[]=logout", "unknown_call"},
		{form, "op=Retrieve&id=7", "unknown_call"},
		{form, "op=search&module=Pet", "unknown_call"},
		{form, `op=ask&q={"sort":"mail"}`, "ask: sort mail email"},
		{form, `op=ask&q={"sort":"mail","op":"retrieve"}`, "unknown_parameter"},
		{form, `op=find&q={"op":"ask"}`, "unknown_call"},
		{form, "op=search", "unknown_call"},
		{form, "", "unknown_call"},
		{json, `{"op":"retrieve","id":7}`, "unknown_call"},
		{json, `{"op":["find"],"module":"Person"}`, "unknown_call"},
		{json, `{"op":"find","op":"find","module":"Person"}`, "unknown_call"},
		{json, `[`, "unknown_call"},
		{form, "op=retrieve&id=7&x=1", "unknown_parameter"},
	} {
		r := send("POST", "/ws", c.media, c.body)
		r.ContentType = c.media
		got := refused(t, p, r)
		if got == "" {
			x := classify(t, p, r)
			got = x.Route
			if len(x.Accesses) > 0 && len(asks(x)) > 0 {
				got += ": " + strings.Join(asks(x), "; ")
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}

func TestConditionsAreCheckedAtLoad(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{"when: {body.op: logout}, ", "", ""},
		{"when: {body.op: retrieve}, ", "", "can never match: POST /ws stands before it"},
		{"when: {body.op: logout}", "when: {body.op: retrieve}", "can never match"},
		{"when: {body.op: logout}", "when: {query.op: logout}", "when names places of a body"},
		{"when: {body.op: logout}, name: logout, pass: true, body: urlencoded", "when: {body.op: logout}, name: logout, pass: true, body: any", "when names places of a body"},
		{"body: json|nested", "body: json|nest", `body "json|nest" is not served`},
		{"syntax: clauses, clauses: {prefixes: [\"%\", \">=\"]}", "syntax: domain", "in a nested form filters are clauses"},
		{"action: search, body: form, form", "action: update, write: {at: body, mode: create}, body: form, form", "say what may stand in the form's JSON"},
	} {
		if !strings.Contains(whens, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		_, err := Load([]byte(strings.Replace(whens, c.old, c.with, 1)))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
