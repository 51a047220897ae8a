package gate_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// leaksByCoding hide values in how a body is written and sent (25 to 35).
func leaksByCoding() []leak {
	gz := coded("gzip", person)
	return []leak{
		{25, "coded-body", masked, "the gate decodes what it knows, stacked too", []try{
			getting("/people/7", codedAnswer([]string{"gzip"}, gz)), getting("/people/7", codedAnswer([]string{"br"}, coded("br", person))),
			getting("/people/7", codedAnswer([]string{"zstd"}, coded("zstd", person))), getting("/people/7", codedAnswer([]string{"deflate"}, coded("deflate", person))),
			getting("/people/7", codedAnswer([]string{"gzip, br"}, coded("br", string(gz)))),
		}},
		{26, "coded-in-secret", withheld, "the first bytes are looked at, whatever the header says", []try{getting("/people/7", codedAnswer(nil, gz))}},
		{27, "bomb", checked, "what unpacks to more than `hold` is not released", []try{
			{ask: ask{path: "/people/7"}, crm: codedAnswer([]string{"gzip"}, coded("gzip", strings.Repeat(" ", 32<<20)+person)), check: status(http.StatusBadGateway)},
		}},
		{28, "charset", withheld, "UTF-8 is read; another charset is refused where the profile doesn't name it", []try{
			getting("/people/7", typed("application/json; charset=utf-16", 200, person)), getting("/people/7", typed("application/json; charset=utf-7", 200, person)),
			getting("/people/7", typed("application/json", 200, "\xff\xfe"+utf16le(person))), getting("/people/7", typed("application/json; charset=iso-2022-jp", 200, person)),
		}},
		{29, "type-lie", withheld, "the type has to be the one that the profile names, and the bytes have to agree", []try{
			getting("/people/7", typed("text/html", 200, person)), getting("/people/7", typed("", 200, person)), getting("/people/7", typed("application/octet-stream", 200, person)),
			getting("/page/7", typed("application/json", 200, article)), getting("/people/7", typed("application/json", 200, "<html>"+article)),
		}},
		{30, "json-dialect", withheld, "+json is JSON; what isn't one strict document is refused", []try{
			getting("/people/7", typed("application/json", 200, ")]}'\n"+person)), getting("/people/7", typed("application/json", 200, "for(;;);"+person)),
			getting("/people/7", typed("application/javascript", 200, "f("+person+")")), getting("/people/7", typed("application/x-ndjson", 200, person+"\n"+person)),
			getting("/people/7", typed("application/json", 200, "{id:7,email:'"+leakMail+"'}")),
		}},
		{30, "json-suffix", masked, "as `application/json`", []try{getting("/people/7", typed("application/vnd.api+json", 200, person))}},
		{31, "duplicate-keys", withheld, "two readers could take two values", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"email":"x","email":"`+leakMail+`"}`)), getting("/people/7", jsonAnswer(200, `{"id":7,"email":"x","em\u0061il":"`+leakMail+`"}`)),
		}},
		{32, "escaped-key", masked, "names are compared decoded", []try{getting("/people/7", jsonAnswer(200, `{"id":7,"em\u0061il":"`+leakMail+`"}`))}},
		{33, "key-variant", masked, "a name that isn't the profile's is unknown, and masked", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"Email":"`+leakMail+`","E-MAIL":"`+leakPhone+`","ｅmail":"`+leakNote+`"}`)),
		}},
		{34, "malformed", withheld, "a strict parser, or nothing", []try{
			getting("/people/7", jsonAnswer(200, person+"\xff")), getting("/people/7", jsonAnswer(200, `{"id":7,"email":"`+leakMail+`\ud800"}`)),
			getting("/people/7", jsonAnswer(200, `/*x*/`+person)), getting("/people/7", jsonAnswer(200, person[:len(person)-1])), getting("/people/7", jsonAnswer(200, person+person)),
		}},
		{35, "too-deep", withheld, "a limit that is reached ends in a refusal", []try{
			getting("/people/7", jsonAnswer(200, strings.Repeat(`{"note":`, 60)+`"`+leakNote+`"`+strings.Repeat("}", 60))),
		}},
	}
}

