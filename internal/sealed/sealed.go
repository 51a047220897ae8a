// Package sealed keeps documents in the gateway's store that nobody can read there:
// each has a kind, lies under a keyed hash, is encrypted, counts its versions and may
// have an end. It is for what parts of the gateway remember of people and records
// (a consent, a wish, an acknowledgement) without tables of their own.
package sealed

import (
	"context"
	"errors"
	"time"
)

// Key is a keyed hash: what a store knows of what a document is about.
type Key [32]byte

// Doc is a document as a store keeps it.
type Doc struct {
	// Kind is a word of the part that it belongs to. Keys of two kinds have nothing
	// to do with each other.
	Kind string
	Key  Key
	// Group is what List finds documents by. The zero value is found by nothing.
	Group Key
	// Until is its end in whole seconds, from which on Sweep takes it away; it may be
	// there still for a while. The zero time: it stays.
	Until time.Time
	// Version counts how often it was saved. 0 is one that isn't there yet.
	Version int64
	// Sealed is what it says. In Save, nil takes the document away.
	Sealed []byte
}

// ErrChanged means that a document isn't any more what was read, or isn't new: read it
// again.
var ErrChanged = errors.New("a document was changed by somebody else meanwhile")

// ListLimit bounds how many documents one List returns.
const ListLimit = 1000

// Store keeps documents. What SaveDocs has answered without an error survives the end
// of the process, and on a shared store every node sees it. storetest.Run holds every
// implementation to this contract. Errors other than ErrChanged mean that the store
// can't be used.
type Store interface {
	// LoadDocs returns those of the documents that are there, in any order.
	LoadDocs(ctx context.Context, kind string, keys []Key) ([]Doc, error)
	// ListDocs returns the documents of a group whose keys are greater than after, in
	// the order of their keys, at most so many.
	ListDocs(ctx context.Context, kind string, group, after Key, most int) ([]Doc, error)
	// SaveDocs saves all of the documents, each with a version of its own more than
	// given, or none: if the version of any isn't that of the store, it returns
	// ErrChanged. Of concurrent calls on one version exactly one succeeds. A document that
	// was taken away and made again has version 1 again.
	SaveDocs(ctx context.Context, docs []Doc) error
	// SweepDocs takes the documents away whose end is not after now, and returns how
	// many there were.
	SweepDocs(ctx context.Context, now time.Time) (int, error)
}
