package factor

import (
	"context"
	"time"
)

// Record is an enrolment, or an invitation to one, as a store keeps it.
type Record struct {
	// Index is a hash of whose it is.
	Index string
	// Person says that it is an enrolment.
	Person bool
	// Expires is when it may be forgotten; zero is never. Whole seconds.
	Expires time.Time
	// Sealed is what it says; no store can read it.
	Sealed []byte
	// Version counts how often it was written; 0 is not yet.
	Version int64
}

// Store keeps records. What it has answered without an error survives the end of
// the process, and on a shared store every node sees it. storetest holds every
// implementation to this contract. Errors other than ErrNone and ErrRewritten
// mean that the store can't be used; a context that ends is one of them.
type Store interface {
	// LoadFactor returns a record, or ErrNone.
	LoadFactor(ctx context.Context, index string) (Record, error)
	// WriteFactor replaces the record of that Index if the stored Version is that
	// of rec, and stores one more; with Version 0 it adds the record if there is
	// none. Otherwise it is ErrRewritten: of any number of concurrent calls for
	// one version exactly one succeeds.
	WriteFactor(ctx context.Context, rec Record) error
	// DeleteFactor removes a record if its Version is still this one, and reports
	// whether it did. Version 0 is any.
	DeleteFactor(ctx context.Context, index string, version int64) (bool, error)
	// Factors returns the enrolments whose Index is greater than after, sorted by
	// it, and at most FactorsLimit of them.
	Factors(ctx context.Context, after string) ([]Record, error)
	// SweepFactors removes records that expired before now.
	SweepFactors(ctx context.Context, now time.Time) error
}

// FactorsLimit bounds how many records Factors returns.
const FactorsLimit = 500
