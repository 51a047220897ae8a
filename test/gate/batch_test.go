package gate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// wire writes a text as it goes over the wire.
func wire(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// partOf is one message of a batch in parts: its first line, headers and body.
func partOf(message string) string {
	head, body, ok := strings.Cut(message, "\n\n")
	text := "Content-Type: application/http\nContent-Transfer-Encoding: binary\n\n" + head + "\n\n"
	if ok {
		text += body
	}
	return text + "\n"
}

func changesOf(messages ...string) string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=cs\n\n")
	for i, m := range messages {
		b.WriteString("--cs\n" + strings.Replace(partOf(m), "binary\n", fmt.Sprintf("binary\nContent-ID: %d\n", i+1), 1))
	}
	return b.String() + "--cs--\n"
}

// batchOf is a batch in parts.
func batchOf(path string, parts ...string) ask {
	return ask{
		method: http.MethodPost, path: path, body: wire("--b\n" + strings.Join(parts, "--b\n") + "--b--\n"),
		header: http.Header{"Content-Type": {"multipart/mixed; boundary=b"}},
	}
}

// inParts answers with a batch in parts, and everything else with the person.
func inParts(parts ...string) http.HandlerFunc {
	return onBatch(typed("multipart/mixed; boundary=a", http.StatusOK, wire("--a\n"+strings.Join(parts, "--a\n")+"--a--\n")))
}

func onBatch(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			h(w, r)
			return
		}
		jsonAnswer(http.StatusOK, person)(w, r)
	}
}

// told is the answer to one request.
func told(status int, body string) string {
	return partOf(fmt.Sprintf("HTTP/1.1 %d %s\nContent-Type: application/json\n\n%s", status, http.StatusText(status), body))
}

// parts takes an answer in parts apart, with a reader that isn't the gate's.
func (r *reply) parts(t *testing.T) []string {
	t.Helper()
	_, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	var list []string
	in := multipart.NewReader(bytes.NewReader(r.body), params["boundary"])
	for {
		p, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(text))
	}
}

const (
	readPerson = "GET /people/7 HTTP/1.1\nAccept: application/json"
	readOther  = "GET people/8 HTTP/1.1"
)

