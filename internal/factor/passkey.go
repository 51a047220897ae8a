package factor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// passkeyLimit bounds how many passkeys one person has.
	passkeyLimit = 10
	nameLimit    = 40
)

// passkey is an authenticator's public key.
type passkey struct {
	Name       string              `json:"name"`
	Since      time.Time           `json:"since"`
	Credential webauthn.Credential `json:"credential"`
}

// ref names a passkey on pages.
func (k *passkey) ref() string { return base64.RawURLEncoding.EncodeToString(k.Credential.ID) }

// PasskeysAt reports whether browsers do passkeys at a site: they need a name,
// not an address, and https but on localhost.
func PasskeysAt(site string) bool {
	u, err := url.Parse(site)
	return err == nil && net.ParseIP(u.Hostname()) == nil && (u.Scheme == "https" || u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost"))
}

// user is a person as the library sees one.
type user struct {
	person Person
	handle []byte
	keys   []passkey
}

func (u *user) WebAuthnID() []byte          { return u.handle }
func (u *user) WebAuthnName() string        { return u.person.label() }
func (u *user) WebAuthnDisplayName() string { return u.person.label() }
func (u *user) WebAuthnCredentials() []webauthn.Credential {
	list := make([]webauthn.Credential, len(u.keys))
	for i := range u.keys {
		list[i] = u.keys[i].Credential
	}
	return list
}

// user makes the library's person. The user handle is a keyed hash: it says
// nothing of them, and needn't be stored.
func (m *Manager) user(p Person, e *enrolled) *user {
	u := &user{person: p, handle: m.hash("handle", p.index(), "")}
	if e != nil {
		u.keys = e.Passkeys
	}
	return u
}

// party is the relying party of one site: its host is the RP ID, its origin the
// only one that is taken.
func party(site string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("reading the site's address: %w", err)
	}
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: HalfFor, TimeoutUVD: HalfFor}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: u.Hostname(), RPOrigins: []string{site},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:      protocol.ResidentKeyRequirementDiscouraged,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys at this site: %w", err)
	}
	return w, nil
}

// Ceremony is what a browser asks an authenticator for.
type Ceremony struct {
	// Options go to the browser, State stays sealed until it answers.
	Options, State json.RawMessage
}

func ceremony(options any, state *webauthn.SessionData) (Ceremony, error) {
	o, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("encoding a ceremony: %w", err)
	}
	s, err := json.Marshal(state)
	if err != nil {
		return Ceremony{}, fmt.Errorf("encoding a ceremony: %w", err)
	}
	return Ceremony{Options: o, State: s}, nil
}

// AskNew begins the enrolment of a passkey.
func (m *Manager) AskNew(ctx context.Context, p Person, site string) (Ceremony, error) {
	w, err := party(site)
	if err != nil {
		return Ceremony{}, err
	}
	_, e, err := m.load(ctx, p.index())
	if err != nil {
		return Ceremony{}, err
	}
	u := m.user(p, e)
	creation, state, err := w.BeginRegistration(u, webauthn.WithExclusions(webauthn.Credentials(u.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("asking for a new passkey: %w", err)
	}
	return ceremony(creation.Response, state)
}

// Ask begins a proof by passkey. Errors: ErrNotEnrolled, ErrStore.
func (m *Manager) Ask(ctx context.Context, p Person, site string) (Ceremony, error) {
	w, err := party(site)
	if err != nil {
		return Ceremony{}, err
	}
	_, e, err := m.load(ctx, p.index())
	if err != nil {
		return Ceremony{}, err
	}
	if e == nil || len(e.Passkeys) == 0 || !m.cfg.Passkey {
		return Ceremony{}, ErrNotEnrolled
	}
	assertion, state, err := w.BeginLogin(m.user(p, e))
	if err != nil {
		return Ceremony{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return ceremony(assertion.Response, state)
}

// EnrolPasskey takes the passkey of an answer into force under a name. Returns
// and errors are those of EnrolTOTP.
func (m *Manager) EnrolPasskey(ctx context.Context, p Person, may Permit, site, name string, state, answer []byte) ([]string, error) {
	w, session, err := m.asked(site, state)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrWrong, cause(err))
	}
	made, err := w.CreateCredential(m.user(p, nil), session, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrWrong, cause(err))
	}
	key := passkey{Name: keyName(name), Since: m.now().Truncate(time.Second), Credential: *made}
	return m.enrol(ctx, p, may, func(e *enrolled) error {
		if slices.ContainsFunc(e.Passkeys, func(k passkey) bool { return bytes.Equal(k.Credential.ID, made.ID) }) {
			return fmt.Errorf("%w: the passkey is enrolled already", ErrWrong)
		}
		if len(e.Passkeys) >= passkeyLimit {
			return fmt.Errorf("%w: more than %d passkeys", ErrWrong, passkeyLimit)
		}
		e.Passkeys = append(e.Passkeys, key)
		return nil
	})
}

// ProvePasskey proves a person by a passkey's answer. Errors: ErrWrong,
// ErrCloned, ErrNotEnrolled, ErrStore. It isn't braked: a signature can't be
// guessed, and whoever guesses at codes must not keep the passkey's owner out.
func (m *Manager) ProvePasskey(ctx context.Context, p Person, site string, state, answer []byte) (Method, error) {
	w, session, err := m.asked(site, state)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrWrong, cause(err))
	}
	err = m.change(ctx, p, func(e *enrolled) (error, error) {
		if len(e.Passkeys) == 0 {
			return nil, ErrNotEnrolled
		}
		used, err := w.ValidateLogin(m.user(p, e), session, parsed)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", ErrWrong, cause(err))
		}
		if used.Authenticator.CloneWarning {
			return nil, ErrCloned
		}
		i := slices.IndexFunc(e.Passkeys, func(k passkey) bool { return bytes.Equal(k.Credential.ID, used.ID) })
		if i < 0 {
			return nil, ErrWrong
		}
		e.Passkeys[i].Credential = *used
		return nil, nil
	})
	if err != nil {
		return "", err
	}
	return Passkey, nil
}

func (m *Manager) asked(site string, state []byte) (*webauthn.WebAuthn, webauthn.SessionData, error) {
	var session webauthn.SessionData
	if !m.cfg.Passkey {
		return nil, session, ErrNotEnrolled
	}
	if err := json.Unmarshal(state, &session); err != nil || session.Challenge == "" {
		return nil, session, fmt.Errorf("%w: nothing was asked", ErrWrong)
	}
	w, err := party(site)
	return w, session, err
}

// cause is what the library says went wrong, without the values that came.
func cause(err error) string {
	if no, ok := errors.AsType[*protocol.Error](err); ok {
		return no.Type
	}
	return "unreadable"
}

// keyName makes a name that a page can show.
func keyName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if runes := []rune(name); len(runes) > nameLimit {
		name = string(runes[:nameLimit])
	}
	if name == "" {
		return "Passkey"
	}
	return name
}
