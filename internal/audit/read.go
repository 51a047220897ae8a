package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// Stored is an entry as it stands in the log.
type Stored struct {
	Seq   uint64 `json:"seq"`
	Entry Entry  `json:"entry"`
	// LeafHash is the RFC 6962 hash of the envelope.
	LeafHash tlog.Hash `json:"leaf_hash"`
	// Node is the name that the log had when it was written.
	Node string `json:"-"`
}

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// Read returns the entries of the log in dir, in order, up to the last commit. A
// log may be read while it is written. The first error ends it; it is a *Damage
// where the log isn't what was written, and everything yielded before is good.
func Read(ctx context.Context, dir string, ring *keys.Ring) iter.Seq2[Stored, error] {
	return read(ctx, osFiles{dir}, ring)
}

// ReadRows does the same with a log in a database.
func ReadRows(ctx context.Context, rows Rows, ring *keys.Ring) iter.Seq2[Stored, error] {
	return read(ctx, newRowFiles(rows), ring)
}

// Read returns the log's own entries, like the function.
func (l *Log) Read(ctx context.Context) iter.Seq2[Stored, error] {
	return readWith(ctx, l.files, l.keys)
}

func read(ctx context.Context, fsys files, ring *keys.Ring) iter.Seq2[Stored, error] {
	return readWith(ctx, fsys, newDataKeys(fsys, ring))
}

func readWith(ctx context.Context, fsys files, keys *dataKeys) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		o := &opener{keys: keys, visit: func(s *Stored, _ uint32) error {
			if !yield(*s, nil) {
				return errEnough
			}
			return nil
		}}
		defer o.close()
		err := walkAll(ctx, fsys, o)
		if err != nil && !errors.Is(err, errEnough) {
			yield(Stored{}, fmt.Errorf("reading the log: %w", err))
		}
	}
}

func walkAll(ctx context.Context, fsys files, o *opener) error {
	segments, err := listSegments(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no log: %w", err)
	}
	if err != nil {
		return err
	}
	w := &walk{files: fsys, segments: segments, key: o.keys.commits}
	w.visit = func(segment uint32, g *group) error { return o.group(&w.position, segment, g) }
	w.probe = o.probe(&w.position)
	return w.whole(ctx)
}

// opener opens the entries of a walk.
type opener struct {
	keys  *dataKeys
	codec *codec
	visit func(s *Stored, segment uint32) error
	// last is the data key of the entry that is visited.
	last uint32
	// only, if set, is the class of the entries to open.
	only Class
	// destroyed, if set, is told of the entries whose key was destroyed. Without
	// it they are passed over: nothing of them is left to read.
	destroyed func(segment uint32, f entryFrame, d *Destroyed) error
}

func (o *opener) group(at *position, segment uint32, g *group) error {
	for _, f := range g.entries {
		if err := o.entry(at, segment, f); err != nil {
			return err
		}
	}
	return nil
}

// entry visits one entry, if it is of the class to open and there to be read.
func (o *opener) entry(at *position, segment uint32, f entryFrame) error {
	if o.only != "" {
		if other, err := o.other(f); err != nil || other {
			return err
		}
	}
	e, err := o.open(at, segment, f)
	if d, ok := errors.AsType[*Destroyed](err); ok {
		if o.destroyed == nil {
			return nil
		}
		return o.destroyed(segment, f, d)
	}
	if err != nil {
		return err
	}
	return o.visit(&Stored{Seq: f.seq, Entry: *e, LeafHash: tlog.RecordHash(f.envelope), Node: at.node}, segment)
}

// other reports whether an entry's key is of another class than the one to open.
func (o *opener) other(f entryFrame) (bool, error) {
	id, err := keyID(f.envelope)
	if err != nil {
		return false, err
	}
	key, err := o.keys.get(id)
	if errors.Is(err, ErrDestroyed) {
		return true, nil
	}
	return err == nil && key.class != o.only, err
}

func (o *opener) open(at *position, segment uint32, f entryFrame) (*Entry, error) {
	if o.codec != nil && o.codec.id != at.identity {
		o.close()
		o.codec = nil
	}
	if o.codec == nil {
		var err error
		if o.codec, err = newCodec(at.identity); err != nil {
			return nil, err
		}
	}
	o.last, _ = keyID(f.envelope)
	return openEntry(o.codec, o.keys, segment, f)
}

func (o *opener) probe(at *position) func(segment uint32, f entryFrame) error {
	return func(segment uint32, f entryFrame) error {
		_, err := o.open(at, segment, f)
		return err
	}
}

func (o *opener) close() {
	if o.codec != nil {
		o.codec.close()
	}
}