// leaksByShape hide values in documents within documents, in names and in places
// (36 to 50).
func leaksByShape() []leak {
	return []leak{
		{36, "document-in-a-text", masked, "texts that the profile says are documents are masked inside; what else repeats a value is found", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"detail":"{\"email\":\"`+leakMail+`\",\"name\":\"Erika Mustermann\"}"}`)),
			getting("/people/7", jsonAnswer(200, `{"id":7,"note":"<p data-x='{\"email\":\"`+leakMail+`\"}'>"}`)),
			getting("/people/7", jsonAnswer(200, `{"id":7,"email":"`+leakMail+`","label":"`+base64Of(`{"m":"`+leakMail+`"}`)+`"}`)),
		}},
		{37, "rows-under-a-header", masked, "columns are the ones that were asked for", []try{getting("/rows?f=id&f=email", jsonAnswer(200, `{"rows":[[7,"`+leakMail+`"]]}`))}},
		{38, "value-as-key", masked, "names of members are masked where the profile says that they hold values, and wherever they repeat one", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"by_mail":{"`+leakMail+`":{"label":"a"}}}`)),
			getting("/people/7", jsonAnswer(200, `{"id":7,"email":"`+leakMail+`","x":{"`+leakMail+`":true}}`)),
		}},
		{39, "name-value-list", masked, "a sibling's value picks the category", []try{getting("/people", jsonAnswer(200, `{"list":[{"id":7,"key":"mail","value":"`+leakMail+`"},{"id":8,"key":"label","value":"x"}]}`))}},
		{40, "echo-of-a-save", masked, "an answer to a save is masked like any other", []try{{ask: ask{method: http.MethodPost, path: "/people", body: `{"name":"Erika Mustermann"}`}}}},
		{41, "batch", masked, "each request of a batch goes the way that it would go alone; each answer is masked as its own request's, and searched for the values of all", []try{
			{ask: batchOf("/$batch", partOf(readOther), partOf(readPerson)), crm: inParts(told(200, `{"id":8,"label":"`+leakMail+`"}`), told(200, person))},
			{ask: ask{method: http.MethodPost, path: "/$batch", body: `{"requests":[{"id":"1","method":"GET","url":"people/7"}]}`}, crm: onBatch(jsonAnswer(200, `{"responses":[{"id":"1","status":200,"body":`+person+`}]}`))},
		}},
		{41, "question-in-a-batch", asked, "one request that is refused refuses them all", []try{
			{ask: batchOf("/$batch", partOf(readOther), partOf("GET people?sort=email HTTP/1.1")), crm: inParts(told(200, person), told(200, person))},
		}},
		{41, "batch-in-a-batch", shut, "what can't be taken apart, or leads elsewhere, isn't forwarded", []try{
			{ask: batchOf("/$batch", partOf("POST $batch HTTP/1.1\nContent-Type: application/json\n\n{}"))}, {ask: batchOf("/$batch", partOf("GET $1/partner HTTP/1.1"))}, posting("/$batch", `[{"method":"GET","url":"/people/7"}]`),
		}},
		{41, "answers-of-others", withheld, "answers that don't correspond to the requests are withheld", []try{
			{ask: batchOf("/$batch", partOf(readPerson), partOf(readOther)), crm: inParts(told(200, person))},
		}},
		{42, "result-elsewhere", withheld, "a redirect to another place is withheld", []try{
			getting("/people/7", redirect("https://files.kanarien.example/export?mail="+leakMail)),
		}},
		{43, "cut-in-pieces", masked, "a response is judged whole, or record by record", []try{
			getting("/people/7", inPieces("application/json", person)), getting("/stream", inPieces("application/json", "["+person+","+person+"]")),
		}},
		{43, "event-stream", withheld, "server-sent events on a masked route are another type", []try{getting("/people/7", typed("text/event-stream", 200, "data: "+person+"\n\n"))}},
		{43, "events", masked, "server-sent events are masked one by one: data, ids and comments; what the profile doesn't know is left out", []try{
			getting("/events", events("data: {\"record\":"+person+"}\n\n")), getting("/events", events("event: changed\r\ndata: {\"record\":\r\ndata: "+person+"}\r\n\r\n")),
			getting("/events", events("data: {\"record\":"+person+"}\nid: "+leakMail+"\n\n: "+leakMail+"\n\n")), getting("/events", events("event: "+leakIBAN+"\ndata: {\"record\":"+person+"}\n\ndata: {\"record\":"+person+"}\n\n")),
			getting("/events", events("data: {\"record\":"+person+"}\n\ndata: {\"record\":{\"id\":8,\"label\":\""+leakMail+"\"}}\n\n")), getting("/events", events("data: "+leakMail+"\n\ndata: "+person+"\n\ndata: {\"record\":"+person+"}\n\n")),
			getting("/events", events("id: 4915123456789\ndata: {\"record\":"+person+"}\n\n")),
			getting("/events", events("data: {\"record\":{\"id\":7,\"email\":1,\"email\":\""+leakMail+"\"}}\n\ndata: {\"record\":"+person+"}\n\n")),
		}},
		{43, "unclear-events", checked, "a stream that isn't one in every reader's eyes is cut", []try{
			getting("/events", events("data: {}\rdata: {\"record\":"+person+"}\n\n")), getting("/events", events("x: "+leakMail+"\n\n")), getting("/events", events("data: {\"record\":"+person+"}\n")),
		}},
		{44, "websocket", shut, "upgrades are refused on masked routes", []try{
			{ask: ask{path: "/people", header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}}}},
		}},
		{45, "trailer", checked, "trailers and early answers stay at the gate", []try{{ask: ask{path: "/people/7"}, crm: trailing, check: status(http.StatusOK)}}},
		{46, "range", checked, "no range is asked for, and none is offered", []try{
			{ask: ask{path: "/people/7", header: http.Header{"Range": {"bytes=0-9"}, "If-Range": {`"x"`}}}, check: notForwarded("Range", "If-Range")},
		}},
		{46, "part-of-a-body", withheld, "half a document is none", []try{getting("/people/7", typed("application/json", http.StatusPartialContent, person[20:]))}},
		{47, "validator", checked, "validators of the clear body never leave, and none is forwarded", []try{
			{
				ask: ask{path: "/people/7", header: http.Header{"If-None-Match": {`"abc"`}, "If-Modified-Since": {"Mon, 02 Feb 2026 10:00:00 GMT"}}}, crm: withHeader(person, "Etag", `"abc"`, "Last-Modified", "Mon, 02 Feb 2026 10:00:00 GMT", "Digest", "sha-256=x", "Content-Md5", "x"),
				check: both(notForwarded("If-None-Match", "If-Modified-Since"), without("Etag", "Last-Modified", "Digest", "Content-Md5")),
			},
		}},
		{48, "length", checked, "placeholders have one width whatever they stand for", []try{{ask: ask{path: "/people/7"}, check: oneWidth}}},
		{49, "head", checked, "HEAD is a GET without its body, and an access; OPTIONS and TRACE are closed", []try{{ask: ask{path: "/people/7"}, check: likeHead}}},
		{50, "multipart", withheld, "parts are another type", []try{getting("/people/7", typed("multipart/mixed; boundary=b", 200, "--b\r\nContent-Type: application/json\r\n\r\n"+person+"\r\n--b--\r\n"))}},
	}
}

