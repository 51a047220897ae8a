package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// What has become of a pending append.
const (
	waiting int32 = iota
	taken
	abandoned
)

// pending is an entry on its way to the writer.
type pending struct {
	leaves []leaf
	bytes  int // of its frames
	// opens and closes follow the intents without disclosure.
	opens   bool
	request string
	closes  uint64
	// urgent entries may use the room that is kept for them when no spare
	// segment can be made: all but intents, which are what can still be refused.
	urgent bool

	state atomic.Int32
	done  chan result // buffered: the writer never waits for a caller
}

type leaf struct {
	envelope []byte
	hash     tlog.Hash
}

type result struct {
	seq uint64
	err error
}

// writer owns the end of the log. One goroutine uses it.
type writer struct {
	files files
	identity
	key        *commitKey
	head       *atomic.Pointer[head]
	open       *unfinished
	spares     *spares
	groupBytes int

	seg         file
	number      uint32
	size        int64 // of seg
	end         int64 // of what is durable in seg
	headed      bool  // seg's header is durable
	previousEnd int64
	tree        tree // of what is durable

	broken  error // the last write failed: seg is not to be touched again
	doubt   *doubt
	tried   time.Time
	remake  func(number uint32) error
	buf     []byte
	stopErr error
	// notary is told of each commit.
	notary *notary
	meter  *meter
}

func newWriter(l *Log, opts Options, found *recovered) (*writer, error) {
	w := &writer{
		files: opts.files, identity: found.identity, key: l.keys.commits, head: &l.head, open: newUnfinished(maxUnfinished),
		notary: l.notary, meter: l.meter,
		number: found.number, end: found.end, headed: found.headed, tree: found.tree,
		previousEnd: found.previousEnd,
		groupBytes:  int(min(1<<20, opts.SegmentSize/4)),
	}
	if err := w.use(); err != nil {
		return nil, err
	}
	w.spares = newSpares(opts.files, opts.SegmentSize)
	w.spares.ready = found.spare
	w.spares.there.Store(found.spare)
	w.spares.need(w.number + 1)
	w.remake = func(number uint32) error {
		return makeSegment(opts.files, number, opts.SegmentSize, &w.spares.stop)
	}
	w.publish()
	return w, nil
}

func (w *writer) publish() {
	w.head.Store(&head{size: w.tree.size, root: w.tree.root()})
	w.notary.grown()
}

// use opens the segment of the current number.
func (w *writer) use() error {
	f, err := w.files.open(segmentName(w.number), true)
	if err != nil {
		return err
	}
	size, err := f.size()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.seg, w.size = f, size
	return nil
}

// write makes a batch durable, in as many groups as it takes, and tells each
// waiter.
func (w *writer) write(batch []*pending) {
	w.spares.need(w.number + 1)
	if err := w.revive(); err != nil {
		fail(batch, err)
		return
	}
	batch = w.admit(batch)
	for len(batch) > 0 {
		n, bytes := 0, 0
		for n < len(batch) && (n == 0 || bytes+batch[n].bytes <= w.groupBytes) {
			bytes += batch[n].bytes
			n++
		}
		w.place(batch[:n], bytes)
		batch = batch[n:]
	}
}

// admit leaves out what was given up, and refuses intents where the next segment
// can't be made and half of this one is used: the rest is for the disclosures of
// what has been let through. It does so, too, where no checkpoint could be kept
// for too long.
func (w *writer) admit(batch []*pending) []*pending {
	scarce := false
	if w.end > w.size/2 {
		// It is nearly always there by now. If not, waiting for it is right: the
		// rest of this segment is promised to disclosures.
		w.spares.poll(slices.ContainsFunc(batch, func(p *pending) bool { return !p.urgent }))
		scarce = !w.spares.ready
	}
	overdue := w.notary.overdue()
	kept := batch[:0]
	for _, p := range batch {
		switch {
		case overdue != nil && !p.urgent:
			fail([]*pending{p}, overdue)
		case scarce && !p.urgent:
			fail([]*pending{p}, storageError(w.spares.err))
		case p.state.CompareAndSwap(waiting, taken):
			kept = append(kept, p)
		}
	}
	return kept
}

// place finds room for a group and commits it.
func (w *writer) place(batch []*pending, bytes int) {
	if w.broken != nil {
		fail(batch, w.broken)
		return
	}
	if bytes > w.room() {
		if err := w.rotate(); err != nil {
			batch = w.squeeze(batch, err)
		}
	}
	if len(batch) == 0 {
		return
	}
	if err := w.commit(batch); err != nil {
		w.broken, w.tried = storageError(err), time.Now()
		fail(batch, w.broken)
	}
}

func (w *writer) room() int {
	room := int(w.size-w.end) - commitFrame
	if !w.headed {
		room -= maxHeader
	}
	return room
}

// squeeze keeps what fits into the segment where there is no next one.
func (w *writer) squeeze(batch []*pending, err error) []*pending {
	room, kept := w.room(), batch[:0]
	for _, p := range batch {
		if p.bytes <= room {
			room -= p.bytes
			kept = append(kept, p)
		} else {
			fail([]*pending{p}, err)
		}
	}
	return kept
}

// rotate goes on in the next segment.
func (w *writer) rotate() error {
	if err := w.spares.take(w.number + 1); err != nil {
		return storageError(err)
	}
	old, number := w.seg, w.number
	w.number++
	if err := w.use(); err != nil {
		w.number, w.spares.ready = number, true
		w.spares.there.Store(true)
		return storageError(err)
	}
	w.previousEnd, w.end, w.headed = w.end, 0, false
	w.spares.need(w.number + 1)
	// All in it is durable: closing can't lose anything.
	_ = old.Close()
	return nil
}

