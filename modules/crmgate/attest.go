package crmgate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/stamp"
	"github.com/crmgate/crmgate/internal/syslog"
	"github.com/crmgate/crmgate/internal/witness"
)

// attesting are those who vouch for the log. No request waits for them.
type attesting struct {
	witnesses *audit.Witnesses
	anchors   []*anchor

	mu sync.Mutex
	// failing are the kinds that didn't do the last time, with what they said.
	failing map[string]error
	// refuted says that a witness holds another history of this log, or a longer one.
	refuted bool
}

// anchor makes checkpoints known: to a syslog receiver, or to an authority that stamps
// them with the time.
type anchor struct {
	kind      string
	every     time.Duration
	syslog    *syslog.Writer
	authority *stamp.Authority
	last      map[string]anchored // by origin
}

type anchored struct {
	size uint64
	at   time.Time
}

// startAttesting asks once at the start, and then each minute, until the app stops.
func (a *App) startAttesting(s *Services) error {
	t := &attesting{failing: map[string]error{}}
	var err error
	if t.witnesses, err = a.Log.witnesses(); err != nil {
		return err
	}
	for i := range a.Log.Anchors {
		one, err := a.Log.Anchors[i].open()
		if err != nil {
			return err
		}
		t.anchors = append(t.anchors, one)
	}
	s.attest.Store(t)
	if t.witnesses == nil && len(t.anchors) == 0 {
		return nil
	}
	once := func(ctx context.Context) { t.all(ctx, s, a.logger) }
	a.run(once)
	a.Every(attestEvery, once)
	a.run(func(ctx context.Context) {
		<-ctx.Done()
		t.close()
	})
	return nil
}

// all does it for this node's log, and for the root log where this process writes it.
func (t *attesting) all(ctx context.Context, s *Services, logger *zap.Logger) {
	said := map[string][]error{}
	t.one(ctx, s.Log, said)
	if root := s.rootLog(); root != nil {
		t.one(ctx, root, said)
	}
	if ctx.Err() == nil {
		t.tell(said, logger)
	}
}

func (t *attesting) one(ctx context.Context, l *audit.Log, said map[string][]error) {
	if t.witnesses != nil {
		said["witness"] = append(said["witness"], t.witnesses.Ask(ctx, l))
	}
	for _, a := range t.anchors {
		said[a.kind] = append(said[a.kind], a.send(ctx, l))
	}
}

// tell says once that something fails, and once that it does no longer.
func (t *attesting) tell(said map[string][]error, logger *zap.Logger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, errs := range said {
		err := errors.Join(errs...)
		was := t.failing[kind]
		switch {
		case err != nil && (was == nil || was.Error() != err.Error()):
			logger.Error("checkpoints of the audit log can't be made known to "+kind, zap.Error(err))
		case err == nil && was != nil:
			logger.Info("checkpoints of the audit log are made known to " + kind + " again")
		}
		if delete(t.failing, kind); err != nil {
			t.failing[kind] = err
		}
		if kind == "witness" {
			t.refuted = errors.Is(err, audit.ErrShorter) || errors.Is(err, witness.ErrFork)
		}
	}
}

func (t *attesting) close() {
	for _, a := range t.anchors {
		if a.syslog != nil {
			_ = a.syslog.Close()
		}
	}
}

// state is which kinds fail, and whether a witness holds another history.
func (t *attesting) state() (failing map[string]bool, refuted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	failing = map[string]bool{}
	for _, kind := range t.kinds() {
		failing[kind] = t.failing[kind] != nil
	}
	return failing, t.refuted
}

// kinds are those that are configured.
func (t *attesting) kinds() []string {
	var kinds []string
	if t.witnesses != nil {
		kinds = append(kinds, "witness")
	}
	for _, a := range t.anchors {
		kinds = append(kinds, a.kind)
	}
	return kinds
}

// send makes the last checkpoint known, if the log has grown and it is time.
func (a *anchor) send(ctx context.Context, l *audit.Log) error {
	c := l.Checkpoint()
	last, ok := a.last[c.Origin]
	if len(c.Note) == 0 || ok && (last.size == c.Size || time.Since(last.at) < a.every) {
		return nil
	}
	if stamped := l.Stamped(); a.authority != nil && stamped != nil && !ok && time.Since(stamped.Time) < a.every {
		return nil // that was before this process
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var err error
	if a.authority != nil {
		err = a.stampIt(ctx, l, c)
	} else {
		err = a.syslog.Write(ctx, checkpointMessage(c))
	}
	if err == nil {
		a.last[c.Origin] = anchored{c.Size, time.Now()}
	}
	return err
}

func (a *anchor) stampIt(ctx context.Context, l *audit.Log, c audit.Checkpoint) error {
	token, err := a.authority.Ask(ctx, []byte(c.Text()))
	if err != nil {
		return err
	}
	return l.KeepStamped(c, a.authority.Name(), token)
}

// checkpointMessage is a checkpoint in one line. It holds all of the signed note, so that
// the line alone, found in somebody's archive, proves what the log was.
func checkpointMessage(c audit.Checkpoint) syslog.Message {
	id := sha256.Sum256([]byte(c.Text()))
	return syslog.Message{
		Facility: syslog.Audit, Severity: syslog.Notice, ID: "checkpoint",
		Data: []syslog.Element{{Name: "checkpoint", Params: []syslog.Param{
			{Name: "origin", Value: c.Origin},
			{Name: "size", Value: strconv.FormatUint(c.Size, 10)},
			{Name: "root", Value: c.Root.String()},
			{Name: "id", Value: hex.EncodeToString(id[:8])},
			{Name: "signature", Value: c.Signature()},
		}}},
		Text: fmt.Sprintf("checkpoint of %s over %d entries", c.Origin, c.Size),
	}
}

// rootLog is the root log where this process writes it, else nil.
func (s *Services) rootLog() *audit.Log {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.root.log == nil || s.root.closed {
		return nil
	}
	return s.root.log.Log()
}