// inPieces sends a body a few bytes at a time.
func inPieces(media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		rc := http.NewResponseController(w)
		for rest := body; rest != ""; {
			n := min(7, len(rest))
			_, _ = io.WriteString(w, rest[:n]) // the gate reads all of it
			_ = rc.Flush()
			rest = rest[n:]
		}
	}
}

func trailing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Trailer", "X-Mail")
	_, _ = io.WriteString(w, person) // the gate reads all of it
	w.Header().Set("X-Mail", leakMail)
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// oneWidth asks for a shorter address and compares.
func oneWidth(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	sc.answer(jsonAnswer(200, strings.Replace(person, leakMail, "e@x.de", 1)))
	short := env.leaky.as(t, "vera").do(t, ask{path: "/people/7", scene: sc}).want(t, http.StatusOK)
	if string(short.body) != string(r.body) {
		t.Errorf("got %s and %s, want the same", r, short)
	}
}

func likeHead(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	b := env.leaky.as(t, "vera")
	head := b.do(t, ask{method: http.MethodHead, path: "/people/7", scene: sc})
	if head.status != r.status || head.header.Get("Audit-Id") == "" || head.header.Get("Content-Type") != r.header.Get("Content-Type") {
		t.Errorf("HEAD got %v, GET %v", head.header, r.header)
	}
	before := len(sc.requests())
	for _, method := range []string{http.MethodOptions, http.MethodTrace} {
		if got := b.do(t, ask{method: method, path: "/people/7", scene: sc}); got.status < 400 {
			t.Errorf("%s got %s", method, got)
		}
	}
	if len(sc.requests()) != before {
		t.Error("the CRM was asked")
	}
}
