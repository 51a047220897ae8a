package gate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/gate"
	_ "github.com/crmgate/crmgate/modules/store/sqlite"
)

// explainer is a gate that is provisioned and not started.
func explainer(t *testing.T, profile string) crmgate.Explainer {
	t.Helper()
	ctx, err := caddy.ProvisionContext(&caddy.Config{Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{
		"default": {BaseLog: caddy.BaseLog{Level: "PANIC"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(ctx)
	t.Cleanup(cancel)
	mod, err := ctx.LoadModuleByID("http.handlers.crm_gate", []byte(`{"profile":"`+profile+`","policies":["builtin:`+profile+`"],"accept":"documented",
		"oidc":{"issuer":"https://login.example.de","provider":"keycloak","client_id":"crm","client_secret":"secret"}}`))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := mod.(crmgate.Explainer)
	if !ok {
		t.Fatalf("%T explains nothing", mod)
	}
	return e
}

// exchange is a recorded one. Without an answer status is 0.
func exchange(t *testing.T, method, target, contentType, body string, status int, answerType, answer string) crmgate.Exchange {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	x := crmgate.Exchange{Request: &http.Request{
		Method: method, URL: u, RequestURI: target, Host: "crm.example.de", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}}
	if contentType != "" {
		x.Request.Header.Set("Content-Type", contentType)
	}
	if status != 0 {
		x.Response = &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {answerType}}, Body: io.NopCloser(strings.NewReader(answer)),
		}
	}
	return x
}

func explain(t *testing.T, e crmgate.Explainer, x crmgate.Exchange, roles ...string) crmgate.Explanation {
	t.Helper()
	got, err := e.Explain(t.Context(), roles, x)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const (
	jsonType = "application/json"
	contact  = `{"id":7,"first_name":"Zoë","last_name":"Canaryová","email":"zoe.canary@example.de","phone":"+49 30 23125999",` +
		`"iban":"DE62912202700015820758","notes":"Zoë Canaryová, DE62912202700015820758","birth_date":"1971-11-02","surprise":"unheard-of"}`
)

// What is hidden from the roles stands nowhere in an explanation, in no field
// of it.
func TestExplanationHoldsNothingThatTheRolesMayNotSee(t *testing.T) {
	e := explainer(t, "demo")
	for _, role := range []string{"sales", "marketing", "support", "intern", "stranger", "auditor"} {
		got := explain(t, e, exchange(t, "GET", "/api/contacts/7", "", "", 200, jsonType, contact), role)
		raw, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{"DE62912202700015820758", "1971-11-02", "23125999", "unheard-of"} {
			if strings.Contains(string(raw), hidden) {
				t.Errorf("%s: the explanation holds %s:\n%s", role, hidden, raw)
			}
		}
	}
}

func TestExplanationNamesLinePlaceAndEntries(t *testing.T) {
	got := explain(t, explainer(t, "demo"), exchange(t, "GET", "/api/contacts/7", "", "", 200, jsonType, contact), "sales")
	if got.Route != "contact" || got.Decision.Refused || !got.Forwarded || got.Answer.Status != 200 {
		t.Fatalf("explanation = %+v", got)
	}
	i := slices.IndexFunc(got.Categories, func(c crmgate.ExplainedCategory) bool { return c.Category == "bank" })
	if i < 0 || got.Categories[i].Treatment != "hidden" || !regexp.MustCompile(`builtin:demo:\d+: p, sales, person, \*`).MatchString(got.Categories[i].Line) ||
		len(got.Categories[i].Considered) == 0 {
		t.Errorf("categories = %+v", got.Categories)
	}
	i = slices.IndexFunc(got.Masked, func(m crmgate.MaskedPlace) bool { return m.Field == "iban" })
	if i < 0 || got.Masked[i].Record != "contact/7" || got.Masked[i].Category != "bank" || got.Masked[i].Treatment != "hidden" || got.Masked[i].Line == "" {
		t.Errorf("masked = %+v", got.Masked)
	}
	if len(got.Entries) != 2 || got.Entries[0].Kind != audit.Intent || got.Entries[1].Kind != audit.Disclosure || got.Entries[1].Intent != 1 {
		t.Errorf("entries = %+v", got.Entries)
	}
}

func TestNothingIsMaskedForWhoMaySeeAll(t *testing.T) {
	got := explain(t, explainer(t, "demo"), exchange(t, "GET", "/api/contacts/7", "", "", 200, jsonType, contact), "master_data")
	if len(got.Masked) != 0 || got.Answer.Body != contact {
		t.Errorf("masked %+v, body %s", got.Masked, got.Answer.Body)
	}
}

func TestRefusalIsExplainedWithItsLine(t *testing.T) {
	got := explain(t, explainer(t, "demo"), exchange(t, "GET", "/api/contacts?sort=iban", "", "", 200, jsonType, `{"total":0,"items":[]}`), "sales")
	if !got.Decision.Refused || got.Decision.Reason != "asks_masked" || !strings.Contains(got.Decision.Line, "p, sales") || got.Forwarded {
		t.Errorf("decision = %+v, forwarded %t", got.Decision, got.Forwarded)
	}
	if len(got.Entries) != 1 || got.Answer.Status != http.StatusForbidden {
		t.Errorf("entries = %+v, answer %d", got.Entries, got.Answer.Status)
	}
}

func TestUnknownRouteAndAmbiguousRequestAreRefusals(t *testing.T) {
	e := explainer(t, "demo")
	for target, reason := range map[string]string{"/nowhere": "unknown_route", "/api/contacts/%2e%2e/7": "", "/api//contacts": ""} {
		got := explain(t, e, exchange(t, "GET", target, "", "", 200, jsonType, contact), "master_data")
		if !got.Decision.Refused || got.Forwarded || (reason != "" && got.Decision.Reason != reason) || got.Decision.Reason == "" {
			t.Errorf("%s: decision = %+v, forwarded %t", target, got.Decision, got.Forwarded)
		}
		if strings.Contains(got.Answer.Body, "Canary") {
			t.Errorf("%s: the answer passes", target)
		}
	}
}

func TestAnswerThatIsNotRecordedIsNotMadeUp(t *testing.T) {
	got := explain(t, explainer(t, "demo"), exchange(t, "GET", "/api/contacts/7", "", "", 0, "", ""), "sales")
	if !got.Forwarded || got.Answer.Status != 0 || len(got.Entries) != 1 || len(got.Notes) == 0 {
		t.Errorf("explanation = %+v", got)
	}
}

// The stored values that a save is compared with aren't in the exchange: it
// must not be said what became of it.
func TestSaveWhoseStoredValuesAreUnknownIsNoted(t *testing.T) {
	x := exchange(t, "PUT", "/api/contacts/7", jsonType, `{"first_name":"Zoë","iban":"••••••"}`, 200, jsonType, contact)
	got := explain(t, explainer(t, "demo"), x, "sales")
	if got.Forwarded || !strings.Contains(strings.Join(got.Notes, " "), "stored values") {
		t.Errorf("forwarded %t, notes %q", got.Forwarded, got.Notes)
	}
}

func TestMalformedAnswerIsWithheldInTheExplanationToo(t *testing.T) {
	got := explain(t, explainer(t, "demo"), exchange(t, "GET", "/api/contacts/7", "", "", 200, jsonType, contact+"]"), "master_data")
	if got.Answer.Status != http.StatusBadGateway || strings.Contains(got.Answer.Body, "Canary") {
		t.Errorf("answer = %+v", got.Answer)
	}
}

func TestStreamIsExplainedUnitByUnit(t *testing.T) {
	e := explainer(t, "demo")
	stream := "[" + contact + "," + strings.Replace(contact, `"id":7`, `"id":8`, 1) + "]"
	got := explain(t, e, exchange(t, "GET", "/api/stream/contacts", "", "", 200, jsonType, stream), "master_data")
	if got.Answer.Body != stream || len(got.Entries) < 2 {
		t.Errorf("answer = %+v, %d entries", got.Answer, len(got.Entries))
	}
	got = explain(t, e, exchange(t, "GET", "/api/stream/contacts", "", "", 200, jsonType, stream[:len(stream)-20]), "master_data")
	if !strings.Contains(strings.Join(got.Notes, " "), "cut") {
		t.Errorf("a stream that ends early is explained as %+v", got)
	}
}

func TestNarrowedSearchIsExplainedAsNarrowed(t *testing.T) {
	body := `{"id":1,"method":"model.party.party.search_read","params":[[["rec_name","ilike","%Can%"]],0,10,null,["rec_name"],{}]}`
	got := explain(t, explainer(t, "tryton"), exchange(t, "POST", "/crm/", jsonType, body, 200, jsonType, `{"id":1,"result":[{"id":47,"rec_name":"Zoë"}]}`), "sales")
	if !got.Narrowed || got.Decision.Refused {
		t.Errorf("narrowed %t, decision %+v, notes %q, answer %+v", got.Narrowed, got.Decision, got.Notes, got.Answer)
	}
}

// TestProgramsAreRefusedInTheCRMsOwnShape, people by a page, and a call's fault by
// its own status.
func TestProgramsAreRefusedInTheCRMsOwnShape(t *testing.T) {
	e := explainer(t, "espocrm")
	x := exchange(t, "GET", "/api/v1/Contact?orderBy=cIban", "", "", 200, jsonType, `{"list":[]}`)
	got := explain(t, e, x, "sales")
	var body struct{ Message string }
	if err := json.Unmarshal([]byte(got.Answer.Body), &body); err != nil || got.Answer.Status != 403 || !strings.Contains(body.Message, "cIban") ||
		got.Answer.Header.Get("X-Status-Reason") == "" || got.Answer.Header.Get("Content-Type") != jsonType {
		t.Errorf("answer = %+v", got.Answer)
	}
	x = exchange(t, "GET", "/?entryPoint=download&id=7", "", "", 200, "text/csv", "a")
	x.Request.Header.Set("Accept", "text/html")
	if got = explain(t, e, x, "sales"); got.Answer.Status != 403 || !strings.HasPrefix(got.Answer.Header.Get("Content-Type"), "text/html") {
		t.Errorf("a person gets %+v", got.Answer)
	}
}

func TestOwnPagesAreNotExplained(t *testing.T) {
	e := explainer(t, "demo")
	for _, target := range []string{"/.crmgate/callback?code=x", "/.crmgate", "/.crmgate/ready"} {
		if got, err := e.Explain(t.Context(), []string{"sales"}, exchange(t, "GET", target, "", "", 200, jsonType, "{}")); err == nil {
			t.Errorf("%s is explained as %+v", target, got)
		}
	}
}

// TestBatchIsExplained with what all of its requests ask for, and the masks of each
// answer once.
func TestBatchIsExplained(t *testing.T) {
	const id = "9c9f62b3-bf21-5db4-8017-d792f7db7f0a"
	part := "--b\r\nContent-Type: application/http\r\n\r\n"
	body := part + "GET contacts(" + id + ")?$select=fullname,governmentid HTTP/1.1\r\n\r\n\r\n" + part + "GET %s HTTP/1.1\r\n\r\n\r\n--b--"
	record := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"contactid\":\"" + id + "\",\"fullname\":\"Zoë Canaryová\",\"governmentid\":\"12-345-678\"}\r\n"
	ask := func(second string) crmgate.Explanation {
		return explain(t, explainer(t, "dynamics"), exchange(t, "POST", "/api/data/v9.2/$batch", "multipart/mixed; boundary=b", strings.Replace(body, "%s", second, 1),
			200, "multipart/mixed; boundary=b", part+record+part+"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"value\":[]}\r\n--b--"), "sales")
	}
	got := ask("accounts?$select=name")
	if got.Route != "batch" || !got.Forwarded || len(got.Accesses) != 2 || len(got.Entries) != 4 || len(got.Masked) != 1 || strings.Contains(got.Answer.Body, "12-345-678") || !strings.Contains(got.Answer.Body, "Canaryová") {
		t.Errorf("explanation = %+v", got)
	}
	if got := ask("contacts?$orderby=governmentid"); got.Forwarded || !got.Decision.Refused || got.Decision.Reason != "asks_masked" || !strings.Contains(got.Decision.Line, "hidden") {
		t.Errorf("explanation = %+v", got)
	}
}
