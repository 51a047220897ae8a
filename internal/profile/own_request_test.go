package profile_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
)

func builtinProfile(t *testing.T, name string) *profile.Profile {
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

func TestOwnRequestsAreAboutOneRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		profile, typ, read, erase string
		remains                   profile.Remains
	}{
		{"demo", "contact", "GET /api/contacts/7 ", "DELETE /api/contacts/7 ", ""},
		{"espocrm", "Contact", "GET /api/v1/Contact/7 ", "DELETE /api/v1/Contact/7 ", profile.RemainsMarked},
		{"suitecrm", "Contacts", "GET /Api/V8/module/Contacts/7 ", "DELETE /Api/V8/module/Contacts/7 ", profile.RemainsMarked},
		{"hubspot", "contacts", "GET /crm/v3/objects/contacts/7 properties=closed_at%2Cx", "DELETE /crm/v3/objects/contacts/7 ", profile.RemainsArchived},
		{"twenty", "people", "GET /rest/people/7 ", "DELETE /rest/people/7 soft_delete=false", ""},
		{"dynamics", "contact", "GET /api/data/v9.2/contacts(7) ", "DELETE /api/data/v9.2/contacts(7) ", ""},
		{"pipedrive", "person", "GET /api/v2/persons/7 ", "DELETE /api/v2/persons/7 ", profile.RemainsMarked},
		{"odoo", "crm.lead", "POST /web/dataset/call_kw/crm.lead/search_read ", "POST /web/dataset/call_kw/crm.lead/unlink ", ""},
	} {
		p := builtinProfile(t, c.profile)
		entity, ok := p.EntityOf(c.typ)
		if !ok {
			t.Fatal(c.profile, c.typ)
		}
		rec := access.Record{Entity: entity, Type: c.typ, ID: "7"}
		read, err := p.OwnRead(rec, "closed_at", "x")
		if err != nil {
			t.Fatalf("%s: %v", c.profile, err)
		}
		erase, err := p.OwnDelete(rec)
		if err != nil {
			t.Fatalf("%s: %v", c.profile, err)
		}
		line := func(o profile.Own) string { return o.Request.Method + " " + o.Request.Path + " " + o.Request.Query }
		if line(read) != c.read || line(erase) != c.erase || erase.Remains != c.remains {
			t.Errorf("%s: %q, %q, remains %q", c.profile, line(read), line(erase), erase.Remains)
		}
		if a := erase.Exchange.Accesses[0]; a.Action != access.Delete || a.Entity != entity || a.IDs[0] != "7" {
			t.Errorf("%s: the deletion is %+v", c.profile, a)
		}
		for _, id := range []string{"", ".", "..", "7/../8", "7?x", "7#", "7%2f8", "7;8", "7 8", "{id}", "7\n", "7\"]]", strings.Repeat("7", 300)} {
			bad := rec
			bad.ID = id
			if o, err := p.OwnDelete(bad); err == nil && (o.Exchange.Accesses[0].IDs[0] != id || !json.Valid(o.Request.Body) && len(o.Request.Body) > 0) {
				t.Errorf("%s: the id %q makes %q %s", c.profile, id, line(o), o.Request.Body)
			}
		}
	}
	if _, err := builtinProfile(t, "tryton").OwnDelete(access.Record{Entity: "party", Type: "party.party", ID: "7"}); !errors.Is(err, profile.ErrNoOwn) {
		t.Errorf("a profile that doesn't say how: %v", err)
	}
}