func TestBatchOfReadsIsMaskedAndLoggedOneByOne(t *testing.T) {
	t.Parallel()
	other := `{"id":8,"label":"` + leakMail + `","name":"Max Muster"}`
	sc := newScene(t, inParts(told(200, person), told(200, other)))
	a := batchOf("/$batch", partOf(readPerson), partOf(readOther))
	a.scene = sc
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	parts := r.parts(t)
	if len(parts) != 2 || !strings.HasPrefix(parts[0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":7,\"name\":\"Erika Mustermann\"") || !strings.Contains(parts[1], "Max Muster") {
		t.Fatalf("got %q", parts)
	}
	for _, s := range secrets() {
		if read(r).Holds(s) {
			t.Errorf("%q can be read in %s", s, r)
		}
	}
	if got := sc.requests(); len(got) != 1 || string(got[0].body) != a.body {
		t.Errorf("the CRM received %q", got)
	}
	log := r.logged(t)
	var intents, ids []string
	for _, s := range log {
		e := s.Entry
		switch e.Kind {
		case audit.Intent:
			intents = append(intents, e.Method+" "+strings.Join(e.Accesses[0].IDs, ","))
		case audit.Disclosure:
			of := slices.IndexFunc(log, func(i audit.Stored) bool { return i.Seq == e.Intent && i.Entry.Detail == e.Detail })
			if of < 0 || e.Status != http.StatusOK || len(e.Disclosure.Records) != 1 || e.Disclosure.Records[0].ID != log[of].Entry.Accesses[0].IDs[0] {
				t.Errorf("%+v closes %d in %s", e, of, log)
				continue
			}
			ids = append(ids, e.Disclosure.Records[0].ID)
		}
	}
	slices.Sort(intents)
	slices.Sort(ids)
	if strings.Join(intents, "|") != "GET 7|GET 8" || strings.Join(ids, "|") != "7|8" {
		t.Errorf("intents %q and disclosures %q in %s", intents, ids, log)
	}
}

// TestValueOfALaterPartIsMaskedInAnEarlierOne: the second pass covers all parts,
// their headers and what stands around them.
func TestValueOfALaterPartIsMaskedInAnEarlierOne(t *testing.T) {
	t.Parallel()
	ask := batchOf("/$batch", partOf(readOther), partOf(readPerson), partOf("GET /static/app.css HTTP/1.1"))
	ask.header = ask.header.Clone()
	early := strings.Replace(told(200, `{"id":8,"label":"An `+leakMail+`"}`), "application/json\n", "application/json\nContent-Language: "+leakPhone+"\n", 1)
	ask.scene = newScene(t, inParts(early, told(200, person), told(200, `{}`)))
	// A route whose answer is no JSON isn't asked together with others.
	env.leaky.as(t, "vera").do(t, ask).want(t, http.StatusForbidden)
	ask.scene.nothing(t)
	ask.body = batchOf("/$batch", partOf(readOther), partOf(readPerson)).body
	ask.scene.answer(inParts(early, told(200, person)))
	r := env.leaky.as(t, "vera").do(t, ask).want(t, http.StatusOK)
	for _, s := range secrets() {
		if read(r).Holds(s) {
			t.Errorf("%q can be read in %s", s, r)
		}
	}
	// An answer without a body has headers, too.
	ask.scene.answer(inParts(partOf("HTTP/1.1 204 No Content\nContent-Language: "+leakPhone), told(200, person)))
	if r := env.leaky.as(t, "vera").do(t, ask).want(t, http.StatusOK); read(r).Holds(leakPhone) || !strings.Contains(string(r.body), "204 No Content\r\nContent-Language: ") {
		t.Errorf("got %s", r)
	}
	if parts := r.parts(t); !strings.Contains(parts[0], "Content-Language: ") || !strings.Contains(parts[0], `"label":"An `) {
		t.Errorf("got %q", parts)
	}
}

func TestBatchOfSavesIsRestoredAndSentOn(t *testing.T) {
	t.Parallel()
	shown := env.leaky.as(t, "vera").do(t, ask{path: "/people/7", scene: newScene(t, jsonAnswer(200, person))}).want(t, http.StatusOK)
	var mask string
	if _, after, ok := strings.Cut(string(shown.body), `"email":"`); ok {
		mask, _, _ = strings.Cut(after, `"`)
	}
	save := "PUT people/7 HTTP/1.1\nIf-Match: \"v1\"\nIf-None-Match: \"v2\"\nX-Http-Method-Override: DELETE\nContent-Type: application/json\nContent-Length: LEN\n\n"
	body := strings.TrimSuffix(string(shown.body), "}") + `,"label":"neu"}`
	save = strings.Replace(save, "LEN", fmt.Sprint(len(body)), 1)
	a := batchOf("/$batch", changesOf("PATCH https://"+env.leaky.host+"/people/9 HTTP/1.1\nHost: "+env.leaky.host+"\nContent-Type: application/json\n\n{\"name\":\"Neu\"}", save+body), partOf(readOther))
	answer := func(ok ...string) string {
		return "Content-Type: multipart/mixed; boundary=ca\n\n--ca\n" + strings.Join(ok, "--ca\n") + "--ca--\n"
	}
	sc := newScene(t, inParts(answer(partOf("HTTP/1.1 204 No Content"), partOf("HTTP/1.1 204 No Content\nLocation: /people/7")), told(200, `{"id":8}`)))
	a.scene = sc
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	if !strings.Contains(string(r.body), "HTTP/1.1 204 No Content\r\nLocation: /people/7\r\n") {
		t.Errorf("got %s", r)
	}
	got := sc.requests()
	sent := string(got[len(got)-1].body)
	for _, text := range []string{"PATCH people/9 HTTP/1.1\r\nContent-Type", `"email":"` + leakMail + `"`, `"label":"neu"`, "\r\nIf-Match: \"v1\"\r\n", "GET people/8 HTTP/1.1\r\n"} {
		if !strings.Contains(sent, text) {
			t.Errorf("%q wasn't forwarded: %q", text, sent)
		}
	}
	for _, text := range []string{mask, "If-None-Match", "Override", "Host:"} {
		if strings.Contains(sent, text) {
			t.Errorf("%q was forwarded: %q", text, sent)
		}
	}
	if last := got[len(got)-1]; len(sent) == 0 || last.header.Get("Content-Length") != fmt.Sprint(len(sent)) {
		t.Errorf("it was sent with the length %s, and has %d", last.header.Get("Content-Length"), len(sent))
	}
	var kinds []string
	for _, s := range r.logged(t) {
		kinds = append(kinds, string(s.Entry.Kind))
	}
	// Two saves, a read, and the gateway's own read.
	if want := 8; len(kinds) != want {
		t.Errorf("%d entries %v, want %d", len(kinds), kinds, want)
	}
}

// TestOnePartThatIsRefusedRefusesAll: nothing is forwarded, the answer names the part,
// and its entry is that of the request alone.
func TestOnePartThatIsRefusedRefusesAll(t *testing.T) {
	t.Parallel()
	patch := func(body string) string {
		return "PATCH people/7 HTTP/1.1\nContent-Type: application/json\n\n" + body
	}
	for _, c := range []struct {
		name, part, reason string
		status             int
	}{
		{"asks about an unseen field", "GET people?sort=email HTTP/1.1", "asks_masked", http.StatusForbidden},
		{"unknown address", "GET nosuch/7 HTTP/1.1", "unknown_route", http.StatusForbidden},
		{"unknown parameter", "GET people?x=1 HTTP/1.1", "unknown_parameter", http.StatusForbidden},
		{"writes an unseen field", patch(`{"email":"x@example.com"}`), "writes_masked", http.StatusUnprocessableEntity},
		{"another host", "GET https://other.example/people/7 HTTP/1.1", "host_mismatch", http.StatusBadRequest},
		{"another host in a header", "GET /people/7 HTTP/1.1\nHost: other.example", "host_mismatch", http.StatusBadRequest},
		{"two slashes", "GET //people/7 HTTP/1.1", "empty_segment", http.StatusBadRequest},
		{"dots", "GET static/../people/7 HTTP/1.1", "dot_segment", http.StatusBadRequest},
		{"coded slash", "GET people%2f7 HTTP/1.1", "encoded_slash", http.StatusBadRequest},
		{"parameter twice", "GET people?name=a&name=b HTTP/1.1", "repeated_parameter", http.StatusBadRequest},
		{"unknown method", "MERGE people/7 HTTP/1.1", "method_unknown", http.StatusBadRequest},
		{"method in a query", "GET people?_method=DELETE HTTP/1.1", "method_override", http.StatusBadRequest},
		{"reference", "GET $1/partner HTTP/1.1", "reference", http.StatusForbidden},
		{"the gateway's own page", "GET /.crmgate/why HTTP/1.1", "unknown_route", http.StatusForbidden},
		{"a batch", "POST $batch HTTP/1.1\nContent-Type: application/json\n\n{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"people/7\"}]}", "nested", http.StatusBadRequest},
		{"stream", "GET stream HTTP/1.1", "batch_type", http.StatusForbidden},
		{"page", "GET page/7 HTTP/1.1", "batch_type", http.StatusForbidden},
		{"somebody else's cookie", "GET people/7 HTTP/1.1\nCookie: x=y", "batch_header", http.StatusBadRequest},
		{"somebody else's token", "GET people/7 HTTP/1.1\nAuthorization: Bearer x", "batch_header", http.StatusBadRequest},
		{"somebody else's name", "GET people/7 HTTP/1.1\nMSCRMCallerID: 8", "batch_header", http.StatusBadRequest},
		{"coded body", strings.Replace(patch("{}"), "\n\n", "\nContent-Encoding: gzip\n\n", 1), "request_coding", http.StatusUnsupportedMediaType},
		{"body of another charset", strings.Replace(patch("{}"), "json\n", "json; charset=utf-16\n", 1), "type", http.StatusUnsupportedMediaType},
		{"body without a type", "PATCH people/7 HTTP/1.1\n\n{\"name\":\"x\"}", "type", http.StatusUnsupportedMediaType},
		{"name twice in a body", patch(`{"name":"x","name":"y"}`), "malformed", http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := batchOf("/$batch", partOf(readOther), partOf(c.part))
			a.scene = newScene(t, inParts(told(200, person), told(200, person)))
			r := env.leaky.as(t, "vera").do(t, a).want(t, c.status)
			for _, got := range a.scene.requests() {
				if got.method != http.MethodGet { // the gateway's own read
					t.Errorf("the CRM received %s %s", got.method, got.target)
				}
			}
			if !strings.Contains(string(r.body), "Request 2 of 2") {
				t.Errorf("got %s, want the part's number", r)
			}
			log := r.logged(t)
			refused := slices.ContainsFunc(log, func(s audit.Stored) bool {
				e := s.Entry
				return e.Error == c.reason || e.Decision != nil && e.Decision.Refused && e.Decision.Reason == c.reason
			})
			if !refused {
				t.Errorf("want %q in %s", c.reason, log)
			}
			// Every intent that is open has been closed by a disclosure of nothing.
			for _, s := range log {
				if s.Entry.Kind == audit.Intent && !s.Entry.Decision.Refused && !slices.ContainsFunc(log, func(d audit.Stored) bool { return d.Entry.Intent == s.Seq }) {
					t.Errorf("%d stays open in %s", s.Seq, log)
				}
				if d := s.Entry.Disclosure; d != nil && len(d.Records) > 0 {
					t.Errorf("%+v was disclosed", d)
				}
			}
		})
	}
}

