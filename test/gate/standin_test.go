package gate_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crmgate/crmgate/internal/demo/crm"
)

// caseHeader carries a test's name to the CRM, which then answers as that test
// says: tests that share one CRM run beside each other.
const caseHeader = "X-Case"

// standIn is the demo's CRM, and in its place whatever a test says.
type standIn struct {
	*server
	crm   *crm.CRM
	mu    sync.Mutex
	cases map[string]*scene
}

// newStandInFor starts a CRM of the test's own.
func newStandInFor(t *testing.T) *standIn {
	t.Helper()
	s, err := newStandIn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// scene is one test's view of the CRM: what it received, and how it answers.
type scene struct {
	id   string
	mu   sync.Mutex
	got  []received
	hook http.HandlerFunc
}

// received is a request as the CRM got it.
type received struct {
	method, target, host string
	header               http.Header
	body                 []byte
}

func newStandIn() (*standIn, error) {
	c, err := crm.New(crm.Config{})
	if err != nil {
		return nil, err
	}
	s := &standIn{crm: c, cases: map[string]*scene{}}
	if s.server, err = newServer(); err != nil {
		return nil, err
	}
	s.serve(s)
	return s, nil
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	sc := s.cases[r.Header.Get(caseHeader)]
	s.mu.Unlock()
	if sc == nil {
		s.crm.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // what is missing the test sees
	r.Body = io.NopCloser(bytes.NewReader(body))
	sc.mu.Lock()
	sc.got = append(sc.got, received{r.Method, r.RequestURI, r.Host, r.Header.Clone(), body})
	hook := sc.hook
	sc.mu.Unlock()
	if hook != nil {
		hook(w, r)
		return
	}
	s.crm.ServeHTTP(w, r)
}

var scenes atomic.Int64

// newScene registers a scene for the test's time.
func newScene(t *testing.T, hook http.HandlerFunc) *scene {
	t.Helper()
	return env.crm.scene(t, hook)
}

func (s *standIn) scene(t *testing.T, hook http.HandlerFunc) *scene {
	t.Helper()
	sc := &scene{id: fmt.Sprintf("case-%d", scenes.Add(1)), hook: hook}
	s.mu.Lock()
	s.cases[sc.id] = sc
	s.mu.Unlock()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cases, sc.id)
	})
	return sc
}

func (sc *scene) requests() []received {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return append([]received(nil), sc.got...)
}

func (sc *scene) answer(h http.HandlerFunc) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.hook = h
}

// nothing fails the test if the CRM received anything.
func (sc *scene) nothing(t *testing.T) {
	t.Helper()
	for _, r := range sc.requests() {
		t.Errorf("the CRM received %s %s", r.method, r.target)
	}
}

// jsonAnswer answers with a JSON body.
func jsonAnswer(status int, body string) http.HandlerFunc {
	return typed("application/json", status, body)
}

func typed(media string, status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{media}
		if media == "" {
			w.Header()["Content-Type"] = nil
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the gate may cut it
	}
}

// rawAnswer writes bytes to the connection as they are, and closes it.
func rawAnswer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text) // the gate may cut it
	}
}
