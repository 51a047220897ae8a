package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// machineKeysFor is how long an issuer's keys are used before they are
	// looked at again: the bound for a key that was withdrawn.
	machineKeysFor = 10 * time.Minute
	// machineKnownFor is how long a verified token is not verified again.
	machineKnownFor = 5 * time.Minute
	// machineCacheLimit bounds how many tokens are remembered.
	machineCacheLimit = 4096
)

// errNoKeys marks keys that can't be had now.
var errNoKeys = errors.New("the issuer's keys are not known")

// issuerKeys are the keys of one issuer, fetched when the first token comes.
// Whatever comes, the issuer is asked at most once a minute, and while it is down
// every quarter of one. It implements gooidc.KeySet.
type issuerKeys struct {
	issuer string
	url    *url.URL
	http   *http.Client
	now    func() time.Time

	current atomic.Pointer[keySet]
	// turn is held by whoever asks the issuer.
	turn    chan struct{}
	next    time.Time // the earliest time to ask again; guarded by turn, as the rest
	backoff backoff
}

// keySet is what an issuer said. It is immutable.
type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time
}

func newIssuerKeys(issuer string, u *url.URL, base *http.Client, now func() time.Time) *issuerKeys {
	w := &wire{now: now}
	return &issuerKeys{issuer: issuer, url: u, http: w.client(base), now: now, turn: make(chan struct{}, 1)}
}

// VerifySignature implements gooidc.KeySet.
func (k *issuerKeys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(raw, asymmetric())
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Header
	set, err := k.having(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	for i := range set.keys {
		key := &set.keys[i]
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer made its signature")
}

func (s *keySet) has(id string) bool {
	for i := range s.keys {
		if id == "" || s.keys[i].KeyID == id {
			return true
		}
	}
	return false
}

// having returns the keys, asking the issuer where they are old or don't have
// the key's id. What was last known good goes on when that fails.
func (k *issuerKeys) having(ctx context.Context, id string) (*keySet, error) {
	old := k.current.Load()
	if k.good(old, id) {
		return old, nil
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: waiting for them: %w", errNoKeys, ctx.Err())
	}
	defer func() { <-k.turn }()
	old = k.current.Load()
	now := k.now()
	if k.good(old, id) || old != nil && now.Before(k.next) {
		return old, nil
	}
	if now.Before(k.backoff.until) {
		return old.orError(k.backoff.err)
	}
	// Not the request's context: a client that hangs up again and again must not
	// make us ask again and again. The HTTP client's own limit ends it.
	set, err := k.fetch(context.WithoutCancel(ctx))
	if err != nil {
		k.backoff.failed(k.now(), err)
		return old.orError(err)
	}
	set.fetched = k.now()
	k.backoff, k.next = backoff{}, set.fetched.Add(keysFor)
	k.current.Store(set)
	return set, nil
}

func (k *issuerKeys) good(s *keySet, id string) bool {
	return s != nil && k.now().Sub(s.fetched) < machineKeysFor && s.has(id)
}

func (s *keySet) orError(err error) (*keySet, error) {
	if s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %w", errNoKeys, err)
}

// fetch reads the discovery document and the keys it leads to.
func (k *issuerKeys) fetch(ctx context.Context) (*keySet, error) {
	op, err := gooidc.NewProvider(gooidc.ClientContext(ctx, k.http), k.issuer)
	if err != nil {
		return nil, fmt.Errorf("fetching the discovery document of %s: %w", k.issuer, err)
	}
	var meta metadata
	if err := op.Claims(&meta); err != nil {
		return nil, fmt.Errorf("reading the discovery document of %s: %w", k.issuer, err)
	}
	if u, err := url.Parse(meta.JWKSURI); err != nil || u.Host == "" || !trusted(u, k.url) {
		return nil, fmt.Errorf("jwks_uri in the discovery document of %s is not https", k.issuer)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, meta.JWKSURI, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("fetching the keys of %s: %w", k.issuer, err)
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching the keys of %s: %w", k.issuer, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // the wire bounds it
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the keys of %s: status %d", k.issuer, resp.StatusCode)
	}
	return parseKeys(body)
}

// parseKeys keeps the public keys that sign.
func parseKeys(body []byte) (*keySet, error) {
	var all jose.JSONWebKeySet
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, errors.New("the issuer's keys are no JSON Web Key Set")
	}
	s := new(keySet)
	for _, key := range all.Keys {
		if key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			s.keys = append(s.keys, key)
		}
	}
	if len(s.keys) == 0 {
		return nil, errors.New("the issuer has no public keys")
	}
	return s, nil
}

// payload lets decodeClaims read what no token type of go-oidc holds.
type payload []byte

// Claims decodes the payload.
func (p payload) Claims(v any) error { return json.Unmarshal(p, v) }

// machineCache remembers whose verified tokens are, by their hash. Its zero
// value is ready.
type machineCache struct {
	mu      sync.RWMutex
	entries map[[sha256.Size]byte]knownToken
}

type knownToken struct {
	name  string
	until time.Time
}

func (c *machineCache) get(raw string, now time.Time) (string, bool) {
	key := sha256.Sum256([]byte(raw))
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[key]
	return e.name, ok && now.Before(e.until)
}

// put remembers a token; when there is no room, those that ended go, or else
// some other one.
func (c *machineCache) put(raw, name string, expiry, now time.Time) {
	until := now.Add(machineKnownFor)
	if expiry.Before(until) {
		until = expiry
	}
	key := sha256.Sum256([]byte(raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[[sha256.Size]byte]knownToken)
	}
	if len(c.entries) >= machineCacheLimit {
		c.makeRoom(now)
	}
	c.entries[key] = knownToken{name, until}
}

func (c *machineCache) makeRoom(now time.Time) {
	for key, e := range c.entries {
		if !now.Before(e.until) {
			delete(c.entries, key)
		}
	}
	for key := range c.entries {
		if len(c.entries) < machineCacheLimit {
			return
		}
		delete(c.entries, key)
	}
}
