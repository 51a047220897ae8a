// Package factor is the gateway's own second factor, for identity providers that
// can't prove one: passkeys and one-time codes (TOTP), with recovery codes.
//
// The rules are: what a person enrolled is sealed at rest, in one record that is
// only ever replaced whole, and only if nobody replaced it meanwhile. So a code
// works once, a wrong one is counted before its answer is given, and any number
// of attempts side by side are judged one after the other. Who has no factor yet
// enrols one with a code of the administrator's; who has one needs it for
// everything else. Losing it leads to the administrator.
package factor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Method is how somebody proved themselves, as it stands in `amr`.
type Method string

// The methods. Providers can't state them: no registered value has a colon.
const (
	Passkey  Method = "gateway:hwk"
	TOTP     Method = "gateway:otp"
	Recovery Method = "gateway:recovery"
)

// The errors. Callers switch on them.
var (
	// ErrWrong is a code, or a passkey's answer, that proves nothing.
	ErrWrong = errors.New("the second factor was not proven")
	// ErrReplayed is a one-time code that was used already.
	ErrReplayed = errors.New("the one-time code was used already")
	// ErrWait is an attempt while wrong ones are being braked.
	ErrWait = errors.New("too many wrong codes: wait")
	// ErrCloned is a passkey whose counter went back: there are two of it.
	ErrCloned = errors.New("the passkey's counter went back")
	// ErrNotEnrolled is a person without that factor.
	ErrNotEnrolled = errors.New("no such factor is enrolled")
	// ErrEnrolled is a first enrolment of somebody who has a factor.
	ErrEnrolled = errors.New("a factor is enrolled already")
	// ErrInvitation is an enrolment code that is wrong, used or too old.
	ErrInvitation = errors.New("the enrolment code is not valid")
	// ErrLast is the removal of the only factor.
	ErrLast = errors.New("the only factor stays")
	// ErrHalf is a half sign-in that isn't this browser's or was altered.
	ErrHalf = errors.New("not a half sign-in of this browser")
	// ErrLate is a half sign-in that took too long.
	ErrLate = errors.New("the half sign-in took too long")
	// ErrNone is a record that isn't there.
	ErrNone = errors.New("no such record")
	// ErrRewritten is a record that was replaced meanwhile.
	ErrRewritten = errors.New("the record was rewritten")
	// ErrStore is a store that can't be used.
	ErrStore = errors.New("the store of second factors can't be used")
)

// Sealer encrypts and authenticates small blobs under a key per purpose.
type Sealer interface {
	Seal(purpose string, plaintext, aad []byte) ([]byte, error)
	Open(purpose string, sealed, aad []byte) ([]byte, error)
}

// Person is whom a factor belongs to. (Issuer, Subject) names them; the rest is
// by what an administrator or an authenticator app calls them.
type Person struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	User    string `json:"user,omitempty"`
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
}

// label is what an authenticator shows.
func (p Person) label() string {
	for _, s := range []string{p.Email, p.User, p.Name} {
		if s != "" {
			return s
		}
	}
	return "CRM"
}

// index is the name of a person's record in the store. It isn't keyed: after a
// change of keys a reset must still find it.
func (p Person) index() string { return indexOf("person", p.Issuer, p.Subject) }

func indexOf(kind, issuer, name string) string {
	h := sha256.Sum256([]byte("factor " + kind + "\n" + issuer + "\n" + name))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// Config says which methods there are and where enrolments are kept.
type Config struct {
	// Passkey and TOTP are the methods that may be enrolled and that prove: at
	// least one.
	Passkey, TOTP bool
	// Recovery gives recovery codes at enrolment. They can be phished.
	Recovery bool
	Store    Store
	Sealer   Sealer
	// Key hashes recovery and enrolment codes.
	Key [32]byte
	// Now is the clock; the default is time.Now.
	Now func() time.Time
}

// Manager enrols, proves and resets factors. It is safe for concurrent use.
type Manager struct{ cfg Config }

// New checks the configuration.
func New(cfg Config) (*Manager, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case !cfg.Passkey && !cfg.TOTP:
		return nil, errors.New("no method is left for the second factor: passkey, totp, or both")
	case cfg.Store == nil || cfg.Sealer == nil:
		return nil, errors.New("second factors need a store and keys")
	}
	return &Manager{cfg: cfg}, nil
}

