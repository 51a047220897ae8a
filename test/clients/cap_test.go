package clients

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

const (
	capRoot = "/odata/v4/crm/"
	annika  = capRoot + "Customers(00000000-0000-4000-8000-000000000001)"
	capETag = `W/"2026-05-04T07:12:44.090Z"`
)

// capHidden are the values of cap/server.mjs that sales doesn't see.
var capHidden = []string{
	"66969 112", "99998 417", "4710 556", "1984-03-17", "1971-11-02", "1979-01-08",
	"DE75900400440532013070", "DE29900500001234567890", "Bandscheiben", "IG Metall", "keine Anrufe",
}

// service is a gate before CAP, with the profile that is drawn of its metadata.
type service struct {
	*stack.Gate
	direct string // CAP's own address
}

func startCAP(t *testing.T) *service {
	t.Helper()
	stack.Installed(t, stack.Path(t, "clients", "node_modules"))
	const ready = "service ready: "
	p := stack.StartProcess(t, exec.Command("node", stack.Path(t, "clients", "cap", "server.mjs")), ready)
	_, said, _ := strings.Cut(p.String(), ready)
	direct, _, _ := strings.Cut(said, "\n")
	dir := t.TempDir()
	metadata := filepath.Join(dir, "metadata.xml")
	answer := ask(t, http.MethodGet, direct+capRoot+"$metadata", nil, "")
	if err := os.WriteFile(metadata, []byte(answer.Body), 0o600); err != nil {
		t.Fatal(err)
	}
	drawn, err := exec.Command(stack.Binary(t), "profile", "draft", metadata, "--path", strings.TrimSuffix(capRoot, "/"), "--name", "crm/1").Output()
	if err != nil {
		t.Fatalf("drawing the profile: %v", err)
	}
	profile := filepath.Join(dir, "crm.yaml")
	if err := os.WriteFile(profile, drawn, 0o600); err != nil {
		t.Fatal(err)
	}
	return &service{startGate(t, profile, stack.Path(t, "clients", "testdata", "cap.csv"), direct), direct}
}

// ask sends one request.
func ask(t *testing.T, method, address string, header http.Header, body string) *stack.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := (&http.Client{Timeout: stack.Patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &stack.Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw), URL: req.URL}
}

// as asks through the gate as a role, and looks for what sales doesn't see.
func (s *service) as(t *testing.T, role, method, path string, header http.Header, body string) *stack.Answer {
	t.Helper()
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Crmgate-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(role+":"+secrets[role])))
	a := ask(t, method, s.Base+path, header, body)
	if role == "sales" {
		whole, err := url.PathUnescape(a.Body)
		if err != nil {
			whole = a.Body
		}
		for name, values := range a.Header {
			whole += "\n" + name + ": " + strings.Join(values, ", ")
		}
		lacks(t, method+" "+path, whole, capHidden...)
		lacks(t, method+" "+path, a.Body, s.direct)
	}
	return a
}

