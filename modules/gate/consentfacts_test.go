package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
	"github.com/crmgate/crmgate/policies"
)

// agency is a gate with a ledger of consents in front of a CRM that answers as it is told.
type agency struct {
	*testing.T
	h      *Handler
	o      *opened
	log    *notedEntries
	ledger *consent.Ledger
	store  *countedStore
	// answers are by method and path; asked are the requests that reached the CRM.
	answers map[string]string
	asked   []string
	status  int
	media   string
}

type countedStore struct {
	storetest.Memory
	loads int
}

func (s *countedStore) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	s.loads++
	return s.Memory.LoadDocs(ctx, kind, keys)
}

// The purposes' one text.
var newsletter = []consent.Purpose{{Name: "newsletter", Texts: []consent.Text{{Channel: "email", Version: "1", Language: "en", Text: "Yes."}}}}

func newAgency(t *testing.T, profile, lines string) *agency {
	t.Helper()
	a := &agency{T: t, h: explained(t, profile), log: &notedEntries{}, store: &countedStore{}, answers: map[string]string{}, status: 200, media: "application/json"}
	ring, err := keys.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	room, err := sealed.New(consent.Kind, a.store, ring)
	if err != nil {
		t.Fatal(err)
	}
	if a.ledger, err = consent.Open(t.Context(), consent.Config{
		Site: "acme", Purposes: newsletter, Room: room, Log: a.log, Controller: "Muster GmbH", Base: "https://crm.example.de", From: "a@firma.de",
		Within: 72 * time.Hour, Keep: time.Hour, PerAddress: 3,
	}); err != nil {
		t.Fatal(err)
	}
	a.policy(lines)
	a.o = &opened{log: a.log, keeper: a.h.explained, masker: mask.New(mask.Config{})}
	a.h.openConsents(a.o, a.ledger, "acme")
	return a
}

func (a *agency) policy(lines string) {
	a.Helper()
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		a.Fatal(err)
	}
	if a.h.policy, err = policy.Load([]policy.File{{Name: "p.csv", Bytes: []byte(lines)}}, model, policy.Vocabulary{Entities: a.h.profile.Entities()}); err != nil {
		a.Fatal(err)
	}
}

// says makes a person consent, or withdraw.
func (a *agency) says(to consent.State, who consent.Subject) {
	a.Helper()
	w := consent.Wanted{Purpose: "newsletter", Channel: "email"}
	if err := a.ledger.Change(a.Context(), "acme", who, w, to, "test", time.Now()); err != nil {
		a.Fatal(err)
	}
}

func mail(address string) consent.Subject { return consent.Subject{Emails: []string{address}} }

// ask sends a request as somebody with a role.
func (a *agency) ask(role, method, target, body string) *httptest.ResponseRecorder {
	a.Helper()
	r := httptest.NewRequestWithContext(a.Context(), method, "https://crm.example.de"+target, strings.NewReader(body))
	r.Host = "crm.example.de"
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept-Language", "en")
	w := httptest.NewRecorder()
	crm := caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		sent, _ := io.ReadAll(r.Body)
		what := r.Method + " " + r.URL.Path
		a.asked = append(a.asked, what+" "+string(sent))
		for key, answer := range a.answers {
			if key == what || strings.HasPrefix(key, what+" ") && strings.Contains(string(sent), key[len(what)+1:]) {
				w.Header().Set("Content-Type", a.media)
				w.WriteHeader(a.status)
				_, err := w.Write([]byte(answer))
				return err
			}
		}
		return errors.New("the CRM has no answer to " + what)
	})
	q := &request{
		h: a.h, o: a.o, w: w, r: r.WithContext(context.WithValue(a.Context(), caddyhttp.VarsCtxKey, map[string]any{})), next: crm,
		id: "0190", start: time.Now(),
		employee: &employee{session: session.Session{Identity: session.Identity{Roles: []string{role}, User: role}}, pseudonym: "p", log: "s"},
	}
	q.serve()
	return w
}

