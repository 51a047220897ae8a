package clients

import (
	"net/http"
	"testing"
)

const soapLogin = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result><metadataServerUrl>https://acme.my.salesforce.com/services/Soap/m/62.0/00D000000000001</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>false</sandbox><serverUrl>https://acme.my.salesforce.com/services/Soap/u/62.0/00D000000000001</serverUrl><sessionId>00D000000000001!session</sessionId><userId>005000000000001AAA</userId><userInfo><orgDefaultCurrencyIsoCode>EUR</orgDefaultCurrencyIsoCode><organizationId>00D000000000001EAA</organizationId><organizationName>Acme</organizationName><userEmail>api@example.com</userEmail><userFullName>API</userFullName><userId>005000000000001AAA</userId><userName>api@example.com</userName></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>`

const oauthToken = `{"access_token":"00D000000000001!token","instance_url":"https://acme.my.salesforce.com","id":"https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA","token_type":"Bearer","issued_at":"1795459419309","signature":"c2lnbmF0dXJl"}`

func salesforce(t *testing.T) *crm {
	const json = "application/json;charset=UTF-8"
	query, last, record := body(json, fixture(t, "salesforce-query.json")), body(json, fixture(t, "salesforce-last.json")), body(json, fixture(t, "salesforce-record.json"))
	const data = "/services/data/v62.0"
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"GET " + data + "/query":                                 query,
		"GET " + data + "/query/01gQy0000ABCDEFIAU-2000":         last,
		"GET " + data + "/sobjects/Contact/003QyCCCCCfbmF0I5I":   record,
		"PATCH " + data + "/sobjects/Contact/003QyCCCCCfbmF0I5I": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"POST /services/oauth2/token":                            body(json, oauthToken),
		"POST /services/Soap/u/62.0":                             body("text/xml;charset=UTF-8", soapLogin),
	}))
}

func TestClientJSForce(t *testing.T) {
	up := salesforce(t)
	gate := startGate(t, "salesforce", "builtin:salesforce", up.URL)
	hidden := []string{"+49 89 99998 417", "+49 152 28817386", "1971-11-02", "IG Metall", "ruft nach 17 Uhr", "https://acme.my.salesforce.com", "https://login.salesforce.com"}
	all := run(t, "jsforce.mjs", gate.Base, "master_data")
	all.show(t, hidden[:5]...)
	holds(t, "the next page", all.value(t, "next"), "Sörensen-Vogt")
	up.forget()

	got := run(t, "jsforce.mjs", gate.Base, "sales")
	got.hide(t, hidden...)
	holds(t, "a record", got.value(t, "read"), `"FirstName":"Jürgen"`, `"Phone":"+49 ••••••17"`)
	holds(t, "the next page", got.value(t, "next"), "Sörensen-Vogt", `"Phone":"+49 ••••••12"`)
	holds(t, "a list", got.value(t, "list"), "Müßig", "Sörensen-Vogt")
	got.refused(t, "filter", "HttpApiError", `The request asks about "Birthdate" (birthdate)`)
	got.refused(t, "find", "HttpApiError", `The request asks about "Phone" (phone)`)
	got.refused(t, "unread", "HttpApiError", "SOQL, character 29: WITH is served for")
	got.refused(t, "edited", "HttpApiError", "Not saved: you don't see these fields in clear and therefore can't change them: Birthdate")

	got.value(t, "save")
	saved := up.only(t, http.MethodPatch, "/services/data/v62.0/sobjects/Contact/")
	holds(t, "what was saved", saved.body, `"FirstName":"Jörg"`)
	lacks(t, "what was saved", saved.body, "Phone", "Birthdate", "Description")
	for _, way := range []string{"oauth", "soap"} {
		holds(t, "signing in by "+way, got.value(t, way), `"instance":"`+gate.Base+`"`, `"FirstName":"Jürgen"`)
	}
	up.unmasked(t)
	logged(t, gate, "003QyCCCCCfbmF0I5I")
}
