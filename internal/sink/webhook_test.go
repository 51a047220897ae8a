package sink

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// receiver is a web server that takes batches, and checks who signed them.
type receiver struct {
	*httptest.Server
	// first answers before a batch is taken; it reports whether it has answered.
	first func(w http.ResponseWriter, r *http.Request, body []byte) bool

	mu  sync.Mutex
	got []byte
}

func receive(t *testing.T, start func(*httptest.Server)) *receiver {
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(q.Header.Get("webhook-id") + "." + q.Header.Get("webhook-timestamp") + "."))
		mac.Write(body)
		if q.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Error("the signature isn't over the batch")
		}
		if q.Header.Get("Authorization") != "Bearer t" || q.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("headers %v", q.Header)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.first == nil || !r.first(w, q, body) {
			r.got = append(r.got, body...)
		}
	}))
	r.Config.ErrorLog = nil
	start(r.Server)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]byte(nil), r.got...)
}

func hook(t *testing.T, address string, roots *x509.CertPool) *Webhook {
	t.Helper()
	w, err := NewWebhook(address, WebhookOptions{
		Headers: http.Header{"Authorization": {"Bearer t"}}, Secret: secret, Roots: roots, Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func rootsOf(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestWebhookTakesSignedBatches(t *testing.T) {
	l := openLog(t, t.TempDir())
	add(t, l, 1200)
	s := receive(t, (*httptest.Server).StartTLS)
	r := start(t, l, hook(t, s.URL, rootsOf(s.Server)))
	r.caughtUp(t)
	whole(t, ids(t, s.all()), size(l))
}

// A server that refuses, redirects, cuts the connection, is too busy or takes small
// batches only gets every entry in the end, in order.
func TestFailingWebhookSkipsNothing(t *testing.T) {
	l := openLog(t, t.TempDir())
	add(t, l, 600)
	n := 0
	s := receive(t, (*httptest.Server).Start)
	s.first = func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		n++
		switch n % 7 {
		case 0:
			w.WriteHeader(http.StatusInternalServerError)
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case 4: // taken, but nobody hears of it: it comes again
			s.got = append(s.got, body...)
			panic(http.ErrAbortHandler)
		default:
			if len(body) > 40_000 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return true
			}
			return false
		}
		return true
	}
	r := start(t, l, hook(t, s.URL, nil))
	r.caughtUp(t)
	whole(t, ids(t, s.all()), size(l))
	if state := r.Status.State(time.Now()); state.Failures[reasonRefused] == 0 || state.Failures[reasonUnreachable]+state.Failures[reasonOther] == 0 {
		t.Errorf("failures %v", state.Failures)
	}
}

// A server that takes the connection and never answers is left after the timeout.
func TestSilentWebhookIsLeft(t *testing.T) {
	l := openLog(t, t.TempDir())
	s := receive(t, (*httptest.Server).Start)
	silent, once := make(chan struct{}), true
	s.first = func(_ http.ResponseWriter, q *http.Request, _ []byte) bool {
		if once {
			once = false
			close(silent)
			<-q.Context().Done()
			return true
		}
		return false
	}
	w := hook(t, s.URL, nil)
	w.timeout = time.Second
	r := start(t, l, w)
	<-silent
	add(t, l, 50)
	until(t, "the timeout is told", func() bool { return r.told(func(n News) bool { return n.Reason == reasonTimeout }) })
	r.caughtUp(t)
	whole(t, ids(t, s.all()), size(l))
}

func TestWebhookChecksTheCertificate(t *testing.T) {
	l := openLog(t, t.TempDir())
	s := receive(t, (*httptest.Server).StartTLS)
	s.Config.ErrorLog = nil
	r := start(t, l, hook(t, s.URL, nil))
	until(t, "the certificate is refused", func() bool { return r.told(func(n News) bool { return n.Reason == reasonTLS }) })
	if got := s.all(); len(got) > 0 {
		t.Errorf("a server with a certificate of nobody has got %q", got)
	}
}

func TestWebhookRefusesWhatItCannotMean(t *testing.T) {
	for address, o := range map[string]WebhookOptions{
		"http://siem.example.de/":      {},
		"https://u:p@siem.example.de/": {},
		"siem.example.de":              {},
		"ftp://localhost/":             {},
		"https://a.de/short":           {Secret: "short"},
		"https://a.de/base64":          {Secret: "whsec_%%%"},
		"https://a.de/own":             {Headers: http.Header{"Webhook-Signature": {"x"}}},
	} {
		if _, err := NewWebhook(address, o); !errors.Is(err, ErrWebhook) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if p := Place("https://siem.example.de/hook/s3cr3t?token=x"); p != "https://siem.example.de" {
		t.Errorf("the place is %s", p)
	}
}
