package gate_test

import (
	"net/http"
	"strings"
	"testing"
)

const (
	homeRoot = "/api/data/v9.2/"
	homeNext = homeRoot + "contacts?$select=fullname&$skiptoken=2"
	homeID   = "9c9f62b3-bf21-5db4-8017-d792f7db7f0a"
)

// foreignAddresses lead to no host of the CRM's, however much they look like it.
func foreignAddresses() []string {
	return []string{
		"https://evil.example" + homeNext, "https://evildynamics.com" + homeNext, "https://dynamics.com.evil.example" + homeNext,
		"https://acme.crm4.dynamics.com@evil.example" + homeNext, "//evil.example" + homeNext, `https:\\acme.crm4.dynamics.com` + homeNext,
		"https://evil.example/?x=.dynamics.com", "ftp://acme.crm4.dynamics.com" + homeNext, "javascript:alert(1)//.dynamics.com",
		"https://user:pass@acme.crm4.dynamics.com" + homeNext,
	}
}

// What an answer tells the client to ask next leads to the gate: whoever followed it to
// the CRM's own host would walk around.
func TestNextPageLeadsToTheGate(t *testing.T) {
	t.Parallel()
	b := env.odata.signedInAt(t, "vera", homeRoot+"$metadata")
	next := func(t *testing.T, link string) *reply {
		t.Helper()
		a := ask{path: homeRoot + "contacts?$select=fullname", scene: newScene(t, jsonAnswer(200, `{"@odata.context":"`+link+`#c","value":[],"@odata.nextLink":"`+strings.ReplaceAll(link, `\`, `\\`)+`"}`))}
		if strings.Contains(link, `\`) {
			a.scene.answer(jsonAnswer(200, `{"value":[],"@odata.nextLink":"`+strings.ReplaceAll(link, `\`, `\\`)+`"}`))
		}
		return b.do(t, a).want(t, 200)
	}
	for _, host := range []string{env.crm.url, "https://acme.crm4.dynamics.com", "https://ACME.api.crm4.Dynamics.com:443", "https://" + env.odata.host, strings.TrimPrefix(env.crm.url, "http:")} {
		r := next(t, host+homeNext)
		if !strings.Contains(string(r.body), `"@odata.nextLink":"`+env.odata.url+homeNext+`"`) || !strings.HasPrefix(host, "https://"+env.odata.host) && strings.Contains(string(r.body), host) {
			t.Errorf("at %s: %s", host, r)
		}
	}
	for _, same := range []string{homeNext, "contacts?$skiptoken=2", env.odata.url + homeNext} {
		if r := next(t, same); !strings.Contains(string(r.body), `"@odata.nextLink":"`+same+`"`) {
			t.Errorf("%s changed: %s", same, r)
		}
	}
	for _, link := range foreignAddresses() {
		if r := next(t, link); strings.Contains(string(r.body), `"@odata.nextLink":"`+strings.ReplaceAll(link, `\`, `\\`)) {
			t.Errorf("%s leads around the gate: %s", link, r)
		}
	}
}

// What was saved is named by a header where the answer has no body: it leads to the
// gate, and the log names the record.
func TestAddressOfWhatWasSavedLeadsToTheGate(t *testing.T) {
	t.Parallel()
	b := env.odata.signedInAt(t, "paula", homeRoot+"$metadata")
	saved := func(t *testing.T, address string) *reply {
		t.Helper()
		a := ask{method: http.MethodPatch, path: homeRoot + "contacts(" + homeID + ")", body: `{"jobtitle":"Einkauf"}`, header: http.Header{"Content-Type": {"application/json"}}}
		a.scene = newScene(t, withHeaders(http.StatusNoContent, "", http.Header{"Odata-Entityid": {address}, "Location": {address}}))
		return b.do(t, a).want(t, http.StatusNoContent)
	}
	record := homeRoot + "contacts(" + homeID + ")"
	r := saved(t, "https://acme.crm4.dynamics.com"+record)
	for _, name := range []string{"Odata-Entityid", "Location"} {
		if got := r.header.Get(name); got != env.odata.url+record {
			t.Errorf("%s is %q", name, got)
		}
	}
	if _, ok := r.logged(t).records("contacts")[homeID]; !ok {
		t.Errorf("logged %s", r.logged(t))
	}
	for _, address := range append(foreignAddresses(), "https://acme.crm4.dynamics.com/api/data/v9.2/contacts(emailaddress1='a@example.de')") {
		r := saved(t, address)
		if r.header.Get("Odata-Entityid") != "" && strings.Contains(address, "evil") {
			t.Errorf("%s came as %q", address, r.header.Get("Odata-Entityid"))
		}
	}
}

// Routes without personal data pass as they are, but not with the way around.
func TestHeadersOfWhatPassesLeadToTheGate(t *testing.T) {
	t.Parallel()
	b := env.odata.signedInAt(t, "vera", homeRoot+"$metadata")
	const there = "https://acme.crm4.dynamics.com"
	r := b.do(t, ask{path: homeRoot + "WhoAmI", scene: newScene(t, withHeaders(200, `{"UserId":"1"}`, http.Header{
		"Link":             {`<` + there + homeNext + `>; rel="next", <https://evil.example/help>; rel="help"`},
		"Content-Location": {env.crm.url + homeRoot + "WhoAmI"}, "Location": {there + homeRoot}, "Odata-Entityid": {there + homeRoot},
	}))}).want(t, 200)
	want := map[string]string{
		"Link":             `<` + env.odata.url + homeNext + `>; rel="next", <https://evil.example/help>; rel="help"`,
		"Content-Location": env.odata.url + homeRoot + "WhoAmI", "Location": env.odata.url + homeRoot, "Odata-Entityid": env.odata.url + homeRoot,
	}
	for name, value := range want {
		if got := r.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// A site that only observes records what goes on; whoever is led to the CRM's own host
// would be in no log.
func TestObservedAddressesLeadToTheGate(t *testing.T) {
	t.Parallel()
	sc := newScene(t, withHeaders(http.StatusSeeOther, "", http.Header{"Location": {env.crm.url + "/contacts/1001"}}))
	r := env.observes.as(t, "sven").do(t, ask{method: http.MethodPost, path: "/contacts/new", scene: sc, body: "last_name=Neu", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}).want(t, http.StatusSeeOther)
	if got := r.header.Get("Location"); got != env.observes.url+"/contacts/1001" {
		t.Errorf("Location %q", got)
	}
}
