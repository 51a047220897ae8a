package gate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"golang.org/x/net/http/httpguts"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/signon"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// IdentityHeader tells the CRM who is signed in, by a header. Clients can't send
// it: it is taken out of every request in every spelling.
type IdentityHeader struct {
	// Header is the header's name, of letters, digits and hyphens. Required.
	Header string `json:"header,omitempty"`
	// Source is what it says: `user` (the name in the CRM), `email` (only where
	// the provider verified it), `name` (percent-encoded), `subject` or `roles`
	// (joined by commas). Who doesn't have it gets no header. Required.
	Source signon.Source `json:"source,omitempty"`
}

// Assertion tells the CRM who is signed in, by a signed token (JWT, ES256). The
// keys to check it by are at /.crmgate/jwks.json.
type Assertion struct {
	// Header is the header's name. Default: X-Crmgate-Assertion.
	Header string `json:"header,omitempty"`
	// Audience is the token's `aud`: the CRM's name for itself. Required.
	Audience string `json:"audience,omitempty"`
	// TTL is how long a token holds, from 10s to 10m. Each request has a new one.
	// Default: 60s.
	TTL caddy.Duration `json:"ttl,omitempty"`
}

// UpstreamCredential is what the gateway presents to the CRM for employees and
// machines of a role, in the place of what they send. The first whose role they
// have is taken; who has none of the roles goes without.
type UpstreamCredential struct {
	// Role is one that the identity provider or a machine's line gives; roles
	// that it inherits in the policy don't count. Required.
	Role string `json:"role,omitempty"`
	// Header is the header that Value stands in.
	Header string `json:"header,omitempty"`
	// Value stands elsewhere: {env.NAME} or {file./path}, with words around it
	// where they are needed.
	Value string `json:"value,omitempty"`
	// User and Password are presented as HTTP Basic in Authorization, instead of
	// Header and Value. Password stands elsewhere, as Value does.
	User string `json:"user,omitempty"`
	// Password belongs to User.
	Password string `json:"password,omitempty"`

	line string // what is sent
}

// signOn is how a gate tells the CRM who is signed in; nil where it doesn't.
type signOn struct {
	headers     []IdentityHeader
	assertion   *Assertion
	credentials []UpstreamCredential
	own         []string // the names of all its headers
	// ring is nil until the app has started, and where nothing is asserted.
	ring   *keys.Ring
	signer atomic.Pointer[generation]
}

// generation is the signer that belongs to a state of the key ring.
type generation struct {
	inForce byte
	keys    int
	signer  *signon.Signer
}

const (
	defaultAssertionHeader = "X-Crmgate-Assertion"
	defaultAssertionTTL    = time.Minute
	minAssertionTTL        = 10 * time.Second
	maxAssertionTTL        = 10 * time.Minute
	signonPurpose          = "sign-on assertion"
)

// newSignOn checks how the CRM is told.
func (h *Handler) newSignOn() error {
	if len(h.IdentityHeaders) == 0 && h.Assertion == nil && len(h.UpstreamCredentials) == 0 {
		return nil
	}
	s := &signOn{headers: h.IdentityHeaders, assertion: h.Assertion, credentials: h.UpstreamCredentials}
	for _, x := range s.headers {
		if !x.Source.Valid() {
			return fmt.Errorf("identity_header %s: unknown source %q: there are %v", x.Header, x.Source, signon.Sources())
		}
		if err := s.claim("identity_header", x.Header); err != nil {
			return err
		}
	}
	if a := s.assertion; a != nil {
		if err := a.check(); err != nil {
			return fmt.Errorf("identity_assertion: %w", err)
		}
		if err := s.claim("identity_assertion", a.Header); err != nil {
			return err
		}
	}
	if err := s.checkCredentials(h); err != nil {
		return err
	}
	h.signOn = s
	return nil
}

func (a *Assertion) check() error {
	if a.Header == "" {
		a.Header = defaultAssertionHeader
	}
	if a.TTL == 0 {
		a.TTL = caddy.Duration(defaultAssertionTTL)
	}
	switch ttl := time.Duration(a.TTL); {
	case a.Audience == "":
		return errors.New("audience is missing: an assertion for everybody could be presented to anybody")
	case ttl < minAssertionTTL || ttl > maxAssertionTTL:
		return fmt.Errorf("ttl %s is not between %s and %s", ttl, minAssertionTTL, maxAssertionTTL)
	}
	return nil
}

