package profile

import (
	"strings"
	"testing"
)

// change returns the mini profile's source with one text replaced.
func change(t *testing.T, old, with string) string {
	t.Helper()
	src := miniSource(t)
	if !strings.Contains(src, old) {
		t.Fatalf("mini.yaml has no %q", old)
	}
	return strings.Replace(src, old, with, 1)
}

// TestLoadRefusesByName: what is wrong in a profile is named with its place and
// the remedy.
func TestLoadRefusesByName(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "the profile is empty"},
		{"no YAML", "a: [", "reading YAML"},
		{"unknown key with line and nearest word", change(t, "evidence:", "evidense:"), `line 3: unknown key "evidense"; nearest: "evidence"`},
		{"unknown key in a call", change(t, "sig: [ids, fields]", "sigg: [ids, fields]"), `unknown key "sigg"; nearest: "sig"`},
		{"unknown key in an entity", change(t, "display: rec_name\n    unknown", "displays: rec_name\n    unknown"), `unknown key "displays"; nearest: "display"`},
		{"unknown key in a search", change(t, "vat: {parts:", "vat: {part:"), `unknown key "part"; nearest: "parts"`},
		{"unknown key in a field", change(t, "{category: free_text, keys: true}", "{category: free_text, key: true}"), `unknown key "key"; nearest: "keys"`},
		{"unused anchor", change(t, "match: POST /{db}/", "match: &rpc POST /{db}/"), "the anchor &rpc is used nowhere"},
		{"second document", miniSource(t) + "\n---\nprofile: x\n", "there is a second one"},
		{"field twice", change(t, "email: email\n", "email: email\n      email: public\n"), `the key "email" stands in line`},
		{"field twice in alternatives", change(t, "email: email\n", "email: email\n      mail|email: public\n"), `"email" is listed before already`},
		{"quotes in a name", change(t, "email: email\n", "email: email\n      fax|\"*_fax\": phone\n"), "has quotes in it"},
		{"a quote in a name", change(t, "email: email\n", "email: email\n      fax|\"*_fax|tel*\": phone\n"), "has quotes in it"},
		{"type in two entities", change(t, "types: [crm.account,", "types: [crm.person, crm.account,"), `belongs to entity person already`},
		{"unknown category", change(t, "born: birthdate", "born: birthday"), `unknown category "birthday"; nearest: "birthdate"`},
		{"unknown mode of unknown fields", change(t, "unknown: pass", "unknown: show"), `"show" is neither mask`},
		{"relation to nowhere", change(t, "place: ref.place, vat", "place: rif.place, vat"), `leads to type "rif.place"`},
		{"any relation to nowhere", change(t, "create_uid: crm.person", "create_uid: crm.user"), `leads to type "crm.user"`},
		{"narrow without part", change(t, "narrow: [name]", "narrow: [email]"), "is narrowed to \"email\", which is not one of its parts"},
		{"search without parts", change(t, "vat: {parts: [accounts.iban]}", "vat: {}"), "search vat lists no parts"},
		{"by without values", change(t, `{by: kind, detect: true, values: {mobile: phone, mail: email, "*": online}}`, "{by: kind, category: phone}"), "`by` and `values` belong together"},
		{"no category", change(t, "{category: identity, file: true", "{file: true"), "a field needs a category"},
		{"unknown decode", change(t, "decode: json", "decode: html"), `decode: "html" is not served`},
		{"unknown shape", change(t, "decimal: decimal", "decimal: decimals"), `unknown shape "decimals"`},
		{"unknown ids", change(t, "ids: integer", "ids: uuid"), `ids: "uuid" is not served`},
		{"call that can never match", change(t, "  - call: model.*.copy", "  - {call: model.crm.person.write, pass: true}\n  - call: model.*.copy"), "call model.crm.person.write: can never match: model.*.write stands before it"},
		{"call without name", change(t, "- {call: common.login, pass: true}", "- {pass: true}"), "a call needs a name"},
		{"route that can never match", change(t, `  - {match: "POST /people", entity`, "  - {match: \"GET /people/new\", pass: true}\n  - {match: \"POST /people\", entity"), "route GET /people/new: can never match: GET /people/{id} stands before it"},
		{"route without entity", change(t, "entity: crm.person\n    image: true\n", "image: true\n"), "a route needs an entity"},
		{"unknown entity of a route", change(t, "name: people\n    entity: crm.person", "name: people\n    entity: crm.persons"), `no entity has the type "crm.persons"`},
		{"unknown role", change(t, "role: group", "role: groups"), `unknown role "groups"`},
		{"unknown syntax", change(t, "syntax: keys", "syntax: key"), `unknown syntax "key"`},
		{"search without field", change(t, "syntax: search, field: rec_name}]", "syntax: search}]"), "names its field"},
		{"argument that the call hasn't got", change(t, "ids: [values.id]", "ids: [value.id]"), `"value" is neither body`},
		{"malformed path", change(t, `at: "$.items[*]"`, `at: "$.items[x]"`), "[x] is neither [n]"},
		{"write without stored", change(t, `mode: full, stored: {get: "/people/{id}", at: $}}`, "mode: full}"), "say how the stored values are read"},
		{"unknown write mode", change(t, "mode: copy", "mode: clone"), `mode "clone" is neither`},
		{"unknown action", change(t, "action: delete", "action: remove"), `unknown action "remove"`},
		{"holds without opaque", change(t, "opaque: true\n    holds", "holds"), "holds is for opaque answers alone"},
		{"unknown type of holds", change(t, `holds: ["*"]`, "holds: [crm.pet]"), `holds: no entity has the type "crm.pet"`},
		{"stream with a path of records", change(t, "image: true\n    type: none", "stream: \"$[*]\"\n    type: json"), "want $, $.member.member or lines"},
		{"socket on a masked route", change(t, "entity: crm.person\n    image: true\n", "entity: crm.person\n    image: true\n    upgrade: true\n"), "upgrade is for a GET route with `pass: true` alone"},
		{"stream of HTML", change(t, "image: true\n    type: none", "stream: $\n    type: html"), "stream is served for json, as"},
		{"stream of a call", change(t, "- {call: common.login, pass: true}", "- {call: common.login, entity: crm.person, stream: rows}"), "a call's answer is held"},
		{"rows of JSON", change(t, "image: true\n    type: none", "stream: rows\n    type: json"), "rows"},
		{"transport without result", change(t, "    result: $.result\n", ""), "args or named, result and failure.at are needed"},
		{"pattern without method", change(t, "match: GET /picture", "match: /picture"), "write METHOD /path"},
		{"sse and a stream", change(t, "image: true\n    type: none", "stream: lines\n    type: sse"), "streamed by themselves"},
		{"events of no stream", change(t, "image: true\n    type: none", "sse: {events: [a]}"), "add `type: sse`"},
		{"unknown body", change(t, "body: form, members: [a], type: html", "body: xml, type: html"), `body "xml" is not served`},
		{"malformed selector", change(t, "select: article\n", "select: \"article >\"\n"), "selector"},
		{"body that nothing describes", change(t, "action: search, members: [by, group], refs", "action: search, refs"), "the body isn't described: list its members"},
		{"members of no body", change(t, "body: form, members: [a], type: html", "body: none, members: [a], type: html"), "members are for a body of JSON or a form"},
		{"form that isn't described", change(t, "body: form, members: [a], type: html", "body: multipart, type: html"), "the body isn't described"},
		{"no withheld text", change(t, "withheld: WITHHELD\n", ""), "say what stands in place"},
		{"no name", change(t, "profile: mini/1.0\n", ""), "give the profile a name"},
		{"live without a version", change(t, "evidence: documented", "evidence: live"), "say how sure the profile is"},
		{"no evidence", change(t, "evidence: documented", "evidence: guessed"), "say how sure the profile is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load([]byte(c.src))
			if err == nil {
				t.Fatalf("Load took it, want an error with %q", c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load = %v, want it to say %q", err, c.want)
			}
		})
	}
}