// commit writes one group and makes it durable. Nothing of the writer's state
// changes before that.
func (w *writer) commit(batch []*pending) error {
	buf := w.buf[:0]
	if !w.headed {
		buf = appendHeader(buf, header{identity: w.identity, number: w.number, before: w.tree, previousEnd: w.previousEnd})
	}
	var hashes []tlog.Hash
	oldest := w.open.oldest(w.tree.size)
	size := w.tree.size
	for _, p := range batch {
		if p.opens {
			oldest = min(oldest, size)
		}
		for _, leaf := range p.leaves {
			var seq [8]byte
			binary.BigEndian.PutUint64(seq[:], size)
			buf = appendFrame(buf, frameEntry, seq[:], leaf.envelope)
			hashes = append(hashes, leaf.hash)
			size++
		}
	}
	if oldest == w.tree.size && !batch[0].opens {
		oldest = firstOpen(batch, w.tree.size, size)
	}
	grown := w.tree.grow(hashes...)
	c := commit{size: grown.size, root: grown.root(), open: oldest}
	c.mac = w.key.mac(w.identity, c)
	buf = appendCommit(buf, c)
	w.buf = buf
	w.doubt = &doubt{tree: grown, end: w.end + int64(len(buf)), batch: batch}
	if _, err := w.seg.WriteAt(buf, w.end); err != nil {
		return fmt.Errorf("writing segment %s: %w", segmentName(w.number), err)
	}
	if err := w.seg.datasync(); err != nil {
		return fmt.Errorf("syncing segment %s: %w", segmentName(w.number), err)
	}
	w.end, w.headed, w.doubt = w.end+int64(len(buf)), true, nil
	w.meter.groups.add(float64(len(hashes)))
	w.meter.written.Add(uint64(len(buf)))
	seq := w.tree.size
	w.tree = grown
	w.publish()
	w.release(batch, seq)
	return nil
}

// doubt is a group whose write failed.
type doubt struct {
	tree  tree
	end   int64
	batch []*pending
}

// firstOpen returns the seq of the first intent of a batch that begins at seq.
func firstOpen(batch []*pending, seq, none uint64) uint64 {
	for _, p := range batch {
		if p.opens {
			return seq
		}
		seq += uint64(len(p.leaves))
	}
	return none
}

// release tells the waiters of a durable group. An intent whose caller has given
// up was answered with 503 and is not waited for.
func (w *writer) release(batch []*pending, seq uint64) {
	for _, p := range batch {
		if p.opens && p.state.Load() == taken {
			w.open.add(seq, p.request)
		}
		if p.closes != 0 {
			w.open.remove(p.closes)
		}
		p.done <- result{seq: seq}
		seq += uint64(len(p.leaves))
	}
}

func fail(batch []*pending, err error) {
	for _, p := range batch {
		p.done <- result{err: err}
	}
}

// revive goes on after a failed write. The kernel may have dropped the pages of
// the failed group and call them clean, so a second fsync of that file proves
// nothing: what was durable before is read again, and the log continues in
// another file. Where nothing was durable in this one it is made anew.
func (w *writer) revive() error {
	if w.broken == nil {
		return nil
	}
	if time.Since(w.tried) < retryGap {
		return w.broken
	}
	w.tried = time.Now()
	if err := w.reopen(); err != nil {
		w.broken = err
		return err
	}
	w.broken = nil
	return nil
}

func (w *writer) reopen() error {
	if rows, ok := w.files.(*rowFiles); ok {
		return w.resume(rows)
	}
	if w.headed {
		if err := w.checkDurable(); err != nil {
			return err
		}
		return w.rotate()
	}
	if err := w.remake(w.number); err != nil {
		return storageError(err)
	}
	old := w.seg
	if err := w.use(); err != nil {
		return storageError(err)
	}
	_ = old.Close()
	return nil
}

// checkDurable reads the segment again up to what was acknowledged.
func (w *writer) checkDurable() error {
	f, err := w.files.open(segmentName(w.number), false)
	if err != nil {
		return storageError(err)
	}
	defer f.Close()
	r, err := newGroupReader(f)
	if err != nil {
		return storageError(err)
	}
	var last commit
	for r.off < w.end {
		g, err := r.next()
		if bad, ok := errors.AsType[*badFrame](err); ok {
			return &Damage{Seq: last.size, Last: last.size, Segment: w.number, Offset: bad.offset, What: bad.err.Error()}
		}
		if err != nil {
			return storageError(err)
		}
		last = g.commit
	}
	if r.off != w.end || last.size != w.tree.size || last.root != w.tree.root() {
		return &Damage{Seq: last.size, Last: last.size, Segment: w.number, Offset: r.off, What: "it isn't what was written"}
	}
	return nil
}

// stop writes the last entry of a run, which names what is unfinished.
func (w *writer) stop(l *Log) {
	e := &Entry{Kind: Control, Event: Stop}
	l.nameUnfinished(e, w.open.list())
	p, err := l.prepare(e)
	if err == nil {
		w.write([]*pending{p})
		err = (<-p.done).err
	}
	w.stopErr = err
}

func (w *writer) close() error {
	w.spares.close()
	return errors.Join(w.stopErr, w.seg.Close())
}
