package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// recovered is what a writer goes on from.
type recovered struct {
	position
	headed bool
	// clean says that the last entry is a stop, or that the log is new.
	clean      bool
	dropped    int64
	unfinished []Unfinished
	// newest is the time of the last entry, zero if it can't be told.
	newest time.Time
	// previousEnd is where the segment before this one ends, if it has no header yet.
	previousEnd int64
	// joint is what a restored log begins with.
	joint *Joint
	// spare says that the next segment is there already.
	spare bool
	// anchor is the last checkpoint.
	anchor Checkpoint
	// attested are the checkpoints that others have signed, too.
	attested []Checkpoint
}

// recoverLog brings the directory into a state to go on from. It reads only the
// last segment, and what it needs to name the intents without disclosure; Verify
// reads all. It changes nothing before it has found nothing tampered.
func recoverLog(ctx context.Context, opts Options, keys *dataKeys, kept shelf) (*recovered, error) {
	fsys := opts.files
	if f, err := fsys.open(restoringName, false); err == nil {
		return nil, errors.Join(errRestoring, f.Close())
	}
	checkpoints, err := kept.load()
	if err != nil {
		return nil, err
	}
	if opts.adopted != nil && len(checkpoints) == 0 {
		checkpoints = []Checkpoint{opts.adopted.from}
	}
	segments, err := listSegments(fsys)
	if err != nil {
		return nil, err
	}
	last, err := lastStarted(fsys, segments)
	if err != nil {
		return nil, err
	}
	if last < 0 {
		return newLog(opts, segments, kept, checkpoints)
	}
	if err := allThere(ctx, fsys, segments, keys); err != nil {
		return nil, err
	}
	r, err := readEnd(ctx, fsys, segments, last, keys, kept, checkpoints, opts.Elsewhere)
	if err != nil {
		return nil, err
	}
	if opts.Node != "" && opts.Node != r.node && opts.Node != baseNode(r.node) {
		return nil, fmt.Errorf("the log is that of node %q, not %q: give it that name, or another directory", r.node, opts.Node)
	}
	if !r.clean {
		if r.unfinished, err = readUnfinished(ctx, fsys, segments, keys, r); err != nil {
			return nil, err
		}
		if err := heal(fsys, r); err != nil {
			return nil, err
		}
	}
	if err := r.clear(opts, segments[last+1:]); err != nil {
		return nil, err
	}
	return r, nil
}

// allThere finds the first segment that is missing.
func allThere(ctx context.Context, fsys files, segments []uint32, keys *dataKeys) error {
	for i := range segments {
		if segments[i] == uint32(i+1) {
			continue
		}
		// Something is gone; the walk tells what.
		w := &walk{files: fsys, segments: segments, key: keys.commits}
		if err := w.whole(ctx); err != nil {
			return err
		}
		return w.damage(uint32(i+1), 0, 0, "the segment is missing")
	}
	return nil
}

// newLog begins a log where no group was ever committed.
func newLog(opts Options, segments []uint32, kept shelf, checkpoints []Checkpoint) (*recovered, error) {
	w := &walk{files: opts.files, segments: segments}
	checkpoints, err := withHead(opts.files, checkpoints)
	if err != nil {
		return nil, err
	}
	if n := len(checkpoints); n > 0 && checkpoints[n-1].Size > 0 {
		return nil, kept.gone(checkpoints[n-1], position{number: 1})
	}
	if len(segments) > 0 && segments[0] != 1 {
		return nil, w.damage(1, 0, 0, "the segment is missing")
	}
	if err := w.unused(segments); err != nil {
		return nil, err
	}
	r := &recovered{clean: true}
	r.number, r.node = 1, opts.Node
	if _, err := rand.Read(r.epoch[:]); err != nil {
		return nil, fmt.Errorf("drawing an epoch: %w", err)
	}
	if r.node == "" {
		r.node = randomNode(r.epoch[:5])
	}
	if err := r.clear(opts, segments); err != nil {
		return nil, err
	}
	// The log's own name, too, before anything is acknowledged in it.
	if err := syncParent(opts.files, "."); err != nil {
		return nil, storageError(err)
	}
	if r.anchor, err = kept.begin(r.identity, checkpoints); err != nil {
		return nil, storageError(err)
	}
	var never atomic.Bool
	if err := makeSegment(opts.files, 1, opts.SegmentSize, &never); err != nil {
		return nil, storageError(err)
	}
	return r, nil
}

