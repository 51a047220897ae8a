package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// ErrKey says that a text is no witness's key.
var ErrKey = errors.New("not the key of a witness: it is NAME+8 hexadecimal digits+base64, for Ed25519 cosignatures")

// algorithm is the byte that says of a key that it makes Ed25519 cosignatures.
const algorithm = 4

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$`)

// CheckName refuses what a witness can't be called. By custom it is an address
// without its scheme: witness.example.org/audit.
func CheckName(name string) error {
	if !keyName.MatchString(name) {
		return fmt.Errorf("a witness can't be called %q: it takes 1 to 127 letters, digits, dots, hyphens, underscores and slashes, as in witness.example.org", name)
	}
	return nil
}

// ParseKey reads a witness's public key. The verifier checks cosignatures, which hold
// the time at which they were made.
func ParseKey(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(vkey), "+")
	hash, key, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algorithm || CheckName(name) != nil {
		return nil, ErrKey
	}
	v, err := cosign.NewVerifierForCosignatureV1(strings.TrimSpace(vkey))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if fmt.Sprintf("%08x", v.KeyHash()) != hash {
		return nil, fmt.Errorf("%w: a letter of it is wrong", ErrKey)
	}
	return v, nil
}

// newKey draws a key, as a secret text and as the public one.
func newKey(name string) (secret, public string, err error) {
	if err := CheckName(name); err != nil {
		return "", "", err
	}
	secret, plain, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("drawing the witness's key: %w", err)
	}
	if public, err = cosign.VKeyToCosignatureV1(plain); err != nil {
		return "", "", fmt.Errorf("drawing the witness's key: %w", err)
	}
	return secret, public, nil
}

// publicOf is the public half of a secret key.
func publicOf(secret string) (string, error) {
	parts := strings.SplitN(strings.TrimPrefix(secret, "PRIVATE+KEY+"), "+", 3)
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 3 || len(seed) != 1+ed25519.SeedSize {
		return "", errors.New("opening the witness's key: it has another form")
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("opening the witness's key: it has no public half")
	}
	plain, err := note.NewEd25519VerifierKey(parts[0], public)
	if err != nil {
		return "", fmt.Errorf("opening the witness's key: %w", err)
	}
	return cosign.VKeyToCosignatureV1(plain)
}

// Time is when a cosignature was made, as the witness says.
func Time(sig note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+8+ed25519.SignatureSize {
		return time.Time{}, ErrKey
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), nil
}

// Line is a signature as it stands in a note.
func Line(sig note.Signature) []byte { return fmt.Appendf(nil, "— %s %s\n", sig.Name, sig.Base64) }