// TestTwoSavesOfOneRecordAreNotComparedWithWhatIsGone: the second one's placeholders
// would be compared with what stood there before the first.
func TestTwoSavesOfOneRecordAreNotComparedWithWhatIsGone(t *testing.T) {
	t.Parallel()
	put := "PUT people/7 HTTP/1.1\nContent-Type: application/json\n\n{\"id\":7,\"name\":\"x\"}"
	a := batchOf("/$batch", partOf("PATCH people/7 HTTP/1.1\nContent-Type: application/json\n\n{\"name\":\"y\"}"), partOf(put))
	a.scene = newScene(t, inParts(told(200, "{}"), told(200, "{}")))
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusUnprocessableEntity)
	a.scene.nothing(t)
	if log := r.logged(t); !slices.ContainsFunc(log, func(s audit.Stored) bool { return s.Entry.Error == "batch_order" }) {
		t.Errorf("entries %s", log)
	}
}

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

// TestEveryIntentIsDurableBeforeABatchIsForwarded: the CRM looks into the log, on the
// disk, when it is asked; and the client finds what it was told there.
func TestEveryIntentIsDurableBeforeABatchIsForwarded(t *testing.T) {
	t.Parallel()
	var parts, answers []string
	for id := 81_000; id < 81_012; id++ {
		parts = append(parts, partOf(fmt.Sprintf("GET people/%d HTTP/1.1", id)))
		answers = append(answers, told(200, fmt.Sprintf(`{"id":%d}`, id)))
	}
	a := batchOf("/$batch", parts...)
	answer := inParts(answers...)
	a.scene = newScene(t, func(w http.ResponseWriter, r *http.Request) {
		durable := map[string]bool{}
		for _, s := range entries(t, env.data()) {
			for _, a := range s.Entry.Accesses {
				for _, id := range a.IDs {
					durable[id] = durable[id] || s.Entry.Kind == audit.Intent && s.Entry.Method == "GET"
				}
			}
		}
		for id := 81_000; id < 81_012; id++ {
			if !durable[fmt.Sprint(id)] {
				t.Errorf("the CRM was asked before the intent for %d was durable", id)
			}
		}
		answer(w, r)
	})
	r := env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK)
	if ids := r.logged(t).records("person"); len(ids) != 12 {
		t.Errorf("%d records in the log, want 12", len(ids))
	}
}

