package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Source is where the master keys are kept. Its errors hold no secret, and name what
// to do.
type Source interface {
	// Load reads the keys; where there are none yet it is fs.ErrNotExist.
	Load(ctx context.Context) (*Ring, error)
	// Make makes the first key, or says how. It is no error that another process
	// has made it meanwhile.
	Make(ctx context.Context) error
	// Rotate adds a key that seals from then on and returns its id, or says how.
	Rotate(ctx context.Context, from time.Time) (id byte, err error)
	// String names the place for people.
	fmt.Stringer
}

// Taker is a source that can be given keys that were made elsewhere.
type Taker interface {
	Source
	// Take keeps the text, durably, where there are no keys; else it is fs.ErrExist.
	Take(ctx context.Context, text []byte) error
}

// OpenSource loads the keys, and has them made where there are none.
func OpenSource(ctx context.Context, src Source) (*Ring, error) {
	ring, err := src.Load(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := src.Make(ctx); err != nil {
		return nil, err
	}
	return src.Load(ctx)
}
