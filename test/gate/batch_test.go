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
