package gate

import (
	"errors"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/doc/sse"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// events makes the response feed a splitter of server-sent events.
func (l *release) events() {
	sp := sse.NewSplitter(maxUnit)
	l.s.feed = func(p []byte) error { return sp.Feed(p, l.event) }
	l.s.close = sp.Close
}

// event masks one event, or leaves it out.
func (l *release) event(e *sse.Event) error {
	if e.Silent {
		l.s.out = e.Append(l.s.out, nil, false)
		return nil
	}
	l.s.says = true
	if !l.q.x.Event(e.Name) {
		l.leaveOut("its name is not in the profile")
		return nil
	}
	with := e.Data
	if len(with) > 0 {
		res, err := l.maskEvent(e)
		switch {
		case errors.Is(err, doc.ErrMalformed), errors.Is(err, profile.ErrShape):
			l.leaveOut(err.Error())
			return nil
		case err != nil:
			return err
		}
		if with, err = res.Body(nil); err != nil {
			return err
		}
		l.s.sweep = res.Sweep
		add(&l.s.pending, &res.Disclosure)
	}
	_, hit := l.s.sweep.Mask(e.ID)
	l.s.out = e.Append(l.s.out, with, sse.PlainID(e.ID) && !hit)
	return nil
}

func (l *release) maskEvent(e *sse.Event) (mask.Result, error) {
	t, err := json.Parse(e.Data, doc.DefaultLimits())
	if err != nil {
		return mask.Result{}, err
	}
	defer json.Release(t)
	found, err := l.q.x.Locate(t, l.resp.status)
	if err != nil {
		return mask.Result{}, err
	}
	return l.mask(t, found, l.s.seen)
}

// leaveOut counts an event that isn't released. The stream goes on: where it ends
// is known, whatever the event holds, and a client that it is cut for asks again.
func (l *release) leaveOut(why string) {
	l.s.pending.Withheld++
	l.q.h.logger.Warn("an event was left out", zap.String("request", l.q.id), zap.String("audit_id", l.q.auditID), zap.String("why", why))
}