// events are the details of the entries of an event.
func (a *agency) events(e audit.Event) []string {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	var all []string
	for i := range a.log.entries {
		if one := &a.log.entries[i]; one.Event == e {
			all = append(all, strings.TrimSpace(fmt.Sprint(one.Accesses[0].Type, one.Accesses[0].IDs, " ", one.Detail, " ", one.Error)))
		}
	}
	return all
}

// nowhere fails the test where a value stands in clear in the log, but for the question
// that is sealed into an entry.
func (a *agency) nowhere(value string) {
	a.Helper()
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	for i := range a.log.entries {
		e := a.log.entries[i]
		for j := range e.Accesses {
			e.Accesses[j].Question = ""
		}
		if d := e.Disclosure; d != nil {
			d.Identifying = nil
		}
		if strings.Contains(fmt.Sprintf("%+v %+v", e, e.Disclosure), value) {
			a.Errorf("the log holds %s: %+v", value, e)
		}
	}
}

const (
	canaryMail = "zoe.canary@kanarien.example"
	sureMail   = "ada@kanarien.example"
	list       = `{"total":3,"list":[{"id":"1","name":"Ada","emailAddress":"` + sureMail + `"},{"id":"2","name":"Zoe","emailAddress":"` + canaryMail + `"},` +
		`{"id":"3","name":"Bo","emailAddress":"` + sureMail + `","emailAddressData":[{"emailAddress":"` + sureMail + `","primary":true},{"emailAddress":"second@kanarien.example"}]}]}`
)

func espo(t *testing.T) *agency {
	t.Helper()
	lines, err := policies.Files.ReadFile("consent.csv")
	if err != nil {
		t.Fatal(err)
	}
	a := newAgency(t, "espocrm", string(lines)+"p, master_data, *, *, *, clear, , allow\np, master_data, *, unclassified, *, clear, , allow\n")
	a.answers["GET /api/v1/Contact"] = list
	a.says(consent.Confirmed, mail(sureMail))
	return a
}

// TestMarketingSeesAnAddressOnlyWithConsent in a list, by one question to the store, and no
// more as soon as it is withdrawn at this node.
func TestMarketingSeesAnAddressOnlyWithConsent(t *testing.T) {
	a := espo(t)
	a.store.loads = 0
	sees := func(want ...bool) {
		t.Helper()
		w := a.ask("marketing", "GET", "/api/v1/Contact", "")
		body := w.Body.String()
		for i, line := range strings.SplitAfter(body, `"id":`)[1:] {
			if got := strings.Contains(line, `"emailAddress":"`+sureMail+`"`); w.Code != 200 || got != want[i] {
				t.Errorf("record %d: shown %t, want %t: %d %s", i+1, got, want[i], w.Code, body)
			}
		}
		if strings.Contains(body, canaryMail) {
			t.Error("an address without consent is shown")
		}
	}
	// The third has an address that nobody has consented for: none of its is shown.
	sees(true, false, false)
	sees(true, false, false)
	if a.store.loads != 1 {
		t.Errorf("two lists were %d questions", a.store.loads)
	}
	a.says(consent.Withdrawn, mail(sureMail))
	sees(false, false, false)
	a.store.loads = 0
	if body := a.ask("master_data", "GET", "/api/v1/Contact", "").Body.String(); body != list || a.store.loads != 0 {
		t.Errorf("who needs no consent gets %s after %d questions", body, a.store.loads)
	}
	a.nowhere(canaryMail)
	a.nowhere(sureMail)
}

// TestAStoreThatFailsMasks, and nothing else breaks.
func TestAStoreThatFailsMasks(t *testing.T) {
	a := espo(t)
	a.store.Fault = errors.New("no disk")
	w := a.ask("marketing", "GET", "/api/v1/Contact", "")
	if body := w.Body.String(); w.Code != 200 || strings.Contains(body, sureMail) || strings.Contains(body, canaryMail) || !strings.Contains(body, "Ada") {
		t.Errorf("%d %s", w.Code, body)
	}
	if w := a.ask("marketing", "POST", "/api/v1/Email", `{"status":"Sending","to":"`+sureMail+`"}`); w.Code != 403 || len(a.asked) != 1 {
		t.Errorf("a mail goes out: %d, %v", w.Code, a.asked)
	}
}

