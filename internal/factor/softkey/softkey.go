// Package softkey is a passkey in software, for tests: what a browser and an
// authenticator answer to the options of internal/factor. What tests bend is a
// field.
package softkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// The bits of an authenticator's data.
const (
	userPresent  = 1 << 0
	userVerified = 1 << 2
	attested     = 1 << 6
)

// Key is one passkey.
type Key struct {
	// Origin is the page that asks, as the browser sees it.
	Origin string
	// Counter counts signatures.
	Counter uint32
	// Unverified leaves out that the user was verified.
	Unverified bool
	// Challenge replaces the one that was asked with, where it is set.
	Challenge string
	// RP replaces the RP ID, where it is set.
	RP string

	id   []byte
	priv *ecdsa.PrivateKey
}

// New makes a passkey.
func New(origin string) *Key {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil { // never (crypto/rand)
		panic(err)
	}
	id := make([]byte, 32)
	rand.Read(id) // never fails (crypto/rand)
	return &Key{Origin: origin, id: id, priv: priv}
}

// Clone is the same passkey in other hands.
func (k *Key) Clone() *Key {
	c := *k
	return &c
}

type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
}

func (k *Key) client(typ string, asked options) ([]byte, error) {
	challenge := asked.Challenge
	if k.Challenge != "" {
		challenge = k.Challenge
	}
	return json.Marshal(map[string]any{"type": typ, "challenge": challenge, "origin": k.Origin, "crossOrigin": false})
}

func (k *Key) data(rp string, flags byte) []byte {
	if k.RP != "" {
		rp = k.RP
	}
	if !k.Unverified {
		flags |= userVerified
	}
	hash := sha256.Sum256([]byte(rp))
	out := append(hash[:], flags|userPresent)
	return binary.BigEndian.AppendUint32(out, k.Counter)
}

// Create answers options for a new passkey.
func (k *Key) Create(raw []byte) ([]byte, error) {
	var asked options
	if err := json.Unmarshal(raw, &asked); err != nil {
		return nil, fmt.Errorf("reading the options: %w", err)
	}
	client, err := k.client("webauthn.create", asked)
	if err != nil {
		return nil, err
	}
	point, err := k.priv.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	public, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:65]})
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	data := append(k.data(asked.RP.ID, attested), make([]byte, 16)...) // no AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(append(data, k.id...), public...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		return nil, fmt.Errorf("encoding the attestation: %w", err)
	}
	return k.answer(map[string]any{"clientDataJSON": text(client), "attestationObject": text(object), "transports": []string{"internal"}})
}

// Get answers options for a proof.
func (k *Key) Get(raw []byte) ([]byte, error) {
	var asked options
	if err := json.Unmarshal(raw, &asked); err != nil {
		return nil, fmt.Errorf("reading the options: %w", err)
	}
	k.Counter++
	client, err := k.client("webauthn.get", asked)
	if err != nil {
		return nil, err
	}
	data := k.data(asked.RPID, 0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.priv, digest[:])
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return k.answer(map[string]any{"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)})
}

func (k *Key) answer(response map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{
		"id": text(k.id), "rawId": text(k.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	})
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
