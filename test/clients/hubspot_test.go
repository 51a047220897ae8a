package clients

import (
	"net/http"
	"strings"
	"testing"
)

func hubspot(t *testing.T) *crm {
	const json = "application/json;charset=utf-8"
	list, last, record := body(json, fixture(t, "hubspot-list.json")), body(json, fixture(t, "hubspot-last.json")), body(json, fixture(t, "hubspot-record.json"))
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"GET /crm/v3/objects/contacts": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("after") {
				last(w, r)
				return
			}
			list(w, r)
		},
		"GET /crm/v3/objects/contacts/90210000151":   record,
		"PATCH /crm/v3/objects/contacts/90210000151": record,
		"POST /crm/v3/objects/contacts/search":       last,
	}))
}

func TestClientHubSpot(t *testing.T) {
	up := hubspot(t)
	gate := startGate(t, "hubspot", "builtin:hubspot", up.URL)
	got := run(t, "hubspot.mjs", gate.Base, "sales")
	for s, o := range got {
		t.Logf("%s: %s %+v", s, o.Value, o.Error)
	}
	for _, r := range up.got {
		t.Log(r.method, r.target, r.body, strings.Join(r.header["Authorization"], "+"))
	}
}