// TestNobodyAsksForWhatTakesConsent: a field that is clear with consent alone is neither
// filtered, sorted nor searched by.
func TestNobodyAsksForWhatTakesConsent(t *testing.T) {
	a := espo(t)
	for _, query := range []string{"?orderBy=emailAddress", "?where[0][type]=equals&where[0][attribute]=emailAddress&where[0][value]=x", "?textFilter=ada"} {
		if w := a.ask("marketing", "GET", "/api/v1/Contact"+query, ""); w.Code != 403 || len(a.asked) > 0 {
			t.Errorf("%s: %d, %v", query, w.Code, a.asked)
		}
	}
	if w := a.ask("marketing", "GET", "/api/v1/Contact?orderBy=name&select=id,emailAddress", ""); w.Code != 200 {
		t.Errorf("by name: %d %s", w.Code, w.Body)
	}
}

// TestMailsGoToThoseAloneWhoConsented: each address counts, refusals have the CRM's own
// shape, and nothing of a refused one reaches the CRM.
func TestMailsGoToThoseAloneWhoConsented(t *testing.T) {
	a := espo(t)
	a.answers["POST /api/v1/Email"] = `{"id":"9","status":"Sent"}`
	for body, sent := range map[string]bool{
		`"to":"` + sureMail + `"`:                             true,
		`"to":"Ada <` + strings.ToUpper(sureMail) + `>"`:      true,
		`"to":"` + sureMail + `;` + canaryMail + `"`:          false,
		`"to":"` + sureMail + `","bcc":"` + canaryMail + `"`:  false,
		`"to":"` + sureMail + ` ` + canaryMail + `"`:          false,
		`"to":"` + sureMail + `","cc":["` + canaryMail + `"]`: false,
		`"to":""`: false,
		`"to":"` + sureMail + `","parentId":null`: true,
		// The CRM writes to those whose addresses are named by their ids, too.
		`"to":"` + sureMail + `","ccEmailAddressesIds":["5f1"]`:  false,
		`"to":"` + sureMail + `","bccEmailAddressesIds":["5f1"]`: false,
		`"to":"` + sureMail + `","ccEmailAddressesIds":[]`:       true,
		`"toEmailAddressesIds":["5f1"]`:                          false,
		// A coded name can hold an address, and the comma before the next.
		`"to":"=?utf-8?q?zoe=40kanarien.example=2C?= <` + sureMail + `>"`: false,
	} {
		a.asked = nil
		w := a.ask("marketing", "POST", "/api/v1/Email", `{"status":"Sending","name":"News","body":"x",`+body+`}`)
		if sent && (w.Code != 200 || len(a.asked) != 1) || !sent && (w.Code != 403 || len(a.asked) != 0 || !strings.HasPrefix(w.Body.String(), `{"message":"There is no consent`)) {
			t.Errorf("%s: %d %s, %v", body, w.Code, w.Body, a.asked)
		}
		if strings.Contains(w.Body.String(), canaryMail) {
			t.Errorf("the answer names %s", canaryMail)
		}
	}
	a.asked = nil
	// Who is drafted to isn't written to; a draft that is sent can name others.
	if w := a.ask("marketing", "POST", "/api/v1/Email", `{"status":"Draft","to":"`+canaryMail+`"}`); w.Code != 200 {
		t.Errorf("a draft: %d %s", w.Code, w.Body)
	}
	if w := a.ask("marketing", "PUT", "/api/v1/Email/9", `{"status":"Sending","to":"`+sureMail+`"}`); w.Code == 200 {
		t.Error("a draft is sent to whom nobody knows")
	}
	if w := a.ask("master_data", "POST", "/api/v1/Email", `{"status":"Sending","to":"`+canaryMail+`"}`); w.Code != 200 {
		t.Errorf("who needs no consent: %d %s", w.Code, w.Body)
	}
	a.nowhere(canaryMail)
}

