package gate_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

// drawnPolicy lets sales see names alone.
const drawnPolicy = `p, sales, customers, name, *, clear,  , allow
p, sales, customers, *,    *, hidden, , allow
p, sales, orders,    *,    *, clear,  , allow
p, master_data, *, *,      *, clear,  , allow
p, master_data, *, unclassified, *, clear, , allow
`

// drawnProfile has a profile drawn of a service's metadata.
func (e *environment) drawnProfile() error {
	src, err := os.ReadFile("../../internal/profile/metadata/testdata/bookshop.xml")
	if err != nil {
		return err
	}
	said, err := metadata.Read([]metadata.File{{Name: "bookshop.xml", Bytes: src}})
	if err != nil {
		return err
	}
	out, err := said.Draft(metadata.Options{Name: "bookshop/1", Path: "/odata/v4/catalog"})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(e.dir, "drawn.csv"), []byte(drawnPolicy), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(e.dir, "drawn.yaml"), out, 0o600)
}

// signedInAt signs in by opening a page, whatever the CRM says to that.
func (s *site) signedInAt(t *testing.T, login, path string) *browser {
	t.Helper()
	b := newBrowser(s)
	r, err := b.throughProvider(login, path)
	if err != nil || r.url.Host != s.host {
		t.Fatalf("signing %s in: %v %v", login, r, err)
	}
	return b
}

// service is a service of OData and one of its people.
type service struct {
	name, root, set, id            string
	record, unseen, other, another string
}

func services() []service {
	const a, b = "9c9f62b3-bf21-5db4-8017-d792f7db7f0a", "d218d306-e88c-57ac-87f9-9963eafdb001"
	return []service{
		{
			"dynamics", "/api/data/v9.2/", "contacts", a,
			`{"@odata.etag":"W/\"1\"","contactid":"` + a + `","fullname":"Erika Mustermann","jobtitle":"Einkauf","description":"` + leakNote + `"}`, "description",
			`{"value":[{"accountid":"` + b + `","name":"` + leakNote + `"}]}`, "accounts?$select=name",
		},
		{
			"drawn", "/odata/v4/catalog/", "Customers", a,
			`{"@odata.context":"$metadata#Customers/$entity","ID":"` + a + `","name":"Erika Mustermann","emailAddress1":"` + leakMail + `"}`, "emailAddress1",
			`{"value":[{"ID":"` + b + `","currency_code":"` + leakMail + `","amount":5}]}`, "Orders",
		},
	}
}

func (s *service) site(t *testing.T) *browser {
	at := env.odata
	if s.name == "drawn" {
		at = env.drawn
	}
	return at.signedInAt(t, "vera", s.root+"$metadata")
}

func (s *service) address() string { return s.set + "(" + s.id + ")" }

// placeholder is what stands in the place of the value that vera doesn't see.
func (s *service) placeholder(t *testing.T, b *browser) string {
	t.Helper()
	r := b.do(t, ask{path: s.root + s.address(), scene: newScene(t, jsonAnswer(200, s.record))}).want(t, 200)
	_, after, _ := strings.Cut(string(r.body), `"`+s.unseen+`":"`)
	value, _, ok := strings.Cut(after, `"`)
	if !ok || strings.Contains(s.record, value) {
		t.Fatalf("got %s", r)
	}
	return value
}

// crm answers a batch, and the gateway's own read.
func (s *service) crm(parts ...string) http.HandlerFunc {
	batch := inParts(parts...)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			jsonAnswer(200, s.record)(w, r)
			return
		}
		batch(w, r)
	}
}

