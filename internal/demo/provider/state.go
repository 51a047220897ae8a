package provider

import (
	"errors"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// How long things live.
const (
	requestFor = 15 * time.Minute
	codeFor    = time.Minute
	sessionFor = 8 * time.Hour
	grantFor   = 8 * time.Hour
	accessFor  = 10 * time.Minute
	idTokenFor = time.Hour
)

var (
	errExpired      = errors.New("sign-in unknown or expired")
	errOtherBrowser = errors.New("sign-in belongs to another browser")
)

// state is everything that the provider remembers. It implements op.Storage
// (storage.go) and serves the sign-in pages.
type state struct {
	config   Config
	key      key
	attempts attempts

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]issuedCode
	sessions map[string]session // by cookie
	grants   map[string]*grant
	access   map[string]accessToken
}

type issuedCode struct {
	request string
	expires time.Time
}

// session is a browser in which somebody is signed in.
type session struct {
	proof   proof
	expires time.Time
}

type accessToken struct {
	grant   string
	scopes  []string
	expires time.Time
}

func newState(c Config) (*state, error) {
	k, err := newKey()
	if err != nil {
		return nil, err
	}
	return &state{
		config:   c,
		key:      k,
		attempts: attempts{logins: make(map[string]*attempt)},
		requests: make(map[string]*request),
		codes:    make(map[string]issuedCode),
		sessions: make(map[string]session),
		grants:   make(map[string]*grant),
		access:   make(map[string]accessToken),
	}, nil
}

func (s *state) employee(match func(*Employee) bool) *Employee {
	for i := range s.config.Employees {
		if match(&s.config.Employees[i]) {
			return &s.config.Employees[i]
		}
	}
	return nil
}

func (s *state) bySubject(subject string) *Employee {
	return s.employee(func(e *Employee) bool { return e.Subject == subject })
}

func (s *state) byLogin(login string) *Employee {
	return s.employee(func(e *Employee) bool { return e.Login == login })
}

func (s *state) addRequest(asked oidc.AuthRequest, demanded string) request {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	s.sweep(now)
	r := &request{id: newID(), asked: asked, created: now, demanded: demanded}
	s.requests[r.id] = r
	return *r
}

// sweep drops what has expired. The caller holds the lock.
func (s *state) sweep(now time.Time) {
	for id, r := range s.requests {
		if now.Sub(r.created) > requestFor {
			delete(s.requests, id)
		}
	}
	for c, issued := range s.codes {
		if now.After(issued.expires) {
			delete(s.codes, c)
		}
	}
	for c, x := range s.sessions {
		if now.After(x.expires) {
			delete(s.sessions, c)
		}
	}
	wall := time.Now()
	for id, g := range s.grants {
		if wall.After(g.expires) {
			delete(s.grants, id)
		}
	}
	for id, t := range s.access {
		if wall.After(t.expires) {
			delete(s.access, id)
		}
	}
}

// open returns the request for its page and binds it to the browser that opens
// it first. Without the binding someone could start a sign-in, send the link to
// an employee, and collect the code in their own browser.
func (s *state) open(id, browser string) (request, error) {
	return s.change(id, func(r *request) error {
		if r.browser == "" {
			r.browser = browser
		}
		return r.belongsTo(browser)
	})
}

// of returns the request if it belongs to that browser.
func (s *state) of(id, browser string) (request, error) {
	return s.change(id, func(r *request) error { return r.belongsTo(browser) })
}

// await notes that the second factor of pending is asked for.
func (s *state) await(id, browser string, pending proof) error {
	_, err := s.change(id, func(r *request) error {
		if err := r.belongsTo(browser); err != nil {
			return err
		}
		r.pending = pending
		return nil
	})
	return err
}

// finish completes the request and signs the browser in. It returns the cookie
// of the session: a new one each time, so that nobody can plant one beforehand.
// The session's sid stays while the same employee stays.
func (s *state) finish(id, browser, oldCookie string, p proof) (cookie string, err error) {
	_, err = s.change(id, func(r *request) error {
		if err := r.belongsTo(browser); err != nil {
			return err
		}
		p.sid = newID()
		if old, ok := s.sessions[oldCookie]; ok && old.proof.subject == p.subject {
			p.sid = old.proof.sid
		}
		delete(s.sessions, oldCookie)
		cookie = newID()
		s.sessions[cookie] = session{proof: p, expires: s.config.Now().Add(sessionFor)}
		r.pending, r.proof = proof{}, p
		return nil
	})
	return cookie, err
}

// reuse completes the request with the session that the browser already has.
func (s *state) reuse(id, browser string, p proof) error {
	_, err := s.change(id, func(r *request) error {
		if err := r.belongsTo(browser); err != nil {
			return err
		}
		r.proof = p
		return nil
	})
	return err
}

func (s *state) change(id string, f func(*request) error) (request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.request(id)
	if err != nil {
		return request{}, err
	}
	if err := f(r); err != nil {
		return request{}, err
	}
	return *r, nil
}

// request looks a request up. The caller holds the lock.
func (s *state) request(id string) (*request, error) {
	r := s.requests[id]
	if r == nil || s.config.Now().Sub(r.created) > requestFor {
		return nil, errExpired
	}
	return r, nil
}

func (r *request) belongsTo(browser string) error {
	if browser == "" || r.browser != browser {
		return errOtherBrowser
	}
	return nil
}

// session returns who is signed in with that cookie; the zero proof is nobody.
func (s *state) session(cookie string) proof {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.sessions[cookie]
	if !ok || s.config.Now().After(x.expires) {
		return proof{}
	}
	return x.proof
}

// signOut ends the session with that sid, and every grant made from it. "" is
// nobody's: requests that nobody has finished carry it.
func (s *state) signOut(sid string) {
	if sid == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for cookie, x := range s.sessions {
		if x.proof.sid == sid {
			delete(s.sessions, cookie)
		}
	}
	for _, g := range s.grants {
		if g.proof.sid == sid {
			s.endGrant(g)
		}
	}
	for id, r := range s.requests {
		if r.proof.sid == sid {
			delete(s.requests, id)
		}
	}
}
