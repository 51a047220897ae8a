package gate

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// explainedKeeper keeps what was asked while exchanges are explained one after the
// other: a later one can go on from an earlier. Nothing of it is written anywhere.
type explainedKeeper struct {
	mu   sync.Mutex
	kept map[[32]byte]session.Kept
	all  [][32]byte
}

func newExplainedKeeper() *keeper {
	k := &keeper{store: &explainedKeeper{kept: map[[32]byte]session.Kept{}}, seal: unsealed{}, now: time.Now}
	_, _ = rand.Read(k.key[:]) // never fails: it ends the process instead
	return k
}

// Keep implements session.Keeper.
func (s *explainedKeeper) Keep(_ context.Context, k session.Kept, most int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.kept[k.ID]; !again {
		s.all = append(s.all, k.ID)
	}
	s.kept[k.ID] = k
	for len(s.all) > most {
		delete(s.kept, s.all[0])
		s.all = s.all[1:]
	}
	return nil
}

// LoadKept implements session.Keeper.
func (s *explainedKeeper) LoadKept(_ context.Context, id [32]byte) (session.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[id]
	if !ok {
		return k, session.ErrNone
	}
	return k, nil
}

// SweepKept implements session.Keeper.
func (s *explainedKeeper) SweepKept(context.Context, time.Time) (int, error) { return 0, nil }

// unsealed is for what stays in memory.
type unsealed struct{}

// Seal returns the text.
func (unsealed) Seal(_ string, plaintext, _ []byte) ([]byte, error) { return plaintext, nil }

// Open returns the text.
func (unsealed) Open(_ string, sealed, _ []byte) ([]byte, error) { return sealed, nil }

var _ session.Keeper = (*explainedKeeper)(nil)
