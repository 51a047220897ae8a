package gate_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// canary is a value that nobody but master_data may see.
const canary = "DE75512108001245126199"

// contact is a record with the canary in a field that sales doesn't see.
func contact(id int) string {
	return fmt.Sprintf(`{"id":%d,"last_name":"Muster","email":"muster@example.com","iban":"%s","city":"Köln"}`, id, canary)
}

// hides fails the test if the answer holds the canary in any form.
func (r *reply) hides(t *testing.T) {
	t.Helper()
	var header bytes.Buffer
	_ = r.header.Write(&header) // into memory
	for _, part := range []string{string(r.body), header.String()} {
		if strings.Contains(part, canary) || strings.Contains(part, canary[4:]) {
			t.Errorf("the canary came through: %q", part)
		}
	}
}

// works fails the test unless the employee's next request does.
func works(t *testing.T, b *browser) {
	t.Helper()
	b.get(t, "/api/contacts/1001", nil).want(t, http.StatusOK)
}

func TestMalformedJSONIsHeldBack(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 50)
	for name, body := range map[string]string{
		"truncated":              contact(1)[:60],
		"truncated at the end":   strings.TrimSuffix(contact(1), "}"),
		"duplicate keys":         `{"id":1,"iban":"x","iban":"` + canary + `"}`,
		"duplicate escaped keys": `{"id":1,"iban":"x","ib\u0061n":"` + canary + `"}`,
		"50 deep":                deep + `"` + canary + `"` + strings.Repeat("}", 50),
		"two documents":          contact(1) + contact(2),
		"bytes behind":           contact(1) + "garbage",
		"a comment":              `/* ` + canary + ` */` + contact(1),
		"not a number":           `{"id":NaN,"iban":"` + canary + `"}`,
		"single quotes":          `{'iban':'` + canary + `'}`,
		"bad UTF-8":              "{\"id\":1,\"iban\":\"" + canary + "\xff\"}",
		"lone surrogate":         `{"id":1,"iban":"` + canary + `\ud800"}`,
		"control character":      "{\"id\":1,\"iban\":\"" + canary + "\n\"}",
		"prefix against theft":   `)]}',` + "\n" + contact(1),
		"a callback":             `show(` + contact(1) + `)`,
		"trailing comma":         `{"id":1,"iban":"` + canary + `",}`,
		"UTF-16":                 "\xff\xfe{\x00}\x00",
		"NUL":                    contact(1) + "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, jsonAnswer(http.StatusOK, body))
			for _, s := range []*site{env.plain, env.secure} {
				b := s.as(t, "vera")
				r := b.get(t, "/api/contacts/1", sc).want(t, http.StatusBadGateway)
				r.hides(t)
				if name != "UTF-16" {
					problem(t, r, "malformed")
					r.logged(t).faulted(t, "malformed")
				}
				works(t, b)
			}
		})
	}
}

// 200 MB are neither kept in memory nor read to their end.
func TestEndlessAnswerIsHeldBack(t *testing.T) {
	t.Parallel()
	written := make(chan int, 1)
	sc := newScene(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		chunk := []byte(strings.Repeat(contact(1)+",", 1<<13))
		n, err := io.WriteString(w, `{"items":[`)
		for err == nil && n < 200<<20 {
			var m int
			m, err = w.Write(chunk)
			n += m
		}
		written <- n
	})
	b := env.plain.as(t, "vera")
	r := b.get(t, "/api/contacts", sc).want(t, http.StatusBadGateway)
	r.hides(t)
	problem(t, r, "hold")
	r.logged(t).faulted(t, "hold")
	if n := <-written; n > 64<<20 {
		t.Errorf("the CRM could send %d MiB", n>>20)
	}
	r = b.do(t, ask{path: "/api/contacts", scene: newScene(t, jsonAnswer(200, `{"x":"`+strings.Repeat("y", 9<<20)+`"}`)), page: true})
	if !strings.Contains(string(r.body), "hold") || !strings.Contains(string(r.body), "stream") {
		t.Errorf("the person sees %s, want both limits named", r)
	}
	works(t, b)
}

