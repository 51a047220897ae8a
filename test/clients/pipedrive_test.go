package clients

import (
	"net/http"
	"testing"
)

func pipedrive(t *testing.T) *crm {
	const json = "application/json; charset=utf-8"
	list, record := body(json, fixture(t, "pipedrive-list.json")), body(json, fixture(t, "pipedrive-record.json"))
	found := body(json, `{"success":true,"data":{"items":[{"result_score":0.3,"item":{"id":2001,"type":"person","name":"Annika Sörensen-Vogt","phones":["+49 40 66969 112"],"emails":["annika.soerensen-vogt@example.de"],"visible_to":3,"owner":{"id":71},"custom_fields":[],"notes":[]}}]},"additional_data":{"next_cursor":null}}`)
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"GET /api/v2/persons":        list,
		"GET /api/v2/persons/search": found,
		"GET /api/v2/persons/2001":   record,
		"PATCH /api/v2/persons/2001": record,
	}))
}

func TestClientPipedrive(t *testing.T) {
	up := pipedrive(t)
	gate := startGate(t, "pipedrive", "builtin:pipedrive", up.URL)
	hidden := []string{"+49 40 66969 112", "+49 171 3920014", "DE75900400440532013070", "04792850317", "1984-03-17", "Bandscheiben"}
	run(t, "pipedrive.mjs", gate.Base, "master_data").show(t, hidden...)
	up.forget()

	got := run(t, "pipedrive.mjs", gate.Base, "sales")
	got.hide(t, hidden...)
	holds(t, "a record", got.value(t, "read"), `"name":"Annika Sörensen-Vogt"`, `"notes":"••••••"`)
	holds(t, "a list", got.value(t, "list"), "Siobhán O'Dwyer")
	holds(t, "a search", got.value(t, "search"), "Annika Sörensen-Vogt")
	holds(t, "the next page", got.value(t, "next"), "Siobhán O'Dwyer")
	// The client throws the answer's body itself.
	got.refused(t, "filter", "Object", `The request asks about \"phone\" (phone)`)
	got.refused(t, "sort", "Object", `The request asks about \"birthday\" (birthdate)`)

	got.value(t, "save")
	saved := up.only(t, http.MethodPatch, "/api/v2/persons/2001")
	holds(t, "what was saved", saved.body, `"job_title":"Leiterin Einkauf"`)
	lacks(t, "what was saved", saved.body, "phones", "birthday", "notes")
	up.unmasked(t)
	logged(t, gate, "2001")
}
