// Package genuine is how a gateway proves that it is one, to who was given its
// public key beforehand: it signs a number that the asker has drawn, together with the
// address at which it was asked and, over TLS, with the very connection. An answer that
// was fetched elsewhere therefore fits neither another address nor another connection.
package genuine

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

const (
	// Purpose is that of the key which [Key] makes a signing key of.
	Purpose = "challenge"
	// Path is where a gateway answers: POST, a [Question] as JSON.
	Path = "/.crmgate/challenge"
	// Limit is the longest question in bytes.
	Limit = 256

	domain    = "crmgate challenge 1"
	label     = "EXPORTER-crmgate-challenge"
	keyPrefix = "crmgate-gateway-1."
	size      = 32
	// unbound stands for a connection whose TLS the gateway doesn't end itself.
	unbound = "-"
)

// ErrProof says that an answer doesn't prove a gateway that has the key.
var ErrProof = errors.New("the answer is not signed with this gateway's key for this address and connection")

// Question is what is asked.
type Question struct {
	// Nonce are 32 random bytes in base64url.
	Nonce string `json:"nonce"`
}

// Proof is the answer.
type Proof struct {
	// Origin is the address at which the gateway was asked, scheme and host.
	Origin string `json:"origin"`
	// Channel is what [Channel] says at the gateway's end.
	Channel string `json:"channel"`
	// Signature is Ed25519's over all of it, in base64url.
	Signature string `json:"signature"`
}

// Key makes the signing key of what the master keys derive for Purpose.
func Key(seed [32]byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(seed[:]) }

// Nonce draws a question.
func Nonce() Question {
	var b [size]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return Question{Nonce: base64.RawURLEncoding.EncodeToString(b[:])}
}

// Channel names a TLS connection: both ends get the same text, and no other connection
// has it. Without TLS, or where it is too old to be named, it is "-".
func Channel(s *tls.ConnectionState) string {
	if s == nil {
		return unbound
	}
	out, err := s.ExportKeyingMaterial(label, nil, size)
	if err != nil { // before TLS 1.3 without the extended master secret
		return unbound
	}
	return base64.RawURLEncoding.EncodeToString(out)
}

// Sign answers a question; false is one that has another form than Nonce's.
// What is signed says what it is for: the key signs nothing else, and nobody can have
// it sign a text of their own.
func Sign(key ed25519.PrivateKey, q Question, origin, channel string) (Proof, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(q.Nonce)
	if err != nil || len(raw) != size {
		return Proof{}, false
	}
	p := Proof{Origin: origin, Channel: channel}
	p.Signature = base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, p.text(q)))
	return p, true
}

// Check says whether an answer proves that who was asked has the key, at this address
// and on this connection. bound is false where the proof says nothing of the
// connection, because something before the gateway ends TLS.
func (p Proof) Check(key ed25519.PublicKey, q Question, origin, channel string) (bound bool, err error) {
	sig, err := base64.RawURLEncoding.Strict().DecodeString(p.Signature)
	if err != nil || !ed25519.Verify(key, p.text(q), sig) {
		return false, ErrProof
	}
	if p.Origin != origin {
		return false, fmt.Errorf("%w: it is signed for another address", ErrProof)
	}
	if p.Channel == unbound {
		return false, nil
	}
	if p.Channel != channel {
		return false, fmt.Errorf("%w: it is signed for another connection: something stands in between", ErrProof)
	}
	return true, nil
}

func (p Proof) text(q Question) []byte {
	return []byte(strings.Join([]string{domain, p.Origin, q.Nonce, p.Channel, ""}, "\n"))
}

// Text is a public key as it is given to who asks.
func Text(key ed25519.PublicKey) string {
	return keyPrefix + base64.RawURLEncoding.EncodeToString(key)
}

// ParseKey reads what Text wrote.
func ParseKey(text string) (ed25519.PublicKey, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), keyPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("it is no gateway's key, which begins with %s: print it by `crmgate keys challenge` where the gateway runs", keyPrefix)
	}
	return raw, nil
}

// Fingerprint names a key in a report.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// Origin is the form in which a gateway names the address of a site: scheme and host in
// lower case, without a usual port.
func Origin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}
