package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// Errors that a caller tells apart. After any error of Append the answer is 503:
// nothing may be forwarded or released on it.
var (
	// ErrLocked says that another process, or another Log of this one, writes to
	// the directory.
	ErrLocked = errors.New("the log is in use by another process; stop it first, or give this one a directory (in a database: a node name) of its own")
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("the log is closed")
	// ErrBusy says that too many entries wait, or one has waited for too long:
	// the disk is slow or hangs.
	ErrBusy = errors.New("the log does not keep up; look at the disk")
	// ErrFull says that the next segment can't be made: the disk is full.
	ErrFull = errors.New("the log has no room; free space on its disk")
	// ErrUnavailable says that writing failed. The log tries again by itself.
	ErrUnavailable = errors.New("the log can't be written; look at the disk")
)

// Log is an open log. Its methods are safe for concurrent use.
type Log struct {
	dir     string
	files   files
	lock    io.Closer
	codec   *codec
	keys    *dataKeys
	names   names
	id      identity
	limit   int // of an entry's JSON
	room    int // of an entry's frames
	timeout time.Duration

	mu     sync.RWMutex // guards closed against the closing of queue
	closed bool
	queue  chan *pending
	done   chan struct{} // closed when the writer has ended
	writer *writer
	notary *notary
	prover prover
	// witnessed and stamped are what others said last.
	witnessed, stamped attested
	attesting          sync.Mutex // one writer of what others said
	clock              *clock
	keeper             *keeper
	meter              *meter
	head               atomic.Pointer[head]
}

type head struct {
	size uint64
	root tlog.Hash
}

// Receipt says where an entry stands. Its string is the Audit-Id header.
type Receipt struct {
	Node string
	Seq  uint64
}

func (r Receipt) String() string { return r.Node + "/" + strconv.FormatUint(r.Seq, 10) }

// Open opens the log in dir for writing, or makes it. It recovers what a crash
// has left and refuses with ErrTampered what a crash can't have left; then it
// writes a start, or an unclean_start that names the intents without disclosure.
// The context bounds the opening only. Close ends what Open began.
func Open(ctx context.Context, dir string, ring *keys.Ring, opts Options) (*Log, error) {
	if err := opts.fill(dir); err != nil {
		return nil, err
	}
	if err := opts.files.mkdir("."); err != nil {
		return nil, fmt.Errorf("opening the log in %s: %w", dir, err)
	}
	lock, err := opts.files.lock("lock")
	if err != nil {
		return nil, fmt.Errorf("opening the log in %s: %w", dir, err)
	}
	l, err := open(ctx, dir, ring, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the log in %s: %w", dir, err), lock.Close())
	}
	l.dir, l.lock = dir, lock
	return l, nil
}

func open(ctx context.Context, dir string, ring *keys.Ring, opts Options) (*Log, error) {
	l := &Log{
		files: opts.files, keys: newDataKeys(opts.files, ring), names: newNames(ring), timeout: opts.Timeout,
		clock: newClock(opts.now),
		limit: int(min(maxJSON, opts.SegmentSize/4)),
		room:  int(opts.SegmentSize) - maxHeader - commitFrame,
		queue: make(chan *pending, queueLength), done: make(chan struct{}),
		meter: newMeter(),
	}
	if err := l.keys.loadAll(); err != nil {
		return nil, err
	}
	kept := opts.shelf(dir, ring)
	found := opts.restored
	if found == nil {
		var err error
		if found, err = recoverLog(ctx, opts, l.keys, kept); err != nil {
			return nil, err
		}
	}
	if kept.second != nil { // the node may have a new disk beside its database
		if err := kept.second.make(); err != nil {
			return nil, storageError(err)
		}
	}
	l.id = found.identity
	l.keeper = newKeeper(found.newest, l.clock, newFellows(&opts))
	var err error
	if l.notary, err = newNotary(kept, l.id, found.anchor, &l.head, &opts); err != nil {
		return nil, err
	}
	l.remember(found.attested)
	if l.codec, err = newCodec(l.id); err != nil {
		return nil, err
	}
	if l.writer, err = newWriter(l, opts, found); err != nil {
		return nil, err
	}
	go l.run()
	err = l.begin(ctx, found, opts.adopted)
	// Not before: what is signed of an adopted log says that it was.
	l.notary.mute = err != nil && opts.adopted != nil
	go l.notary.run()
	if err != nil {
		return nil, errors.Join(err, l.shut())
	}
	return l, nil
}

// Node is the name in this log's receipts.
func (l *Log) Node() string { return l.id.node }

// Head returns the number of durable entries and the tree's root over them.
func (l *Log) Head() (size uint64, root tlog.Hash) {
	h := l.head.Load()
	return h.size, h.root
}

