package profile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
)

const batched = `
profile: batched/1
evidence: documented
withheld: WITHHELD
entities:
  person:
    types: [people]
    fields: {name: name, job: public}
routes:
  - match: POST /odata/$batch
    batch:
      multipart: true
      requests: {at: requests, id: id, method: method, url: url, headers: headers, body: body, members: [dependsOn]}
      answers: {at: responses, id: id, status: status, headers: headers, body: body}
  - match: POST /composite
    batch:
      root: /services/data/
      references: "@{"
      most: 2
      requests: {at: compositeRequest, id: referenceId, method: method, url: url, body: body, beside: [allOrNone]}
      answers: {at: compositeResponse, id: referenceId, status: httpStatusCode, headers: httpHeaders, body: body}
  - {match: "GET /odata/{resource**}", odata: read}
`

func loadBatched(t *testing.T, old, with string) (*profile.Profile, error) {
	t.Helper()
	return profile.Load([]byte(strings.Replace(batched, old, with, 1)))
}

func askBatch(t *testing.T, path, body string) (*profile.Batch, error) {
	t.Helper()
	p, err := loadBatched(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	req := profile.Request{Method: "POST", Path: path, MediaType: "application/json", Body: []byte(body)}
	if strings.HasPrefix(body, "--") {
		req.MediaType, req.ContentType = "multipart/mixed", "multipart/mixed; boundary=b"
	}
	x, err := p.Classify(req)
	if err != nil {
		return nil, err
	}
	return x.Batch(), nil
}

func onePart(first string) string {
	return strings.ReplaceAll("--b\nContent-Type: application/http\n\n"+first+" HTTP/1.1\n\n\n--b--\n", "\n", "\r\n")
}

// TestAddressesInABatch: each leads to one address, and goes on in a form that leads
// to the same whatever host the CRM takes for its own.
func TestAddressesInABatch(t *testing.T) {
	for _, c := range []struct{ name, body, path, query, host, onward, refused string }{
		{"relative", onePart("GET people(7)?$select=name"), "/odata/people(7)", "$select=name", "", "people(7)?$select=name", ""},
		{"from the host on", onePart("GET /odata/people(7)"), "/odata/people(7)", "", "", "/odata/people(7)", ""},
		{"from the host on, beside the service", onePart("GET /other/x"), "/other/x", "", "", "/other/x", ""},
		{"absolute", onePart("GET https://crm.example/odata/people"), "/odata/people", "", "crm.example", "people", ""},
		{"with a Host", onePart("GET /odata/people HTTP/1.1\nHost: crm.example\nX: y"), "/odata/people", "", "", "people", ""},
		{"absolute, beside the service", onePart("GET https://crm.example/other/x"), "", "", "", "", "malformed"},
		{"absolute, the service itself", onePart("GET https://crm.example/odata/"), "", "", "", "", "malformed"},
		{"relative like absolute", onePart("GET x:people"), "", "", "", "", "malformed"},
		{"no escape", onePart("GET people%zz"), "", "", "", "", "malformed"},
		{"reference", onePart("GET $1/name"), "", "", "", "", "reference"},
		{"reference from the host on", onePart("GET /odata/$1"), "", "", "", "", "reference"},
		{"coded reference", onePart("GET %241/name"), "", "", "", "", "reference"},
		{"reference in JSON", `{"requests":[{"id":"r1","method":"GET","url":"$r1/name"}]}`, "", "", "", "", "reference"},
		{"in JSON", `{"requests":[{"id":"r1","method":"GET","url":"people?$top=1"}]}`, "/odata/people", "$top=1", "", "people?$top=1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := askBatch(t, "/odata/$batch", c.body)
			if err != nil {
				if no, ok := errors.AsType[*profile.Refusal](err); !ok || no.Reason != c.refused {
					t.Error(err)
				}
				return
			}
			r, err := b.Request(0, "gate.example")
			if no, ok := errors.AsType[*profile.Refusal](err); ok || c.refused != "" {
				if !ok || no.Reason != c.refused {
					t.Errorf("refused: %v, want %q", err, c.refused)
				}
				return
			}
			if r.URL.Path != c.path || r.URL.RawQuery != c.query || r.URL.Host != c.host || r.Host != "gate.example" {
				t.Errorf("%+v", r.URL)
			}
			if onward, err := b.Target(0, r.URL.RawPath, r.URL.RawQuery); err != nil || onward != c.onward {
				t.Errorf("goes on as %q %v, want %q", onward, err, c.onward)
			}
		})
	}
}

