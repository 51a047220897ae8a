package session

import (
	"context"
	"time"
)

// Bound says whose a session of the CRM is.
type Bound struct {
	// ID is a keyed hash of the CRM session's id.
	ID [32]byte
	// Session is the gateway session that got it.
	Session Key
	// Owner is the pseudonym of the employee that session belongs to.
	Owner string
	// Until is when it may be forgotten, in whole seconds.
	Until time.Time
}

// Binder is what a Store implements that also remembers whose the CRM's own
// sessions are. What Bind has answered without an error survives the end of the
// process, and on a shared store every node sees it. storetest.RunBinder holds
// every implementation to this contract.
type Binder interface {
	// Bind remembers whose a CRM session is. One that was somebody else's is
	// theirs no more.
	Bind(ctx context.Context, b Bound) error
	// LoadBound returns whose a CRM session is, or ErrNone.
	LoadBound(ctx context.Context, id [32]byte) (Bound, error)
	// SweepBound forgets what may be forgotten, and returns how many that were.
	SweepBound(ctx context.Context, now time.Time) (int, error)
}
