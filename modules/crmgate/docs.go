package crmgate

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/sealed"
)

const docsEvery = 5 * time.Minute

// sweepDocs takes documents out of the store whose end has come. Whoever reads one
// judges its end by itself: the sweep is for the room that they take.
func (a *App) sweepDocs(s *Services) {
	store, ok := s.Store.(sealed.Store)
	if !ok {
		return
	}
	a.Every(docsEvery, func(ctx context.Context) {
		if _, err := store.SweepDocs(ctx, time.Now()); err != nil {
			a.logger.Error("sweeping documents", zap.Error(err))
		}
	})
}