// readEnd walks from the last checkpoint on, in the last segment as a rule, and
// opens the last entry. An entry that doesn't open with these keys means that the
// log couldn't be read later on either.
func readEnd(ctx context.Context, fsys files, segments []uint32, last int, keys *dataKeys, kept shelf, checkpoints []Checkpoint, ask asking) (*recovered, error) {
	h, err := readHeader(fsys, segments[last])
	if err != nil {
		return nil, err
	}
	if checkpoints, err = kept.of(h.identity, checkpoints); err != nil {
		return nil, err
	}
	anchor := checkpoints[len(checkpoints)-1]
	marks, err := kept.anchors(checkpoints)
	if err == nil {
		marks = append(kept.elsewhere(ctx, ask, anchor), marks...)
		slices.SortStableFunc(marks, bySize)
		marks, err = withHead(fsys, marks)
	}
	if err != nil {
		return nil, err
	}
	from, err := containing(fsys, segments, last, marks[0].Size)
	if err != nil {
		return nil, err
	}
	var entry entryFrame
	w := &walk{files: fsys, segments: segments[from:], key: keys.commits, marks: marks}
	w.visit = func(_ uint32, g *group) error {
		entry = g.entries[len(g.entries)-1]
		entry.envelope = slices.Clone(entry.envelope)
		return nil
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	if n := len(w.marks); n > 0 {
		return nil, kept.gone(w.marks[n-1], w.position)
	}
	c, err := newCodec(w.identity)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r := &recovered{position: w.position, headed: true, dropped: w.rest.end - w.end, anchor: anchor, attested: checkpoints}
	e, err := openEntry(c, keys, w.number, entry)
	if errors.Is(err, ErrDestroyed) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.newest = e.Time
	r.clean = e.Event == Stop && e.Piece == e.Pieces && r.dropped == 0
	return r, nil
}

// containing returns the index of the segment that entry seq stands in, or stood
// in if it is gone: the last one that begins before it, at or before last.
func containing(fsys files, segments []uint32, last int, seq uint64) (int, error) {
	for ; last > 0; last-- {
		h, err := readHeader(fsys, segments[last])
		if err != nil {
			return 0, err
		}
		if h == nil || h.before.size < seq {
			break
		}
	}
	return last, nil
}

// openEntry opens an envelope. One that doesn't open under its own key is damage.
func openEntry(c *codec, keys *dataKeys, segment uint32, f entryFrame) (*Entry, error) {
	e, err := c.open(f.envelope, keys)
	if errors.Is(err, ErrSealed) {
		return nil, &Damage{Seq: f.seq, Last: f.seq, Segment: segment, Offset: f.offset, What: err.Error()}
	}
	return e, err
}

// readUnfinished opens the entries from the oldest intent without disclosure on,
// as the last commit names it.
func readUnfinished(ctx context.Context, fsys files, segments []uint32, keys *dataKeys, r *recovered) ([]Unfinished, error) {
	from, err := containing(fsys, segments, slices.Index(segments, r.number), r.commit.open+1)
	if err != nil {
		return nil, err
	}
	o := &opener{keys: keys}
	defer o.close()
	open := newUnfinished(maxUnfinished)
	w := &walk{files: fsys, segments: segments[from:], key: keys.commits}
	w.visit = func(segment uint32, g *group) error {
		for _, f := range g.entries {
			if f.seq < r.commit.open {
				continue
			}
			e, err := o.open(&w.position, segment, f)
			if errors.Is(err, ErrDestroyed) {
				continue
			}
			if err != nil {
				return err
			}
			open.take(f.seq, e)
		}
		return nil
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	return open.list(), nil
}

// heal zeroes the torn tail, and writes the segment's good part again: what was
// read may be in the page cache alone, left by a process that died between write
// and sync or by a sync that failed. Only then is it what the log stands on.
func heal(fsys files, r *recovered) error {
	if _, ok := fsys.(*rowFiles); ok {
		return nil // what a database shows is durable
	}
	f, err := fsys.open(segmentName(r.number), true)
	if err != nil {
		return err
	}
	err = rewrite(f, r.end, r.end+r.dropped)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("recovering segment %s: %w", segmentName(r.number), storageError(err))
	}
	return nil
}

func rewrite(f file, good, end int64) error {
	buf := make([]byte, readWindow)
	for at := int64(0); at < end; at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), end-at)]
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		if at+int64(len(b)) > good {
			clear(b[max(0, good-at):])
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
	}
	return f.sync()
}

// clear removes leftovers: half-made files, and segments behind the end but for
// one that is fit to be the spare.
func (r *recovered) clear(opts Options, unused []uint32) error {
	fsys := opts.files
	var stale []string
	for _, number := range unused {
		if fit, err := isSpare(opts, number); err != nil {
			return err
		} else if fit && r.headed && number == r.number+1 {
			r.spare = true
			continue
		}
		stale = append(stale, segmentName(number))
	}
	names, err := fsys.list(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, segmentSuffix+tmpSuffix) {
			stale = append(stale, name)
		}
	}
	for _, name := range stale {
		if err := fsys.remove(name); err != nil {
			return fmt.Errorf("removing %s: %w", name, err)
		}
	}
	// A process that died may have left names that were never synced.
	return fsys.syncDir(".")
}

func isSpare(opts Options, number uint32) (bool, error) {
	f, err := opts.files.open(segmentName(number), false)
	if err != nil {
		return false, err
	}
	defer f.Close()
	r, err := newGroupReader(f)
	if err != nil {
		return false, err
	}
	t, err := r.tail()
	return r.size == opts.SegmentSize && t.end == 0, err
}
