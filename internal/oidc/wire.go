package oidc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// answerLimit bounds what is read of any answer of the provider.
	answerLimit = 1 << 20
	// keysFor is how long a key set is kept before an unknown key id leads to
	// another fetch: tokens with made-up key ids can't drive requests.
	keysFor = time.Minute
)

// errUnreachable marks an answer that says "not now" and no answer at all.
var errUnreachable = errors.New("the provider is unreachable")

// errTooLong is a body over answerLimit.
var errTooLong = errors.New("the provider's answer is over 1 MiB")

// wire is the way to the provider: bounded answers, no redirects to other
// origins, outages told from refusals, and key sets fetched at most once a minute.
type wire struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	keysURL string
	keys    []byte
	header  http.Header
	fetched time.Time
}

// client wraps an HTTP client, or makes one.
func (w *wire) client(base *http.Client) *http.Client {
	c := &http.Client{Timeout: 10 * time.Second}
	if base != nil {
		*c = *base
	}
	w.next = c.Transport
	if w.next == nil {
		w.next = http.DefaultTransport
	}
	c.Transport = w
	// A redirect would carry a code, a secret or an access token to wherever the
	// answer says; nothing in OpenID Connect's back channel needs one.
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if req.Method != http.MethodGet || len(via) > 3 || req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}
	c.Jar = nil
	return c
}

// useKeys names the address whose answers are kept.
func (w *wire) useKeys(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keysURL != url {
		w.keysURL, w.keys = url, nil
	}
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if resp := w.kept(req); resp != nil {
		return resp, nil
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	resp.Body.Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	case len(body) > answerLimit:
		return nil, errTooLong
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: status %d", errUnreachable, resp.StatusCode)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	w.keep(req, resp, body)
	return resp, nil
}

func (w *wire) kept(req *http.Request) *http.Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys == nil || req.URL.String() != w.keysURL || w.now().Sub(w.fetched) >= keysFor {
		return nil
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header.Clone(), Body: io.NopCloser(bytes.NewReader(w.keys)),
		ContentLength: int64(len(w.keys)), Request: req,
	}
}

// young reports whether the key set may not be fetched again yet.
func (w *wire) young() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys != nil && w.now().Sub(w.fetched) < keysFor
}

func (w *wire) keep(req *http.Request, resp *http.Response, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if resp.StatusCode == http.StatusOK && req.URL.String() == w.keysURL {
		w.keys, w.header, w.fetched = body, resp.Header.Clone(), w.now()
	}
}
