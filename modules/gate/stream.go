package gate

import (
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// streamed is the state of a response that is released unit by unit.
type streamed struct {
	// feed takes the CRM's bytes apart, close takes their end.
	feed  func(p []byte) error
	close func() error
	seen  *mask.Seen
	sweep *mask.Sweep // the last event's
	parts int
	began bool
	// released says that the client has the status and the headers, and says that
	// what is to be released next isn't just a sign of life.
	released, says bool
	pending        access.Disclosure
	out            []byte
}

func (l *release) streaming() bool { return l.s != nil && l.s.began }

// maxUnit is the largest record of a streamed response.
const maxUnit = 1 << 20

// stream makes the response feed a splitter instead of being held.
func (l *release) stream() {
	l.s = &streamed{seen: mask.NewSeen(maxSeen)}
	l.resp.begin = func() error {
		if l.resp.status >= 300 {
			l.resp.feed = nil // an error is held like any other
			return nil
		}
		if list, err := coding.Codings(contentEncoding(l.resp.header)); err != nil || len(list) > 0 {
			return fmt.Errorf("%w: a streamed response is coded", coding.ErrCoding)
		}
		if _, err := l.checkType(nil); err != nil {
			return err
		}
		if err := errors.Join(l.keepAsked(nil), l.split()); err != nil {
			return err
		}
		l.s.began = true
		return nil
	}
	l.resp.feed = func(p []byte) error {
		if err := l.s.feed(p); err != nil {
			return err
		}
		return l.flushUnits()
	}
	if l.q.x.Type == "sse" && l.q.r.Method != http.MethodHead {
		l.resp.open = l.open
	}
	// Streams that end in one piece must not arrive coded.
	l.q.r.Header.Set("Accept-Encoding", "identity")
}

// split makes the response feed the splitter of its type.
func (l *release) split() error {
	switch l.q.x.Type {
	case "sse":
		l.events()
		return nil
	case "csv":
		return l.rows()
	}
	return l.units()
}

// units makes the response feed a splitter of JSON.
func (l *release) units() error {
	sp, err := json.NewSplitter(l.q.x.Stream, doc.DefaultLimits(), maxUnit)
	if err != nil {
		return err
	}
	l.s.feed = func(p []byte) error { return sp.Feed(p, l.unit) }
	l.s.close = func() error { return sp.Close(l.unit) }
	return nil
}

// unit masks one unit. Records are named in the part that is logged before
// their bytes leave.
func (l *release) unit(u json.Unit) error {
	l.s.says = true
	if !u.Record && !u.Value {
		l.s.out = append(l.s.out, u.Raw...)
		return nil
	}
	t := u.Tree
	found := &profile.Located{Found: access.Found{Fields: []access.FoundField{{
		Record: -1, Entity: l.q.x.Accesses[0].Entity, Categories: []access.Category{access.Unclassified},
	}}}}
	if u.Record {
		var err error
		if found, err = l.q.x.LocateRow(t); err != nil {
			return err
		}
		defer found.Release()
	}
	res, err := l.mask(t, found, l.s.seen)
	if err != nil {
		return err
	}
	raw, err := res.Body(l.s.out)
	if err != nil {
		return err
	}
	l.s.out = raw
	add(&l.s.pending, &res.Disclosure)
	return nil
}

// flushUnits logs the units that are complete and releases them.
func (l *release) flushUnits() error {
	if len(l.s.out) == 0 {
		return nil
	}
	if l.s.says || !l.s.released {
		if err := l.part(0); err != nil {
			return err
		}
		l.s.says = false
	}
	l.begin()
	if _, err := l.q.w.Write(l.s.out); err != nil {
		return err
	}
	l.s.out = l.s.out[:0]
	return http.NewResponseController(l.q.w).Flush()
}

// begin sends the status and the headers.
func (l *release) begin() {
	if l.s.released {
		return
	}
	l.s.released = true
	l.headers(nil)
	l.q.status = l.resp.status
	l.q.w.WriteHeader(l.resp.status)
}

// open lets a stream's client know that it is connected, long before there is an
// event.
func (l *release) open() error {
	if l.resp.status != http.StatusOK || l.s.released {
		return nil
	}
	if begin := l.resp.begin; begin != nil {
		l.resp.begin = nil
		if err := begin(); err != nil {
			return err
		}
	}
	if err := l.part(0); err != nil {
		return err
	}
	l.begin()
	return http.NewResponseController(l.q.w).Flush()
}

// part makes one part of the disclosure durable; total is set in the last.
func (l *release) part(total int) error {
	l.s.parts++
	e := l.entry()
	e.Part = l.s.parts
	if total > 0 {
		e.Parts = l.s.parts
	}
	d := l.s.pending
	l.s.pending = access.Disclosure{}
	e.Disclosure, e.Bytes = &d, int64(len(l.s.out))
	if _, ok := l.q.append(e); !ok {
		return errLog
	}
	return nil
}

var errLog = errors.New("the log can't be written")

// endStream closes a streamed response. One that went wrong is cut: a client
// must not take half an answer for a whole one.
func (l *release) endStream(err error) {
	if err == nil {
		err = l.resp.err
	}
	if err == nil {
		err = l.s.close()
	}
	if err == nil {
		err = l.last()
	}
	if err == nil {
		return
	}
	l.q.h.logger.Warn("a streamed answer was cut", zap.String("request", l.q.id), zap.String("audit_id", l.q.auditID), zap.Int("parts", l.s.parts))
	l.q.fault = "cut"
	if !l.s.released {
		l.unreleased(err)
		return
	}
	e := l.entry()
	e.Part, e.Parts, e.Error, e.Disclosure = l.s.parts+1, l.s.parts+1, "cut", &access.Disclosure{}
	l.q.append(e)
	panic(http.ErrAbortHandler)
}

// unreleased answers a stream that went wrong before its first unit left.
func (l *release) unreleased(err error) {
	switch {
	case errors.Is(err, errLog):
		l.q.undisclosed()
	case errors.Is(err, http.ErrAbortHandler) && l.resp.err == nil:
		l.withhold("crm", textCRMDown)
	default:
		l.withhold(faultReason(err))
	}
}

func (l *release) last() error {
	if len(l.s.out) > 0 {
		if err := l.flushUnits(); err != nil {
			return err
		}
	}
	return l.part(1)
}
