package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// The errors of Machines.Verify: which answer a client gets. Why, the wrapping
// text says, for the gateway's own log alone: it would help whoever is guessing.
var (
	// ErrMachineToken is a token that is not believed: malformed, not signed by
	// a known issuer, of another type, or for nobody that was named.
	ErrMachineToken = errors.New("the token is not accepted")
	// ErrMachineExpired is a token whose signature holds and whose time is over.
	ErrMachineExpired = errors.New("the token has expired")
	// ErrMachineIssuer is an issuer whose keys can't be had.
	ErrMachineIssuer = errors.New("the issuer's keys can't be had")
)

// machineTokenLimit bounds what is looked at of a token.
const machineTokenLimit = 16 << 10

// MachineRule names an API client that signs in with a token (JWT) of an issuer.
type MachineRule struct {
	// Name is the machine's name in the configuration.
	Name string
	// Issuer is the issuer's name for itself, as its discovery document and its
	// tokens write it. https, or http on a loopback address.
	Issuer string
	// Audience has to be among the token's `aud`, letter for letter.
	Audience string
	// Clients are the allowed ones: every claim of the token that names its
	// client (azp, client_id, and Okta's cid and Entra's appid) has to be one of
	// them, and one claim has to be there.
	Clients []string
	// Type is what the token's header `typ` has to be (at+jwt). Empty: at+jwt,
	// JWT or nothing.
	Type string
}

// MachineConfig says which tokens are accepted.
type MachineConfig struct {
	Rules []MachineRule
	// Employees are the client ids that employees sign in with, by issuer. An ID
	// token is issued to them; see NewMachines.
	Employees map[string]string
	// HTTPClient reaches the issuers, as Config.HTTPClient does the provider.
	HTTPClient *http.Client
	// Now is the clock; the default is time.Now.
	Now func() time.Time
}

// Machines verifies the tokens of API clients. It is safe for concurrent use.
//
// The rules are: an asymmetric signature by a key of the issuer; issuer,
// audience, client and type checked, each by equality; no ID token, no logout
// token, no refresh token, and no token that is bound to a key whose possession
// nobody proved. A token is verified once in five minutes and looked up in
// between. A key that the issuer withdrew is refused after 15 minutes at the
// latest, if the issuer can be reached; a token can't be withdrawn before it
// expires.
type Machines struct {
	rules   []MachineRule
	issuers map[string]*issuerKeys
	known   machineCache
	now     func() time.Time
}

// NewMachines checks the rules and touches no network. Its errors name the
// remedy and are meant for the administrator.
func NewMachines(cfg MachineConfig) (*Machines, error) {
	m := &Machines{rules: cfg.Rules, issuers: make(map[string]*issuerKeys), now: cfg.Now}
	if m.now == nil {
		m.now = time.Now
	}
	for i, r := range cfg.Rules {
		issuer, err := parseIssuer(r.Issuer)
		if err != nil {
			return nil, fmt.Errorf("machine %s: %w", r.Name, err)
		}
		if err := r.check(cfg.Employees[r.Issuer]); err != nil {
			return nil, fmt.Errorf("machine %s: %w", r.Name, err)
		}
		for _, other := range cfg.Rules[:i] {
			if r.overlaps(other) {
				return nil, fmt.Errorf("machines %s and %s would take the same token: give them different clients or audiences", other.Name, r.Name)
			}
		}
		if m.issuers[r.Issuer] == nil {
			m.issuers[r.Issuer] = newIssuerKeys(r.Issuer, issuer, cfg.HTTPClient, m.now)
		}
	}
	return m, nil
}

// check refuses what would let somebody else's tokens in.
func (r MachineRule) check(employees string) error {
	switch {
	case r.Audience == "":
		return errors.New("audience is missing: without one every token of the issuer would do, whomever it was issued for")
	case len(r.Clients) == 0:
		return errors.New("client is missing: name the client (azp or client_id) that the issuer knows this machine by")
	case slices.Contains(r.Clients, "") || strings.ContainsAny(r.Type, " \t\r\n"):
		return errors.New("a client or typ is empty or has a space in it")
	case r.Type == "" && (slices.Contains(r.Clients, r.Audience) || r.Audience == employees):
		// The audience of an ID token is a client id: only the type tells it from
		// an access token then.
		return errors.New("the audience is a client's own id, which ID tokens carry too: name the type of access tokens (typ at+jwt), or let the issuer use an audience of its own for this gateway")
	}
	return nil
}

func (r MachineRule) overlaps(other MachineRule) bool {
	return r.Issuer == other.Issuer && r.Audience == other.Audience &&
		slices.ContainsFunc(r.Clients, func(c string) bool { return slices.Contains(other.Clients, c) })
}

