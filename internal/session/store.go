package session

import (
	"context"
	"io"
	"time"
)

// Key is the SHA-256 of a session id: what a store knows of it.
type Key [32]byte

// Record is a session as a store keeps it. Times have whole seconds.
type Record struct {
	Key     Key
	Created time.Time
	// Touched is when the session was last used, as far as was written.
	Touched time.Time
	// Expires is the end of its greatest age.
	Expires time.Time
	// Subject and SID find the sessions of a person and of a session at the
	// provider. "" is found by nothing.
	Subject, SID string
	// Sealed is what the session says; no store can read it.
	Sealed []byte
}

// Spent is a sign-in that a session is made for: it may happen once.
type Spent struct {
	// ID names the sign-in.
	ID string
	// Until is when the sign-in can't come back any more and may be forgotten.
	Until time.Time
}

// Store keeps records. What it has answered to Create, Touch and Delete without
// an error survives the end of the process, and on a shared store every node
// sees it. storetest holds every implementation to this contract. Errors other
// than ErrNone and ErrUsed mean that the store can't be used; a context that
// ends is one of them.
type Store interface {
	// Create adds a record, spends its sign-in, and deletes the records of
	// replaces, all or nothing. A spent sign-in is ErrUsed: of any number of
	// concurrent calls for one sign-in exactly one succeeds.
	Create(ctx context.Context, rec Record, spent Spent, replaces ...Key) error
	// Load returns a record, or ErrNone.
	Load(ctx context.Context, key Key) (Record, error)
	// Touch notes when a session was used. It never moves Touched back, and
	// returns ErrNone when the record is gone.
	Touch(ctx context.Context, key Key, at time.Time) error
	// Delete removes a record. That there is none is no error.
	Delete(ctx context.Context, key Key) error
	// DeleteIndexed removes all records whose Subject or SID is index, and
	// returns how many there were.
	DeleteIndexed(ctx context.Context, index string) (int, error)
	// Indexed returns all records whose Subject or SID is index.
	Indexed(ctx context.Context, index string) ([]Record, error)
	// Spend spends something without a record: once, as Create does.
	Spend(ctx context.Context, spent Spent) error
	// Sweep removes records that expired before now or were last touched before
	// idle, and sign-ins that can't come back; it returns how many records went.
	Sweep(ctx context.Context, now, idle time.Time) (int, error)
}

// Opener is what the app asks of a store module (crmgate.stores.*). dir is the
// product's data directory, for what has no place of its own configured. The
// caller closes the Closer once nothing uses the Store any more.
type Opener interface {
	OpenStore(ctx context.Context, dir string) (Store, io.Closer, error)
}
