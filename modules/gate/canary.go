package gate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/link"
)

// Canary names records that nobody has a reason to open: invented people among the
// real ones. Whoever asks for one, or is shown one, raises an alarm.
type Canary struct {
	// Entity is an entity of the profile. Required.
	Entity string `json:"entity,omitempty"`
	// IDs are the records' ids in the CRM. Required.
	IDs []string `json:"ids,omitempty"`
	// Stop refuses what asks for one of them by itself, and withholds an answer that
	// shows one as the only record of its kind. Default: the employee gets the answer
	// as ever, and nothing tells them of the alarm. Lists and exports are never
	// stopped.
	Stop bool `json:"stop,omitempty"`
}

// unmarshalWatch reads what is looked for in what is saved, asked for and shown.
func (h *Handler) unmarshalWatch(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "canary":
		return h.unmarshalCanary(d)
	case "links":
		return h.unmarshalLinks(d)
	}
	return h.unmarshalForbid(d)
}

// unmarshalCanary reads `canary <entity> <id>... [stop]`.
func (h *Handler) unmarshalCanary(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	var c Canary
	if n := len(args); n > 0 && args[n-1] == "stop" {
		c.Stop, args = true, args[:n-1]
	}
	if len(args) < 2 {
		return d.Err("canary takes an entity and the ids of its records, and `stop` behind them or not: canary contact 1001 1002")
	}
	c.Entity, c.IDs = args[0], args[1:]
	h.Canaries = append(h.Canaries, c)
	return nil
}

// quietFor is how long the lists of an employee in which a canary stands are quiet
// after one of them made an entry.
const quietFor = time.Hour

// alarms are what a gate keeps of its alarms.
type alarms struct {
	canaries *alarm.Canaries // nil: there are none
	lists    *alarm.Quiet
	links    *link.Judge // nil: nobody looks for them
	hosts    *alarm.Quiet
}

// raised are the alarms that a request has raised: of canaries, and of how many hosts.
type raised struct {
	canary alarm.Sighting
	hosts  int
}

// loadCanaries reads Canaries, wherever they came from.
func (h *Handler) loadCanaries() error {
	h.alarms = &alarms{lists: &alarm.Quiet{For: quietFor}}
	for i, c := range h.Canaries {
		if known := h.profile.Entities(); !slices.Contains(known, access.Entity(c.Entity)) {
			return fmt.Errorf("canary %d: the profile has no entity %q (there are: %s)", i+1, c.Entity, joined(known))
		}
		if len(c.IDs) == 0 {
			return fmt.Errorf("canary %d: it names no record: canary %s 1001", i+1, c.Entity)
		}
		for _, id := range c.IDs {
			if id == "" || strings.TrimSpace(id) != id {
				return fmt.Errorf("canary %d: an id of %s is empty, or has a space around it", i+1, c.Entity)
			}
			if h.alarms.canaries == nil {
				h.alarms.canaries = new(alarm.Canaries)
			}
			h.alarms.canaries.Add(access.Entity(c.Entity), h.profile.RecordID(id), c.Stop)
		}
	}
	return nil
}

// canaries are nil where there are none.
func (h *Handler) canaries() *alarm.Canaries {
	if h.alarms == nil {
		return nil
	}
	return h.alarms.canaries
}

// lookOut raises the alarm where an entry of this request asks for a canary, or shows
// one. Like the entry itself it is durable before anything is forwarded or released.
func (q *request) lookOut(e *audit.Entry, rec audit.Receipt) error {
	c := q.h.canaries()
	if c == nil || e.Kind == audit.Control {
		return nil
	}
	seen := c.Asked(e.Accesses)
	if e.Kind == audit.Disclosure {
		seen = c.Shown(e.Disclosure, q.accesses(), e.Part == 0)
	}
	seen.Stop = e.Decision != nil && e.Decision.Refused && !e.Decision.Observe
	return q.sighted(seen, rec)
}