// An error, a foreign answer or somebody who isn't signed in never says that a record is
// gone.
func TestGoneIsWhatTheCRMSays(t *testing.T) {
	t.Parallel()
	read := func(name, typ string) profile.Own {
		p := builtinProfile(t, name)
		e, _ := p.EntityOf(typ)
		o, err := p.OwnRead(access.Record{Entity: e, Type: typ, ID: "7"})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	demo, odoo := read("demo", "contact"), read("odoo", "crm.lead")
	for _, c := range []struct {
		own    *profile.Own
		status int
		body   string
		gone   bool
	}{
		{&demo, http.StatusNotFound, `{"error":"not found"}`, true},
		{&demo, http.StatusGone, ``, true},
		{&demo, http.StatusOK, `{"id":7}`, false},
		{&demo, http.StatusOK, `{}`, false},
		{&demo, http.StatusUnauthorized, ``, false},
		{&demo, http.StatusForbidden, ``, false},
		{&demo, http.StatusInternalServerError, ``, false},
		{&demo, http.StatusFound, ``, false},
		{&odoo, http.StatusOK, `{"jsonrpc":"2.0","id":1,"result":[]}`, true},
		{&odoo, http.StatusOK, `{"jsonrpc":"2.0","id":1,"result":[{"id":7}]}`, false},
		{&odoo, http.StatusOK, `{"jsonrpc":"2.0","id":1,"error":{"code":100,"message":"Session expired"}}`, false},
		{&odoo, http.StatusOK, `<html>`, false},
		{&odoo, http.StatusOK, `{}`, false},
		{&odoo, http.StatusNotFound, ``, false},
	} {
		if got := c.own.Gone(c.status, []byte(c.body)); got != c.gone {
			t.Errorf("%d %s: gone %t", c.status, c.body, got)
		}
	}
	p := builtinProfile(t, "odoo")
	erase, err := p.OwnDelete(access.Record{Entity: "lead", Type: "crm.lead", ID: "7"})
	if err != nil || erase.Failed(http.StatusOK, []byte(`{"jsonrpc":"2.0","id":1,"result":true}`)) ||
		!erase.Failed(http.StatusOK, []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"x"}}`)) || !erase.Failed(http.StatusForbidden, nil) {
		t.Errorf("what failed isn't told: %v", err)
	}
}

func TestOwnRequestsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	const plain = `delete: {request: "DELETE /api/contacts/{id}"}`
	for with, want := range map[string]string{
		`delete: {request: "DELETE /api/leads/{id}"}`:                        "don't read the request so",
		`delete: {request: "GET /api/contacts/{id}"}`:                        "don't read the request so",
		`delete: {request: "DELETE /api/contacts"}`:                          "doesn't name the record",
		`delete: {request: "DELETE /api/nothing/{id}"}`:                      "don't read the request so",
		`delete: {request: "/api/contacts/{id}"}`:                            "write the method",
		`delete: {request: "DELETE /api/contacts/{id}", remains: somewhere}`: "neither marked nor archived",
		`delete: {request: "DELETE /api/contacts/{id}", else: x}`:            "else",
	} {
		if _, err := profile.Load([]byte(strings.Replace(string(src), plain, with, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", with, err)
		}
	}
}

func TestWantedFieldsAreToldWhereTheyStand(t *testing.T) {
	t.Parallel()
	p := builtinProfile(t, "demo")
	x, err := p.Classify(profile.Request{Method: "GET", Path: "/api/contacts"})
	if err != nil {
		t.Fatal(err)
	}
	x.Wants = map[access.Entity][]string{"contact": {"created_at", "birth_date"}}
	tree, err := x.Parse([]byte(`{"items":[{"id":1,"created_at":"2020-01-01","birth_date":null},{"id":2,"email":"a@b.example"}],"total":2}`), "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Locate(tree, http.StatusOK)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, f := range found.Told {
		told = append(told, found.Records[f.Record].ID+" "+f.Name+" "+tree.Text(f.Node))
	}
	if got := strings.Join(told, ", "); got != "1 created_at 2020-01-01, 1 birth_date null" && got != "1 created_at 2020-01-01, 1 birth_date " {
		t.Errorf("told %q", got)
	}
}

// TestAHistoryTellsNothing: what a note says of a record, by which date it was kept once,
// or that it had opted out, isn't what holds now.
func TestAHistoryTellsNothing(t *testing.T) {
	t.Parallel()
	x, err := builtinProfile(t, "espocrm").Classify(profile.Request{Method: "GET", Path: "/api/v1/Contact/6/stream"})
	if err != nil {
		t.Fatal(err)
	}
	x.Wants = map[access.Entity][]string{"contact": {"createdAt"}}
	tree, err := x.Parse([]byte(`{"total":1,"list":[{"id":"n1","type":"Update","parentType":"Contact","parentId":"6","data":{"fields":["phoneNumber"],`+
		`"attributes":{"was":{"emailAddressIsOptedOut":true},"became":{"createdAt":"2026-01-01","phoneNumber":"+49 30 1234567","emailAddressIsOptedOut":true}}}}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Locate(tree, http.StatusOK)
	if err != nil {
		t.Fatal(err)
	}
	shown := false
	for _, f := range found.Fields {
		shown = shown || f.Name == "phoneNumber" && f.Record >= 0 && found.Records[f.Record].ID == "6"
	}
	if len(found.Told) > 0 || !shown {
		t.Errorf("told %+v, the record's field is found: %t", found.Told, shown)
	}
	for i := range found.Records {
		if said := found.Records[i].Said; len(said) > 0 {
			t.Errorf("%s says %+v", found.Records[i].Record, said)
		}
	}
}
