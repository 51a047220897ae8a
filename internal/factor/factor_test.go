package factor_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/factor/softkey"
	"github.com/crmgate/crmgate/internal/factor/storetest"
	"github.com/crmgate/crmgate/internal/keys"
)

const site = "https://crm.example.de"

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) forward(d time.Duration) { c.at.Add(int64(d / time.Second)) }

type house struct {
	*factor.Manager
	clock *clock
	store *storetest.Memory
	ring  *keys.Ring
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{clock: new(clock), store: new(storetest.Memory), ring: ring}
	h.clock.at.Store(1_800_000_000)
	h.Manager, err = factor.New(factor.Config{
		Passkey: true, TOTP: true, Recovery: true, Store: h.store, Sealer: ring, Key: ring.Derive("factor codes"), Now: h.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func vera() factor.Person {
	return factor.Person{Issuer: "https://op", Subject: "1", User: "vera", Email: "vera@example.de"}
}

func code(t *testing.T, secret []byte, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCodeCustom(factor.SecretText(secret), at, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wrong is a code that is not one of those around now.
func (h *house) wrong(t *testing.T, secret []byte) string {
	t.Helper()
	for _, c := range []string{"000000", "111111", "222222", "333333"} {
		right := false
		for _, d := range []time.Duration{-time.Minute, -30 * time.Second, 0, 30 * time.Second, time.Minute} {
			right = right || code(t, secret, h.clock.now().Add(d)) == c
		}
		if !right {
			return c
		}
	}
	t.Fatal("four codes are right at a time")
	return ""
}

// app enrols an app and moves on to the next step.
func (h *house) app(t *testing.T, p factor.Person) (secret []byte, codes []string) {
	t.Helper()
	secret = factor.NewSecret()
	codes, err := h.EnrolTOTP(t.Context(), p, factor.Permit{Open: true}, secret, code(t, secret, h.clock.now()))
	if err != nil {
		t.Fatal(err)
	}
	h.clock.forward(30 * time.Second)
	return secret, codes
}

func (h *house) prove(t *testing.T, p factor.Person, c string, want error) {
	t.Helper()
	if _, err := h.ProveCode(t.Context(), p, c); !errors.Is(err, want) {
		t.Errorf("ProveCode = %v, want %v", err, want)
	}
}

func TestOneTimeCodeWorksOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secret, _ := h.app(t, vera())
	now := code(t, secret, h.clock.now())
	if by, err := h.ProveCode(t.Context(), vera(), " "+now[:3]+" "+now[3:]); err != nil || by != factor.TOTP {
		t.Fatalf("ProveCode = %s, %v", by, err)
	}
	h.prove(t, vera(), now, factor.ErrReplayed)
	h.prove(t, vera(), code(t, secret, h.clock.now().Add(-30*time.Second)), factor.ErrReplayed)
	h.prove(t, vera(), code(t, secret, h.clock.now().Add(30*time.Second)), nil)
	h.clock.forward(10 * time.Minute)
	h.prove(t, vera(), code(t, secret, h.clock.now().Add(-30*time.Second)), nil)
	h.clock.forward(10 * time.Minute)
	h.prove(t, vera(), code(t, secret, h.clock.now().Add(-60*time.Second)), factor.ErrWrong)
	h.prove(t, vera(), code(t, secret, h.clock.now().Add(60*time.Second)), factor.ErrWrong)
}

func TestTheCodeOfTheEnrolmentIsUsed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secret := factor.NewSecret()
	c := code(t, secret, h.clock.now())
	if _, err := h.EnrolTOTP(t.Context(), vera(), factor.Permit{Open: true}, secret, c); err != nil {
		t.Fatal(err)
	}
	h.prove(t, vera(), c, factor.ErrReplayed)
}

func TestOfManyThatUseACodeOneSucceeds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secret, codes := h.app(t, vera())
	for _, c := range []string{code(t, secret, h.clock.now()), codes[0]} {
		var won atomic.Int32
		var all sync.WaitGroup
		for range 4 { // fewer than the brake lets through
			all.Go(func() {
				if _, err := h.ProveCode(t.Context(), vera(), c); err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d succeeded, want 1", won.Load())
		}
	}
}

func TestWrongCodesAreBraked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secret, codes := h.app(t, vera())
	w := h.wrong(t, secret)
	var judged, waits atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			switch _, err := h.ProveCode(t.Context(), vera(), w); {
			case errors.Is(err, factor.ErrWrong):
				judged.Add(1)
			case errors.Is(err, factor.ErrWait):
				waits.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if judged.Load() != 5 || waits.Load() != 45 {
		t.Fatalf("%d were judged and %d waited, want 5 and 45", judged.Load(), waits.Load())
	}
	h.prove(t, vera(), code(t, secret, h.clock.now()), factor.ErrWait) // a right one, too
	h.prove(t, vera(), codes[0], factor.ErrWait)
	var before time.Duration
	for range 12 { // each wait is at least as long as the one before, up to an hour
		s, err := h.State(t.Context(), vera())
		if err != nil {
			t.Fatal(err)
		}
		wait := s.Until.Sub(h.clock.now())
		if wait < before || wait > time.Hour || wait < 30*time.Second {
			t.Fatalf("waiting %s after %s", wait, before)
		}
		before = wait
		h.clock.forward(wait)
		h.prove(t, vera(), h.wrong(t, secret), factor.ErrWrong)
	}
	if before != time.Hour {
		t.Errorf("the longest wait is %s, want an hour", before)
	}
	h.clock.forward(time.Hour)
	h.prove(t, vera(), code(t, secret, h.clock.now()), nil)
	h.prove(t, vera(), h.wrong(t, secret), factor.ErrWrong) // counted from the start
	h.prove(t, vera(), h.wrong(t, secret), factor.ErrWrong)
}

func TestRecoveryCodesWorkOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, codes := h.app(t, vera())
	if len(codes) != 10 {
		t.Fatalf("%d codes, want 10", len(codes))
	}
	if by, err := h.ProveCode(t.Context(), vera(), strings.ToLower(codes[3])); err != nil || by != factor.Recovery {
		t.Fatalf("ProveCode = %s, %v", by, err)
	}
	h.prove(t, vera(), codes[3], factor.ErrWrong)
	other := vera()
	other.Subject = "2"
	h.app(t, other)
	h.prove(t, other, codes[4], factor.ErrWrong)
	fresh, err := h.RenewRecovery(t.Context(), vera())
	if err != nil {
		t.Fatal(err)
	}
	h.prove(t, vera(), codes[5], factor.ErrWrong)
	h.prove(t, vera(), fresh[0], nil)
	if s, err := h.State(t.Context(), vera()); err != nil || s.Recovery != 9 {
		t.Errorf("%d are left (%v), want 9", s.Recovery, err)
	}
}

func TestFirstEnrolmentNeedsTheAdministratorsCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	enrol := func(p factor.Person, may factor.Permit) error {
		secret := factor.NewSecret()
		_, err := h.EnrolTOTP(t.Context(), p, may, secret, code(t, secret, h.clock.now()))
		return err
	}
	want := func(got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	mallory := factor.Person{Issuer: "https://op", Subject: "666", User: "mallory"}
	invite, _, err := h.Invite(t.Context(), "https://op", "Vera@Example.de", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want(enrol(vera(), factor.Permit{}), factor.ErrInvitation)
	want(enrol(vera(), factor.Permit{Invitation: "AAAA-AAAA-AAAA-AAAA"}), factor.ErrInvitation)
	want(enrol(mallory, factor.Permit{Invitation: invite}), factor.ErrInvitation)
	elsewhere := vera()
	elsewhere.Issuer = "https://another"
	want(enrol(elsewhere, factor.Permit{Invitation: invite}), factor.ErrInvitation)
	want(enrol(vera(), factor.Permit{Proven: true}), factor.ErrNotEnrolled)
	want(h.CheckInvitation(t.Context(), vera(), invite), nil)
	h.clock.forward(time.Hour)
	want(enrol(vera(), factor.Permit{Invitation: invite}), factor.ErrInvitation)
	if invite, _, err = h.Invite(t.Context(), "https://op", "vera", time.Hour); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if enrol(vera(), factor.Permit{Invitation: invite}) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d enrolled with one code, want 1", won.Load())
	}
	want(enrol(vera(), factor.Permit{Open: true}), factor.ErrEnrolled)
	second, _, err := h.Invite(t.Context(), "https://op", "vera", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want(enrol(vera(), factor.Permit{Invitation: second}), factor.ErrEnrolled)
	want(enrol(vera(), factor.Permit{Proven: true}), nil)
	if gone, err := h.Reset(t.Context(), vera()); !gone || err != nil {
		t.Fatalf("Reset = %t, %v", gone, err)
	}
	want(enrol(vera(), factor.Permit{Proven: true}), factor.ErrNotEnrolled)
	want(enrol(vera(), factor.Permit{Invitation: second}), nil)
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	enrolled := func(p factor.Person) *softkey.Key {
		t.Helper()
		key := softkey.New(site)
		asked, err := h.AskNew(t.Context(), p, site)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := key.Create(asked.Options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.EnrolPasskey(t.Context(), p, factor.Permit{Open: true}, site, "Laptop\x00", asked.State, answer); err != nil {
			t.Fatal(err)
		}
		return key
	}
	key := enrolled(vera())
	other := factor.Person{Issuer: "https://op", Subject: "2"}
	theirs := enrolled(other)
	prove := func(k *softkey.Key, want error) {
		t.Helper()
		asked, err := h.Ask(t.Context(), vera(), site)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := k.Get(asked.Options)
		if err != nil {
			t.Fatal(err)
		}
		if by, err := h.ProvePasskey(t.Context(), vera(), site, asked.State, answer); !errors.Is(err, want) || (err == nil && by != factor.Passkey) {
			t.Errorf("ProvePasskey = %s, %v, want %v", by, err, want)
		}
	}
	prove(key, nil)
	t.Run("wrong-origin", func(*testing.T) {
		k := key.Clone()
		k.Origin = "https://crm.example.de.evil.example"
		prove(k, factor.ErrWrong)
	})
	t.Run("wrong-challenge", func(*testing.T) {
		k := key.Clone()
		k.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		prove(k, factor.ErrWrong)
	})
	t.Run("wrong-site", func(*testing.T) {
		k := key.Clone()
		k.RP = "evil.example"
		prove(k, factor.ErrWrong)
	})
	t.Run("user-not-verified", func(*testing.T) {
		k := key.Clone()
		k.Unverified = true
		prove(k, factor.ErrWrong)
	})
	t.Run("other-employees-passkey", func(*testing.T) { prove(theirs, factor.ErrWrong) })
	t.Run("unknown-passkey", func(*testing.T) { prove(softkey.New(site), factor.ErrWrong) })
	t.Run("cloned-counter", func(*testing.T) {
		old := key.Clone()
		key.Counter += 10
		prove(key, nil)
		prove(old, factor.ErrCloned)
		prove(key, nil)
	})
	t.Run("answer-replayed", func(t *testing.T) {
		asked, err := h.Ask(t.Context(), vera(), site)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := key.Get(asked.Options)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, factor.ErrCloned} {
			if _, err := h.ProvePasskey(t.Context(), vera(), site, asked.State, answer); !errors.Is(err, want) {
				t.Errorf("attempt %d: %v, want %v", i+1, err, want)
			}
		}
	})
	t.Run("what-is-asked-names-nobody", func(t *testing.T) {
		asked, err := h.Ask(t.Context(), vera(), site)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(asked.Options, []byte("vera")) {
			t.Error("the options of a proof name the person")
		}
	})
	t.Run("brake-of-codes-does-not-touch-it", func(t *testing.T) {
		for range 6 {
			_, err := h.ProveCode(t.Context(), vera(), "000000")
			if err == nil {
				t.Fatal("a code of nobody's was right")
			}
		}
		prove(key, nil)
	})
	t.Run("the-last-factor-stays", func(t *testing.T) {
		s, err := h.State(t.Context(), vera())
		if err != nil || len(s.Passkeys) != 1 || s.Passkeys[0].Name != "Laptop" {
			t.Fatalf("State = %+v, %v", s, err)
		}
		if err := h.Remove(t.Context(), vera(), s.Passkeys[0].Ref); !errors.Is(err, factor.ErrLast) {
			t.Errorf("Remove = %v, want ErrLast", err)
		}
	})
}

func TestHalfSignInIsBoundToBrowserSiteAndTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	half := factor.Half{ID: "s", Begun: h.clock.now(), Person: vera(), Payload: []byte(`{"x":1}`)}
	half.Bind("browser")
	sealed, err := h.SealHalf(half, site)
	if err != nil {
		t.Fatal(err)
	}
	open := func(sealed, site string, want error, bindings ...string) {
		t.Helper()
		got, err := h.OpenHalf(sealed, site, bindings)
		if !errors.Is(err, want) || (err == nil && (got.ID != "s" || string(got.Payload) != `{"x":1}`)) {
			t.Errorf("OpenHalf = %+v, %v, want %v", got, err, want)
		}
	}
	open(sealed, site, nil, "stale", "browser")
	open(sealed, site, factor.ErrHalf, "another")
	open(sealed, site, factor.ErrHalf)
	open(sealed, "https://other.example.de", factor.ErrHalf, "browser")
	open(sealed[:len(sealed)-4]+"AAAA", site, factor.ErrHalf, "browser")
	open("", site, factor.ErrHalf, "browser")
	open(strings.Repeat("A", 1<<20), site, factor.ErrHalf, "browser")
	h.clock.forward(10 * time.Minute)
	open(sealed, site, nil, "browser")
	h.clock.forward(time.Second)
	open(sealed, site, factor.ErrLate, "browser")
}

func TestWhatIsEnrolledIsSealedAndStaysInItsRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secret, codes := h.app(t, vera())
	other := factor.Person{Issuer: "https://op", Subject: "2", User: "otto"}
	h.app(t, other)
	list, err := h.store.Factors(t.Context(), "")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	for _, rec := range list {
		for _, plain := range []string{"vera", "otto", factor.SecretText(secret), string(secret), codes[0]} {
			if bytes.Contains(rec.Sealed, []byte(plain)) || strings.Contains(rec.Index, plain) {
				t.Errorf("%q is readable in the store", plain)
			}
		}
	}
	list[0].Sealed, list[1].Sealed = list[1].Sealed, list[0].Sealed
	for _, rec := range list {
		if err := h.store.WriteFactor(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	h.prove(t, vera(), code(t, secret, h.clock.now()), factor.ErrStore)
	h.prove(t, other, code(t, secret, h.clock.now()), factor.ErrStore)
	if _, err := h.EnrolTOTP(t.Context(), vera(), factor.Permit{Open: true}, secret, code(t, secret, h.clock.now())); !errors.Is(err, factor.ErrStore) {
		t.Errorf("an unreadable record is taken for none: %v", err)
	}
}

func TestStrangersLeaveNothingInTheStore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 10 {
		h.prove(t, vera(), "123456", factor.ErrNotEnrolled)
		if err := h.CheckInvitation(t.Context(), vera(), rand.Text()); !errors.Is(err, factor.ErrInvitation) {
			t.Error(err)
		}
	}
	if list, err := h.store.Factors(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("%d records, %v", len(list), err)
	}
}

func FuzzOpenHalf(f *testing.F) {
	ring, err := keys.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	m, err := factor.New(factor.Config{TOTP: true, Store: new(storetest.Memory), Sealer: ring})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "")
	f.Add("AAAA", "browser")
	f.Fuzz(func(t *testing.T, sealed, binding string) {
		if _, err := m.OpenHalf(sealed, site, []string{binding}); !errors.Is(err, factor.ErrHalf) {
			t.Errorf("OpenHalf = %v", err)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	ring, err := keys.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	m, err := factor.New(factor.Config{Passkey: true, Store: new(storetest.Memory), Sealer: ring})
	if err != nil {
		f.Fatal(err)
	}
	key := softkey.New(site)
	asked, err := m.AskNew(f.Context(), vera(), site)
	if err != nil {
		f.Fatal(err)
	}
	created, err := key.Create(asked.Options)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("{}"))
	f.Add(created)
	f.Fuzz(func(t *testing.T, answer []byte) {
		_, _ = m.EnrolPasskey(t.Context(), vera(), factor.Permit{}, site, "", asked.State, answer)
		if _, err := m.ProvePasskey(t.Context(), vera(), site, asked.State, answer); err == nil {
			t.Error("proven without a passkey")
		}
	})
}
