package gate

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/time/rate"

	"github.com/crmgate/crmgate/internal/access"
)

// defaultSearchRate is more than anybody types, with a search for every letter.
const defaultSearchRate = 240

// searchRates bounds how often a person searches in a minute. Whoever may search
// for a value can find it out by guessing; that takes many searches.
type searchRates struct {
	perMinute int

	mu  sync.Mutex
	was map[string]*rate.Limiter // by session, or machine
}

func newSearchRates(perMinute int) *searchRates {
	return &searchRates{perMinute: perMinute, was: map[string]*rate.Limiter{}}
}

// take counts a search, or returns how long to wait for the next one.
func (s *searchRates) take(who string, now time.Time) (wait time.Duration) {
	s.mu.Lock()
	l := s.was[who]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(s.perMinute)/60, s.perMinute)
		s.was[who] = l
	}
	s.mu.Unlock()
	r := l.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// sweep forgets who hasn't searched for a minute.
func (s *searchRates) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for who, l := range s.was {
		if l.TokensAt(now) >= float64(s.perMinute) {
			delete(s.was, who)
		}
	}
}

// unmarshalSearchRate reads `search_rate <searches in a minute>`.
func (h *Handler) unmarshalSearchRate(d *caddyfile.Dispenser) error {
	var s string
	if !d.AllArgs(&s) {
		return d.Errf("search_rate takes how many searches a person may make in a minute: search_rate %d", defaultSearchRate)
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt16 {
		return d.Errf("search_rate: %q is no number of searches in a minute; write search_rate %d", s, defaultSearchRate)
	}
	h.SearchRate = n
	return nil
}

// withinSearchRate refuses a search that comes too soon behind many others.
func (q *request) withinSearchRate() bool {
	searches := slices.ContainsFunc(q.x.Accesses, func(a access.Access) bool {
		return slices.ContainsFunc(a.Refs, func(r access.Ref) bool { return r.Role == access.RefSearch })
	})
	if !searches || q.o.masked != nil {
		return true
	}
	wait := q.h.searches.take(q.scope(), time.Now())
	if wait <= 0 {
		return true
	}
	w := q.w
	if q.batch != nil {
		w = q.batch.w
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	q.refuse(refusal{status: http.StatusTooManyRequests, reason: "search_rate", text: textSearchRate})
	return false
}

func (h *Handler) sweepSearches(context.Context) { h.searches.sweep(time.Now()) }

var textSearchRate = text{
	"Sie haben in kurzer Zeit sehr oft gesucht. Warten Sie einen Moment.",
	"You have searched very often in a short time. Wait a moment.",
}
