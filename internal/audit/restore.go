package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// Restoring says how a log is restored.
type Restoring struct {
	// Keys is the directory of the data keys that belongs to the backup.
	Keys string
	// By is written down as whoever restored it.
	By string
	// Progress is told how many bytes are done; it may be nil.
	Progress func(done, total int64)

	out, keys files // other file layers, in tests
}

// Restore puts a backup into dir, where no log may be, and has it go on there under
// a name of its own: the first entry behind the backup names the log that was, how
// far it was restored, and what is known to be lost. The old name is never signed
// for again. Checkpoints that are still there, of the log that was lost, say what is
// missing, and stay. A restoration that is cut off has to be run again; no log is
// opened before.
func Restore(ctx context.Context, backup, dir string, ring *keys.Ring, opts Options, how Restoring) (Joint, error) {
	if how.out == nil {
		how.out, how.keys = osFiles{backup}, osFiles{how.Keys}
	}
	r := &restoration{from: backupFiles{how.out, how.keys}, ring: ring, how: how}
	if err := r.run(ctx, dir, opts); err != nil {
		return r.joint, fmt.Errorf("restoring the log to %s: %w", dir, err)
	}
	return r.joint, nil
}

type restoration struct {
	from  backupFiles
	ring  *keys.Ring
	how   Restoring
	opts  Options
	kept  shelf
	found recovered
	joint Joint
	links chain
	// late are keys that were destroyed after the backup was made.
	late []*Destroyed
}

func (r *restoration) run(ctx context.Context, dir string, opts Options) (err error) {
	if err := opts.fill(dir); err != nil {
		return err
	}
	r.opts, r.kept = opts, opts.shelf(dir, r.ring)
	if err := r.judge(ctx); err != nil {
		return err
	}
	if err := opts.files.mkdir("."); err != nil {
		return err
	}
	lock, err := opts.files.lock("lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := r.clear(); err != nil {
		return err
	}
	if err := r.copyAll(ctx); err != nil {
		return err
	}
	if err := r.goOn(ctx, dir); err != nil {
		return err
	}
	if err := opts.files.remove(restoringName); err != nil {
		return err
	}
	return opts.files.syncDir(".")
}

// judge verifies the backup, and finds out what it lacks.
func (r *restoration) judge(ctx context.Context) error {
	had, err := readBacked(r.how.out)
	if err != nil {
		return fmt.Errorf("%w: it isn't whole: %w", ErrBackup, err)
	}
	in := shelf{files: r.how.out, dir: checkpointDir, where: checkpointDir, ring: r.ring}
	v := &verifier{progress: r.how.Progress, open: newUnfinished(maxUnfinished), older: true}
	if err := v.run(ctx, r.from, r.ring, in, Check{}); err != nil {
		return err
	}
	w := v.walk
	if w.tree.size < had.Size || w.origin() != had.Origin {
		return fmt.Errorf("%w: it has %d entries of %s, and says %d of %s", ErrBackup, w.tree.size, w.origin(), had.Size, had.Origin)
	}
	r.found = recovered{position: w.position, clean: true, previousEnd: w.end, unfinished: v.open.list()}
	r.joint = Joint{Origin: w.origin(), Size: w.tree.size, Root: w.tree.root(), Known: w.tree.size, From: had.Time.Format(time.RFC3339)}
	segments, err := listSegments(r.from)
	if err != nil {
		return err
	}
	if r.links, err = chainOf(r.from, segments); err != nil {
		return err
	}
	gone, err := newDataKeys(r.from, r.ring).tombstones()
	for _, d := range gone {
		if d.Entry >= w.tree.size {
			r.late = append(r.late, d)
		}
	}
	return err
}