// sighted raises the alarm of a sighting, unless this request has raised it.
func (q *request) sighted(seen alarm.Sighting, rec audit.Receipt) error {
	if !seen.Beyond(q.raised.canary) {
		return nil
	}
	a := &audit.Alarm{
		Cause: alarm.Canary, Level: string(seen.Level), How: seen.How, Entry: rec.String(), Records: seen.Records, Stopped: seen.Stop,
	}
	quiet := ""
	if seen.Level == alarm.Low {
		quiet = q.quietWord(seen)
		tell, since := q.h.alarms.lists.Tell(quiet, time.Now())
		if !tell {
			return nil
		}
		a.Repeated = since
	}
	if err := q.raise(a); err != nil {
		q.h.alarms.lists.Untold(quiet)
		return err
	}
	q.raised.canary = seen
	return nil
}

// quietWord is what makes two lists of an employee the same cause.
func (q *request) quietWord(seen alarm.Sighting) string {
	q.entry(audit.Control) // which makes the pseudonym
	words := []string{q.employee.pseudonym, seen.How}
	for _, r := range seen.Records {
		words = append(words, r.String())
	}
	slices.Sort(words[2:])
	return strings.Join(words, "\n")
}

func (q *request) accesses() []access.Access {
	if q.x == nil {
		return nil
	}
	return q.x.Accesses
}

// raise makes an alarm's entry durable. The process log says that there was one, and
// where it stands.
func (q *request) raise(a *audit.Alarm) error {
	e := q.entry(audit.Control)
	e.Event, e.Alarm, e.Detail = audit.AlarmRaised, a, alarm.What(a).EN
	e.Keyed = []string{q.o.log.Keyed(alarm.Word())}
	rec, err := q.o.log.Append(withoutCancel(q), e)
	if err != nil {
		return fmt.Errorf("raising an alarm: %w", err)
	}
	q.h.logger.Warn("alarm", zap.String("request", q.id), zap.String("alarm", rec.String()),
		zap.String("cause", a.Cause), zap.String("how", a.How), zap.String("level", a.Level))
	return nil
}

// stopped refuses what asks for a canary by itself that is to be stopped.
func (q *request) stopped() bool {
	c := q.h.canaries()
	if c == nil || !c.Asked(q.x.Accesses).Stop {
		return false
	}
	q.refuse(refusal{reason: reasonStopped, text: textStopped})
	return true
}

// withheldCanary withholds an answer that shows nothing but a canary that is to be
// stopped, and reports whether it has answered.
func (l *release) withheldCanary(d *access.Disclosure) bool {
	seen := l.q.h.canaries().Shown(d, l.q.accesses(), true)
	if !seen.Stop {
		return false
	}
	if err := l.q.sighted(seen, l.q.intent); err != nil {
		l.q.h.logger.Error("writing the audit log", zap.String("request", l.q.id), zap.Error(err))
		l.q.undisclosed()
		return true
	}
	l.withholdAs(http.StatusForbidden, reasonStopped, textStopped)
	return true
}

// withheldCanary does the same for a batch, all of whose answers are withheld then.
func (l *batchRelease) withheldCanary(judged []partAnswer) bool {
	if l.q.h.canaries() == nil {
		return false
	}
	stop := false
	for i := range judged {
		rel := judged[i].rel
		if rel == nil {
			continue
		}
		seen := l.q.h.canaries().Shown(&judged[i].found, rel.q.accesses(), true)
		if !seen.Stop {
			continue
		}
		stop = true
		if err := rel.q.sighted(seen, rel.q.intent); err != nil {
			l.q.h.logger.Error("writing the audit log", zap.String("request", l.q.id), zap.Error(err))
			l.q.undisclosed()
			return true
		}
	}
	if stop {
		l.withhold(reasonStopped, textStopped)
	}
	return stop
}

// reasonStopped says no more than the text does.
const reasonStopped = "stopped"

var textStopped = text{
	"Dieser Zugriff ist gesperrt. Wenn Sie ihn für Ihre Arbeit brauchen, wenden Sie sich mit der Kennung dieser Seite an Ihre Datenschutzbeauftragte oder Ihre Administration.",
	"This access is blocked. If your work needs it, turn to your data protection officer or your administrator with this page's reference.",
}
