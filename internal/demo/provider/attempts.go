package provider

import (
	"sync"
	"time"
)

const (
	// attemptsMax wrong passwords or codes in a row lock a login for lockFor.
	attemptsMax = 5
	lockFor     = time.Minute
	// loginsMax bounds the memory that made-up logins can take.
	loginsMax = 10_000
)

// attempts counts wrong passwords and codes by login. Logins that don't exist
// are counted like any other: the lock doesn't tell who works here.
type attempts struct {
	mu     sync.Mutex
	logins map[string]*attempt
}

type attempt struct {
	wrong int
	until time.Time
	last  time.Time
}

// try runs check unless the login is locked; wait is how long the lock still
// lasts. Checks run one at a time: racing guesses are counted before the next
// one is looked at. A right answer doesn't reset the count, forget does:
// otherwise someone who knows the password could reset the count of codes.
func (a *attempts) try(login string, now time.Time, check func() bool) (ok bool, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.of(login, now)
	if now.Before(t.until) {
		return false, t.until.Sub(now)
	}
	if t.wrong >= attemptsMax {
		t.wrong = 0
	}
	if check() {
		return true, 0
	}
	t.wrong++
	if t.wrong >= attemptsMax {
		t.until = now.Add(lockFor)
		return false, lockFor
	}
	return false, 0
}

// forget clears the count after a complete sign-in.
func (a *attempts) forget(login string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.logins, login)
}

func (a *attempts) of(login string, now time.Time) *attempt {
	if len(a.logins) >= loginsMax {
		for l, t := range a.logins {
			if now.Sub(t.last) > lockFor {
				delete(a.logins, l)
			}
		}
	}
	t := a.logins[login]
	if t == nil {
		t = new(attempt)
		a.logins[login] = t
	}
	t.last = now
	return t
}