// Offers reports which methods are in force.
func (m *Manager) Offers() (passkey, totp bool) { return m.cfg.Passkey, m.cfg.TOTP }

// enrolled is what a record's blob holds.
type enrolled struct {
	Person   Person    `json:"person"`
	TOTP     *totpKey  `json:"totp,omitempty"`
	Passkeys []passkey `json:"passkeys,omitempty"`
	// Recovery are the keyed hashes of the codes that are left.
	Recovery [][]byte `json:"recovery,omitempty"`
	// Wrong counts wrong codes since the last right one, Until ends the wait.
	Wrong int       `json:"wrong,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

func (e *enrolled) factors() int {
	n := len(e.Passkeys)
	if e.TOTP != nil {
		n++
	}
	return n
}

const (
	purposeRecord = "factor"
	// attempts is how often a record is read again that others replace meanwhile.
	attempts = 200
)

func (m *Manager) seal(index string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a factor: %w", err)
	}
	// The index as aad keeps a blob in its own row: nobody who can write to the
	// database can put their own factor into another person's.
	blob, err := m.cfg.Sealer.Seal(purposeRecord, plain, []byte(index))
	if err != nil {
		return nil, fmt.Errorf("sealing a factor: %w", err)
	}
	return blob, nil
}

// unseal reads a blob. One that doesn't open is an error, not a person without a
// factor: they could enrol anew then.
func (m *Manager) unseal(rec Record, v any) error {
	plain, err := m.cfg.Sealer.Open(purposeRecord, rec.Sealed, []byte(rec.Index))
	if err != nil {
		return fmt.Errorf("%w: a record can't be opened with the present keys: %w", ErrStore, err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("%w: a record can't be read", ErrStore)
	}
	return nil
}

// load returns a person's record; Version 0 is nobody's yet.
func (m *Manager) load(ctx context.Context, index string) (Record, *enrolled, error) {
	rec, err := m.cfg.Store.LoadFactor(ctx, index)
	if errors.Is(err, ErrNone) {
		return Record{Index: index}, nil, nil
	}
	if err != nil {
		return Record{}, nil, storeError("loading a factor", err)
	}
	e := new(enrolled)
	return rec, e, m.unseal(rec, e)
}

// change replaces a person's record by what f makes of it. f is called again
// where somebody else was quicker, so that each change is judged on what the one
// before left. What f says is said only once it is stored: its verdict is an
// error that goes to the caller after the record was written, its error one that
// leaves the record as it is.
func (m *Manager) change(ctx context.Context, p Person, f func(e *enrolled) (verdict, err error)) error {
	for range attempts {
		rec, e, err := m.load(ctx, p.index())
		if err != nil {
			return err
		}
		fresh := e == nil
		if fresh {
			e = &enrolled{Person: p}
		}
		verdict, err := f(e)
		if err != nil {
			return err
		}
		e.Person = p // by what the provider calls them now
		rec.Person = true
		if rec.Sealed, err = m.seal(rec.Index, e); err != nil {
			return err
		}
		err = m.cfg.Store.WriteFactor(ctx, rec)
		if errors.Is(err, ErrRewritten) {
			continue
		}
		if err != nil {
			return storeError("writing a factor", err)
		}
		return verdict
	}
	return fmt.Errorf("%w: too many changes at a time", ErrStore)
}

// hash is what is kept of a code.
func (m *Manager) hash(kind, index, code string) []byte {
	h := hmac.New(sha256.New, m.cfg.Key[:])
	h.Write([]byte(kind + "\n" + index + "\n" + code))
	return h.Sum(nil)
}

func (m *Manager) now() time.Time { return m.cfg.Now() }

func storeError(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrStore, doing, err)
}
