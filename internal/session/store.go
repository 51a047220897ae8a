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
	// Version counts how often Sealed was written. Create writes 1, whatever
	// it is given.
	Version int64
}

// Spent is a sign-in that a session is made for: it may happen once.
type Spent struct {
	// ID names the sign-in.
	ID string
	// Until is when the sign-in can't come back any more and may be forgotten.
	Until time.Time
}

// Limit bounds how many sessions one person has.
type Limit struct {
	// Keep is how many may be left, the new one among them; 0 is no limit.
	Keep int
	// Idle is the time before which a session was last touched that has ended
	// by itself: such a one takes nobody's place.
	Idle time.Time
}

// IndexedLimit bounds how many records Indexed returns.
const IndexedLimit = 1000

// Store keeps records. What it has answered to Create, Touch, Rewrite and Delete
// without an error survives the end of the process, and on a shared store every
// node sees it. storetest holds every implementation to this contract. Errors
// other than ErrNone, ErrUsed, ErrLeased and ErrRewritten mean that the store
// can't be used; a context that ends is one of them.
type Store interface {
	// Create adds a record, spends its sign-in, deletes the records of
	// replaces, and then the person's oldest ones beyond the limit, all or
	// nothing. It returns the keys of the latter. A spent sign-in is ErrUsed: of
	// any number of concurrent calls for one sign-in exactly one succeeds. After
	// any number of concurrent calls for one person the limit holds.
	Create(ctx context.Context, rec Record, spent Spent, limit Limit, replaces ...Key) (ended []Key, err error)
	// Load returns a record, or ErrNone.
	Load(ctx context.Context, key Key) (Record, error)
	// Touch notes when a session was used. It never moves Touched back, and
	// returns ErrNone when the record is gone.
	Touch(ctx context.Context, key Key, at time.Time) error
	// Lease returns a record to one caller alone, if its Version is still this
	// one: nobody else gets its lease for so long, by the store's own clock,
	// unless Rewrite ends it earlier. Errors: ErrNone, ErrRewritten, ErrLeased.
	Lease(ctx context.Context, key Key, version int64, lasting time.Duration) (Record, error)
	// Rewrite replaces Sealed and SID, adds one to Version and ends the lease,
	// if the stored Version is that of rec. Errors: ErrNone, ErrRewritten.
	Rewrite(ctx context.Context, rec Record) error
	// Delete removes a record. That there is none is no error.
	Delete(ctx context.Context, key Key) error
	// DeleteVersion removes a record if its Version is still this one, and
	// reports whether it did.
	DeleteVersion(ctx context.Context, key Key, version int64) (bool, error)
	// DeleteIndexed removes all records whose Subject or SID is index, and
	// returns how many there were.
	DeleteIndexed(ctx context.Context, index string) (int, error)
	// Indexed returns the records whose Subject or SID is index, the newest
	// first, and at most IndexedLimit of them.
	Indexed(ctx context.Context, index string) ([]Record, error)
	// Each calls visit with every record, until it returns an error, which Each
	// returns then. visit doesn't call the store.
	Each(ctx context.Context, visit func(Record) error) error
	// Spend spends something without a record: once, as Create does.
	Spend(ctx context.Context, spent Spent) error
	// IsSpent reports whether something was spent that can still come back.
	IsSpent(ctx context.Context, id string) (bool, error)
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
