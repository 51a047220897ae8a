// Package keys holds the gateway's key material. Everything secret that the
// gateway makes itself (sealed values, pseudonyms, data keys of the log) hangs
// from one master key, so that there is one thing to guard and one to back up.
//
// A Ring never hands out the master key. It derives a key for a named purpose,
// or seals and opens values under one; two purposes never share a key.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSealed says that a sealed value can't be opened: another key, purpose or
// additional data than it was sealed with, or changed bytes. Which of these it
// was can't be told.
var ErrSealed = errors.New("sealed value does not open")

const (
	secretSize = 32
	nonceSize  = 12
	tagSize    = 16
)

// Ring is a set of master keys, each under an id of one byte. New values are
// made under the current one; older ones only open what they sealed. A Ring is
// immutable and safe for concurrent use.
type Ring struct {
	current byte
	secrets map[byte][secretSize]byte
}

// Derive returns the key for a purpose: HKDF-SHA256 of the current master key.
// The same master key and purpose always give the same key, on every node.
func (r *Ring) Derive(purpose string) [32]byte {
	return derive(r.secrets[r.current], "derive:"+purpose)
}

// Seal encrypts and authenticates plaintext, and authenticates aad, with
// AES-256-GCM under a key for the purpose. The result is: key id (1 byte), nonce
// (12), ciphertext and tag (16). Nonces are random: seal at most 2^32 values per
// purpose.
func (r *Ring) Seal(purpose string, plaintext, aad []byte) ([]byte, error) {
	aead, err := r.aead(r.current, purpose)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plaintext)+tagSize)
	out[0] = r.current
	if _, err := rand.Read(out[1:]); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(out, out[1:], plaintext, bound(r.current, aad)), nil
}

// Open returns the plaintext of what Seal made for the same purpose and aad. It
// returns ErrSealed for everything else.
func (r *Ring) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 1+nonceSize+tagSize {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrSealed, len(sealed))
	}
	id := sealed[0]
	if _, ok := r.secrets[id]; !ok {
		return nil, fmt.Errorf("%w: master key %d is not in the ring", ErrSealed, id)
	}
	aead, err := r.aead(id, purpose)
	if err != nil {
		return nil, err
	}
	nonce, text := sealed[1:1+nonceSize], sealed[1+nonceSize:]
	plaintext, err := aead.Open(nil, nonce, text, bound(id, aad))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

func (r *Ring) aead(id byte, purpose string) (cipher.AEAD, error) {
	// "seal:" keeps these keys apart from what Derive hands out for the same
	// purpose: a derived key that leaks opens nothing.
	key := derive(r.secrets[id], "seal:"+purpose)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return aead, nil
}

func derive(secret [secretSize]byte, info string) (key [32]byte) {
	out, err := hkdf.Key(sha256.New, secret[:], nil, "crmgate/1/"+info, len(key))
	if err != nil {
		// Only possible for lengths over 255 hashes or a FIPS-weak secret; going
		// on would hand out a key of zeros.
		panic("keys: deriving a key: " + err.Error())
	}
	copy(key[:], out)
	return key
}

func bound(id byte, aad []byte) []byte { return append([]byte{id}, aad...) }
