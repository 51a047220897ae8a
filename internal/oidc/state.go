package oidc

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

const (
	// StateFor is how long a person may take at the provider.
	StateFor = 10 * time.Minute

	statePurpose = "oidc state"
	stateVersion = 1
	stateHeader  = 1 + 1 + 8 + idSize + sha256.Size
	idSize       = 16
	// stateLimit bounds what is decoded: the header, the longest return URL,
	// room for the seal, in base64.
	stateLimit = 3072

	flagStepUp = 1 << 0
	flagRetry  = 1 << 1
)

// state is one sign-in on its way. It travels sealed through the browser.
type state struct {
	id       [idSize]byte
	begun    time.Time // whole seconds
	binding  [sha256.Size]byte
	stepUp   *sealedStepUp // nil: a sign-in
	retry    bool
	returnTo string
}

// encode writes the state in its only form.
func (s state) encode() []byte {
	b := make([]byte, 0, stateHeader+sha256.Size+2+demandLimit+len(s.returnTo))
	var flags byte
	if s.stepUp != nil {
		flags |= flagStepUp
	}
	if s.retry {
		flags |= flagRetry
	}
	b = append(b, stateVersion, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(s.begun.Unix()))
	b = append(b, s.id[:]...)
	b = append(b, s.binding[:]...)
	if s.stepUp != nil {
		b = append(b, s.stepUp.person[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(s.stepUp.demand)))
		b = append(b, s.stepUp.demand...)
	}
	return append(b, s.returnTo...)
}

// decodeState reads what encode wrote, and nothing else.
func decodeState(b []byte) (state, error) {
	if len(b) < stateHeader || b[0] != stateVersion || b[1]&^(flagStepUp|flagRetry) != 0 {
		return state{}, errors.New("not a state of this version")
	}
	s := state{retry: b[1]&flagRetry != 0}
	begun := binary.BigEndian.Uint64(b[2:10])
	if begun > 1<<40 {
		return state{}, errors.New("state from a far future")
	}
	s.begun = time.Unix(int64(begun), 0)
	rest := b[10:]
	copy(s.id[:], rest)
	copy(s.binding[:], rest[idSize:])
	rest = rest[idSize+sha256.Size:]
	if b[1]&flagStepUp != 0 {
		if s.stepUp, rest = cutStepUp(rest); s.stepUp == nil {
			return state{}, errors.New("a step-up without its demand")
		}
	}
	s.returnTo = string(rest)
	// The return URL was checked when it was sealed; it is checked again because
	// an older build's rules may have sealed it.
	if ReturnTo(s.returnTo) != s.returnTo {
		return state{}, errors.New("state with a foreign return URL")
	}
	return s, nil
}

// seal binds a state to issuer, client and site, so that none of them can take
// another's.
func (p *Provider) seal(s state, baseURL string) (string, error) {
	sealed, err := p.cfg.Seal.Seal(statePurpose, s.encode(), p.stateAAD(baseURL))
	if err != nil {
		return "", fmt.Errorf("sealing the sign-in: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open undoes seal; every fault is ErrState.
func (p *Provider) open(raw, baseURL string) (state, error) {
	if raw == "" || len(raw) > stateLimit {
		return state{}, fmt.Errorf("%w: state missing or over %d bytes", ErrState, stateLimit)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(raw)
	if err != nil {
		return state{}, fmt.Errorf("%w: state is not base64url", ErrState)
	}
	plain, err := p.cfg.Seal.Open(statePurpose, sealed, p.stateAAD(baseURL))
	if err != nil {
		return state{}, fmt.Errorf("%w: state was not sealed here for this site", ErrState)
	}
	s, err := decodeState(plain)
	if err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	return s, nil
}

func (p *Provider) stateAAD(baseURL string) []byte {
	return []byte(p.cfg.Issuer + "\n" + p.cfg.ClientID + "\n" + baseURL)
}

// late reports a state that is too old, or from a clock far ahead.
func (s state) late(now time.Time) bool {
	age := now.Sub(s.begun)
	return age > StateFor || age < -Skew
}

// binding is the secret that ties sign-ins to one browser: 32 random bytes,
// base64url in the cookie.
type binding []byte

const bindingSize = 32

func newBinding() binding {
	b := make(binding, bindingSize)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

// parseBinding reads a cookie's value; anything odd is no binding.
func parseBinding(value string) (binding, bool) {
	if len(value) != base64.RawURLEncoding.EncodedLen(bindingSize) {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	return b, err == nil
}

// value is what the cookie holds. It is no String method: a secret must not print itself.
func (b binding) value() string { return base64.RawURLEncoding.EncodeToString(b) }

func (b binding) hash() [sha256.Size]byte { return sha256.Sum256(b) }

// bindingOf finds the cookie value that a state was begun with.
func (s state) bindingOf(values []string) (binding, bool) {
	for _, v := range values[:min(len(values), 8)] {
		b, ok := parseBinding(v)
		if !ok {
			continue
		}
		h := b.hash()
		if subtle.ConstantTimeCompare(h[:], s.binding[:]) == 1 {
			return b, true
		}
	}
	return nil, false
}

// nonce and verifier belong to one state in one browser. Nobody who lacks the
// cookie can compute them, and nothing has to be remembered.
func (b binding) nonce(id [idSize]byte) (string, error) { return b.derive(id, "crmgate oidc nonce") }

func (b binding) verifier(id [idSize]byte) (string, error) { return b.derive(id, "crmgate oidc pkce") }

func (b binding) derive(id [idSize]byte, info string) (string, error) {
	key, err := hkdf.Key(sha256.New, b, id[:], info, 32)
	if err != nil {
		return "", fmt.Errorf("deriving %s: %w", info, err)
	}
	return base64.RawURLEncoding.EncodeToString(key), nil
}