// TestPartsAreJudgedAsTheyWouldBeAlone by what is no policy's: a fresh proof, what
// must not be entered, a search that is narrowed.
func TestPartsAreJudgedAsTheyWouldBeAlone(t *testing.T) {
	t.Parallel()
	b := env.leaky.as(t, "vera")
	alone := b.do(t, ask{path: "/people/4711", scene: newScene(t, nil)}).want(t, http.StatusUnauthorized)
	a := batchOf("/$batch", partOf(readOther), partOf("GET people/4711 HTTP/1.1"))
	a.scene = newScene(t, nil)
	r := b.do(t, a).want(t, http.StatusUnauthorized)
	if got := r.header.Get("WWW-Authenticate"); got == "" || got != alone.header.Get("WWW-Authenticate") || !strings.Contains(string(r.body), "Request 2 of 2") {
		t.Errorf("got %s with %q", r, got)
	}
	r.logged(t).refused(t, "step_up")
	a.scene.nothing(t)

	save := "POST people HTTP/1.1\nContent-Type: application/json\n\n{\"note\":\"Karte 4111 1111 1111 1111\"}"
	a = batchOf("/$batch", partOf(readOther), partOf(save))
	a.scene = newScene(t, nil)
	r = env.leaky.as(t, "paula").do(t, a).want(t, http.StatusUnprocessableEntity)
	if !strings.Contains(string(r.body), "note (card)") {
		t.Errorf("got %s", r)
	}
	a.scene.nothing(t)

	a = batchOf("/$batch", partOf("GET people?q=x HTTP/1.1"), partOf(readOther))
	a.scene = newScene(t, inParts(told(200, `{"list":[]}`), told(200, `{"id":8}`)))
	b.do(t, a).want(t, http.StatusOK)
	if sent := string(a.scene.requests()[0].body); !strings.Contains(sent, "GET people?q=x&in=name HTTP/1.1\r\n") {
		t.Errorf("forwarded: %s", sent)
	}
}