func TestOtherTypeThanTheProfileSaysIsHeldBack(t *testing.T) {
	t.Parallel()
	page := `<!doctype html><title>` + canary + `</title><p>` + canary
	for name, c := range map[string]struct{ path, media, body string }{
		"HTML that says JSON":       {"/api/contacts/1", "application/json", page},
		"HTML for JSON":             {"/api/contacts/1", "text/html", page},
		"JSON for a page":           {"/contacts/1", "application/json", contact(1)},
		"JSON that says HTML":       {"/contacts/1", "text/html; charset=utf-8", contact(1)},
		"text":                      {"/api/contacts/1", "text/plain", canary},
		"a script":                  {"/api/contacts/1", "text/javascript", `var x = "` + canary + `"`},
		"no type":                   {"/api/contacts/1", "", contact(1)},
		"two types":                 {"/api/contacts/1", "application/json\ntext/html", contact(1)},
		"a type that can't be read": {"/api/contacts/1", "application", contact(1)},
		"a PDF":                     {"/api/contacts/1", "application/pdf", "%PDF-1.7 " + canary},
		"a PDF that says JSON":      {"/api/contacts/1", "application/json", "%PDF-1.7 " + canary},
		"Latin-1":                   {"/api/contacts/1", "application/json; charset=iso-8859-1", contact(1)},
		"UTF-7":                     {"/contacts/1", "text/html; charset=utf-7", page},
		"two charsets":              {"/api/contacts/1", "application/json; charset=utf-8; charset=utf-16", contact(1)},
		"Latin-1 pages":             {"/contacts/1", "text/html; charset=windows-1252", page},
		"JSON for CSV":              {"/contacts/export.csv", "application/json", contact(1)},
		"a sheet for CSV":           {"/contacts/export.csv", "text/csv", "PK\x03\x04" + canary},
		"event stream":              {"/api/contacts/1", "text/event-stream", "data: " + contact(1) + "\n\n"},
		"multipart":                 {"/api/contacts/1", "multipart/mixed; boundary=x", "--x\r\n\r\n" + contact(1) + "\r\n--x--"},
		"a page without its record": {"/contacts/1", "text/html", page},
		"stream: a page":            {"/api/stream/contacts", "text/html", page},
		"stream: no type":           {"/api/stream/contacts", "", "[" + contact(1) + "]"},
	} {
		sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
			if types := strings.Split(c.media, "\n"); len(types) == 2 {
				w.Header()["Content-Type"] = types
				_, _ = io.WriteString(w, c.body) // the gate may cut it
				return
			}
			typed(c.media, http.StatusOK, c.body)(w, r)
		})
		login := "sven"
		if strings.Contains(c.path, "export") || strings.Contains(c.path, "stream") {
			login = "paula" // who else may export sees everything; a lie is a lie to her, too
		}
		b := env.plain.as(t, login)
		r := b.get(t, c.path, sc)
		if r.status != http.StatusBadGateway {
			t.Errorf("%s: got %s", name, r)
			continue
		}
		r.hides(t)
		last := r.logged(t).last(t)
		if last.Error != "type" && last.Error != "malformed" {
			t.Errorf("%s: entry %+v", name, last)
		}
	}
	works(t, env.plain.as(t, "sven"))
}

