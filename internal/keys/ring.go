// Package keys holds the gateway's key material. Everything secret that the
// gateway makes itself (sealed values, pseudonyms, data keys of the log) hangs
// from its master keys, which stand in one file: one thing to guard and one to
// back up.
//
// A Ring never hands out a master key. It derives a key for a named purpose, or
// seals and opens values under one; two purposes never share a key.
package keys

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
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

// Ring is a set of master keys, each under an id of one byte. The newest one in
// force seals; every one opens what it sealed; the first one is what Derive goes
// out from, for good. It is safe for concurrent use, and its keys change by
// Reload alone.
type Ring struct {
	keys atomic.Pointer[[]master]
	now  func() time.Time
}

// master is a master key.
type master struct {
	id     byte
	secret [secretSize]byte
	// from is when it begins to seal; the first one always does.
	from time.Time
}

func newRing(keys []master) *Ring {
	r := &Ring{now: time.Now}
	r.keys.Store(&keys)
	return r
}

// Derive returns the key for a purpose: HKDF-SHA256 of the first master key.
// The same key file and purpose always give the same key, on every node, and
// however many keys were added: pseudonyms and index keys must not change.
func (r *Ring) Derive(purpose string) [32]byte {
	return derive((*r.keys.Load())[0].secret, "derive:"+purpose)
}

// current is the newest key in force.
func (r *Ring) current() master {
	keys := *r.keys.Load()
	now := r.now()
	for i := len(keys) - 1; i > 0; i-- {
		if !now.Before(keys[i].from) {
			return keys[i]
		}
	}
	return keys[0]
}

func (r *Ring) byID(id byte) (master, bool) {
	for _, k := range *r.keys.Load() {
		if k.id == id {
			return k, true
		}
	}
	return master{}, false
}

// Reload reads the keys again, and reports whether there are some that are new to
// the ring. A source that lacks one of the ring's keys, or has another
// one in its place, is refused and the ring stays as it is: what that key sealed
// could not be opened any more.
func (r *Ring) Reload(ctx context.Context, src Source) (added bool, err error) {
	fresh, err := src.Load(ctx)
	if err != nil {
		return false, err
	}
	had, has := *r.keys.Load(), *fresh.keys.Load()
	for i, k := range had {
		if i >= len(has) || has[i].id != k.id || has[i].secret != k.secret {
			return false, fmt.Errorf("%s has lost or changed master key %d: put it back from a backup, keys may be added only", src, k.id)
		}
	}
	r.keys.Store(&has)
	return len(has) > len(had), nil
}

// Newest describes the newest key: its id, and when it begins to seal (the zero
// time for the first one).
func (r *Ring) Newest() (id byte, from time.Time) {
	keys := *r.keys.Load()
	k := keys[len(keys)-1]
	return k.id, k.from
}

// Times are when each key begins to seal, by its id; the zero time for the first one.
func (r *Ring) Times() map[byte]time.Time {
	all := map[byte]time.Time{}
	for _, k := range *r.keys.Load() {
		all[k.id] = k.from
	}
	return all
}

// Seal encrypts and authenticates plaintext, and authenticates aad, with
// AES-256-GCM under a key for the purpose. The result is: key id (1 byte), nonce
// (12), ciphertext and tag (16). Nonces are random: seal at most 2^32 values per
// purpose and key.
func (r *Ring) Seal(purpose string, plaintext, aad []byte) ([]byte, error) {
	k := r.current()
	aead, err := k.aead(purpose)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plaintext)+tagSize)
	out[0] = k.id
	if _, err := rand.Read(out[1:]); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(out, out[1:], plaintext, bound(k.id, aad)), nil
}

// Open returns the plaintext of what Seal made for the same purpose and aad. It
// returns ErrSealed for everything else.
func (r *Ring) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 1+nonceSize+tagSize {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrSealed, len(sealed))
	}
	k, ok := r.byID(sealed[0])
	if !ok {
		return nil, fmt.Errorf("%w: master key %d is not in the ring; copy the key file of the node that has it, and reload", ErrSealed, sealed[0])
	}
	aead, err := k.aead(purpose)
	if err != nil {
		return nil, err
	}
	nonce, text := sealed[1:1+nonceSize], sealed[1+nonceSize:]
	plaintext, err := aead.Open(nil, nonce, text, bound(k.id, aad))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

func (k master) aead(purpose string) (cipher.AEAD, error) {
	// "seal:" keeps these keys apart from what Derive hands out for the same
	// purpose: a derived key that leaks opens nothing.
	key := derive(k.secret, "seal:"+purpose)
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

// String keeps a ring's keys out of what is printed.
func (r *Ring) String() string {
	var ids bytes.Buffer
	for _, k := range *r.keys.Load() {
		fmt.Fprintf(&ids, " %02x", k.id)
	}
	return "master keys" + ids.String()
}
