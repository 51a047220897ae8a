package gate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// TestAnswersThatDoNotFitTheRequestsAreWithheld, whole.
func TestAnswersThatDoNotFitTheRequestsAreWithheld(t *testing.T) {
	t.Parallel()
	ok := told(200, person)
	for _, c := range []struct {
		name   string
		crm    http.HandlerFunc
		reason string
	}{
		{"one less", inParts(ok), "malformed"},
		{"one more", inParts(ok, ok, ok), "malformed"},
		{"nested", inParts("Content-Type: multipart/mixed; boundary=ca\n\n--ca\n" + ok + "--ca\n" + ok + "--ca--\n"), "malformed"},
		{"without a status", inParts(ok, strings.Replace(ok, "HTTP/1.1 200 OK\n", "", 1)), "malformed"},
		{"early", inParts(ok, told(100, person)), "malformed"},
		{"another type in a part", inParts(ok, strings.Replace(ok, "application/json", "text/html", 1)), "type"},
		{"no type in a part", inParts(ok, strings.Replace(ok, "Content-Type: application/json\n\n", "\n", 1)), "type"},
		{"another type of part", inParts(ok, strings.Replace(ok, "application/http", "message/http", 1)), "malformed"},
		{"a text around", onBatch(typed("multipart/mixed; boundary=a", 200, wire("x\n--a\n"+ok+"--a\n"+ok+"--a--\n"))), "malformed"},
		{"no end", onBatch(typed("multipart/mixed; boundary=a", 200, wire("--a\n"+ok+"--a\n"+ok))), "malformed"},
		{"half a document", inParts(ok, told(200, person[:20])), "malformed"},
		{"another shape of JSON", inParts(ok, told(200, `{"id":7,"id":8}`)), "malformed"},
		{"a redirect", inParts(ok, partOf("HTTP/1.1 302 Found\nLocation: /people/7")), "malformed"},
		{"JSON", onBatch(jsonAnswer(200, person)), "type"},
		{"nothing", onBatch(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), "type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := batchOf("/$batch", partOf(readPerson), partOf(readOther))
			a.scene = newScene(t, c.crm)
			r := env.leaky.as(t, "paula").do(t, a).want(t, http.StatusBadGateway)
			log := r.logged(t)
			if len(log) != 4 {
				t.Fatalf("entries %s", log)
			}
			for _, s := range log[2:] {
				if e := s.Entry; e.Kind != audit.Disclosure || e.Error != c.reason || len(e.Disclosure.Records) > 0 {
					t.Errorf("entry %+v, want %s", e, c.reason)
				}
			}
		})
	}
}

// TestBatchThatAnErrorEnds: the requests behind it have no answer, and the log says so.
func TestBatchThatAnErrorEnds(t *testing.T) {
	t.Parallel()
	a := batchOf("/$batch", partOf(readPerson), partOf(readOther), partOf(readPerson))
	a.scene = newScene(t, inParts(told(200, person), told(404, `{"error":{"code":"x","message":"No record for `+leakMail+`"}}`)))
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	if read(r).Holds(leakMail) || len(r.parts(t)) != 2 {
		t.Errorf("got %s", r)
	}
	unanswered := 0
	for _, s := range r.logged(t) {
		if s.Entry.Error == "unanswered" {
			unanswered++
		}
	}
	if unanswered != 1 {
		t.Errorf("%d requests without an answer in %s", unanswered, r.logged(t))
	}
	// An error of the batch as a whole says nothing to anybody.
	a.scene.answer(onBatch(jsonAnswer(500, `{"error":"`+leakMail+`"}`)))
	if r := env.leaky.as(t, "paula").do(t, a).want(t, 500); read(r).Holds(leakMail) || len(r.logged(t)) != 6 {
		t.Errorf("got %s", r)
	}
}

