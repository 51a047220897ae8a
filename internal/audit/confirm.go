package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Unconfirmed is the last restoration of a log, as long as nobody has confirmed that
// the holds are those that have to stand: what was held after the backup was made
// isn't in it.
type Unconfirmed struct {
	// Entry is that of the restoration, Since its time.
	Entry uint64    `json:"entry"`
	Since time.Time `json:"since"`
	Joint Joint     `json:"joint,omitzero"`
}

// ErrUnconfirmed says that nothing is destroyed because the log was restored.
var ErrUnconfirmed = errors.New("the log was restored from a backup, and holds that were set after it are lost: nothing is destroyed until somebody has " +
	"set them again (crmgate audit hold) and confirmed that all of them stand (crmgate audit confirm)")

// Restored reports whether the log was ever restored from a backup. It reads the
// heads of the segments alone.
func (l *Log) Restored() (bool, error) {
	segments, err := listSegments(l.files)
	if err != nil {
		return false, err
	}
	links, err := chainOf(l.files, segments)
	return len(links) > 1, err
}

// Unconfirmed returns the restoration whose holds nobody has confirmed, nil for
// none. A log that was restored is read from its beginning, once.
func (l *Log) Unconfirmed(ctx context.Context) (*Unconfirmed, error) {
	if restored, err := l.Restored(); err != nil || !restored {
		return nil, err
	}
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	err := l.loadHolds(ctx)
	return l.keeper.unconfirmed, err
}

// Confirm writes down that somebody answers for it that the holds which stand are
// those that have to, after a restoration. From then on months are destroyed again.
func (l *Log) Confirm(ctx context.Context, reason, by string) (Receipt, error) {
	if err := checkReason(reason); err != nil {
		return Receipt{}, err
	}
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	if err := l.loadHolds(ctx); err != nil {
		return Receipt{}, err
	}
	u := l.keeper.unconfirmed
	if u == nil {
		return Receipt{}, fmt.Errorf("%w to confirm: the log wasn't restored since somebody did", ErrHold)
	}
	rec, err := l.Append(ctx, &Entry{
		Kind: Control, Event: HoldsConfirmed, Keeping: &Keeping{Confirms: u.Entry},
		Detail: fmt.Sprintf("by %s: %d holds stand after the restoration of entry %d: %s", by, len(l.keeper.holds), u.Entry, reason),
	})
	l.keeper.holds = nil // the log says what stands, also after an error
	return rec, err
}

// Confirm does so in the log over all nodes, where it was restored: it was put back
// with its database, and nobody asks for it by name. done says that there was something
// to confirm.
func (r *Root) Confirm(ctx context.Context, reason, by string) (done bool, err error) {
	u, err := r.log.Unconfirmed(ctx)
	if err != nil || u == nil {
		return false, err
	}
	_, err = r.log.Confirm(ctx, reason, by)
	return err == nil, err
}

// follow takes what an entry says of holds. key is the data key that it was written
// with.
func (k *keeper) follow(s *Stored, key uint32) {
	said := s.Entry.Keeping
	if said == nil {
		return
	}
	switch {
	case said.Hold != nil:
		k.holds[s.Seq] = &Standing{Hold: *said.Hold, Entry: s.Seq, Since: s.Entry.Time, By: saidBy(s.Entry.Detail), key: key}
	case s.Entry.Event == HoldReleased && said.Of == "":
		delete(k.holds, said.Releases)
	case s.Entry.Event == HoldReleased && !slices.Contains(k.releases, heldAt{said.Of, said.Releases}):
		k.releases = append(k.releases, heldAt{said.Of, said.Releases})
	case s.Entry.Event == Restored && said.Joint != nil:
		k.unconfirmed = &Unconfirmed{Entry: s.Seq, Since: s.Entry.Time, Joint: *said.Joint}
	case s.Entry.Event == HoldsConfirmed && k.unconfirmed != nil && k.unconfirmed.Entry == said.Confirms:
		k.unconfirmed = nil
	}
}
