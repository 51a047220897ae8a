package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// Adopt takes the log in dir as it is, where its checkpoints are lost: it
// verifies the log, signs its head, and has the log say so in an entry of its own
// (Adopted). It refuses where there is any checkpoint: a log that is shorter than
// one would sign a second tree for the same size. The log must not be open.
func Adopt(ctx context.Context, dir string, ring *keys.Ring, opts Options, by string) (Checkpoint, error) {
	c, err := adopt(ctx, dir, ring, &opts)
	if err != nil {
		return c, fmt.Errorf("adopting the log in %s: %w", dir, err)
	}
	l, err := Open(ctx, dir, ring, opts)
	if err != nil {
		return c, err
	}
	_, err = l.Append(ctx, &Entry{
		Kind: Control, Event: Adopted,
		Detail: fmt.Sprintf("checkpoints were missing; taken as it was by %s: %d entries, root %s", by, c.Size, c.Root),
	})
	return c, errors.Join(err, l.Close())
}

func adopt(ctx context.Context, dir string, ring *keys.Ring, opts *Options) (c Checkpoint, err error) {
	if err := opts.fill(dir); err != nil {
		return c, err
	}
	lock, err := opts.files.lock("lock")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	kept := opts.shelf(dir, ring)
	all, err := kept.load()
	if err != nil {
		return c, err
	}
	if len(all) > 0 {
		return c, fmt.Errorf("there are checkpoints in %s: the log is adopted only where there is none", kept.where)
	}
	segments, err := listSegments(opts.files)
	if err != nil {
		return c, err
	}
	w := &walk{files: opts.files, segments: segments, key: newCommitKey(ring)}
	if w.marks, err = withHead(opts.files, nil); err != nil {
		return c, err
	}
	if err := w.whole(ctx); err != nil {
		return c, err
	}
	if len(w.marks) > 0 {
		return c, fmt.Errorf("%w: it has %d entries, and its database says that it had %d", ErrTampered, w.tree.size, w.marks[len(w.marks)-1].Size)
	}
	if w.tree.size == 0 {
		return c, errors.New("it has no entry")
	}
	key, err := newCheckpointKey(ring, w.origin())
	if err != nil {
		return c, err
	}
	if c, err = key.sign(w.origin(), head{size: w.tree.size, root: w.tree.root()}); err != nil {
		return c, err
	}
	if err := kept.make(); err != nil {
		return c, err
	}
	return c, kept.put(c, time.Now())
}
