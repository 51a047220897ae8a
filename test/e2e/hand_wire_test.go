package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/test/stack"
)

// answer is a response as it came over the wire.
type answer struct {
	status int
	header http.Header
	raw    []byte // with its head
	body   []byte
}

// send writes a request as it is, since a client would mend it.
func send(t *testing.T, addr string, h *handMade, body []byte, extra map[string]string) answer {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: stack.Patience}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(stack.Patience))
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", h.Method, h.Path, addr)
	for k, v := range h.Headers {
		fmt.Fprintf(&head, "%s: %s\r\n", k, v)
	}
	for k, v := range extra {
		fmt.Fprintf(&head, "%s: %s\r\n", k, v)
	}
	switch {
	case h.Chunked:
		fmt.Fprintf(&head, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	case h.Method == http.MethodGet:
		head.WriteString("\r\n")
	default:
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	if _, err := conn.Write(head.Bytes()); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%s: %v", h.Name, err)
	}
	return parseAnswer(t, raw)
}

func parseAnswer(t *testing.T, raw []byte) answer {
	t.Helper()
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	first, lines, ok2 := bytes.Cut(head, []byte("\r\n"))
	a := answer{header: http.Header{}, raw: raw, body: body}
	if _, err := fmt.Sscanf(string(first), "HTTP/1.1 %d", &a.status); err != nil || !ok || !ok2 {
		t.Fatalf("no answer: %.200q", raw)
	}
	for line := range strings.SplitSeq(string(lines), "\r\n") {
		k, v, _ := strings.Cut(line, ": ")
		a.header.Add(textproto.CanonicalMIMEHeaderKey(k), v)
	}
	if a.header.Get("Transfer-Encoding") == "chunked" {
		var err error
		if a.body, err = io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body))); err != nil {
			t.Fatalf("%v in %q", err, body)
		}
	}
	return a
}

// kind is what hand.mjs calls it.
func (a answer) kind() string {
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	if !strings.Contains(media, "json") || media == "application/problem+json" {
		return cmpOr(media, "none")
	}
	var v any
	if json.Unmarshal(a.body, &v) != nil {
		return "malformed"
	}
	switch m, _ := v.(map[string]any); {
	case m == nil:
		return "bare"
	case m["error"] != nil:
		return "error"
	default:
		if _, ok := m["result"]; ok {
			return "result"
		}
		return "bare"
	}
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