// known refuses a backup that knows nothing of the log whose checkpoints are there: one
// that went on after an earlier restoration, or another. They are the only evidence of
// what would be lost, and its name would be given twice.
func (r *restoration) known() error {
	there, err := r.kept.load()
	if err != nil {
		return err
	}
	for _, c := range there {
		if !slices.ContainsFunc(r.links, func(l link) bool { return l.origin() == c.Origin }) {
			return fmt.Errorf("%w: %s is of %s, of which this backup knows nothing: restore a younger one, or move the checkpoints to where evidence is kept", ErrBackup, c.Name, c.Origin)
		}
	}
	return nil
}

// clear makes place: for a directory that is empty, or holds what a restoration
// that was cut off has left.
func (r *restoration) clear() error {
	fsys := r.opts.files
	names, err := fsys.list(".")
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "lock" || n == keyDir || n == checkpointDir })
	begun := slices.Contains(names, restoringName)
	if begun { // copyCursors replaces them
		names = slices.DeleteFunc(names, func(n string) bool { return n == cursorDir })
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, restoringName) })
	if len(names) > 0 && !begun {
		return fmt.Errorf("there is a log already (it has %s): move log and checkpoints away together, and keep both", names[0])
	}
	if !begun {
		if err := r.known(); err != nil {
			return err
		}
		if err := putFile(fsys, ".", restoringName, []byte(r.joint.Origin+"\n")); err != nil {
			return err
		}
	}
	inKeys, err := fsys.list(keyDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, n := range inKeys {
		names = append(names, path.Join(keyDir, n))
	}
	for _, n := range names {
		if err := fsys.remove(n); err != nil {
			return fmt.Errorf("removing %s: %w", n, err)
		}
	}
	return nil
}

// copyAll copies segments and keys, and keeps the checkpoints that are known.
func (r *restoration) copyAll(ctx context.Context) error {
	if err := r.opts.files.mkdir(keyDir); err != nil {
		return err
	}
	for _, dir := range []string{".", keyDir} {
		names, err := r.from.list(dir)
		if err != nil {
			return err
		}
		for _, n := range names {
			if dir == "." && !strings.HasSuffix(n, segmentSuffix) {
				continue
			}
			if err := r.copy(ctx, dir, path.Join(dir, n)); err != nil {
				return err
			}
		}
	}
	if err := copyCursors(r.how.out, r.opts.files); err != nil {
		return err
	}
	return r.keep()
}