// TestReferencesBetweenRequestsAreRefused in an address, and anywhere in a request of
// JSON where the profile says how they begin.
func TestReferencesBetweenRequestsAreRefused(t *testing.T) {
	ask := func(second string) error {
		b, err := askBatch(t, "/composite", `{"allOrNone":true,"compositeRequest":[{"referenceId":"a","method":"POST","url":"/services/data/v59.0/sobjects/Account","body":{"Name":"x"}},`+second+`]}`)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Request(1, "gate.example")
		return err
	}
	if err := ask(`{"referenceId":"b","method":"GET","url":"v59.0/sobjects/Account/1"}`); err != nil {
		t.Error(err)
	}
	for _, second := range []string{
		`{"referenceId":"b","method":"GET","url":"/services/data/v59.0/sobjects/Account/@{a.id}"}`,
		`{"referenceId":"b","method":"GET","url":"/services/data/v59.0/sobjects/Account/%40%7Ba.id}"}`,
		`{"referenceId":"b","method":"GET","url":"/services/data/v59.0/query?q=%40%7Ba.id}"}`,
		`{"referenceId":"b","method":"PATCH","url":"/services/data/v59.0/sobjects/Account/1","body":{"Name":"\u0040{a.Email}"}}`,
		`{"referenceId":"b","method":"PATCH","url":"/services/data/v59.0/sobjects/Account/1","body":{"@{a.Email}":"x"}}`,
	} {
		if no, ok := errors.AsType[*profile.Refusal](ask(second)); !ok || no.Reason != "reference" {
			t.Errorf("%s: %v", second, no)
		}
	}
	if _, err := askBatch(t, "/composite", `{"compositeRequest":[`+strings.Repeat(`{"referenceId":"a","method":"GET","url":"x"},`, 2)+`{"referenceId":"c","method":"GET","url":"x"}]}`); err == nil {
		t.Error("more requests than the profile allows were read")
	}
}

func TestBatchesOfAnotherTypeAreRefused(t *testing.T) {
	for path, body := range map[string]string{"/composite": onePart("GET x"), "/odata/$batch": "[]"} {
		if _, err := askBatch(t, path, body); err == nil {
			t.Errorf("%s took %q", path, body)
		}
	}
}

func TestBatchesThatSayTooLittleDoNotLoad(t *testing.T) {
	if _, err := loadBatched(t, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"POST /odata/$batch", "GET /odata/$batch"},
		{"most: 2", "most: 1001"},
		{"method: method, url: url, headers", "url: url, headers"},
		{"status: status, ", ""},
		{"{at: requests, id: id,", "{at: requests,"},
		{"root: /services/data/", "root: /services/data"},
		{"references: \"@{\"", "references: \"@{\"\n      ids: [id]"},
		{"{at: compositeRequest,", "{groups: graphs, at: compositeRequest,"},
		{"      multipart: true", "      multipart: true\n    type: html"},
		{"      multipart: true", "      multipart: true\n    entity: person"},
		{"withheld: WITHHELD", "withheld: WITHHELD\nnormalize: {paths: {\"/o/{rest**}\": \"/odata/{rest}\"}}"},
	} {
		if _, err := loadBatched(t, c[0], c[1]); err == nil {
			t.Errorf("it loads with %q in the place of %q", c[1], c[0])
		}
	}
}

// TestRecordsWithinRecordsAreNotSavedUnseen: where each record says of which kind it is,
// what holds further ones has to be a relation that lists new ones.
func TestRecordsWithinRecordsAreNotSavedUnseen(t *testing.T) {
	src, err := profile.Builtin("salesforce")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for body, reason := range map[string]string{
		`{"records":[{"attributes":{"type":"Contact"},"ns__Doctors__r":{"records":[{"attributes":{"type":"Lead"},"LastName":"x"}]}}]}`:   "malformed",
		`{"records":[{"attributes":{"type":"Contact"},"Title":["x"]}]}`:                                                                  "malformed",
		`{"records":[{"attributes":{"type":"Contact"},"Cases":{"records":[{"attributes":{"type":"Case"},"Subject":"x"}],"done":true}}]}`: "malformed",
		`{"records":[{"attributes":{"type":"Contact"},"Cases":{"records":[{"attributes":{"type":"Case"},"Subject":"x"}]}}]}`:             "",
		`{"records":[{"attributes":{"type":"Contact"},"Cases":{"records":[{"Subject":"x"}]}}]}`:                                          "malformed",
		`{"records":[{"attributes":{"type":"Contact"},"Cases":{"records":[{"attributes":{"type":"Invoice__c"},"Subject":"x"}]}}]}`:       "unknown_type",
		`{"records":[{"attributes":{"type":"Lead"},"LastName":"x"}]}`:                                                                    "malformed",
	} {
		_, err := p.Classify(profile.Request{Method: "POST", Path: "/services/data/v62.0/composite/tree/Contact", MediaType: "application/json", Body: []byte(body)})
		no, _ := errors.AsType[*profile.Refusal](err)
		if got := map[bool]string{true: ""}[no == nil]; no != nil && no.Reason != reason || no == nil && reason != got {
			t.Errorf("%s: %v, want %q", body, err, reason)
		}
	}
}
