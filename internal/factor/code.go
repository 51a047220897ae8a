package factor

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	// What every authenticator app can: RFC 6238 with SHA-1, six digits, thirty
	// seconds.
	totpPeriod = 30
	totpSkew   = 1
	secretSize = 20
	// freeWrong is how many wrong codes have no consequence but an entry.
	freeWrong = 5
	firstWait = 30 * time.Second
	longWait  = time.Hour
	// recoveryCodes is how many there are.
	recoveryCodes = 10
	// codeChars are 80 random bits: no brake is needed against guessing them.
	codeBytes = 10
)

// totpKey is a secret that an app and the gateway share.
type totpKey struct {
	Secret []byte    `json:"secret"`
	Since  time.Time `json:"since"`
	// Step is the last one that a code was used of: no code works twice, nor one
	// from before it.
	Step uint64 `json:"step"`
}

// NewSecret makes a secret for an authenticator app.
func NewSecret() []byte {
	b := make([]byte, secretSize)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

// SecretText is a secret as a person types it.
func SecretText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// SecretURL is a secret as an app scans it. site names the gateway there.
func SecretURL(site string, p Person, secret []byte) string {
	site = strings.ReplaceAll(site, ":", " ")
	q := url.Values{"secret": {SecretText(secret)}, "issuer": {site}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(site) + ":" + url.PathEscape(p.label()) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// match returns the step that a code is of, if it is one of those around now.
func (k *totpKey) match(code string, now time.Time) (uint64, bool) {
	if len(code) != 6 || now.Unix() < 0 {
		return 0, false
	}
	at, found := uint64(now.Unix())/totpPeriod, uint64(0)
	ok := false
	for step := at - totpSkew; step <= at+totpSkew; step++ {
		want, err := hotp.GenerateCodeCustom(SecretText(k.Secret), step, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found, ok = step, true
		}
	}
	return found, ok
}

// tidy takes out of a code what people put into it.
func tidy(code string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '\t' {
			return -1
		}
		return r
	}, strings.TrimSpace(code)))
}

// ProveCode proves a person by a one-time code or a recovery code. Errors:
// ErrWrong, ErrReplayed, ErrWait, ErrNotEnrolled, ErrStore. A wrong code is
// counted before anybody learns that it is wrong.
func (m *Manager) ProveCode(ctx context.Context, p Person, code string) (Method, error) {
	code = tidy(code)
	var by Method
	err := m.change(ctx, p, func(e *enrolled) (error, error) {
		if e.factors() == 0 {
			return nil, ErrNotEnrolled
		}
		now := m.now()
		if now.Before(e.Until) {
			return nil, ErrWait
		}
		var verdict error
		if by, verdict = m.spendCode(e, p, code, now); verdict != nil {
			e.brake(now)
			return verdict, nil
		}
		e.Wrong, e.Until = 0, time.Time{}
		return nil, nil
	})
	if err != nil {
		return "", err
	}
	return by, nil
}

// spendCode finds out what a code is and uses it up.
func (m *Manager) spendCode(e *enrolled, p Person, code string, now time.Time) (Method, error) {
	if m.cfg.TOTP && e.TOTP != nil {
		if step, ok := e.TOTP.match(code, now); ok {
			if step <= e.TOTP.Step {
				return "", ErrReplayed
			}
			e.TOTP.Step = step
			return TOTP, nil
		}
	}
	if m.cfg.Recovery {
		h := m.hash("recovery", p.index(), code)
		for i, have := range e.Recovery {
			if subtle.ConstantTimeCompare(h, have) == 1 {
				e.Recovery = slices.Delete(e.Recovery, i, i+1)
				return Recovery, nil
			}
		}
	}
	return "", ErrWrong
}

// brake counts a wrong code. From the fifth on each doubles the wait, up to an
// hour: whoever has the password gets 24 guesses a day of a million, and the
// employee waits an hour at worst, or takes the passkey.
func (e *enrolled) brake(now time.Time) {
	e.Wrong++
	if e.Wrong < freeWrong {
		return
	}
	wait := longWait
	if n := e.Wrong - freeWrong; n < 7 {
		wait = firstWait << n
	}
	e.Until = now.Add(min(wait, longWait))
}

// EnrolTOTP takes a secret into force, once a code shows that the app has it. It
// returns recovery codes where the person had none yet: they are shown once.
// Errors: ErrWrong, ErrEnrolled and ErrInvitation (see Permit), ErrStore.
func (m *Manager) EnrolTOTP(ctx context.Context, p Person, may Permit, secret []byte, code string) ([]string, error) {
	if !m.cfg.TOTP || len(secret) != secretSize {
		return nil, ErrNotEnrolled
	}
	key := &totpKey{Secret: secret, Since: m.now().Truncate(time.Second)}
	step, ok := key.match(tidy(code), m.now())
	if !ok {
		return nil, ErrWrong
	}
	key.Step = step
	return m.enrol(ctx, p, may, func(e *enrolled) error {
		e.TOTP = key
		return nil
	})
}

// enrol adds a factor.
func (m *Manager) enrol(ctx context.Context, p Person, may Permit, add func(e *enrolled) error) ([]string, error) {
	if err := m.redeem(ctx, p, may); err != nil {
		return nil, err
	}
	var codes []string
	err := m.change(ctx, p, func(e *enrolled) (error, error) {
		if had := e.factors() > 0; had == may.first() {
			if had {
				return nil, ErrEnrolled
			}
			return nil, ErrNotEnrolled
		}
		if err := add(e); err != nil {
			return nil, err
		}
		codes = nil
		if m.cfg.Recovery && len(e.Recovery) == 0 {
			codes = m.newRecovery(e, p)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func (m *Manager) newRecovery(e *enrolled, p Person) []string {
	codes := make([]string, recoveryCodes)
	e.Recovery = nil
	for i := range codes {
		codes[i] = newCode()
		e.Recovery = append(e.Recovery, m.hash("recovery", p.index(), tidy(codes[i])))
	}
	return codes
}

// newCode makes a code of 80 random bits in groups of four.
func newCode() string {
	b := make([]byte, codeBytes)
	rand.Read(b) // never fails (crypto/rand)
	s := base32.StdEncoding.EncodeToString(b)
	return fmt.Sprintf("%s-%s-%s-%s", s[:4], s[4:8], s[8:12], s[12:])
}

// RenewRecovery replaces the recovery codes and returns them. Errors:
// ErrNotEnrolled, ErrStore.
func (m *Manager) RenewRecovery(ctx context.Context, p Person) ([]string, error) {
	var codes []string
	err := m.change(ctx, p, func(e *enrolled) (error, error) {
		if e.factors() == 0 || !m.cfg.Recovery {
			return nil, ErrNotEnrolled
		}
		codes = m.newRecovery(e, p)
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}
