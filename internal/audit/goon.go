package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/crmgate/crmgate/internal/keys"
)

// GoOn has a log in a database go on from what there is, under a name of its own, where
// the database was put back to an earlier state: the first entry names the log that was,
// how far it is there, and what is known to be lost by the checkpoints that this
// node has kept beside it. The old name is never signed for again. The log must not be
// open. A run that is cut off has to be repeated; no log is opened before.
func GoOn(ctx context.Context, ring *keys.Ring, opts Options, how Restoring) (Joint, error) {
	if opts.Rows == nil {
		return Joint{}, errors.New("going on with a log: it is in no database; restore its backup")
	}
	r := &restoration{ring: ring, how: how}
	if err := r.goOnInPlace(ctx, opts); err != nil {
		return r.joint, fmt.Errorf("going on with the log in %s: %w", opts.Rows, err)
	}
	return r.joint, nil
}

func (r *restoration) goOnInPlace(ctx context.Context, opts Options) (err error) {
	if err := opts.fill(""); err != nil {
		return err
	}
	r.opts, r.kept = opts, opts.shelf("", r.ring)
	lock, err := opts.files.lock("lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	names, err := opts.files.list(".")
	if err != nil {
		return err
	}
	begun := slices.Contains(names, restoringName)
	if err := r.judgeInPlace(ctx, begun); err != nil {
		return err
	}
	if !begun {
		if err := r.known(); err != nil {
			return err
		}
		if err := putFile(opts.files, ".", restoringName, []byte(r.joint.Origin+"\n")); err != nil {
			return err
		}
	}
	if err := r.shelve(); err != nil {
		return err
	}
	if err := r.goOn(ctx, ""); err != nil {
		return err
	}
	return opts.files.remove(restoringName)
}

// judgeInPlace verifies what is in the database, by what is there beside it.
func (r *restoration) judgeInPlace(ctx context.Context, begun bool) error {
	segments, err := listSegments(r.opts.files)
	if err != nil {
		return err
	}
	if r.links, err = chainOf(r.opts.files, segments); err != nil {
		return err
	}
	if len(r.links) == 0 {
		return errors.New("there is no entry to go on from: move the checkpoints to where evidence is kept, and start; a log of its own begins")
	}
	in, err := r.beside(r.links[len(r.links)-1].identity, begun)
	if err != nil {
		return err
	}
	v := &verifier{progress: r.how.Progress, open: newUnfinished(maxUnfinished)}
	if err := v.run(ctx, r.opts.files, r.ring, in, Check{}); err != nil {
		return err
	}
	w := v.walk
	r.found = recovered{position: w.position, clean: true, previousEnd: w.end, unfinished: v.open.list()}
	r.joint = Joint{Origin: w.origin(), Size: w.tree.size, Root: w.tree.root(), Known: w.tree.size}
	return nil
}

// beside is where the checkpoints are that came with the log. A run that was cut off may
// have shelved them with those that say what is lost, and have signed one under a name
// that no entry has.
func (r *restoration) beside(id identity, begun bool) (shelf, error) {
	in := r.kept
	in.second, in.only = nil, id.origin()
	if !begun {
		return in, nil
	}
	ctx, cancel := rowsContext()
	defer cancel()
	mark, err := r.opts.Rows.Mark(ctx)
	if err != nil {
		return in, rowsError(err)
	}
	shelved := in.earlier(id)
	shelved.upto = mark.Size
	if all, err := shelved.load(); err != nil || len(all) > 0 {
		return shelved, err
	}
	return in, nil
}

// shelve puts the checkpoints of all the log's names below earlier/, those that this
// node has kept among them: they say what is lost.
func (r *restoration) shelve() error {
	there, err := r.kept.load()
	if err != nil {
		return err
	}
	for _, l := range r.links {
		var own []Checkpoint
		for _, c := range there { // the smallest first: of one day, the last one stays
			if c.Origin == l.origin() {
				own = append(own, c)
			}
		}
		if err := r.keepOf(l.identity, own); err != nil {
			return err
		}
	}
	known, err := r.kept.earlier(r.links[len(r.links)-1].identity).load()
	for _, c := range known {
		r.joint.Known = max(r.joint.Known, c.Size)
	}
	return err
}