// TestAMailIsNotShownByTheConsentOfHalfOfItsPeople: the client chooses the fields of an
// answer, and can leave out the address that speaks against it.
func TestAMailIsNotShownByTheConsentOfHalfOfItsPeople(t *testing.T) {
	a := espo(t)
	mail := `{"id":"1","name":"Canary Subject","to":"` + sureMail + `","bodyPlain":"Canary Text"}`
	a.answers["GET /api/v1/Email"] = `{"total":1,"list":[` + mail + `]}`
	a.answers["GET /api/v1/Email/1"] = mail
	for _, target := range []string{"/api/v1/Email", "/api/v1/Email/1"} {
		w := a.ask("marketing", "GET", target+"?select=id,name,to,bodyPlain", "")
		if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "Canary") || !strings.Contains(body, sureMail) {
			t.Errorf("%s: %d %s", target, w.Code, body)
		}
	}
}

// TestAnOptOutInTheCRMWithdraws, once, where it is new and the CRM took it; an opt-in is
// an entry alone.
func TestAnOptOutInTheCRMWithdraws(t *testing.T) {
	a := espo(t)
	record := func(out string) string {
		return `{"id":"1","name":"Ada","emailAddress":"` + sureMail + `","emailAddressIsOptedOut":` + out + `}`
	}
	consents := func() bool {
		t.Helper()
		s, err := a.ledger.States(t.Context(), "acme", []consent.Subject{{Entity: "contact", Record: "1", Emails: []string{sureMail}}}, []consent.Wanted{{Purpose: "newsletter", Channel: "email"}})
		if err != nil {
			t.Fatal(err)
		}
		return s[0][0] == 2
	}
	save := func(out string, status int) {
		t.Helper()
		a.status = 200
		if status != 200 {
			delete(a.answers, "PUT /api/v1/Contact/1")
		} else {
			a.answers["PUT /api/v1/Contact/1"] = record(out)
		}
		a.ask("master_data", "PUT", "/api/v1/Contact/1", `{"emailAddressIsOptedOut":`+out+`}`)
	}
	a.answers["GET /api/v1/Contact/1"] = record("true")
	save("true", 200) // it was so before
	a.answers["GET /api/v1/Contact/1"] = record("false")
	save("true", 502) // the CRM didn't take it
	if got := a.events(audit.ConsentField); len(got) != 0 || !consents() {
		t.Fatalf("before anything was changed: %v, %t", got, consents())
	}
	a.h.ConsentFields = &ConsentFields{OptOut: "noted"}
	save("true", 200)
	if got := a.events(audit.ConsentField); len(got) != 1 || got[0] != "Contact[1] field emailAddressIsOptedOut: withdrawn (every purpose, email)" || !consents() {
		t.Fatalf("only noted: %q, %t", got, consents())
	}
	a.h.ConsentFields = nil
	save("true", 200)
	if got := a.events(audit.ConsentField); len(got) != 2 || !strings.HasSuffix(got[1], "; the ledger: withdrawn") || consents() {
		t.Fatalf("%q, %t", got, consents())
	}
	if strings.Contains(a.ask("marketing", "GET", "/api/v1/Contact", "").Body.String(), sureMail) {
		t.Error("the address is shown after the opt-out")
	}
	a.answers["GET /api/v1/Contact/1"] = record("true")
	save("false", 200)
	if got := a.events(audit.ConsentField); len(got) != 3 || consents() {
		t.Errorf("taking it back made a consent: %q, %t", got, consents())
	}
	a.nowhere(sureMail)
}

