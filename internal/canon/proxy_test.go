package canon

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// proxied starts a gateway that does what the gate does, before an upstream that
// hands each request it gets to seen; the result sends raw bytes to it.
func proxied(t *testing.T, seen chan *http.Request) func(raw string) int {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r }))
	t.Cleanup(upstream.Close)
	to, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
	}}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Request(r, corpusOptions())
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		StripHeaders(r.Header, NewOwn("Remote-Employee"))
		StripCookies(r.Header, ownCookie)
		c.Apply(r)
		r.Header.Set("Remote-Employee", "erika")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	return func(raw string) int {
		t.Helper()
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", gateway.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprint(conn, raw); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
}

func TestUpstreamReceivesWhatWasJudged(t *testing.T) {
	seen := make(chan *http.Request, 1)
	send := proxied(t, seen)
	for _, line := range corpus(t) {
		if line.forwarded == "*" {
			continue // net/http's server answers OPTIONS * itself
		}
		status := send(line.method + " " + line.target + " HTTP/1.1\r\nHost: crm.example\r\nConnection: close\r\n\r\n")
		if line.want != "ok" {
			if status != http.StatusBadRequest {
				t.Errorf("%s %s was answered with %d", line.method, line.target, status)
			}
			continue
		}
		if got := (<-seen).RequestURI; got != line.forwarded {
			t.Errorf("%s %s arrived as %q, want %q", line.method, line.target, got, line.forwarded)
		}
	}
	if len(seen) > 0 {
		t.Errorf("a refused request arrived: %s", (<-seen).RequestURI)
	}
}

func TestClientCannotDeleteOrShadowWhatTheGatewayAdds(t *testing.T) {
	seen := make(chan *http.Request, 1)
	send := proxied(t, seen)
	send("GET / HTTP/1.1\r\nHost: crm.example\r\n" +
		"Connection: close, Remote-Employee, Cookie, X-Forwarded-For\r\n" +
		"Remote-Employee: mallory\r\nREMOTE_EMPLOYEE: mallory\r\nremote.employee: mallory\r\n" +
		"Cookie: sid=1; __Host-crmgate=secret\r\n\r\n")
	r := <-seen
	if got := r.Header.Values("Remote-Employee"); len(got) != 1 || got[0] != "erika" {
		t.Errorf("Remote-Employee arrived as %q", got)
	}
	for name := range r.Header {
		if name != "Remote-Employee" && fold(name) == "remote-employee" {
			t.Errorf("%s arrived beside it", name)
		}
	}
	if got := r.Header.Get("Cookie"); got != "sid=1" {
		t.Errorf("Cookie arrived as %q", got)
	}
	if got := r.Header.Get("X-Forwarded-For"); got != "127.0.0.1" {
		t.Errorf("X-Forwarded-For arrived as %q", got)
	}
}