// capQuestions are what roles ask, by whether sales may. Those with another status
// are refused for everybody.
var capQuestions = map[string]int{
	"":                       http.StatusOK,
	"$metadata":              http.StatusOK,
	"Customers":              http.StatusOK,
	"Customers?$skiptoken=2": http.StatusOK,
	"Customers?$select=lastName,phone&$top=1&$skip=1":                            http.StatusOK,
	"Customers?$count=true&$top=1":                                               http.StatusOK,
	"Customers(00000000-0000-4000-8000-000000000001)":                            http.StatusOK,
	"Customers(00000000-0000-4000-8000-000000000001)/orders":                     http.StatusOK,
	"Orders(11)/customer":                                                        http.StatusOK,
	"Orders(11)/customer/iban":                                                   http.StatusOK,
	"Customers?$filter=lastName eq 'Müßig'":                                      http.StatusOK,
	"Customers?$filter=birthDate eq 1984-03-17":                                  http.StatusForbidden,
	"Customers?$filter=year(birthDate) eq 1984":                                  http.StatusForbidden,
	"Customers?$filter=contains(notes,'IG')":                                     http.StatusForbidden,
	"Customers?$filter=@a eq phone&@a='x'":                                       http.StatusForbidden,
	"Customers?$filter=orders/any(o:o/amount gt 500)":                            http.StatusOK,
	"Customers?$filter=orders/any(o:o/customer/iban eq 'x')":                     http.StatusForbidden,
	"Orders?$filter=customer/phone eq 'x'":                                       http.StatusForbidden,
	"Customers?$orderby=lastName desc":                                           http.StatusOK,
	"Customers?$orderby=iban":                                                    http.StatusForbidden,
	"Orders?$orderby=customer/birthDate":                                         http.StatusForbidden,
	"Customers?$apply=groupby((segment),aggregate($count as n))":                 http.StatusOK,
	"Customers?$apply=groupby((birthDate))":                                      http.StatusForbidden,
	"Customers?$apply=filter(birthDate gt 1980-01-01)/aggregate($count as n)":    http.StatusForbidden,
	"Customers?$apply=aggregate(birthDate with max as youngest)":                 http.StatusForbidden,
	"Orders?$apply=aggregate(amount with sum as total)":                          http.StatusOK,
	"Orders?$apply=groupby((currency),aggregate(amount with sum as total))":      http.StatusOK,
	"Orders?$apply=groupby((customer/iban),aggregate(amount with sum as total))": http.StatusForbidden,
	"Customers?$expand=orders($orderby=amount desc;$top=1)":                      http.StatusOK,
	"Orders?$expand=customer($select=lastName,iban)":                             http.StatusOK,
	"Orders?$expand=customer($expand=orders)&$top=1":                             http.StatusOK,
	"Customers?$expand=orders($filter=customer/iban eq 'x')":                     http.StatusForbidden,
	"Customers?$search=Annika":                                                   http.StatusForbidden,
	"Orders?$search=Wartung":                                                     http.StatusOK,
}

// address writes a question as clients do.
func address(question string) string {
	return capRoot + strings.NewReplacer(" ", "%20", "ü", "%C3%BC", "ß", "%C3%9F").Replace(question)
}

func TestClientCAP(t *testing.T) {
	s := startCAP(t)
	t.Run("questions", s.questions)
	t.Run("pages", s.pages)
	t.Run("saves", s.saves)
	t.Run("batches", s.batches)
}

// questions asks everything as two roles.
func (s *service) questions(t *testing.T) {
	for question, want := range capQuestions {
		t.Run(question, func(t *testing.T) {
			if a := s.as(t, "master_data", http.MethodGet, address(question), nil, ""); a.Status != http.StatusOK {
				t.Errorf("who may see everything got %d: %s", a.Status, a.Body)
			}
			if a := s.as(t, "sales", http.MethodGet, address(question), nil, ""); a.Status != want {
				t.Errorf("sales got %d, want %d: %s", a.Status, want, a.Body)
			}
		})
	}
	s.as(t, "sales", http.MethodGet, address("Orders(13)"), nil, "")
	logged(t, s.Gate, "00000000-0000-4000-8000-000000000002")
	all := s.as(t, "master_data", http.MethodGet, address("Customers?$top=3"), nil, "")
	holds(t, "what a role sees that sees everything", all.Body, capHidden...)
	logged(t, s.Gate, "00000000-0000-4000-8000-000000000003")
}

