package factor

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// HalfFor is how long somebody has for the second half of a sign-in.
const HalfFor = 10 * time.Minute

// clockSkew is how far the clocks of two nodes may lie apart.
const clockSkew = time.Minute

// Half is a sign-in whose first half is done: the provider knows the person, and
// the second factor is still to come. It opens nothing. It travels sealed through
// the browser that the sign-in was begun in, so that nothing is stored for it;
// that it leads to one session at most is the session store's part, by ID.
type Half struct {
	// ID names the sign-in; a session may be made for it once.
	ID     string    `json:"id"`
	Begun  time.Time `json:"begun"`
	Person Person    `json:"person"`
	// Payload is the caller's: what the session will be made of.
	Payload json.RawMessage `json:"payload"`
	// Binding is the hash of the browser's binding: see Bind.
	Binding []byte `json:"binding"`
	// Secret is one that an app is being shown, Ceremony what a passkey was asked
	// for, Invitation the code that allows an enrolment.
	Secret     []byte          `json:"secret,omitempty"`
	Ceremony   json.RawMessage `json:"ceremony,omitempty"`
	Invitation string          `json:"invitation,omitempty"`
}

// Bind ties the half to a browser by the value of its binding cookie.
func (h *Half) Bind(value string) {
	sum := sha256.Sum256([]byte("half\n" + value))
	h.Binding = sum[:]
}

const purposeHalf = "factor half"

// halfLimit bounds what is opened.
const halfLimit = 96 << 10

// SealHalf seals a half sign-in for one site.
func (m *Manager) SealHalf(h Half, site string) (string, error) {
	plain, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("encoding a half sign-in: %w", err)
	}
	blob, err := m.cfg.Sealer.Seal(purposeHalf, plain, []byte(site))
	if err != nil {
		return "", fmt.Errorf("sealing a half sign-in: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(blob), nil
}

// OpenHalf opens a half sign-in of this site and of a browser with one of these
// bindings. Errors: ErrHalf; ErrLate, with the half that it was.
func (m *Manager) OpenHalf(sealed, site string, bindings []string) (Half, error) {
	if len(sealed) > halfLimit {
		return Half{}, fmt.Errorf("%w: too long", ErrHalf)
	}
	blob, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return Half{}, fmt.Errorf("%w: not base64url", ErrHalf)
	}
	plain, err := m.cfg.Sealer.Open(purposeHalf, blob, []byte(site))
	if err != nil {
		return Half{}, fmt.Errorf("%w: not sealed here for this site", ErrHalf)
	}
	var h Half
	if err := json.Unmarshal(plain, &h); err != nil {
		return Half{}, fmt.Errorf("%w: unreadable", ErrHalf)
	}
	if !h.of(bindings) {
		return Half{}, fmt.Errorf("%w: begun in another browser", ErrHalf)
	}
	if age := m.now().Sub(h.Begun); age > HalfFor || age < -clockSkew {
		return h, ErrLate
	}
	return h, nil
}

func (h *Half) of(bindings []string) bool {
	for _, value := range bindings[:min(len(bindings), 8)] {
		var one Half
		if one.Bind(value); subtle.ConstantTimeCompare(one.Binding, h.Binding) == 1 {
			return true
		}
	}
	return false
}
