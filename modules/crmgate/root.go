package crmgate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
)

// rootEvery is how often the checkpoints of all nodes are gathered in the root log.
const rootEvery = time.Minute

// rootDir is where a node keeps the checkpoints of the root log, whoever writes it.
func rootDir(dataDir string) string { return filepath.Join(dataDir, "checkpoints-root") }

// root is this process's part in the root log: it writes it, or stands by.
type root struct {
	mu      sync.Mutex
	log     *audit.Root // nil: another node writes it
	keeper  *audit.RootKeeper
	closed  bool
	failing bool
}

// gather gathers the nodes' checkpoints, if this process is the one that does. No
// request waits for it. That it can't is said once.
func (s *Services) gather(ctx context.Context, logger *zap.Logger) {
	if s.place.Database == nil {
		return
	}
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.root.closed {
		return
	}
	err := s.gatherOnce(ctx)
	if ctx.Err() != nil || (err != nil) == s.root.failing {
		return
	}
	s.root.failing = err != nil
	if err != nil {
		logger.Warn("the checkpoints of the nodes can't be gathered in the root log", zap.Error(err))
	} else {
		logger.Info("the checkpoints of the nodes are gathered in the root log again")
	}
}

func (s *Services) gatherOnce(ctx context.Context) error {
	if s.root.log == nil {
		if err := s.behind(ctx); err != nil {
			return err
		}
		log, err := s.rootKeeper().Open(ctx)
		if errors.Is(err, audit.ErrLocked) {
			return nil
		}
		if err != nil {
			return err
		}
		s.root.log = log
	}
	err := s.root.log.Gather(ctx, s.place.Database)
	if errors.Is(err, audit.ErrFenced) {
		// Another node has taken over. The last entry of this run can't be written.
		_ = s.root.log.Close()
		s.root.log = nil
		return nil
	}
	return err
}

func (s *Services) rootKeeper() *audit.RootKeeper {
	if s.root.keeper == nil {
		s.root.keeper = &audit.RootKeeper{
			DB: s.place.Database, Ring: s.Ring, Checkpoints: rootDir(s.dir), Node: s.place.Node, Elsewhere: s.place.elsewhere(),
		}
	}
	return s.root.keeper
}

// behind refuses a database that lacks entries of this node's own log: the one over all
// nodes is as old.
func (s *Services) behind(ctx context.Context) error {
	size, _ := s.Log.Head()
	mark, err := s.place.rows(s.place.Node).Mark(ctx)
	if err == nil && mark.Size < size {
		err = fmt.Errorf("%w: it has %d entries of %d", audit.ErrBehind, mark.Size, size)
	}
	return err
}

// letGoOfRoot gathers a last time, behind the end of this node's log.
func (s *Services) letGoOfRoot() error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	s.root.closed = true
	if s.root.log == nil {
		return nil
	}
	err := s.root.log.Gather(context.Background(), s.place.Database)
	return errors.Join(err, s.root.log.Close())
}
