package gate

import (
	"maps"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/session"
)

// watched is what the CRM's answer to an observed request is written to. It is
// held until its entry is durable; one that is a stream, or larger than hold,
// leaves unread, with an entry that says so.
type watched struct {
	*response
	o        *watchedRequest
	released bool
}

// Write holds the bytes, or passes them on.
func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil {
		return 0, w.err
	}
	if !w.released {
		if !w.endless() && int64(w.held.Len()+len(p)) <= w.limit {
			return w.held.Write(p)
		}
		if w.err = w.unread(); w.err != nil {
			return 0, w.err
		}
	}
	return w.o.w.Write(p)
}

// FlushError begins an answer that has no end.
func (w *watched) FlushError() error {
	if w.err == nil && w.status != 0 && !w.released && w.endless() {
		w.err = w.unread()
	}
	if w.err != nil || !w.released {
		return w.err
	}
	return http.NewResponseController(w.o.w).Flush()
}

// endless reports whether the answer is read as it comes.
func (w *watched) endless() bool {
	media, _, _ := strings.Cut(w.header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "text/event-stream") || w.o.x != nil && w.o.x.Stream != ""
}

// unread lets go of an answer that nobody reads.
func (w *watched) unread() error {
	e := w.entry()
	e.Disclosure = &access.Disclosure{Unread: true}
	e.Observed.Refused = "hold"
	if _, ok := w.o.append(e); !ok {
		return errLog
	}
	if w.o.x != nil { // what can't be kept is refused once the site enforces, and not before
		_ = (&release{q: w.o.request, resp: w.response}).keepAsked(nil)
	}
	w.o.collect(w.status, w.header.Get("Content-Type"), nil)
	w.released = true
	w.headers()
	w.o.status = w.status
	w.o.w.WriteHeader(w.status)
	_, err := w.o.w.Write(w.held.Bytes())
	w.held.Reset()
	return err
}

func (w *watched) entry() *audit.Entry {
	return (&release{q: w.o.request, resp: w.response}).entry()
}

// judge releases a held answer as it is, with an entry of what it holds and of
// what would have been masked of it.
func (w *watched) judge(rel *release) {
	e := w.entry()
	e.Disclosure, e.Bytes = &access.Disclosure{Unread: true}, int64(w.held.Len())
	switch {
	case rel.bodyless() || w.held.Len() == 0:
		e.Disclosure = &access.Disclosure{}
	case w.o.x == nil || w.o.decision.Plan == nil || w.o.x.Batch() != nil:
	default:
		_, res, err := rel.judge()
		e.Changes = rel.changed() // now that the answer was read
		if err != nil {
			w.o.h.logger.Warn("the CRM's answer would be withheld", zap.String("request", w.o.id), zap.String("audit_id", w.o.auditID), zap.Error(err))
			e.Observed.Refused = "malformed"
			break
		}
		e.Observed.Masked, e.Observed.Withheld = wouldMask(&res.Disclosure)
		e.Disclosure = inClear(&res.Disclosure)
		nameNew(e.Changes, e.Disclosure.Records)
	}
	if _, ok := w.o.append(e); !ok {
		w.o.undisclosed()
		return
	}
	plain, err := rel.decode()
	if err != nil {
		plain = nil
	}
	w.o.collect(w.status, w.header.Get("Content-Type"), plain)
	body := w.held.Bytes()
	if w.o.x != nil && w.o.x.Batch() == nil {
		if homed, err := w.o.homeBody(w.response); err == nil {
			body = homed
		}
	}
	w.headers()
	w.o.status = w.status
	w.o.write(w.status, body)
}

// headers are the CRM's, but for the gateway's own cookies. Nothing of it is kept
// by browsers: it would be there in clear when the site enforces.
func (w *watched) headers() {
	to := w.o.w.Header()
	observing := to[observeHeader]
	maps.Copy(to, w.header)
	to[observeHeader] = observing
	to.Del("Trailer")
	canon.StripSetCookies(to, session.Own)
	w.o.bindIssued(to)
	w.o.homeHeaders(to)
	if w.o.x != nil || strings.Contains(w.header.Get("Content-Type"), "json") || strings.Contains(w.header.Get("Content-Type"), "html") {
		to.Set("Cache-Control", "private, no-store")
	}
	to.Set("Audit-Id", w.o.auditID)
}

// wouldMask counts, by category, the records of which it wouldn't have been shown
// in clear, and the texts that would have been withheld.
func wouldMask(d *access.Disclosure) (map[access.Category]int, int) {
	counts := map[access.Category]int{}
	for _, r := range merge(d.Records) {
		for c, t := range r.Treated {
			if t != access.Clear {
				counts[c]++
			}
		}
	}
	return counts, d.Withheld
}

// inClear is the disclosure of the same answer without a mask.
func inClear(d *access.Disclosure) *access.Disclosure {
	out := *d
	out.Withheld = 0
	out.Records = nil
	for _, r := range d.Records {
		treated := make(map[access.Category]access.Treatment, len(r.Treated))
		for c := range r.Treated {
			treated[c] = access.Clear
		}
		r.Treated = treated
		out.Records = append(out.Records, r)
	}
	out.Records = merge(out.Records)
	return &out
}
