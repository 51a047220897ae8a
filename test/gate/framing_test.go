package gate_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func dial(t *testing.T, s *site) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(s.url, "https:") {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (b *browser) cookies() string {
	u, _ := url.Parse(b.site.url)
	var list []string
	for _, c := range b.jar.Cookies(u) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

func exchangeRaw(t *testing.T, conn net.Conn, text string) *reply {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return readRaw(t, bufio.NewReader(conn))
}

func readRaw(t *testing.T, from *bufio.Reader) *reply {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &reply{status: resp.StatusCode, header: resp.Header}
	r.body, r.cut = io.ReadAll(resp.Body)
	return r
}

func TestChunkedUploadAndExpectArriveAsOneBody(t *testing.T) {
	t.Parallel()
	sc := newScene(t, jsonAnswer(http.StatusCreated, `{"id":7001,"last_name":"Neu"}`))
	b := env.plain.as(t, "paula")
	conn := dial(t, env.plain)
	head := fmt.Sprintf("POST /api/contacts HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s: %s\r\nContent-Type: application/json\r\n", env.plain.host, b.cookies(), caseHeader, sc.id)
	from := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, head+"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nTrailer: X-Crmgate-User\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := from.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v, want 100 Continue", line, err)
	}
	if _, err := from.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "c\r\n{\"last_name\"\r\n7\r\n:\"Neu\"}\r\n0\r\nX-Crmgate-User: mallory\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := readRaw(t, from).want(t, http.StatusCreated)
	got := sc.requests()
	if len(got) != 1 || string(got[0].body) != `{"last_name":"Neu"}` || got[0].header.Get("Expect") != "" || got[0].header.Get("Content-Length") != "19" {
		t.Errorf("the CRM received %+v", got)
	}
	if x := r.logged(t); x.records("contact")["7001"].ID == "" {
		t.Errorf("entries %s, want the new record", x)
	}
}

func TestContradictoryFramingIsRefused(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	for name, framing := range map[string]string{
		"two lengths":       "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
		"length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"odd coding":        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	} {
		sc := newScene(t, nil)
		head := fmt.Sprintf("POST /api/contacts HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s: %s\r\nContent-Type: application/json\r\n", env.plain.host, b.cookies(), caseHeader, sc.id)
		r := exchangeRaw(t, dial(t, env.plain), head+framing)
		if r.status < 400 {
			t.Errorf("%s: %s", name, r)
		}
		sc.nothing(t)
	}
}

func TestHugeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	b := env.plain.as(t, "vera")
	r, err := b.try(ask{path: "/api/contacts/1001", scene: sc, header: http.Header{"X-Huge": {strings.Repeat("a", 2<<20)}}})
	if err == nil && r.status < 400 {
		t.Errorf("got %s", r)
	}
	sc.nothing(t)
}

func readAll(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(90 * time.Second)); err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(conn) // a connection may be cut
	return string(raw)
}

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