func (s *signOn) checkCredentials(h *Handler) error {
	claimed := map[string]bool{}
	for i := range s.credentials {
		c := &s.credentials[i]
		if err := c.resolve(); err != nil {
			return fmt.Errorf("upstream_credential role %s: %w", c.Role, err)
		}
		if !h.policy.Knows(c.Role) {
			return fmt.Errorf("upstream_credential role %s: the policy has no such role: mend its name", c.Role)
		}
		if !claimed[http.CanonicalHeaderKey(c.Header)] {
			claimed[http.CanonicalHeaderKey(c.Header)] = true
			if err := s.claim("upstream_credential", c.Header); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolve reads what is sent.
func (c *UpstreamCredential) resolve() error {
	value, basic := c.Value, c.User != "" || c.Password != ""
	switch {
	case c.Role == "":
		return errors.New("the role is missing: upstream_credential role <role> { … }")
	case basic && (c.Header != "" || c.Value != ""), !basic && (c.Header == "" || c.Value == ""):
		return errors.New("give either `header <name> <value>` or `basic <user> <password>`")
	case basic:
		value = c.Password
	}
	secret, err := kept(value)
	if err != nil {
		return err
	}
	c.line = secret
	if basic {
		user, err := caddy.NewReplacer().ReplaceOrErr(c.User, true, true)
		if err != nil {
			return fmt.Errorf("reading the user: %w", err)
		}
		if user == "" || strings.Contains(user, ":") {
			return errors.New("the user is empty or has a colon in it")
		}
		c.Header, c.line = "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
	}
	if !httpguts.ValidHeaderFieldValue(c.line) || strings.TrimSpace(c.line) != c.line {
		return errors.New("the value can't stand in a header: it has a line end, another control character, or a space at an end")
	}
	return nil
}

// claim makes a header the gateway's own.
func (s *signOn) claim(word, name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) {
		return fmt.Errorf("%s: %q is no header's name of letters, digits and hyphens (servers read others in more than one way)", word, name)
	}
	key := http.CanonicalHeaderKey(name)
	switch {
	case slices.Contains(s.own, key):
		return fmt.Errorf("%s: the header %s has a meaning already: name another one", word, name)
	case reserved(key), key == "Authorization" && word != "upstream_credential":
		return fmt.Errorf("%s: the header %s has a meaning of its own: name another one, for example X-Remote-User", word, name)
	}
	s.own = append(s.own, key)
	return nil
}

// reserved reports whether a header means something to Caddy, to the gate or to
// HTTP itself.
func reserved(key string) bool {
	for _, prefix := range [...]string{"Proxy-", "Content-", "Accept", "Access-Control-", "If-", "Sec-", "X-Forwarded-", "Transfer-", "X-Crmgate-Authorization"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	switch key {
	case "Host", "Cookie", "Cookie2", "Set-Cookie", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Expect", "Range", "Via",
		"Date", "Origin", "Referer", "User-Agent", "Forwarded", "Cache-Control", "Pragma", "Http2-Settings", "Audit-Id", "X-Requested-With":
		return true
	}
	return false
}

// ownNames are the names that no client may send.
func (s *signOn) ownNames() []string {
	if s == nil {
		return nil
	}
	return s.own
}

// startSignOn takes the signing key, and refuses to send values past a log that
// would keep them.
func (h *Handler) startSignOn(s *crmgate.Services) error {
	if h.signOn == nil {
		return nil
	}
	if h.proxy.Check(zap.DebugLevel, "") != nil {
		for _, name := range h.signOn.own {
			if name != "Authorization" { // Caddy leaves it out
				return fmt.Errorf("at debug level Caddy's reverse_proxy logs the headers of requests, and %s tells who is signed in or is a credential: "+
					"add `exclude http.handlers.reverse_proxy` to the log, or raise its level", name)
			}
		}
	}
	if h.signOn.assertion == nil {
		return nil
	}
	h.signOn.ring = s.Ring
	_, err := h.signOn.signs()
	return err
}

// signs returns the signer under the key in force; nil where nothing is asserted.
// Keys are added while the gateway runs.
func (s *signOn) signs() (*signon.Signer, error) {
	if s == nil || s.ring == nil {
		return nil, nil //nolint:nilnil // nothing is asserted, or somebody is explained
	}
	inForce, n := s.ring.Generation()
	if g := s.signer.Load(); g != nil && g.inForce == inForce && g.keys == n {
		return g.signer, nil
	}
	signer, err := signon.NewSigner(s.ring.DeriveAll(signonPurpose))
	if err != nil {
		return nil, fmt.Errorf("identity_assertion: %w", err)
	}
	s.signer.Store(&generation{inForce, n, signer})
	return signer, nil
}
