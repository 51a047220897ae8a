// Package crm is "Kontor", the CRM of `crmgate demo` and of the tests: contacts
// and leads as server-rendered pages, as a JSON API, as a CSV export and as
// streams, with some sixty invented people in memory. It trusts whoever reaches
// it, as CRMs behind a gateway do, and behaves as they do where that is hard on
// a gateway: values stand in titles, attributes, comments, scripts and error
// texts, a form is a full write, JSON comes in two styles of escaping.
package crm

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/text/language"
)

// UserHeader names the header in which the gateway says who is signed in. The
// CRM shows it and decides nothing by it.
const UserHeader = "X-Crmgate-User"

// sessionCookie is the CRM's own session; it carries the message after a save.
const sessionCookie = "kontor_session"

const (
	// bodyMax bounds the bodies of writes.
	bodyMax = 1 << 20
	// requestsMax is how many requests are remembered.
	requestsMax = 4096
	// flashMax bounds the sessions with a message waiting.
	flashMax = 1000
)

// Config says how the CRM runs.
type Config struct {
	// Now is the clock for created_at and updated_at; nil is the wall clock.
	Now func() time.Time
}

// Request is a request as the CRM received it, for tests.
type Request struct {
	Method string
	// Target is the request line's target as it came: path and query, undecoded.
	Target string
	Path   string
	// Host is the Host header; Header holds all others.
	Host   string
	Header http.Header
	// Body is the whole body, up to 1 MiB of it.
	Body []byte
}

// Hook is called with each request before the CRM looks at it. It returns true
// when it has answered in the CRM's place: slowly, wrongly or not at all.
type Hook func(http.ResponseWriter, *http.Request) (answered bool)

// CRM is the demo CRM. It is safe for concurrent use.
type CRM struct {
	contacts, leads *schema
	store           *store
	handler         http.Handler
	template        *template.Template
	style           []byte
	matcher         language.Matcher
	hook            atomic.Pointer[Hook]
	closed          chan struct{}
	close           sync.Once

	mu       sync.Mutex
	requests []Request
	flash    map[string]string
}

// New returns a CRM with its seed, the same each time.
func New(c Config) (*CRM, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	m := &CRM{
		contacts: contactSchema(), leads: leadSchema(),
		store: &store{now: c.Now, rows: make(map[string]map[int]Record), next: make(map[string]int)},
		flash: make(map[string]string), closed: make(chan struct{}),
		matcher: language.NewMatcher([]language.Tag{language.German, language.English}),
	}
	contacts, leads := seeded()
	m.store.fill("contact", contacts)
	m.store.fill("lead", leads)
	if err := m.loadPages(); err != nil {
		return nil, fmt.Errorf("loading the CRM's pages: %w", err)
	}
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("setting up gzip: %w", err)
	}
	// Behind a gateway the Host is the public one: a write from a page of
	// another site is refused by Origin and Sec-Fetch-Site.
	m.handler = http.NewCrossOriginProtection().Handler(compress(m.routes()))
	return m, nil
}

func (m *CRM) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/contacts", http.StatusFound)
	})
	for _, sc := range []*schema{m.contacts, m.leads} {
		page, api := "/"+sc.plural, "/api/"+sc.plural
		mux.HandleFunc("GET "+page, m.listPage(sc))
		mux.HandleFunc("GET "+page+"/new", m.newPage(sc))
		mux.HandleFunc("POST "+page+"/new", m.savePage(sc))
		mux.HandleFunc("GET "+page+"/{id}", m.detailPage(sc))
		mux.HandleFunc("GET "+page+"/{id}/edit", m.editPage(sc))
		mux.HandleFunc("POST "+page+"/{id}", m.savePage(sc))
		mux.HandleFunc("GET "+api, m.apiList(sc))
		mux.HandleFunc("POST "+api, m.apiWrite(sc, true))
		mux.HandleFunc("GET "+api+"/{id}", m.apiGet(sc))
		mux.HandleFunc("PUT "+api+"/{id}", m.apiWrite(sc, true))
		mux.HandleFunc("PATCH "+api+"/{id}", m.apiWrite(sc, false))
		mux.HandleFunc("DELETE "+api+"/{id}", m.apiDelete(sc))
	}
	mux.HandleFunc("GET /contacts/export.csv", m.exportCSV)
	mux.HandleFunc("GET /api/stream/contacts", m.stream)
	mux.HandleFunc("GET /api/events", m.events)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`) // the client went away: nobody to tell
	})
	mux.HandleFunc("GET /static/app.css", m.serveStyle)
	return mux
}

// ServeHTTP remembers the request, asks the hook, and serves it.
func (m *CRM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	m.remember(r, body)
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the body can't be read", status)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if hook := m.hook.Load(); hook != nil && *hook != nil && (*hook)(w, r) {
		return
	}
	if cookie, err := r.Cookie(sessionCookie); err != nil || cookie.Value == "" {
		c := &http.Cookie{Name: sessionCookie, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
		http.SetCookie(w, c)
		r.AddCookie(c)
	}
	w.Header().Set("X-Powered-By", "Kontor/7.4")
	m.handler.ServeHTTP(w, r)
}

func (m *CRM) remember(r *http.Request, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.requests) == requestsMax {
		m.requests = slices.Delete(m.requests, 0, requestsMax/2)
	}
	m.requests = append(m.requests, Request{
		Method: r.Method, Target: r.RequestURI, Path: r.URL.Path, Host: r.Host, Header: r.Header.Clone(), Body: body,
	})
}

// Requests returns the requests received since the start or the last Forget,
// the newest few thousand of them, in order of arrival.
func (m *CRM) Requests() []Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

// Forget empties the list of requests.
func (m *CRM) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = nil
}

// SetHook sets the hook; nil takes it away.
func (m *CRM) SetHook(h Hook) { m.hook.Store(&h) }

// Contacts returns copies of all contacts as they stand, by id.
func (m *CRM) Contacts() []Record { return m.store.all(m.contacts) }

// Leads returns copies of all leads as they stand, by id.
func (m *CRM) Leads() []Record { return m.store.all(m.leads) }

// Close ends the event streams, so that a server can shut down. The CRM goes on
// answering.
func (m *CRM) Close() { m.close.Do(func() { close(m.closed) }) }

func (s *store) fill(entity string, records []Record) {
	s.rows[entity] = make(map[int]Record, len(records))
	for _, r := range records {
		s.rows[entity][r.id()] = r
		s.next[entity] = max(s.next[entity], r.id())
	}
}

// setFlash leaves a message for the next page of the session.
func (m *CRM) setFlash(r *http.Request, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.flash) >= flashMax {
		clear(m.flash)
	}
	m.flash[session(r)] = text
}

func (m *CRM) takeFlash(r *http.Request) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := m.flash[session(r)]
	delete(m.flash, session(r))
	return text
}

func session(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// signedInAs is who the gateway says is there, for the page's corner. The
// gateway percent-encodes what a header can't carry.
func signedInAs(r *http.Request) string {
	user := r.Header.Get(UserHeader)
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	return strings.ToValidUTF8(user, "?")
}
