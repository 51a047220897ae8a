package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// relay stands between gate and CRM: it tells what reached the CRM, and when.
type relay struct {
	addr string

	mu       sync.Mutex
	arrived  []arrival
	onArrive func(arrival)
}

// arrival is a request as the CRM got it.
type arrival struct {
	method, target string
	header         http.Header
	body           []byte
}

func startRelay(t *testing.T, upstream string) *relay {
	t.Helper()
	r := &relay{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: upstream})
			p.Out.Host = p.In.Host
		},
		Transport: &http.Transport{DisableCompression: true},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
		r.note(arrival{method: q.Method, target: q.RequestURI, header: q.Header.Clone(), body: body})
		proxy.ServeHTTP(w, q)
	}))
	t.Cleanup(srv.Close)
	r.addr = strings.TrimPrefix(srv.URL, "http://")
	return r
}

func (r *relay) note(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = append(r.arrived, a)
	if r.onArrive != nil {
		r.onArrive(a)
	}
}

// watch calls f for each request before the CRM gets it.
func (r *relay) watch(f func(arrival)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onArrive = f
}

// since returns what arrived after the first n requests.
func (r *relay) since(n int) []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.arrived[n:len(r.arrived):len(r.arrived)]
}

func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.arrived)
}