// pages follows the next links of a list to its end.
func (s *service) pages(t *testing.T) {
	var seen string
	next, pages := "Customers?$orderby=lastName", 0
	for ; next != "" && pages < 5; pages++ {
		a := s.as(t, "sales", http.MethodGet, capRoot+next, nil, "")
		var page struct {
			Next string `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal([]byte(a.Body), &page); err != nil {
			t.Fatal(err)
		}
		seen += a.Body
		next = page.Next
	}
	if pages != 2 {
		t.Errorf("the list has %d pages", pages)
	}
	holds(t, "the pages", seen, "Sörensen-Vogt", "Müßig", "Yıldırım")
}

// saves saves a record as sales sees it.
func (s *service) saves(t *testing.T) {
	if a := s.as(t, "sales", http.MethodPatch, annika, nil, `{"city":"Kiel"}`); a.Status != http.StatusPreconditionRequired {
		t.Errorf("without an ETag the service said %d: %s", a.Status, a.Body)
	}
	read := s.as(t, "sales", http.MethodGet, annika, nil, "")
	var record map[string]any
	if err := json.Unmarshal([]byte(read.Body), &record); err != nil {
		t.Fatal(err)
	}
	etag, _ := record["@odata.etag"].(string)
	if etag != capETag {
		t.Fatalf("the ETag is %q", etag)
	}
	stale := http.Header{"If-Match": {`W/"2020-01-01T00:00:00.000Z"`}}
	if a := s.as(t, "sales", http.MethodPatch, annika, stale, `{"city":"Kiel"}`); a.Status != http.StatusPreconditionFailed {
		t.Errorf("with another ETag the service said %d: %s", a.Status, a.Body)
	}
	match := http.Header{"If-Match": {etag}}
	if a := s.as(t, "sales", http.MethodPatch, annika, match, `{"phone":"+49 30 1234567"}`); a.Status != http.StatusForbidden && a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a masked field was changed: %d %s", a.Status, a.Body)
	}
	for name := range record {
		if strings.HasPrefix(name, "@") || name == "ID" || name == "modifiedAt" {
			delete(record, name)
		}
	}
	// Who may not change an unclassified field doesn't send it.
	delete(record, "segment")
	delete(record, "vip")
	delete(record, "email")
	record["city"] = "Kiel"
	whole, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.as(t, "sales", http.MethodPatch, annika, match, string(whole)); a.Status != http.StatusOK {
		t.Fatalf("saving said %d: %s", a.Status, a.Body)
	}
	stored := ask(t, http.MethodGet, s.direct+annika, nil, "")
	holds(t, "what is stored", stored.Body, `"city":"Kiel"`, `"phone":"+49 40 66969 112"`, `"birthDate":"1984-03-17"`, `"iban":"DE75900400440532013070"`, "Bandscheiben")
}

// batches sends batches of both forms.
func (s *service) batches(t *testing.T) {
	const get = `{"id":"a","method":"GET","url":"Customers(00000000-0000-4000-8000-000000000001)?$select=lastName,phone"}`
	jsonBatch := func(parts ...string) string { return `{"requests":[` + strings.Join(parts, ",") + `]}` }
	multipart := func(parts ...string) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString("--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + p + "\r\n")
		}
		return b.String() + "--b--\r\n"
	}
	mixed := http.Header{"Content-Type": {"multipart/mixed; boundary=b"}}
	for _, b := range []struct {
		name   string
		header http.Header
		body   string
		status int
		shown  string
	}{
		{"JSON", nil, jsonBatch(get, `{"id":"b","method":"GET","url":"Orders?$expand=customer"}`), http.StatusOK, "Kühlaggregat"},
		{"JSON with a masked field asked about", nil, jsonBatch(get, `{"id":"b","method":"GET","url":"Customers?$orderby=iban"}`), http.StatusForbidden, "iban"},
		{"multipart", mixed, multipart("GET Customers?$expand=orders HTTP/1.1\r\nAccept: application/json\r\n\r\n", "GET Orders(13)/customer HTTP/1.1\r\nAccept: application/json\r\n\r\n"), http.StatusOK, "Müßig"},
		{"multipart with a masked field asked about", mixed, multipart("GET Customers?$filter=iban%20eq%20'x' HTTP/1.1\r\n\r\n"), http.StatusForbidden, "iban"},
		{"JSON with a save under an ETag", nil, jsonBatch(`{"id":"s","method":"PATCH","url":"Customers(00000000-0000-4000-8000-000000000002)","headers":{"content-type":"application/json","if-match":"W/\"2026-05-04T07:12:44.090Z\""},"body":{"city":"Kiel","phone":"+49 ••••••17"}}`), http.StatusOK, "Kiel"},
	} {
		t.Run(b.name, func(t *testing.T) {
			a := s.as(t, "sales", http.MethodPost, capRoot+"$batch", b.header, b.body)
			if a.Status != b.status || !strings.Contains(a.Body, b.shown) {
				t.Errorf("%d, want %d with %q: %s", a.Status, b.status, b.shown, a.Body)
			}
			if all := s.as(t, "master_data", http.MethodPost, capRoot+"$batch", b.header, b.body); b.status == http.StatusForbidden && all.Status != http.StatusOK {
				t.Errorf("who may see everything got %d: %s", all.Status, all.Body)
			}
		})
	}
	stored := ask(t, http.MethodGet, s.direct+capRoot+"Customers(00000000-0000-4000-8000-000000000002)", nil, "")
	holds(t, "what is stored", stored.Body, `"city":"Kiel"`, `"phone":"+49 89 99998 417"`)
}