// TestChangeSetThatFailedIsHiddenFromAll: its error can speak of any of its requests.
func TestChangeSetThatFailedIsHiddenFromAll(t *testing.T) {
	t.Parallel()
	save := func(id int) string {
		return fmt.Sprintf("PATCH people/%d HTTP/1.1\nContent-Type: application/json\n\n{\"name\":\"x\"}", id)
	}
	a := batchOf("/$batch", changesOf(save(7), save(8)))
	a.scene = newScene(t, inParts(told(412, `{"error":{"message":"`+leakMail+` has changed"}}`)))
	r := env.leaky.as(t, "paula").do(t, a).want(t, http.StatusOK)
	if read(r).Holds(leakMail) || len(r.logged(t)) != 4 {
		t.Errorf("got %s, logged %s", r, r.logged(t))
	}
}

// TestBatchesInJSON go the same way.
func TestBatchesInJSON(t *testing.T) {
	t.Parallel()
	a := ask{method: http.MethodPost, path: "/$batch", body: `{"requests":[{"id":"b","method":"get","url":"people/8"},{"id":"a","method":"GET","url":"/people/7","headers":{"If-None-Match":"x","accept":"application/json"}}]}`}
	a.scene = newScene(t, onBatch(jsonAnswer(200, `{"responses":[{"id":"a","status":200,"headers":{"ETag":"`+leakMail+`","content-type":"application/json"},"body":`+person+`},{"id":"b","status":200,"body":{"id":8,"label":"`+leakMail+`"}}]}`)))
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	for _, s := range secrets() {
		if read(r).Holds(s) {
			t.Errorf("%q can be read in %s", s, r)
		}
	}
	if !strings.Contains(string(r.body), `"headers":{"content-type":"application/json"},"body":{"id":7,"name":"Erika Mustermann"`) {
		t.Errorf("got %s", r)
	}
	if sent := string(a.scene.requests()[0].body); strings.Contains(sent, "If-None-Match") || !strings.Contains(sent, `"headers":{"accept":"application/json"}`) {
		t.Errorf("forwarded: %s", sent)
	}
	if ids := r.logged(t).records("person"); len(ids) != 2 {
		t.Errorf("disclosed: %v", ids)
	}
	for _, body := range []string{
		`{"responses":[{"id":"a","status":200,"body":` + person + `}]}`,
		`{"responses":[{"id":"a","status":200,"body":` + person + `},{"id":"a","status":200,"body":{}}]}`,
		`{"responses":[{"id":"a","status":200,"body":` + person + `},{"id":"b","status":200,"body":"` + leakMail + `"}]}`,
		`{"responses":[{"id":"a","status":200,"body":` + person + `},{"id":"b","status":200,"mail":"` + leakMail + `"}]}`,
	} {
		a.scene.answer(onBatch(jsonAnswer(200, body)))
		env.leaky.as(t, "paula").do(t, a).want(t, http.StatusBadGateway)
	}
	// In order, under other names.
	a.path, a.body = "/composite", `{"haltOnError":false,"batchRequests":[{"method":"GET","url":"people/7"},{"method":"PATCH","url":"people/8","richInput":{"name":"Neu"}}]}`
	a.scene.answer(onBatch(jsonAnswer(200, `{"hasErrors":false,"results":[{"statusCode":200,"result":`+person+`},{"statusCode":204,"result":null}]}`)))
	if r := env.leaky.as(t, "vera").do(t, a).want(t, 200); read(r).Holds(leakMail) || !strings.Contains(string(r.body), `"statusCode":204,"result":null`) {
		t.Errorf("got %s", r)
	}
	a.body = strings.Replace(a.body, "Neu", "@{ref.email}", 1)
	env.leaky.as(t, "paula").do(t, a).want(t, http.StatusForbidden)
	a.scene.answer(onBatch(jsonAnswer(200, `{"hasErrors":4915123456789,"results":[{"statusCode":200,"result":`+person+`},{"statusCode":204,"result":null}]}`)))
	a.body = strings.Replace(a.body, "@{ref.email}", "Neu", 1)
	env.leaky.as(t, "vera").do(t, a).want(t, http.StatusBadGateway)
}
