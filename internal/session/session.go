// Package session keeps who is signed in: server-side sessions behind an opaque
// cookie.
//
// The rules are: the browser holds 256 random bits and nothing else; the store
// holds their hash, so a stolen database opens no session; what a session says is
// sealed at rest. A session ends when it was idle for too long, when it reached
// its greatest age, or when it was revoked; a revocation holds everywhere within
// Staleness.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Staleness is how long a node may go on with what it knows of a session before
// it asks the store again: the bound for a revocation on another node.
const Staleness = 5 * time.Second

// The errors of Manager. Callers switch on them: None and Expired lead to a new
// sign-in, Used to an answer that the sign-in was used up, Store to 503.
var (
	// ErrNone is an id of no session: never made, revoked, or unreadable.
	ErrNone = errors.New("no such session")
	// ErrExpired is a session that was idle too long or grew too old.
	ErrExpired = errors.New("the session has expired")
	// ErrUsed is a sign-in that a session was made for already.
	ErrUsed = errors.New("the sign-in was used already")
	// ErrLeased is a record that somebody else holds the lease of.
	ErrLeased = errors.New("the session is leased")
	// ErrRewritten is a record that was rewritten meanwhile.
	ErrRewritten = errors.New("the session was rewritten")
	// ErrStore is a store that can't be reached or is broken.
	ErrStore = errors.New("the session store can't be used")
)

// Sealer encrypts and authenticates small blobs under a key per purpose. Open
// fails for anything that Seal didn't make for the same purpose and aad.
type Sealer interface {
	Seal(purpose string, plaintext, aad []byte) ([]byte, error)
	Open(purpose string, sealed, aad []byte) ([]byte, error)
}

// Identity is the person that a session was made for. Its fields are those of
// oidc.Identity in the same order, so that one converts to the other.
type Identity struct {
	Issuer        string
	Subject       string
	Name          string
	Email         string
	EmailVerified bool
	User          string
	Roles         []string
	RolesFound    bool
	AMR           []string
	ACR           string
	AuthTime      time.Time
	SID           string
	IDToken       string
	RefreshToken  string
	AccessToken   string
	Expiry        time.Time
}

// Tokens are what the provider issued. They are kept apart from Session so that
// nothing that shows, logs or forwards a session can hold them.
type Tokens struct {
	ID, Refresh, Access string
	Expiry              time.Time
}

// Session is one signed-in person in one browser. It is immutable and shared
// between requests: don't change its slices.
type Session struct {
	Key Key
	// Identity has no tokens: see Manager.Tokens.
	Identity Identity
	Created  time.Time
	// Expires is when it ends whatever its person does.
	Expires time.Time
	// From is where its person signed in.
	From Origin

	// due is when its tokens are to be renewed; zero is never. version is the
	// record's, realm what it was made for.
	due     time.Time
	version int64
	realm   string
}

// Ref names the session in logs. It leads neither to the cookie nor to the row.
func (s Session) Ref() string {
	h := sha256.Sum256(append([]byte("session ref\n"), s.Key[:]...))
	return hex.EncodeToString(h[:8])
}

// sealed is what a record's blob holds.
type sealed struct {
	Identity Identity `json:"identity"`
	From     Origin   `json:"from,omitzero"`
	// Issued is when the provider issued the tokens.
	Issued time.Time `json:"issued,omitzero"`
	// Realm is the Config's of the Manager that made it.
	Realm string `json:"realm,omitempty"`
}

// Realm names what an Identity means something in: the provider, the client that
// it was issued to, and the claims from which roles and the name in the CRM were
// read. Sites that share a store may differ in each, and whoever holds a cookie
// of one can send it to the other, where a role of the same name is another one.
func Realm(issuer, client, rolesClaim, userClaim string) string {
	return index("realm", issuer, client+"\n"+rolesClaim+"\n"+userClaim)
}

const sealPurpose = "session"

// newID makes a session id: 256 random bits as the cookie holds them.
func newID() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// keyOf returns the store key of an id. What can't be an id has none, and never
// reaches the store.
func keyOf(id string) (Key, bool) {
	if !plausible(id) {
		return Key{}, false
	}
	return sha256.Sum256([]byte(id)), true
}

// index names all sessions of one person, or of one session at the provider. It
// isn't keyed: after a change of keys a revocation must still find every session.
func index(kind, issuer, value string) string {
	if value == "" {
		return ""
	}
	h := sha256.Sum256([]byte(kind + "\n" + issuer + "\n" + value))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

func (m *Manager) seal(key Key, s sealed) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding a session: %w", err)
	}
	// The key as aad keeps a blob in its own row: nobody who can write to the
	// database can put another person's into theirs.
	blob, err := m.cfg.Sealer.Seal(sealPurpose, plain, key[:])
	if err != nil {
		return nil, fmt.Errorf("sealing a session: %w", err)
	}
	return blob, nil
}

// unseal reads a record's blob. One that doesn't open is none: the person signs
// in again.
func (m *Manager) unseal(rec Record) (s sealed, err error) {
	plain, err := m.cfg.Sealer.Open(sealPurpose, rec.Sealed, rec.Key[:])
	if err != nil {
		return s, fmt.Errorf("%w: its record can't be opened with the present keys", ErrNone)
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return s, fmt.Errorf("%w: its record can't be read", ErrNone)
	}
	return s, nil
}

// open reads a record of any realm and takes the tokens out of the session: for
// lists, and for ending it. Who lets somebody in by it, or acts for them, takes
// openHere.
func (m *Manager) open(rec Record) (Session, Tokens, error) {
	s, err := m.unseal(rec)
	if err != nil {
		return Session{}, Tokens{}, err
	}
	session, tokens := s.opened(rec)
	return session, tokens, nil
}

func (s *sealed) opened(rec Record) (Session, Tokens) {
	id := s.Identity
	tokens := Tokens{ID: id.IDToken, Refresh: id.RefreshToken, Access: id.AccessToken, Expiry: id.Expiry}
	id.IDToken, id.RefreshToken, id.AccessToken = "", "", ""
	return Session{
		Key: rec.Key, Identity: id, Created: rec.Created, Expires: rec.Expires, From: s.From, due: s.due(), version: rec.Version, realm: s.Realm,
	}, tokens
}

// openHere is open for whoever uses a session: one of another realm, or of
// somebody who isn't taken here, is none. It ends by the limits of this site.
func (m *Manager) openHere(rec Record) (Session, Tokens, error) {
	s, err := m.unseal(rec)
	switch {
	case err != nil:
		return Session{}, Tokens{}, err
	case s.Realm != m.cfg.Realm:
		return Session{}, Tokens{}, fmt.Errorf("%w: it was made for another site", ErrNone)
	case m.cfg.Takes != nil && !m.cfg.Takes(s.Identity, s.Issued):
		return Session{}, Tokens{}, fmt.Errorf("%w: it lacks the proof that is demanded here", ErrNone)
	}
	session, tokens := s.opened(rec)
	if end := rec.Created.Add(m.cfg.Max); end.Before(session.Expires) {
		session.Expires = end
	}
	return session, tokens, nil
}

// Here reports whether a session was made for this Manager's realm.
func (m *Manager) Here(s Session) bool { return s.realm == m.cfg.Realm }

// storeError marks an error of the store, and leaves the caller's own alone.
func storeError(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return fmt.Errorf("%w: %s: %w", ErrStore, doing, err)
}
