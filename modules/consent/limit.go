package consent

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits bound how many forms a node takes: from one network, and in all. They know
// nothing of whom a form is about: what bounds that is in the ledger, and answers nobody.
type limits struct {
	perNetwork int
	all        *rate.Limiter

	mu  sync.Mutex
	was map[netip.Prefix]*rate.Limiter
}

// mostNetworks bounds what is remembered; from then on new networks wait.
const mostNetworks = 50_000

func newLimits(perNetwork, inAll int) *limits {
	return &limits{perNetwork: perNetwork, all: hourly(inAll), was: map[netip.Prefix]*rate.Limiter{}}
}

func hourly(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n)/3600, n) }

// network is the network that an address is of: as much as one customer has of it.
func network(ip string) netip.Prefix {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 56
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// take counts a form, or returns how long to wait for the next one.
func (l *limits) take(ip string, now time.Time) (wait time.Duration) {
	of := l.of(network(ip))
	if of == nil {
		return time.Minute
	}
	if wait := reserve(of, now); wait > 0 {
		return wait
	}
	return reserve(l.all, now)
}

func (l *limits) of(n netip.Prefix) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.was[n]
	if of == nil && len(l.was) < mostNetworks {
		of = hourly(l.perNetwork)
		l.was[n] = of
	}
	return of
}

func reserve(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// sweep forgets networks that have waited long enough.
func (l *limits) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, of := range l.was {
		if of.TokensAt(now) >= float64(l.perNetwork) {
			delete(l.was, n)
		}
	}
}
