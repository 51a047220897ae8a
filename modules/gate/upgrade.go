package gate

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// errSessionEnded says that an answer was cut because the session that asked for
// it has ended, or goes on with other roles.
var errSessionEnded = errors.New("the session has ended")

// judgeUpgrade refuses a request that wants to switch protocols, unless it is a
// WebSocket's from a page of this very site, to a route that the profile opens
// for one. A browser lets any site open a socket and sends the cookies along: the
// Origin alone tells who asks.
func (q *request) judgeUpgrade(x *profile.Exchange) *refusal {
	at := access.Access{Route: x.Route}
	switch {
	case q.c.Upgrade == "":
		return nil
	case q.employee.machine != "": // nothing would cut its socket when its token ends
		return &refusal{status: http.StatusForbidden, reason: "upgrade", text: textUpgrade, access: at}
	case !x.Upgrade || q.c.Upgrade != "websocket" || q.r.ProtoMajor != 1:
		return &refusal{status: http.StatusForbidden, reason: "upgrade", text: textUpgrade, access: at}
	case !q.ownOrigin():
		return &refusal{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite, access: at}
	}
	return nil
}

// ownOrigin reports whether the request names this site, and no other, as where
// it comes from. Naming none is not enough.
func (q *request) ownOrigin() bool {
	origins := q.r.Header.Values("Origin")
	site := q.r.Header.Get("Sec-Fetch-Site")
	return len(origins) == 1 && strings.EqualFold(origins[0], q.baseURL()) && (site == "" || site == "same-origin")
}

// guard cuts what outlives the judging of a request when its session ends, is
// idle, or goes on with other roles: at once on this node, within
// session.Staleness on others.
type guard struct {
	mu     sync.Mutex
	cut    bool
	cutter func()
	cancel context.CancelFunc
	timer  *time.Timer
}

// watch begins to watch the request's session after a while. cut is called once,
// and not after end. A person who has no session of the store's (one that is
// explained, a machine) isn't watched.
func (q *request) watch(after time.Duration, cut func()) *guard {
	g := &guard{cutter: cut}
	if q.employee == nil || q.employee.session.Key == (session.Key{}) || q.o.sessions == nil {
		return g
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(q.r.Context()))
	g.cancel = cancel
	g.timer = time.AfterFunc(after, func() {
		if err := q.o.sessions.Watch(ctx, q.employee.session); ctx.Err() == nil {
			q.h.logger.Info("cutting what is open: its session has ended",
				zap.String("request", q.id), zap.String("route", q.route), zap.Error(err))
			g.now()
		}
	})
	return g
}

func (g *guard) now() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cutter != nil {
		g.cut = true
		g.cutter()
	}
}

// end stops watching and reports whether it cut.
func (g *guard) end() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cutter = nil
	if g.cancel != nil {
		g.timer.Stop()
		g.cancel()
	}
	return g.cut
}

// runGuarded calls the next handler and cuts a response that takes long when the
// session ends: the CRM's side by the context, and a client that doesn't read by
// its deadline.
func (q *request) runGuarded(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	g := q.watch(session.Staleness/2, func() {
		cancel()
		_ = http.NewResponseController(q.w).SetWriteDeadline(time.Unix(1, 0)) // a writer without one ends at its next write
	})
	err := q.run(w, r.WithContext(ctx))
	if g.end() {
		return errSessionEnded
	}
	return err
}

// stillSame reports whether the session is what it was when the request was
// judged. It matters to a response that was held for long.
func (q *request) stillSame() bool {
	if time.Since(q.start) < session.Staleness || q.employee.session.Key == (session.Key{}) || q.o.sessions == nil {
		return true
	}
	ctx, cancel := context.WithCancel(q.r.Context())
	cancel() // one look
	err := q.o.sessions.Watch(ctx, q.employee.session)
	return errors.Is(err, context.Canceled)
}

// upgrading is passing for a request that may become a socket. It is the only
// writer of the gate's with Hijack.
type upgrading struct {
	*passing
	q     *request
	guard *guard
}

// WriteHeader lets the switch itself through.
func (u *upgrading) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols && u.status == 0 {
		u.status = status
		u.strip(u.w.Header())
		u.w.WriteHeader(status)
		return
	}
	u.passing.WriteHeader(status)
}

// Hijack hands the connection over, once the CRM has agreed to the switch, and
// closes it when the session ends.
func (u *upgrading) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if u.status != http.StatusSwitchingProtocols {
		return nil, nil, http.ErrNotSupported
	}
	conn, buffered, err := http.NewResponseController(u.w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.guard = u.q.watch(0, func() { _ = conn.Close() }) // closed is closed
	return conn, buffered, nil
}

// passive reports whether asking for a path doesn't count as using the session.
func (h *Handler) passive(path string) bool {
	return slices.ContainsFunc(h.Passive, func(p string) bool {
		prefix, below := strings.CutSuffix(p, "*")
		return path == p || below && strings.HasPrefix(path, prefix)
	})
}