func (r *restoration) copy(ctx context.Context, dir, name string) error {
	from, err := r.from.open(name, false)
	if errors.Is(err, fs.ErrNotExist) && dir == keyDir {
		return nil // of the backup alone, and younger than its keys
	}
	if err != nil {
		return err
	}
	defer from.Close()
	size, err := from.size()
	if err != nil {
		return err
	}
	return place(r.opts.files, dir, name, func(to file) error {
		buf := make([]byte, copyChunk)
		for at := int64(0); at < size; at += int64(len(buf)) {
			buf = buf[:min(int64(len(buf)), size-at)]
			if _, err := from.ReadAt(buf, at); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if _, err := to.WriteAt(buf, at); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// keep puts the checkpoints of the log's names so far below earlier/: those of the
// backup, and those that are still there. What is there says what is lost.
func (r *restoration) keep() error {
	there, err := r.kept.load()
	if err != nil {
		return err
	}
	in := shelf{files: r.how.out, dir: checkpointDir, where: checkpointDir, ring: r.ring}
	for i, l := range r.links {
		from := in
		if i < len(r.links)-1 {
			from = in.earlier(l.identity)
		}
		backed, err := from.load()
		if err != nil {
			return err
		}
		// What is there last: of one day, it is the younger one.
		for _, c := range there {
			if c.Origin == l.origin() {
				backed = append(backed, c)
			}
		}
		if err := r.keepOf(l.identity, backed); err != nil {
			return err
		}
	}
	// A restoration that was cut off may have moved some.
	known, err := r.kept.earlier(r.links[len(r.links)-1].identity).load()
	for _, c := range known {
		r.joint.Known = max(r.joint.Known, c.Size)
	}
	return err
}

// keepOf puts checkpoints of one name below earlier/.
func (r *restoration) keepOf(id identity, all []Checkpoint) error {
	if len(all) == 0 {
		return nil
	}
	if err := errors.Join(r.kept.make(), r.kept.files.mkdir(r.kept.name(earlierDir)), r.kept.files.syncDir(r.kept.dir)); err != nil {
		return err
	}
	if second := r.kept.second; second != nil {
		if err := errors.Join(second.make(), second.files.mkdir(second.name(earlierDir)), second.files.syncDir(second.dir)); err != nil {
			return err
		}
	}
	return r.kept.earlier(id).copy(all)
}

// goOn begins the log's new name.
func (r *restoration) goOn(ctx context.Context, dir string) error {
	node, err := nextNode(r.found.node)
	if err != nil {
		return err
	}
	if r.opts.Node != "" && r.opts.Node != baseNode(node) {
		return fmt.Errorf("the log is that of node %q, not %q", baseNode(node), r.opts.Node)
	}
	r.found.node = node
	if _, err := rand.Read(r.found.epoch[:]); err != nil {
		return fmt.Errorf("drawing an epoch: %w", err)
	}
	old, err := r.kept.load()
	if err != nil {
		return err
	}
	r.found.number++
	r.found.end, r.found.headed, r.found.joint = 0, false, &r.joint
	if r.found.anchor, err = r.anchor(); err != nil {
		return err
	}
	today := time.Now().UTC().Format(time.DateOnly) + checkpointSuffix
	for _, c := range old {
		if c.Name == today {
			continue // the new one stands in its place
		}
		if err := r.kept.drop(c.Name); err != nil {
			return fmt.Errorf("removing a checkpoint: %w", err)
		}
	}
	if err := r.kept.files.syncDir(r.kept.dir); err != nil {
		return err
	}
	var never atomic.Bool
	if err := makeSegment(r.opts.files, r.found.number, r.opts.SegmentSize, &never); err != nil {
		return storageError(err)
	}
	r.opts.restored = &r.found
	l, err := open(ctx, dir, r.ring, r.opts)
	if err != nil {
		return err
	}
	return errors.Join(r.destroyed(ctx, l), l.Close())
}

// anchor signs what was restored, under the new name.
func (r *restoration) anchor() (Checkpoint, error) {
	if err := r.kept.make(); err != nil {
		return Checkpoint{}, err
	}
	key, err := newCheckpointKey(r.ring, r.found.origin())
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := key.sign(r.found.origin(), head{size: r.joint.Size, root: r.joint.Root})
	if err != nil {
		return c, err
	}
	return c, r.kept.put(c, time.Now())
}

// destroyed names the keys that were destroyed after the backup was made: the
// entries that did are lost.
func (r *restoration) destroyed(ctx context.Context, l *Log) error {
	if len(r.late) == 0 {
		return nil
	}
	key, err := newCheckpointKey(r.ring, l.id.origin())
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(r.late, runKeys) {
		var k Keeping
		var said []string
		for _, d := range batch {
			k.Keys = append(k.Keys, MonthKey{Key: d.Key, Month: d.Month, Class: d.Class})
			said = append(said, d.Error())
		}
		rec, err := l.Append(ctx, &Entry{
			Kind: Control, Event: RetentionRun, Keeping: &k,
			Detail: fmt.Sprintf("by %s: destroyed before the log was restored: %s", r.how.By, strings.Join(said, "; ")),
		})
		if err != nil {
			return err
		}
		for _, d := range batch {
			d.Entry, d.Origin = rec.Seq, l.id.origin()
			if err := d.sign(key); err != nil {
				return err
			}
			if err := putFile(r.opts.files, keyDir, goneName(d.Key), d.note); err != nil {
				return err
			}
		}
	}
	return nil
}