// Checkpoint returns the last checkpoint that is durable. It is younger than
// Head by a second where much is written.
func (l *Log) Checkpoint() Checkpoint { return *l.notary.kept.Load() }

// Append writes an entry and returns when it is durable, with the place of its
// first piece. The entry isn't changed. The context's end doesn't cancel it: a
// client that hangs up must not be able to keep its own entry out of the log; the
// log's own timeout bounds the wait. After an error the entry may or may not be
// in the log, and what it was to precede must not happen.
func (l *Log) Append(ctx context.Context, entry *Entry) (Receipt, error) {
	if step := l.clock.stepped(); step != nil {
		if _, err := l.append(ctx, step); err != nil {
			return Receipt{}, err
		}
	}
	return l.append(ctx, entry)
}

func (l *Log) append(ctx context.Context, entry *Entry) (rec Receipt, err error) {
	began := time.Now()
	defer func() { l.meter.appended(began, err) }()
	p, err := l.prepare(entry)
	if err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	if err := l.enqueue(p); err != nil {
		return Receipt{}, err
	}
	select {
	case r := <-p.done:
		if r.err != nil {
			return Receipt{}, fmt.Errorf("appending to the log: %w", r.err)
		}
		return Receipt{Node: l.id.node, Seq: r.seq}, nil
	case <-ctx.Done():
		p.state.Store(abandoned)
		return Receipt{}, fmt.Errorf("appending to the log: %w", ErrBusy)
	}
}

// prepare does all that needs no order, outside the writer: encoding,
// compression, encryption, hashing.
func (l *Log) prepare(entry *Entry) (*pending, error) {
	if err := entry.validate(); err != nil {
		return nil, err
	}
	e := *entry
	if e.Time.IsZero() {
		e.Time, _ = l.clock.now()
	}
	e.Time = e.Time.UTC().Round(0)
	e.Keyed = l.names.withIdentifying(e.Keyed, e.Disclosure)
	key, err := l.keys.forMonth(e.Time, e.class())
	if err != nil {
		return nil, err
	}
	e.Changes = hashed(key.changes, e.Changes)
	texts, err := split(&e, l.limit)
	if err != nil {
		return nil, err
	}
	p := &pending{done: make(chan result, 1), opens: e.opens(), urgent: e.Kind != Intent}
	if p.opens {
		p.request = e.Request
	}
	if last := e; e.Kind == Disclosure {
		last.Piece, last.Pieces = 0, 0
		if last.closes() {
			p.closes = e.Intent
		}
	}
	for _, text := range texts {
		envelope, err := l.codec.seal(text, key)
		if err != nil {
			return nil, err
		}
		p.leaves = append(p.leaves, leaf{envelope: envelope, hash: tlog.RecordHash(envelope)})
		p.bytes += frameOverhead + 8 + len(envelope)
	}
	if p.bytes > l.room {
		return nil, fmt.Errorf("%w: %d bytes do not fit into a segment", ErrTooLarge, p.bytes)
	}
	return p, nil
}

func (l *Log) enqueue(p *pending) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return fmt.Errorf("appending to the log: %w", ErrClosed)
	}
	select {
	case l.queue <- p:
		return nil
	default:
		return fmt.Errorf("appending to the log: %w", ErrBusy)
	}
}

// Close writes what waits and a stop, and releases the directory. A log whose
// disk fails or hangs is closed without a stop, which is an error; its next start
// is unclean then.
func (l *Log) Close() error { return l.shut() }

func (l *Log) shut() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.queue)
	l.mu.Unlock()
	timer := time.NewTimer(2 * l.timeout)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		// The writer hangs in the kernel. The lock stays with it: nobody else may
		// write to a file that this process may still write to.
		return fmt.Errorf("closing the log: %w", ErrBusy)
	}
	err := l.writer.close()
	l.codec.close()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	if err != nil {
		return fmt.Errorf("closing the log: %w", err)
	}
	return nil
}

// run is the log's writer: it owns the order of the entries and the files.
func (l *Log) run() {
	defer close(l.done)
	for p := range l.queue {
		l.writer.write(l.collect(p))
	}
	l.writer.stop(l)
	l.writer.stopErr = errors.Join(l.writer.stopErr, l.notary.stop())
}

// collect takes what waits beside p, as far as one group holds it.
func (l *Log) collect(p *pending) []*pending {
	batch, bytes := []*pending{p}, p.bytes
	for bytes < l.writer.groupBytes {
		select {
		case next, ok := <-l.queue:
			if !ok {
				return batch
			}
			batch = append(batch, next)
			bytes += next.bytes
		default:
			return batch
		}
	}
	return batch
}