// TestAContradictionIsNoConsent, and an entry that is found by the record, once.
func TestAContradictionIsNoConsent(t *testing.T) {
	a := espo(t)
	a.answers["GET /api/v1/Contact"] = `{"total":2,"list":[{"id":"1","emailAddress":"` + sureMail + `","emailAddressIsOptedOut":true},{"id":"2","emailAddress":"` + sureMail + `","doNotCall":true}]}`
	for range 2 {
		body := a.ask("marketing", "GET", "/api/v1/Contact", "").Body.String()
		if strings.Count(body, sureMail) != 1 || strings.Contains(body[:strings.Index(body, `"id":"2"`)], sureMail) {
			t.Errorf("%s", body)
		}
	}
	if got := a.events(audit.ConsentContradicted); len(got) != 1 || !strings.HasPrefix(got[0], "Contact[1] the ledger holds consent:newsletter:email, the CRM's field emailAddressIsOptedOut says") {
		t.Errorf("%q", got)
	}
	a.nowhere(sureMail)
}

const trytonLines = `
p, marketing, contact, name, read, clear, , allow
p, marketing, contact, name, search, clear, , allow
p, marketing, contact, name, export, clear, , allow
p, marketing, contact, email, read, clear, consent:newsletter:email, allow
p, marketing, contact, email, search, clear, consent:newsletter:email, allow
p, marketing, contact, email, export, clear, consent:newsletter:email, allow
p, marketing, contact_mechanism, *, search, clear, consent:newsletter:email, allow
p, marketing, mail, *, contact, clear, , allow
p, marketing, contact, *, contact, clear, consent:newsletter:email, allow
`

// TestTrytonShowsAndMailsByConsent: parties, their contact mechanisms, the CSV, and the
// mail that the server sends, refused in the call's own shape.
func TestTrytonShowsAndMailsByConsent(t *testing.T) {
	a := newAgency(t, "tryton", trytonLines)
	a.says(consent.Confirmed, mail(sureMail))
	a.says(consent.Confirmed, consent.Subject{Entity: "contact", Record: "3"}) // a mark in the CRM
	a.answers["POST /crm/ party.party.search_read"] = `{"id":1,"result":[{"id":1,"name":"Ada","email":"` + sureMail + `"},{"id":2,"name":"Zoe","email":"` + canaryMail + `"},{"id":3,"name":"Cy","email":"cy@kanarien.example"}]}`
	a.answers["POST /crm/ contact_mechanism.search_read"] = `{"id":1,"result":[{"id":11,"type":"email","value":"` + sureMail + `"},{"id":12,"type":"email","value":"` + canaryMail + `"}]}`
	a.answers["POST /crm/ ir.email.send"] = `{"id":1,"result":5}`
	call := func(method, params string) string {
		return a.ask("marketing", "POST", "/crm/", `{"id":1,"method":"model.`+method+`","params":[`+params+`,{}]}`).Body.String()
	}
	body := call("party.party.search_read", `[],0,10,null,["name","email"]`)
	if !strings.Contains(body, sureMail) || strings.Contains(body, canaryMail) || !strings.Contains(body, "cy@kanarien.example") {
		t.Error(body)
	}
	body = call("party.contact_mechanism.search_read", `[],0,10,null,["type","value"]`)
	if !strings.Contains(body, sureMail) || strings.Contains(body, canaryMail) {
		t.Error(body)
	}
	a.asked = nil
	send := func(to, reports string) string {
		return call("ir.email.send", `"`+to+`","","","s","b",[],["party.party",1],`+reports+`,[]`)
	}
	if body := send(sureMail, "[]"); body != `{"id":1,"result":5}` {
		t.Error(body)
	}
	for _, body := range []string{send(sureMail+", "+canaryMail, "[]"), send(sureMail, "[4]")} {
		if !strings.HasPrefix(body, `{"id":1,"error":["UserError",`) || len(a.asked) != 1 {
			t.Errorf("%s, %v", body, a.asked)
		}
	}
	a.media, a.asked = "text/csv", nil
	a.answers["GET /crm/data/party.party"] = "name,email\nAda," + sureMail + "\nZoe," + canaryMail + "\n"
	w := a.ask("marketing", "GET", "/crm/data/party.party?"+url.Values{"f": {"name", "email"}, "h": {"1"}}.Encode(), "")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "Ada,"+sureMail) || strings.Contains(body, canaryMail) || !strings.Contains(body, "Zoe") {
		t.Errorf("%d %s %v", w.Code, body, a.asked)
	}
	a.nowhere(canaryMail)
}