func TestNamedPartInTheLog(t *testing.T) {
	t.Parallel()
	a := batchOf("/$batch", partOf(readPerson), partOf(readOther))
	a.scene = newScene(t, inParts(told(200, person), told(200, `{"id":8}`)))
	for _, s := range env.leaky.as(t, "vera").do(t, a).want(t, http.StatusOK).logged(t) {
		if !strings.HasPrefix(s.Entry.Detail, "request 1 of 2 in one") && !strings.HasPrefix(s.Entry.Detail, "request 2 of 2 in one") {
			t.Errorf("entry %+v", s.Entry)
		}
		if s.Entry.Kind == audit.Intent && s.Entry.Accesses[0].Action != access.Read {
			t.Errorf("entry %+v", s.Entry)
		}
	}
}

// TestObservedBatchIsLoggedForEachOfItsRequests: nothing is masked or refused, and the
// entries say what would be.
func TestObservedBatchIsLoggedForEachOfItsRequests(t *testing.T) {
	t.Parallel()
	for part, would := range map[string]string{readOther: "", "GET people?sort=email HTTP/1.1": "asks_masked", "GET nosuch HTTP/1.1": "unknown_route", "GET //people HTTP/1.1": "empty_segment", "GET stream HTTP/1.1": "batch_type"} {
		a := batchOf("/$batch", partOf(readPerson), partOf(part))
		answer := inParts(told(200, person), told(200, `{"id":8}`))
		a.scene = newScene(t, answer)
		r := env.watched.as(t, "vera").do(t, a).want(t, http.StatusOK)
		if !read(r).Holds(leakMail) || len(a.scene.requests()) != 1 || string(a.scene.requests()[0].body) != a.body {
			t.Errorf("%s: got %s", part, r)
		}
		x := r.logged(t)
		if len(x) != 2 {
			t.Fatalf("%s: entries %s", part, x)
		}
		d, e := x[0].Entry.Decision, x[1].Entry
		if d.Reason != would || d.Observe != (would != "") || len(x[0].Entry.Accesses) == 0 || x[0].Entry.Accesses[0].IDs[0] != "7" {
			t.Errorf("%s: intent %+v, want %q", part, x[0].Entry, would)
		}
		if !e.Disclosure.Unread {
			t.Errorf("%s: disclosure %+v", part, e)
		}
	}
}
