package session

import (
	"context"
	"time"
)

// Kept is what was asked by the request whose answer gave a handle out.
type Kept struct {
	// ID is a keyed hash of the handle, and of whose it is.
	ID [32]byte
	// Owner is a keyed hash of whose it is.
	Owner [32]byte
	// Made is when the handle was given out, the last time.
	Made time.Time
	// Until is when it can't come back any more, in whole seconds.
	Until time.Time
	// Sealed is what was asked; no store can read it.
	Sealed []byte
}

// Keeper is what a Store implements that also keeps what requests with handles in
// their answers asked. What Keep has answered without an error survives the end of
// the process, and on a shared store every node sees it. storetest.RunKeeper holds
// every implementation to this contract.
type Keeper interface {
	// Keep keeps what was asked, in the place of what is kept for its ID. Of its owner
	// the most that were made last stay.
	Keep(ctx context.Context, k Kept, most int) error
	// LoadKept returns what is kept, or ErrNone. What can't come back any more may be
	// there still.
	LoadKept(ctx context.Context, id [32]byte) (Kept, error)
	// SweepKept forgets what can't come back any more, and returns how much that was.
	SweepKept(ctx context.Context, now time.Time) (int, error)
}
