package audit

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// defaultEvery is the least time between two checkpoints. The commit path
	// never waits for one.
	defaultEvery = time.Second
	// defaultPatience is how long entries may be durable without a checkpoint
	// over them, before new requests are refused.
	defaultPatience = time.Minute
)

// ErrUnsigned says that no checkpoint could be kept for too long.
var ErrUnsigned = errors.New("the log's checkpoints can't be written; look at their disk")

// notary signs the tree's head and keeps it on the shelf, in a goroutine of its
// own, at most once in every. It signs what is durable, and nothing else: one that
// signs two roots for one size has proven itself a liar.
type notary struct {
	shelf  shelf
	key    *checkpointKey
	origin string
	head   *atomic.Pointer[head]

	// mute says that nothing is to be signed: of a log whose adoption failed.
	mute bool

	every, patience time.Duration
	began           time.Time // what the times below are counted from

	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	// kept is the last one that is durable.
	kept atomic.Pointer[Checkpoint]
	// since is when the first commit was that no checkpoint covers, 0 for none.
	since atomic.Int64
	err   atomic.Pointer[error] // of the last try
}

func newNotary(s shelf, id identity, last Checkpoint, h *atomic.Pointer[head], opts *Options) (*notary, error) {
	k, err := newCheckpointKey(s.ring, id.origin())
	if err != nil {
		return nil, err
	}
	n := &notary{
		shelf: s, key: k, origin: id.origin(), head: h, every: opts.every, patience: opts.patience, began: time.Now(),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	n.kept.Store(&last)
	return n, nil
}

// grown tells the notary of a commit. It never blocks.
func (n *notary) grown() {
	if n.since.Load() == 0 {
		n.since.CompareAndSwap(0, int64(time.Since(n.began))+1)
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// overdue is the error that new requests are refused with when no checkpoint
// could be kept for too long.
func (n *notary) overdue() error {
	since := n.since.Load()
	if since == 0 || time.Since(n.began)-time.Duration(since) < n.patience {
		return nil
	}
	if err := n.err.Load(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, *err)
	}
	return ErrUnsigned
}

func (n *notary) run() {
	defer close(n.done)
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-n.wake:
		case <-n.quit:
			return
		}
		if err := n.keep(); err != nil {
			n.grown() // try again after the gap
		}
		gap.Reset(n.every)
		select {
		case <-gap.C:
		case <-n.quit:
			return
		}
	}
}

// keep signs and keeps the head as it is now.
func (n *notary) keep() error {
	if n.mute {
		return nil
	}
	// Before the look at the head: a commit in between is counted anew.
	since := n.since.Swap(0)
	h := *n.head.Load()
	if h.size == n.kept.Load().Size {
		return nil
	}
	c, err := n.key.sign(n.origin, h)
	if err == nil {
		err = n.shelf.put(c, time.Now())
	}
	if err != nil {
		n.since.Store(since)
		n.err.Store(&err)
		return err
	}
	n.kept.Store(&c)
	n.err.Store(nil)
	return nil
}

// stop ends the goroutine and keeps a last checkpoint.
func (n *notary) stop() error {
	close(n.quit)
	<-n.done
	return n.keep()
}
