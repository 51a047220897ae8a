package crmgate

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/report"
)

// traffics are what the logs say was shown, by node. What was counted once stays counted
// for as long as the services do.
type traffics struct {
	mu  sync.Mutex
	all map[string]*report.Traffic
}

// trafficPart is the part of a report's time that counting may take: what is left over
// is counted by the next one.
const trafficPart = 4

// countTraffic fills in what was shown at the register's sites. A log that can't be read
// to its end says so itself.
func (s *Services) countTraffic(ctx context.Context, r *Reporter, live *report.Register, known report.TrafficKnown, b report.Bounds, logger *zap.Logger) {
	ctx, cancel := context.WithTimeout(ctx, b.Time/trafficPart)
	defer cancel()
	t := &s.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[string]*report.Traffic{}
	}
	now := time.Now()
	for _, src := range r.sources {
		one := t.all[src.node]
		if one == nil {
			one = report.NewTraffic()
			t.all[src.node] = one
		}
		if err := one.Count(ctx, src, known, now); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			logger.Warn("what a log says was shown couldn't be counted for the register", zap.String("node", src.node), zap.Error(err))
		}
	}
	live.Settle(t.all, now)
}

// trafficKnown are the names that traffic may be told by.
func trafficKnown(live *report.Register) report.TrafficKnown {
	k := report.TrafficKnown{Roles: report.NamesIn(live.Lines()), Machines: map[string]bool{}, Routes: map[string]bool{}}
	for i := range live.Sites {
		s := &live.Sites[i]
		for _, m := range s.Machines {
			k.Machines[m.Name] = true
		}
		for _, route := range s.Routes {
			k.Routes[route] = true
		}
	}
	return k
}