// Records that stand somewhere else than the profile says would be in nobody's log.
func TestRecordsElsewhereAreHeldBack(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"data":[` + row(1) + `]}`, `[` + row(1) + `]`, `{"items":{"1":` + row(1) + `}}`, `{"Items":[` + row(1) + `]}`, row(1), `{"items":"` + canary + `"}`,
		`{"total":1}`, `{}`, `[]`, `null`, `"` + canary + `"`, `49301234567`,
	} {
		r := env.plain.as(t, "vera").get(t, "/api/contacts", newScene(t, jsonAnswer(http.StatusOK, body)))
		if r.status != http.StatusBadGateway {
			t.Errorf("%s: got %s", body, r)
		}
		r.hides(t)
	}
	for _, body := range []string{`{"total":0,"items":[]}`, `{"items":null}`} {
		env.plain.as(t, "vera").get(t, "/api/contacts", newScene(t, jsonAnswer(http.StatusOK, body))).want(t, http.StatusOK)
	}
}

// What stands beside the records is masked like what nobody described.
func TestTextsBesideTheRecordsAreMasked(t *testing.T) {
	t.Parallel()
	body := `{"total":1,"next":"/api/contacts?after=` + canary + `","items":[` + row(1) + `],"facets":{"city":["` + canary + `"]},"debug":{"sql":"select ` + canary + `"}}`
	r := env.plain.as(t, "vera").get(t, "/api/contacts", newScene(t, jsonAnswer(http.StatusOK, body))).want(t, http.StatusOK)
	r.hides(t)
}

// An error's text can quote anybody: it stays here, the status goes on.
func TestErrorTextsAreWithheld(t *testing.T) {
	t.Parallel()
	quoting := `Duplicate entry '` + canary + `' for key 'iban' of Erika Mustermann`
	for name, c := range map[string]struct {
		path, media string
		status      int
		body        string
	}{
		"JSON 500":               {"/api/contacts/1", "application/json", 500, `{"error":"` + quoting + `"}`},
		"JSON 422, unknown":      {"/api/contacts/1", "application/json", 422, `{"messages":["` + quoting + `"],"trace":{"` + `at":"` + quoting + `"}}`},
		"problem+json":           {"/api/contacts", "application/problem+json", 400, `{"detail":"` + quoting + `"}`},
		"a JSON string":          {"/api/contacts", "application/json", 400, `"` + quoting + `"`},
		"a page for JSON":        {"/api/contacts/1", "text/html; charset=utf-8", 500, "<h1>" + quoting},
		"text for JSON":          {"/api/contacts/1", "text/plain", 503, quoting},
		"a page 500":             {"/contacts/1", "text/html; charset=utf-8", 500, "<!doctype html><h1>" + quoting + "</h1>"},
		"a list's page 500":      {"/contacts", "text/html; charset=utf-8", 500, "<!doctype html><h1>" + quoting + "</h1>"},
		"a page 404":             {"/contacts/1", "text/html", 404, "<!doctype html><title>" + quoting + "</title><pre>" + quoting},
		"a page 403 in a record": {"/contacts/1", "text/html", 403, `<!doctype html><article class="contact" data-id="1"><h1>` + quoting + `</h1></article>` + quoting},
		"CSV 500":                {"/contacts/export.csv", "text/csv", 500, "error\r\n" + quoting},
		"HTML 500 for CSV":       {"/contacts/export.csv", "text/html", 500, "<p>" + quoting},
		"text for a page":        {"/contacts/1", "text/plain", 502, quoting},
		"stream 500":             {"/api/stream/contacts", "application/json", 500, `{"error":"` + quoting + `"}`},
		"a number in JSON 409":   {"/api/contacts/1", "application/json", 409, `{"code":409,"conflict":{"phone":` + canary[4:] + `}}`},
		"an error without type":  {"/api/contacts/1", "", 500, quoting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, typed(c.media, c.status, c.body))
			for _, page := range []bool{false, true} {
				login := "sven"
				if strings.Contains(c.path, "export") || strings.Contains(c.path, "stream") {
					continue // the demo's only exporter sees everything
				}
				b := env.plain.as(t, login)
				r := b.do(t, ask{path: c.path, scene: sc, page: page}).want(t, c.status)
				r.hides(t)
				if strings.Contains(string(r.body), "Mustermann") {
					t.Errorf("the error's text came through: %s", r)
				}
				if len(r.body) == 0 {
					t.Error("the person is left with an empty page")
				}
				if e := r.logged(t).last(t); e.Status != c.status {
					t.Errorf("the entry says %d", e.Status)
				}
				works(t, b)
			}
		})
	}
}

// The page of a save has the texts of the record and of the error in it; the
// profile describes both for 422 and nothing for anything else.
func TestSavesPageIsMaskedForItsStatusOnly(t *testing.T) {
	t.Parallel()
	page := `<!doctype html><h1>Kunde ` + canary + `</h1><p class="flash">` + canary + `</p>`
	for status, want := range map[int]int{200: 502, 201: 502, 400: 400, 500: 500} {
		sc := newScene(t, typed("text/html; charset=utf-8", status, page))
		r := env.plain.as(t, "vera").do(t, ask{
			method: "POST", path: "/contacts/new", scene: sc, body: "last_name=Neu",
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		}).want(t, want)
		r.hides(t)
	}
}

func TestAnswersWithoutBodyKeepTheirStatus(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	for name, c := range map[string]struct {
		ask    ask
		answer http.HandlerFunc
		status int
	}{
		"204":                      {ask{method: "DELETE", path: "/api/contacts/1"}, typed("", 204, ""), 204},
		"204 that says JSON":       {ask{method: "DELETE", path: "/api/contacts/1"}, typed("application/json", 204, ""), 204},
		"200, nothing":             {ask{method: "DELETE", path: "/api/contacts/1"}, typed("", 200, ""), 200},
		"200, nothing, says JSON":  {ask{method: "DELETE", path: "/api/contacts/1"}, typed("application/json", 200, ""), 200},
		"200, nothing, says HTML":  {ask{method: "DELETE", path: "/api/contacts/1"}, typed("text/html", 200, ""), 200},
		"404, nothing":             {ask{path: "/api/contacts/1"}, typed("text/html", 404, ""), 404},
		"304":                      {ask{path: "/api/contacts/1"}, typed("", 304, ""), 304},
		"stream, nothing":          {ask{path: "/api/stream/contacts"}, typed("application/json", 200, ""), 200},
		"HEAD":                     {ask{method: "HEAD", path: "/api/contacts/1"}, jsonAnswer(200, contact(1)), 200},
		"HEAD of a stream":         {ask{method: "HEAD", path: "/api/stream/contacts"}, jsonAnswer(200, "[]"), 200},
		"nothing, says it's coded": {ask{method: "DELETE", path: "/api/contacts/1"}, codedAnswer([]string{"gzip"}, nil), 200},
	} {
		for _, two := range []bool{false, true} {
			b, a := b, c.ask
			if a.scene = newScene(t, c.answer); two {
				b, a.two = env.secure.as(t, "paula"), true
			}
			r := b.do(t, a)
			if r.status != c.status || len(r.body) > 0 {
				t.Errorf("%s: got %s, want an empty %d", name, r, c.status)
				continue
			}
			if status := r.logged(t).last(t).Status; status != c.status {
				t.Errorf("%s: the entry says %d", name, status)
			}
			if c.status == http.StatusNoContent && r.header.Get("Content-Length") != "" {
				t.Errorf("%s: Content-Length %q", name, r.header.Get("Content-Length"))
			}
		}
	}
}