// Verify returns the name of the machine that a token belongs to. Errors:
// ErrMachineToken, ErrMachineExpired, ErrMachineIssuer.
func (m *Machines) Verify(ctx context.Context, raw string) (string, error) {
	if len(raw) > machineTokenLimit {
		return "", fmt.Errorf("%w: it is over %d bytes", ErrMachineToken, machineTokenLimit)
	}
	now := m.now()
	if name, ok := m.known.get(raw, now); ok {
		return name, nil
	}
	issuer, typ, err := peekMachine(raw)
	if err != nil {
		return "", err
	}
	keys := m.issuers[issuer]
	if keys == nil {
		return "", fmt.Errorf("%w: no machine has its issuer", ErrMachineToken)
	}
	token, c, err := m.verify(ctx, keys, raw)
	if err != nil {
		return "", err
	}
	if err := notForSignIn(c); err != nil {
		return "", err
	}
	for _, r := range m.rules {
		if r.Issuer != issuer || !slices.Contains(token.Audience, r.Audience) || !r.takesClient(c) {
			continue
		}
		if !r.takesType(typ) {
			return "", fmt.Errorf("%w: machine %s doesn't take its typ", ErrMachineToken, r.Name)
		}
		m.known.put(raw, r.Name, token.Expiry, now)
		return r.Name, nil
	}
	return "", fmt.Errorf("%w: no machine has its audience and client", ErrMachineToken)
}

// peekMachine reads, of a token that nobody has verified yet, whose keys to
// verify it with, and its type. Other algorithms than asymmetric ones don't parse.
func peekMachine(raw string) (issuer, typ string, err error) {
	jws, err := jose.ParseSignedCompact(raw, asymmetric())
	if err != nil {
		return "", "", fmt.Errorf("%w: it is no JWT with an asymmetric signature", ErrMachineToken)
	}
	c, err := decodeClaims(payload(jws.UnsafePayloadWithoutVerification()))
	if err != nil {
		return "", "", fmt.Errorf("%w: its claims can't be read", ErrMachineToken)
	}
	if v, ok := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]; ok {
		if typ, ok = v.(string); !ok {
			return "", "", fmt.Errorf("%w: its typ is no text", ErrMachineToken)
		}
	}
	return c.text("iss"), typ, nil
}

func (m *Machines) verify(ctx context.Context, keys *issuerKeys, raw string) (*gooidc.IDToken, claims, error) {
	var algs []string
	for _, alg := range asymmetric() {
		algs = append(algs, string(alg))
	}
	set := &probe{keys: keys}
	token, err := gooidc.NewVerifier(keys.issuer, set, &gooidc.Config{
		SkipClientIDCheck: true, SupportedSigningAlgs: algs, // the audience is each rule's
		Now: func() time.Time { return m.now().Add(-Skew) },
	}).Verify(ctx, raw)
	expired, isExpired := errors.AsType[*gooidc.TokenExpiredError](err)
	switch {
	case err == nil:
	case isExpired && expired.Expiry.Unix() > 0:
		return nil, nil, ErrMachineExpired
	case errors.Is(set.err, errNoKeys):
		return nil, nil, fmt.Errorf("%w: %w", ErrMachineIssuer, set.err)
	default:
		return nil, nil, fmt.Errorf("%w: %w", ErrMachineToken, err)
	}
	c, err := decodeClaims(token)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: its claims can't be read", ErrMachineToken)
	}
	latest := m.now().Add(Skew)
	notBefore, bounded := c.time("nbf")
	switch {
	case token.IssuedAt.Unix() <= 0:
		return nil, nil, fmt.Errorf("%w: it has no iat", ErrMachineToken)
	case token.IssuedAt.After(latest), bounded && notBefore.After(latest):
		return nil, nil, fmt.Errorf("%w: it is not valid yet: set the clocks of gateway and issuer", ErrMachineToken)
	}
	return token, c, nil
}

// notForSignIn refuses tokens that a client may hold for another purpose than
// calling this gateway (RFC 9068, section 5; OpenID Connect Back-Channel Logout,
// section 2.4), and those bound to a key (RFC 7800): who presents one hasn't
// proven here that the key is theirs.
func notForSignIn(c claims) error {
	for _, name := range [...]string{"nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"} {
		if _, ok := c[name]; ok {
			return fmt.Errorf("%w: it is no plain access token (%s)", ErrMachineToken, name)
		}
	}
	// Keycloak says what a token is in a claim `typ`, Cognito in `token_use`.
	if v, ok := c["typ"]; ok {
		s, _ := v.(string)
		switch strings.ToLower(s) {
		case "bearer", "jwt", "at+jwt":
		default:
			return fmt.Errorf("%w: it is no access token (claim typ)", ErrMachineToken)
		}
	}
	if v, ok := c["token_use"]; ok && v != "access" {
		return fmt.Errorf("%w: it is no access token (token_use)", ErrMachineToken)
	}
	return nil
}

func (r MachineRule) takesClient(c claims) bool {
	named := false
	for _, name := range [...]string{"azp", "client_id", "cid", "appid"} {
		v, ok := c[name]
		if !ok {
			continue
		}
		client, isText := v.(string)
		if !isText || !slices.Contains(r.Clients, client) {
			return false
		}
		named = true
	}
	return named
}

// takesType compares media types as RFC 7515, section 4.1.9 reads them.
func (r MachineRule) takesType(typ string) bool {
	typ = mediaType(typ)
	if r.Type != "" {
		return typ == mediaType(r.Type)
	}
	return typ == "" || typ == "jwt" || typ == "at+jwt"
}

func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// asymmetric are the algorithms that a shared secret can't make.
func asymmetric() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}