// TestMergedFieldsAreReplacedByOwn: `<<` brings fields in, an own one goes
// before it, and a misspelt key in what is merged is found.
func TestMergedFieldsAreReplacedByOwn(t *testing.T) {
	src := change(t, "entities:\n", "blocks:\n  a: &a {email: email, note: free_text}\n  b: &b {note: public, born: birthdate}\nentities:\n  pet:\n    fields: {<<: [*a, *b], email: public}\n")
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	e := p.entityOf("pet")
	for name, want := range map[string]string{"email": "public", "note": "free_text", "born": "birthdate", "other": "unclassified"} {
		if got := e.lookup(name, false).categories; len(got) != 1 || string(got[0]) != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	bad := strings.Replace(src, "fields: {<<: [*a, *b], email: public}", "<<: [*a, *b]\n    fields: {name: name}", 1)
	if _, err := Load([]byte(bad)); err == nil || !strings.Contains(err.Error(), `unknown key "email"`) {
		t.Errorf("a merged key that an entity hasn't got: %v", err)
	}
}

func TestBuiltinProfilesLoad(t *testing.T) {
	for _, name := range BuiltinNames() {
		src, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Load(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Entities()) == 0 || len(p.Routes()) == 0 {
			t.Errorf("%s: no entities or no routes", name)
		}
	}
}

func TestUnknownBuiltinNamesTheOthers(t *testing.T) {
	_, err := Builtin("salesfarce")
	if err == nil || !strings.Contains(err.Error(), "demo, dynamics, espocrm, generic, hubspot, ledgersmb, odoo, pipedrive, salesforce, suitecrm, tryton, twenty") {
		t.Errorf("Builtin = %v, want it to name those that ship", err)
	}
}
