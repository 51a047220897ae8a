package crmgate

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// indexEvery is how often the index catches up with the log. Appends never wait
// for it, and a search catches up by itself.
const indexEvery = time.Second

// IndexDir is where a data directory keeps the log's index. It is derived: it may
// be deleted, and needs no backup.
func IndexDir(dataDir string) string { return filepath.Join(dataDir, "index") }

// follow brings the index to the log's durable end. That it can't is said once,
// and again when it can: searches then read the log itself.
func (s *Services) follow(ctx context.Context, logger *zap.Logger) {
	size, _ := s.Log.Head()
	err := s.index.Update(ctx, size, nil)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		s.indexed.Store(size)
	}
	failing := err != nil
	if s.failing.Swap(failing) == failing {
		return
	}
	if failing {
		logger.Warn("the index of the audit log can't be written; searches read the whole log until it can", zap.Error(err))
	} else {
		logger.Info("the index of the audit log is written again")
	}
}
