package gate

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// Observe lets a site record what it would mask and refuse, and does neither:
// what an unknown CRM needs is found out with it. Sign-in, second factor, hygiene
// and log work in full.
type Observe struct {
	// Until is the last day (2026-12-31), at most 30 days ahead; on the day behind
	// it the site enforces. Required.
	Until string `json:"until,omitempty"`

	// end is when the site enforces.
	end time.Time
}

// maxObserve is how long a site may observe before somebody has to say so again.
const maxObserve = 30 * 24 * time.Hour

// unmarshalObserve reads `observe until <date>`.
func (h *Handler) unmarshalObserve(d *caddyfile.Dispenser) error {
	var until string
	o := new(Observe)
	if !d.AllArgs(&until, &o.Until) || until != "until" {
		return d.Errf("observe takes its last day: observe until 2026-12-31")
	}
	h.Observe = o
	return nil
}

// checkObserve refuses what isn't a day within maxObserve. A day that is over is
// none: the site enforces, and says so at load.
func (h *Handler) checkObserve(now time.Time) error {
	if h.Observe == nil {
		return nil
	}
	day, err := time.ParseInLocation(time.DateOnly, h.Observe.Until, now.Location())
	if err != nil {
		return fmt.Errorf("observe: %q is not a day; write observe until 2026-12-31", h.Observe.Until)
	}
	h.Observe.end = day.AddDate(0, 0, 1)
	if last := now.Add(maxObserve); day.After(last) {
		return fmt.Errorf("observe: %s is more than 30 days ahead; the last day that can be is %s, and then it can be renewed", h.Observe.Until, last.Format(time.DateOnly))
	}
	return nil
}

// observing reports whether the site only records.
func (h *Handler) observing() bool { return h.Observe != nil && time.Now().Before(h.Observe.end) }

// logObserve says at load what isn't done.
func (h *Handler) logObserve() {
	switch {
	case h.observing():
		h.logger.Warn("this site only OBSERVES: nothing is masked and nothing refused, what would be is in the log", zap.Time("until", h.Observe.end))
	case h.Observe != nil:
		h.logger.Warn("observing is over: this site enforces; take the line out", zap.String("observe until", h.Observe.Until))
	}
}

// examineObserve warns of a site that doesn't enforce.
func (h *Handler) examineObserve() []crmgate.Remark {
	if !h.observing() {
		return nil
	}
	return []crmgate.Remark{{
		Level: crmgate.Warning, About: "observing", What: "until the end of " + h.Observe.Until + " nothing is masked and nothing refused",
		Remedy: "Take `observe` out as soon as the profile is ready",
	}}
}

// describeObserve is empty where the site enforces.
func (h *Handler) describeObserve() string {
	if !h.observing() {
		return ""
	}
	return ", ONLY OBSERVES until " + h.Observe.Until
}
