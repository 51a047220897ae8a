package clients

import (
	"net/http"
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
	hidden := []string{"+49 40 66969 112", "+49 171 3920014", "DE75900400440532013070", "NL05TEST0417164300", "1984-03-17", "https://api.hubapi.com"}
	run(t, "hubspot.mjs", gate.Base, "master_data").show(t, hidden[:5]...)
	up.forget()

	got := run(t, "hubspot.mjs", gate.Base, "sales")
	got.hide(t, hidden...)
	holds(t, "a record", got.value(t, "read"), `"firstname":"Annika"`, `"iban":"••••••"`)
	holds(t, "a search", got.value(t, "search"), "Núñez Ibáñez")
	holds(t, "all pages", got.value(t, "all"), "Annika", "Núñez Ibáñez")
	holds(t, "the next page", got.value(t, "next"), `"link":"`+gate.Base+`/crm/v3/objects/contacts?limit=2&after=90210000401"`, `"status":200`, "Núñez Ibáñez")
	got.refused(t, "filter", "ApiException", `The request asks about \"iban\" (bank)`)

	got.refused(t, "unread", "Error", `"status":"error","message":"`)

	got.value(t, "save")
	saved := up.only(t, http.MethodPatch, "/crm/v3/objects/contacts/90210000151")
	holds(t, "what was saved", saved.body, `"firstname":"Anika"`)
	lacks(t, "what was saved", saved.body, "phone", "iban", "date_of_birth")
	up.unmasked(t)
	logged(t, gate, "90210000151")
}
