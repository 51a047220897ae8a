package gate_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

const streamPath = "/api/stream/contacts"

// way is one way in which a stream reaches a client.
type way struct {
	name   string
	site   *site
	two    bool
	accept string
}

func ways() []way {
	return []way{
		{"HTTP/1.1", env.plain, false, ""},
		{"HTTP/1.1 and gzip refused", env.plain, false, "gzip"},
		{"HTTP/1.1 behind encode", env.secure, false, ""},
		{"HTTP/1.1 with gzip", env.secure, false, "gzip"},
		{"HTTP/2", env.secure, true, ""},
		{"HTTP/2 with gzip", env.secure, true, "gzip"},
	}
}

// open sends the request and returns the answer with its body unread.
func (w way) open(t *testing.T, login string, sc *scene) *http.Response {
	t.Helper()
	b := w.site.as(t, login)
	req, err := ask{path: streamPath, scene: sc, header: http.Header{"Accept-Encoding": {w.accept}}}.request(w.site)
	if err != nil {
		t.Fatal(err)
	}
	rt := b.h1
	if w.two {
		rt = b.h2
	}
	resp, err := b.client(false, rt).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// plainBody takes gzip off without waiting for its end.
func plainBody(t *testing.T, resp *http.Response) io.Reader {
	t.Helper()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return resp.Body
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// row is a record of the stream with an IBAN of its own.
func row(id int) string {
	return fmt.Sprintf(`{"id":%d,"last_name":"Muster%d","email":"m%d@example.com","iban":"%s"}`, id, id, id, canary)
}

// The CRM holds the second record back until the client has the first one: a
// record is released, named in the log and masked while the next is unwritten.
func recordIsReleasedBeforeTheNextIsWritten(t *testing.T) {
	t.Parallel()
	for i, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			confirmed := make(chan struct{})
			first, second := 60_000+2*i, 60_001+2*i
			sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for j, id := range []int{first, second} {
					if j > 0 {
						select {
						case <-confirmed:
						case <-r.Context().Done():
							return
						}
					}
					_, _ = io.WriteString(w, [...]string{"[", ","}[j]+row(id)) // the client may be gone
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, "]")
			})
			resp := w.open(t, "sven", sc)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Length") != "" {
				t.Fatalf("%d, Content-Length %q", resp.StatusCode, resp.Header.Get("Content-Length"))
			}
			if w.accept == "gzip" && w.site == env.secure && resp.Header.Get("Content-Encoding") != "gzip" {
				t.Fatal("encode stands aside: this tests nothing")
			}
			from := bufio.NewReader(plainBody(t, resp))
			got, err := from.ReadString('}')
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got, canary) || !strings.Contains(got, fmt.Sprintf(`"last_name":"Muster%d"`, first)) {
				t.Errorf("the first record is %q", got)
			}
			// What the client has, the log has.
			x := (&reply{header: resp.Header}).logged(t)
			if x.records("contact")[fmt.Sprint(first)].ID == "" || x.records("contact")[fmt.Sprint(second)].ID != "" {
				t.Errorf("entries %s", x)
			}
			close(confirmed)
			rest, err := io.ReadAll(from)
			if err != nil || !strings.HasSuffix(string(rest), "]") || strings.Contains(string(rest), canary) {
				t.Errorf("the rest is %q, %v", rest, err)
			}
			eventually(t, "the last part", func() bool {
				last := lastPart(t, resp)
				return last.Parts > 0 && last.Part == last.Parts && last.Error == ""
			})
		})
	}
}

func lastPart(t *testing.T, resp *http.Response) audit.Entry {
	t.Helper()
	x := (&reply{header: resp.Header}).logged(t)
	return x[len(x)-1].Entry
}

// faults are streams that go wrong behind their second record.
func faults() map[string]http.HandlerFunc {
	broken := map[string]string{
		"malformed":      `{"id":3,"iban":"` + canary + `",}`,
		"duplicate keys": `{"id":3,"iban":"x","ib\u0061n":"` + canary + `"}`,
		"50 deep":        strings.Repeat(`{"a":`, 50) + `"` + canary + `"` + strings.Repeat("}", 50),
		"bad UTF-8":      `{"id":3,"iban":"` + canary + "\xff" + `"}`,
		"too large":      `{"id":3,"iban":"` + strings.Repeat(canary, 60_000) + `"}`,
		"a lone word":    `nothing`,
		"truncated":      `{"id":3,"iban":"` + canary,
	}
	list := map[string]http.HandlerFunc{}
	for name, third := range broken {
		list[name] = jsonAnswer(http.StatusOK, "["+row(1)+","+row(2)+","+third+"]")
	}
	list["not ended"] = jsonAnswer(http.StatusOK, "["+row(1)+","+row(2))
	list["bytes behind"] = jsonAnswer(http.StatusOK, "["+row(1)+","+row(2)+"]"+row(3))
	list["cut by the CRM"] = rawAnswer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("["+row(1)+","+row(2)+","))
	return list
}