// TestAPageShowsAnAddressOnlyWithConsent: SuiteCRM's, where the address stands in a text
// and in a link.
func TestAPageShowsAnAddressOnlyWithConsent(t *testing.T) {
	const who = "annika.soerensen-vogt@example.de"
	page, err := os.ReadFile("../../internal/profile/testdata/suitecrm/08-html-detailview.response.html")
	if err != nil {
		t.Fatal(err)
	}
	a := newAgency(t, "suitecrm", "p, marketing, contact, email, read, clear, consent:newsletter:email, allow\n")
	a.media = "text/html; charset=UTF-8"
	a.answers["GET /index.php"] = string(page)
	for _, want := range []bool{false, true, false} {
		w := a.ask("marketing", "GET", "/index.php?module=Contacts&action=DetailView&record=206663fd-1f08-56ce-b297-d5d6f4faee0c", "")
		if got := strings.Contains(w.Body.String(), who); w.Code != 200 || got != want {
			t.Errorf("shown: %t, want %t (%d)", got, want, w.Code)
		}
		if !want {
			a.says(consent.Confirmed, mail(who))
			continue
		}
		a.says(consent.Withdrawn, mail(who))
	}
}

// TestAPolicyWithConsentsNeedsALedger, which has the purpose.
func TestAPolicyWithConsentsNeedsALedger(t *testing.T) {
	h := explained(t, "espocrm")
	a := &agency{T: t, h: h}
	if err := h.checkConsentFacts(); err != nil {
		t.Error(err)
	}
	a.policy("p, marketing, contact, email, read, clear, consent:newsletter:email, allow\n")
	if err := h.checkConsentFacts(); err == nil || !strings.Contains(err.Error(), "consent:newsletter:email") || !strings.Contains(err.Error(), "add a block `consent") && !strings.Contains(err.Error(), "Add a block `consent") {
		t.Errorf("without a ledger: %v", err)
	}
	h.consent = knowing("newsletter")
	if err := h.checkConsentFacts(); err != nil {
		t.Error(err)
	}
	h.consent = knowing("survey")
	if err := h.checkConsentFacts(); err == nil || !strings.Contains(err.Error(), "has no purpose newsletter") {
		t.Errorf("with another purpose: %v", err)
	}
	h.consent = knowing("newsletter")
	a.policy("p, marketing, contact, email, read, clear, consent:newsletter:fax, allow\n")
	if err := h.checkConsentFacts(); err == nil || !strings.Contains(err.Error(), "email, phone, post, messenger") {
		t.Errorf("with an unknown channel: %v", err)
	}
	h.consent = nil
	h.ConsentFields = &ConsentFields{OptIn: "grants"}
	a.policy("p, marketing, contact, email, read, clear, , allow\n")
	if err := h.checkConsentFacts(); err == nil || !strings.Contains(err.Error(), "consent_fields") {
		t.Errorf("rules without a ledger: %v", err)
	}
}

// knowing is a ledger's module that knows one purpose.
type knowing string

func (knowing) Open(*crmgate.App, *crmgate.Services) error { return nil }
func (knowing) Serve(crmgate.Stranger)                     {}
func (knowing) Opened() *consent.Ledger                    { return nil }
func (k knowing) Knows(w consent.Wanted) bool              { return w.Purpose == string(k) }
func (k knowing) Says() crmgate.ConsentSays                { return crmgate.ConsentSays{} }
