package clients

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func odoo(t *testing.T) *crm {
	const media = "application/json; charset=utf-8"
	found := body(media, `[{"id": 1075, "name": "\u0141ukasz Wr\u00f3blewski", "email": "lukasz.wroblewski@example.com", "phone": "+49 30 23125 208"}]`)
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"POST /json/2/res.partner/search_read": found,
		"POST /json/2/res.partner/read":        found,
		"POST /json/2/res.partner/write":       body(media, "true"),
		"POST /web/session/get_session_info":   body(media, `{"jsonrpc": "2.0", "id": 1, "result": {"uid": 7, "db": "kontor", "web.base.url": "https:\/\/odoo.internal.example.de", "server_version": "19.0"}}`),
		"POST /xmlrpc/2/common": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<?xml version="1.0"?><methodResponse><params><param><value><int>7</int></value></param></params></methodResponse>`)
		},
	}))
}

// TestClientOdooAwait sees that what isn't served comes as the error of its client, and
// that the way which is served instead works.
func TestClientOdooAwait(t *testing.T) {
	up := odoo(t)
	gate := startGate(t, "odoo", "builtin:odoo", up.URL, "crm_hosts odoo.internal.example.de")
	hidden := []string{"+49 30 23125 208", "odoo.internal.example.de"}
	run(t, "odoo.mjs", gate.Base, "master_data").show(t, hidden[0])
	up.forget()

	got := run(t, "odoo.mjs", gate.Base, "sales")
	got.hide(t, hidden...)
	for _, step := range []string{"connect", "list", "save"} {
		got.refused(t, step, "Error", "The gateway doesn't serve XML-RPC. Use JSON-2: POST /json/2/<model>/<method>.")
	}
	if came := up.requests(http.MethodPost, "/xmlrpc"); len(came) > 0 {
		t.Errorf("the CRM got %v", came)
	}

	holds(t, "a list", got.value(t, "search_read"), "Łukasz Wróblewski", "+49 ••••••08")
	got.refused(t, "filter", "Error", `The request asks about "phone" (phone)`)
	got.value(t, "write")
	saved := up.only(t, http.MethodPost, "/json/2/res.partner/write")
	holds(t, "what was saved", saved.body, "Wróbel")
	lacks(t, "what was saved", saved.body, "phone")
	if s := got.value(t, "session"); !strings.Contains(s, `"web.base.url":"`+gate.Base+`"`) {
		t.Errorf("the session's address is not the gate's: %s", s)
	}
	up.unmasked(t)
	logged(t, gate, "1075")
}
