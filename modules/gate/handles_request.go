package gate

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
)

// handleOwner says whose a handle is: nobody else can come back with it, nor the same
// person at another site.
func (q *request) handleOwner() []string {
	id := q.employee.session.Identity
	who := []string{"employee", id.Issuer, id.Subject}
	if q.employee.machine != "" {
		who = []string{"machine", q.employee.machine}
	}
	return append([]string{q.h.profile.Name, q.c.Host}, who...)
}

// resume makes of a request that brings handles back the exchange of the one that got
// them: it is judged, logged and masked as if that came now.
func (q *request) resume(x *profile.Exchange) (*profile.Exchange, *refusal) {
	for x.Handles() != nil {
		q.route = x.Route
		first, err := q.firstOf(x)
		if err != nil {
			q.h.logger.Error("reading what was asked", zap.String("request", q.id), zap.Error(err))
			return nil, &refusal{status: http.StatusServiceUnavailable, reason: "session_store", text: textNotRead, access: access.Access{Route: x.Route}}
		}
		next := x.Otherwise
		if first != nil {
			next = func() (*profile.Exchange, error) { return x.Resume(first.request()) }
		}
		y, err := next()
		if no, ok := errors.AsType[*profile.Refusal](err); ok {
			return nil, &refusal{status: no.Status, reason: no.Reason, text: profileText(no), access: access.Access{Route: x.Route}}
		}
		if err != nil {
			q.h.logger.Error("classifying", zap.String("request", q.id), zap.Error(err))
			return nil, &refusal{status: http.StatusBadGateway, reason: "profile", text: textFault, access: access.Access{Route: x.Route}}
		}
		if y == nil {
			return nil, &refusal{reason: "unknown_handle", text: textUnknownHandle, access: access.Access{Route: x.Route}}
		}
		x, q.first = y, first
	}
	return x, nil
}

func (q *request) firstOf(x *profile.Exchange) (*asked, error) {
	if q.o.keeper == nil {
		return nil, nil //nolint:nilnil // nothing is kept
	}
	return q.o.keeper.first(q.r.Context(), q.handleOwner(), x.Handles())
}

// keepable says why a request whose answer gives handles out can't be served: what
// it asks has to be kept.
func (q *request) keepable(x *profile.Exchange, body []byte) *refusal {
	if !x.GivesHandles() || len(body)+len(q.c.RawQuery)+len(q.c.RawPath) <= keptSize {
		return nil
	}
	return &refusal{status: http.StatusRequestEntityTooLarge, reason: "request_limit", text: textRequestLimit, access: access.Access{Route: x.Route}}
}

// asked is what the request asks, or the one asked that it goes on from.
func (q *request) asked() *asked {
	if q.first != nil {
		return q.first
	}
	r, id := q.asProfile(q.c, q.body), q.id
	if q.batch != nil {
		id += "/" + strconv.Itoa(q.number)
	}
	return &asked{
		Method: r.Method, Path: r.Path, Query: r.Query, MediaType: r.MediaType, ContentType: r.ContentType,
		SOAPActions: r.SOAPActions, Body: r.Body, Request: id, Entry: q.auditID,
	}
}

// errKept says that what was asked couldn't be kept: the client couldn't come back
// for the rest.
var errKept = errors.New("what was asked could not be kept")

const keepTimeout = 5 * time.Second

// keepAsked keeps what was asked for the handles in the answer. Until it is kept,
// nothing leaves.
func (l *release) keepAsked(given []profile.Given) error {
	q := l.q
	if !q.x.GivesHandles() || l.resp.status >= 300 || q.o.keeper == nil {
		return nil
	}
	headers, none := q.x.HeaderHandles(l.resp.header.Values)
	l.handed = none
	for name, g := range headers {
		given, l.handed[name] = append(given, g), g.Value
	}
	if len(given) > givenMost {
		return profile.ErrShape
	}
	// The CRM has answered: whoever gives up now must not leave it half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.r.Context()), keepTimeout)
	defer cancel()
	for _, g := range given {
		h := g.Handle
		if g.Address {
			var leads bool
			if h, leads = l.handleIn(g); !leads {
				continue // nobody could come back with it
			}
		}
		if err := q.o.keeper.keep(ctx, q.handleOwner(), h, q.asked(), g.Lasts); err != nil {
			q.h.logger.Error("keeping what was asked", zap.String("request", q.id), zap.Error(err))
			return errKept
		}
	}
	return nil
}

// handleIn is the handle that the route takes to which an address leads.
func (l *release) handleIn(g profile.Given) (profile.Handle, bool) {
	if _, at := l.q.atHome(g.Value); at != nil {
		if x, whole := l.classifyLocation(at); x != nil && whole {
			for _, h := range x.Handles() {
				if h.Name == g.Name {
					return h, true
				}
			}
		}
	}
	return profile.Handle{}, false
}

var (
	textUnknownHandle = text{
		"Diese Anfrage setzt eine frühere fort, die das Gateway nicht kennt: Sie ist abgelaufen, wurde nicht hier oder nicht von Ihnen gestellt. Stellen Sie die ursprüngliche Anfrage neu.",
		"This request goes on from an earlier one that the gateway doesn't know: it has expired, or was not made here, or not by you. Make the original request again.",
	}
	textNotRead = text{
		"Das Gateway kann gerade nicht lesen, welche Anfrage hier fortgesetzt wird. Versuchen Sie es gleich noch einmal.",
		"At the moment the gateway can't read which request is continued here. Try again shortly.",
	}
	textNotKept = text{
		"Das Gateway konnte die Anfrage nicht vormerken; ihre Fortsetzung wäre nicht möglich. Stellen Sie sie gleich noch einmal.",
		"The gateway could not keep the request, so it couldn't be continued. Make it again shortly.",
	}
)