// A stream that goes wrong after its first release is cut: the client sees an
// error and no well-formed body, and what came was masked and is in the log.
func brokenStreamIsCut(t *testing.T) {
	t.Parallel()
	for name, hook := range faults() {
		for _, w := range ways() {
			t.Run(name+" over "+w.name, func(t *testing.T) {
				t.Parallel()
				// The first records come in a write of their own: they are released.
				released := make(chan struct{})
				sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
					hook(&slowStart{ResponseWriter: w, after: released}, r)
				})
				if strings.HasPrefix(name, "cut") {
					close(released)
					sc.answer(hook)
				}
				resp := w.open(t, "sven", sc)
				if !strings.HasPrefix(name, "cut") {
					close(released)
				}
				body, err := io.ReadAll(resp.Body)
				if resp.StatusCode == http.StatusBadGateway {
					t.Fatalf("nothing was released: %s", body)
				}
				if err == nil {
					t.Errorf("the client takes %q for the whole answer", body)
				}
				if strings.Contains(string(body), canary) {
					t.Errorf("the canary came through: %q", body)
				}
				eventually(t, "the cut is logged", func() bool {
					last := lastPart(t, resp)
					return last.Error == "cut" && last.Part == last.Parts
				})
				x := (&reply{header: resp.Header}).logged(t)
				if ids := x.records("contact"); ids["1"].ID == "" || ids["3"].ID != "" {
					t.Errorf("entries %s, want contact/1 and not contact/3", x)
				}
			})
		}
	}
}

// slowStart sends the first kilobyte-less piece, up to the second record, and
// the rest after a signal.
type slowStart struct {
	http.ResponseWriter
	after chan struct{}
}

func (s *slowStart) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

func (s *slowStart) Write(p []byte) (int, error) {
	head := len("[" + row(1))
	n, err := s.ResponseWriter.Write(p[:head])
	if err != nil {
		return n, err
	}
	if err := http.NewResponseController(s.ResponseWriter).Flush(); err != nil {
		return n, err
	}
	<-s.after
	m, err := s.ResponseWriter.Write(p[head:])
	return n + m, err
}

// Nothing has left yet: the client gets an answer instead of a cut.
func TestStreamThatIsBrokenFromTheStartIsHeldBack(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"malformed": `{"id":1,"iban":"` + canary + `"},`, "an error page": `<h1>` + canary, "truncated record": `[{"id":1,"iban":"` + canary,
		"a prefix": ")]}'\n[" + row(1) + "]", "XML": `<?xml version="1.0"?><a>` + canary + `</a>`,
	} {
		for _, w := range ways() {
			resp := w.open(t, "sven", newScene(t, jsonAnswer(http.StatusOK, body)))
			raw, err := io.ReadAll(resp.Body)
			if name == "truncated record" {
				if err == nil && resp.StatusCode == http.StatusOK {
					t.Errorf("%s over %s: taken for whole: %q", name, w.name, raw)
				}
			} else if resp.StatusCode != http.StatusBadGateway || err != nil {
				t.Errorf("%s over %s: got %d %q, %v", name, w.name, resp.StatusCode, raw, err)
			}
			if strings.Contains(string(raw), canary) {
				t.Errorf("%s over %s: the canary came through: %q", name, w.name, raw)
			}
		}
	}
}

// A stream may be larger than what is held: this site holds 256 KiB.
func TestStreamIsNotBoundByHold(t *testing.T) {
	t.Parallel()
	const rows = 600
	long := strings.Replace(row(1), "{", `{"company":"`+strings.Repeat("x", 1<<10)+`",`, 1)
	body := "[" + strings.Repeat(long+",\n", rows-1) + long + "]"
	resp := ways()[4].open(t, "sven", newScene(t, jsonAnswer(http.StatusOK, body)))
	got, err := io.ReadAll(resp.Body)
	if err != nil || strings.Count(string(got), `"id":1`) != rows || strings.Contains(string(got), canary) {
		t.Errorf("%d bytes, %d records, %v", len(got), strings.Count(string(got), `"id":1`), err)
	}
	env.secure.as(t, "sven").get(t, "/api/contacts", newScene(t, jsonAnswer(http.StatusOK, `{"items":`+body+`}`))).want(t, http.StatusBadGateway)
}

func clientThatLeavesAStreamLeavesAnEntry(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "["+row(1))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		b := w.site.as(t, "sven")
		ctx, cancel := context.WithCancel(t.Context())
		req, err := ask{path: streamPath, scene: sc, ctx: ctx, header: http.Header{"Accept-Encoding": {w.accept}}}.request(w.site)
		if err != nil {
			t.Fatal(err)
		}
		rt := b.h1
		if w.two {
			rt = b.h2
		}
		resp, err := b.client(false, rt).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		resp.Body.Close()
		eventually(t, "the stream's end is logged", func() bool { return lastPart(t, resp).Parts > 0 })
	}
}
