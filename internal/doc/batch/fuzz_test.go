package batch_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc/batch"
)

// oracle reads a batch with the readers of the standard library.
func oracle(body []byte, boundary string) (messages [][]byte, ok bool) {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return messages, true
		}
		if err != nil {
			return nil, false
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		for name := range p.Header {
			if name != "Content-Type" && name != "Content-Transfer-Encoding" && name != "Content-Id" {
				return nil, false
			}
		}
		media, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			return nil, false
		}
		if media != "multipart/mixed" {
			messages = append(messages, content)
			continue
		}
		inner, ok := oracle(content, params["boundary"])
		if !ok {
			return nil, false
		}
		messages = append(messages, inner...)
	}
}

// FuzzRequests: what is read as a batch, the standard library reads as the same
// requests, and after splicing, too.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(mixed()), "people(8)", `{"a":1}`)
	f.Add([]byte(crlf("--b_1\n"+part+"DELETE /x HTTP/1.1\nHost: y\n\n\n--b_1--")), "x", "")
	f.Fuzz(func(t *testing.T, body []byte, target, with string) {
		b, err := batch.ParseRequests(body, "b_1", 50)
		if err != nil {
			return
		}
		compare(t, body, b)
		if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.Contains(target+with, "--") || target == "" {
			return
		}
		changes := same(b)
		for i := range changes {
			changes[i].Target = target
			if changes[i].Body != nil && with != "" && strings.Trim(with, "\r\n") == with {
				changes[i].Body = []byte(with)
			}
		}
		out, err := b.Build(changes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := batch.ParseRequests(out, "b_1", 50)
		if err != nil {
			t.Fatalf("what was spliced isn't read: %v in %q", err, out)
		}
		compare(t, out, again)
		for i, m := range again.Messages {
			if m.Target != target || m.Method != b.Messages[i].Method || !bytes.Equal(bytes.TrimRight(m.Body, "\r\n"), bytes.TrimRight(changes[i].Body, "\r\n")) {
				t.Fatalf("message %d is %+v", i, m)
			}
		}
	})
}

func compare(t *testing.T, body []byte, b *batch.Batch) {
	t.Helper()
	messages, ok := oracle(body, "b_1")
	if !ok || len(messages) != len(b.Messages) {
		t.Fatalf("the standard library reads %d requests (%v), we %d, in %q", len(messages), ok, len(b.Messages), body)
	}
	for i, raw := range messages {
		m := &b.Messages[i]
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(raw), strings.NewReader("\r\n"))))
		if err != nil {
			continue // it wants absolute addresses
		}
		if r.Method != m.Method || r.RequestURI != m.Target {
			t.Fatalf("message %d: %s %s, we read %s %s", i, r.Method, r.RequestURI, m.Method, m.Target)
		}
		for name := range m.Header {
			if name != "Host" && name != "Content-Type" && len(r.Header.Values(name)) > 1 {
				t.Fatalf("message %d: %s stands twice", i, name)
			}
		}
	}
}

// FuzzAnswers: of an answer nothing stays but what is handed back, whoever reads it.
func FuzzAnswers(f *testing.F) {
	ok := answer("200 OK", "ETag: canary\n")
	f.Add([]byte(answers(ok, ok, changeset(withID("1", ok), withID("2", ok)))))
	f.Add([]byte(answers(answer("404 Not Found", "Content-Length: 2\n"))))
	f.Add([]byte("\r\n" + answers(strings.Replace(ok, "application/http", "application/http; a=\"canary\"", 1))))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := batch.ParseAnswers(body, "r", 50)
		if err != nil {
			return
		}
		changes := make([]batch.Change, len(b.Messages))
		for i := range changes {
			changes[i].Body = []byte("masked")
		}
		out, err := b.Build(changes)
		if err != nil {
			t.Fatal(err)
		}
		messages, ok := oracle(out, "r")
		if !ok || len(messages) != len(b.Messages) {
			t.Fatalf("the standard library reads %d answers (%v) of %d in %q", len(messages), ok, len(b.Messages), out)
		}
		for _, raw := range messages {
			r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
			if err != nil {
				t.Fatalf("no answer: %v in %q", err, raw)
			}
			head, _, _ := bytes.Cut(raw, []byte("\r\n"))
			if want := "HTTP/1.1 " + strings.TrimSpace(r.Status); strings.TrimSpace(string(head)) != want || r.Status[4:] != http.StatusText(r.StatusCode) || len(r.Header) > 1 || !bytes.HasSuffix(raw, []byte("\r\n\r\nmasked")) {
				t.Fatalf("something stayed: %q", raw)
			}
		}
	})
}

// FuzzList: what is spliced into a list is all that changes in it, and nothing of an
// answer stays but what is handed back.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"failed":false,"responses":[{"id":"b","status":204,"headers":{"ETag":"canary"}},{"id":"a","status":200,"body":{"x":"canary"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := batch.ParseList(body, told, 50)
		if err != nil {
			return
		}
		changes := make([]batch.Change, len(b.Messages))
		for i := range changes {
			changes[i].Body = []byte(`["masked"]`)
		}
		out, err := b.Build(changes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := batch.ParseList(out, told, 50)
		if err != nil {
			t.Fatalf("what was spliced isn't read: %v in %q", err, out)
		}
		for i, m := range again.Messages {
			was := b.Messages[i]
			kept := m.ID == was.ID && m.Status == was.Status
			if m.Body != nil {
				kept = kept && string(m.Body) == `["masked"]` && len(m.Header) == 1
			}
			if !kept || m.Body == nil && len(m.Header) > 0 || (m.Body == nil) != (was.Body == nil) {
				t.Fatalf("answer %d is %+v", i, m)
			}
		}
	})
}