func TestBatchesOfODataAreMaskedAndLogged(t *testing.T) {
	t.Parallel()
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.site(t)
			a := batchOf(s.root+"$batch", partOf("GET "+s.another+" HTTP/1.1\nAccept: application/json"), partOf("GET "+b.site.url+s.root+s.address()+" HTTP/1.1\nPrefer: odata.maxpagesize=5"))
			a.scene = newScene(t, s.crm(told(200, s.other), told(200, s.record)))
			r := b.do(t, a).want(t, http.StatusOK)
			for _, text := range []string{leakMail, leakNote} {
				if read(r).Holds(text) {
					t.Errorf("%q can be read in %s", text, r)
				}
			}
			if !strings.Contains(string(r.body), "Erika Mustermann") {
				t.Errorf("got %s", r)
			}
			sent := string(a.scene.requests()[0].body)
			if !strings.Contains(sent, "GET "+s.address()+" HTTP/1.1\r\nPrefer: odata.maxpagesize=5\r\n") {
				t.Errorf("forwarded: %s", sent)
			}
			x := r.logged(t)
			if len(x) != 4 || len(x.records(s.set)) != 1 {
				t.Errorf("logged %s", x)
			}
			// The CRM's answer to one request less, or in another order of nesting.
			for _, parts := range [][]string{{told(200, s.record)}, {told(200, s.other), changesOf("HTTP/1.1 200 OK\nContent-Type: application/json\n\n" + s.record)}} {
				a.scene.answer(s.crm(parts...))
				r := b.do(t, a).want(t, http.StatusBadGateway)
				if len(r.logged(t)) != 4 {
					t.Errorf("logged %s", r.logged(t))
				}
			}
		})
	}
}

func TestBatchesOfODataSaveWhatTheirAuthorSees(t *testing.T) {
	t.Parallel()
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.site(t)
			patch := func(value string) string {
				return fmt.Sprintf("PATCH %s HTTP/1.1\nIf-Match: *\nContent-Type: application/json\n\n{\"%s\":\"%s\"}", s.address(), s.unseen, value)
			}
			made := partOf("HTTP/1.1 204 No Content\nOData-Version: 4.0")
			both := "Content-Type: multipart/mixed; boundary=cr\n\n--cr\n" + made + "--cr--\n"
			a := batchOf(s.root+"$batch", changesOf(patch(s.placeholder(t, b))), partOf("GET "+s.another+" HTTP/1.1"))
			a.scene = newScene(t, s.crm(both, told(200, `{"value":[]}`)))
			b.do(t, a).want(t, http.StatusOK)
			sent := a.scene.requests()
			if body := string(sent[len(sent)-1].body); strings.Contains(body, s.unseen) || !strings.Contains(body, "\r\nIf-Match: *\r\n") {
				t.Errorf("forwarded: %s", body)
			}
			// What its author can't see isn't changed, and nothing else is then.
			a.body = batchOf("", partOf("GET "+s.another+" HTTP/1.1"), changesOf(patch("neu"))).body
			a.scene = newScene(t, s.crm(both, told(200, `{"value":[]}`)))
			r := b.do(t, a)
			if r.status != http.StatusForbidden && r.status != http.StatusUnprocessableEntity || !strings.Contains(string(r.body), "Request 2 of 2") || !strings.Contains(string(r.body), `"code"`) {
				t.Errorf("got %s, want a refusal in the CRM's shape that names the request", r)
			}
			for _, got := range a.scene.requests() {
				if got.method != http.MethodGet {
					t.Errorf("the CRM received %s", got.method)
				}
			}
			for _, e := range r.logged(t) {
				if e.Entry.Kind == audit.Disclosure && len(e.Entry.Disclosure.Records) > 0 {
					t.Errorf("disclosed: %+v", e.Entry)
				}
			}
		})
	}
}

func TestBatchesOfODataThatHoldSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.site(t)
			patch := func(body string) string {
				return "PATCH " + s.address() + " HTTP/1.1\nContent-Type: application/json\n\n" + body
			}
			for part, reason := range map[string]string{
				"GET nosuch HTTP/1.1": "unknown_type", "GET $1 HTTP/1.1": "reference", "GET " + s.set + "/$count HTTP/1.1": "malformed",
				"GET " + s.set + "?$orderby=" + s.unseen + " HTTP/1.1": "asks_masked", "GET " + s.set + "?UnMaskedData=true HTTP/1.1": "unknown_parameter",
				"GET " + s.set + " HTTP/1.1\nCallerObjectId: x": "batch_header", "GET " + s.set + "?$filter=jobtitle%20eq%20$1/" + s.unseen + " HTTP/1.1": "malformed",
				patch(`{"jobtitle":"$1/` + s.unseen + `"}`): "reference", patch(`{"x@odata.bind":"$1"}`): "reference",
			} {
				a := batchOf(s.root+"$batch", partOf("GET "+s.another+" HTTP/1.1"), partOf(part))
				a.scene = newScene(t, s.crm(told(200, s.record)))
				r := b.do(t, a)
				if r.status < 400 {
					t.Errorf("%s: got %s", part, r)
				}
				a.scene.nothing(t)
				r.logged(t).refused(t, reason)
			}
		})
	}
}
