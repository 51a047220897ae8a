package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/crmgate/crmgate/internal/keys"
)

// Adopt takes the log in dir as it is, where its checkpoints are lost: it
// verifies the log, has it say so in an entry of its own (Adopted), and only then
// signs its head: where it is cut off, the log has no checkpoint still, and is adopted
// again. It refuses where there is any checkpoint: a log that is shorter than one
// would sign a second tree for the same size. The log must not be open.
func Adopt(ctx context.Context, dir string, ring *keys.Ring, opts Options, by string) (Checkpoint, error) {
	c, err := adopt(ctx, dir, ring, &opts, by)
	if err != nil {
		return c, fmt.Errorf("adopting the log in %s: %w", dir, err)
	}
	return c, nil
}

// adoption is a log that is taken as it is.
type adoption struct {
	// from stands for what there is. It isn't kept.
	from Checkpoint
	by   string
}

func (a *adoption) entry() *Entry {
	return &Entry{
		Kind: Control, Event: Adopted,
		Detail: fmt.Sprintf("checkpoints were missing; taken as it was by %s: %d entries, root %s", a.by, a.from.Size, a.from.Root),
	}
}

func adopt(ctx context.Context, dir string, ring *keys.Ring, opts *Options, by string) (c Checkpoint, err error) {
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
	if c, err = headToAdopt(ctx, opts.files, ring); err != nil {
		return c, err
	}
	if err := kept.make(); err != nil {
		return c, err
	}
	opts.adopted = &adoption{from: c, by: by}
	l, err := open(ctx, dir, ring, *opts)
	if err != nil {
		return c, err
	}
	return c, l.Close()
}

// headToAdopt reads the whole log and returns what stands for it.
func headToAdopt(ctx context.Context, fsys files, ring *keys.Ring) (c Checkpoint, err error) {
	segments, err := listSegments(fsys)
	if err != nil {
		return c, err
	}
	w := &walk{files: fsys, segments: segments, key: newCommitKey(ring)}
	if w.marks, err = withHead(fsys, nil); err != nil {
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
	return Checkpoint{Origin: w.origin(), Size: w.tree.size, Root: w.tree.root()}, nil
}
