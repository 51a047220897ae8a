package sink

import (
	"context"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// Reminding is what a Target is, too, that may have something to deliver while nothing
// new is in the log.
type Reminding interface {
	// Due reports whether Deliver should be called.
	Due() bool
}

// remind has the target deliver where it asks for it.
func (x *run) remind(ctx context.Context) error {
	r, ok := x.Target.(Reminding)
	if !ok || !r.Due() {
		return nil
	}
	if err := x.deliver(ctx); err != nil {
		return err
	}
	x.pause, x.alarmed = x.times.first, 0
	if failed := x.Status.took(&audit.Stretch{Next: x.tail.Next()}, time.Now()); failed > 0 {
		x.Tell(News{For: failed})
	}
	return nil
}
