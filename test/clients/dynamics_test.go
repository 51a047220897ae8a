package clients

import (
	"net/http"
	"strings"
	"testing"
)

func dynamics(t *testing.T) *crm {
	const json, api = "application/json; odata.metadata=minimal", "/api/data/v9.2/"
	list, record := fixture(t, "dynamics-list.json"), fixture(t, "dynamics-record.json")
	last := list[:strings.Index(list, `"@odata.nextLink"`)] + `"x@odata.count": 0}`
	const contact = api + "contacts(9c9f62b3-bf21-5db4-8017-d792f7db7f0a)"
	saved := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("OData-Version", "4.0")
		w.Header().Set("OData-EntityId", "https://example.crm4.dynamics.com"+contact)
		w.Header().Set("Location", "https://example.crm4.dynamics.com"+contact)
		w.WriteHeader(http.StatusNoContent)
	}
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"GET " + api + "contacts": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.RawQuery, "skiptoken") {
				body(json, last)(w, r)
				return
			}
			body(json, list)(w, r)
		},
		"GET " + contact:           body(json, record),
		"PATCH " + contact:         saved,
		"POST " + api + "contacts": saved,
		"POST " + api + "$batch": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/mixed; boundary=batchresponse_1")
			var b strings.Builder
			for _, doc := range []string{record, list} {
				b.WriteString("--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: " + json + "\r\nOData-Version: 4.0\r\n\r\n" + doc + "\r\n")
			}
			_, _ = w.Write([]byte(b.String() + "--batchresponse_1--\r\n"))
		},
	}))
}

func TestClientDynamicsWebAPI(t *testing.T) {
	up := dynamics(t)
	gate := startGate(t, "dynamics", "builtin:dynamics", up.URL)
	hidden := []string{"+49 40 66969 112", "+49 221 4710 556", "1984-03-17", "17.3.1984", "https://example.crm4.dynamics.com"}
	all := run(t, "dynamics.mjs", gate.Base, "master_data")
	all.show(t, hidden[:4]...)
	if id := all.value(t, "create"); id != `"9c9f62b3-bf21-5db4-8017-d792f7db7f0a"` {
		t.Errorf("a record that was created has the id %s", id)
	}
	up.forget()

	got := run(t, "dynamics.mjs", gate.Base, "sales")
	got.hide(t, hidden...)
	holds(t, "a record", got.value(t, "read"), `"fullname":"Annika Sörensen-Vogt"`, `"telephone1":"+49 ••••••12"`)
	for _, step := range []string{"list", "all", "batch"} {
		holds(t, step, got.value(t, step), "Annika Sörensen-Vogt", "Ayşe Yıldırım")
	}
	holds(t, "the next page", got.value(t, "next"), `"link":"`+gate.Base+`/api/data/v9.2/contacts?$select=fullname`, "Ayşe Yıldırım")
	got.refused(t, "filter", "Error", `The request asks about "birthdate" (birthdate)`)
	got.refused(t, "order", "Error", `The request asks about "telephone1" (phone)`)
	got.refused(t, "unread", "Error", "A query option is not served.")
	got.refused(t, "edited", "Error", "can't change them: birthdate")
	got.refused(t, "create", "Error", "Your roles don't allow create of contact.")

	got.value(t, "save")
	saved := up.requests(http.MethodPatch, "/api/data/v9.2/contacts")
	if len(saved) != 2 {
		t.Fatalf("%d saves reached the CRM", len(saved))
	}
	holds(t, "what was saved", saved[0].body, `"fullname":"Anika`)
	lacks(t, "what was saved", saved[0].body, "telephone1", "birthdate")
	if match := saved[1].header.Get("If-Match"); match != `W/"4711000"` {
		t.Errorf("a save came with If-Match: %s", match)
	}
	up.unmasked(t)
	logged(t, gate, "9c9f62b3-bf21-5db4-8017-d792f7db7f0a")
}
