package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/witness"
)

// ErrShorter says that a witness holds a checkpoint of this log over more entries than
// the log has.
var ErrShorter = errors.New("a witness knows of more entries than the log has; run: crmgate audit verify, and see the manual for logs that went back")

const (
	// witnessTimeout bounds the exchange with one witness, latestTimeout the question at
	// the start.
	witnessTimeout = 30 * time.Second
	latestTimeout  = 5 * time.Second
)

// Witnesses are those who countersign the checkpoints of a gateway's logs. The commit path
// never waits for them. Its methods are safe for concurrent use.
type Witnesses struct {
	// Clients ask them.
	Clients []*witness.Client
	// AtLeast is how many have to countersign a checkpoint for it to be kept.
	AtLeast int

	mu    sync.Mutex
	sizes map[string]uint64 // what each has seen last, by origin and name
}

// Ask has the log's last checkpoint countersigned, and keeps it where enough did. The
// error says who didn't, and why; what others gave is kept all the same.
func (w *Witnesses) Ask(ctx context.Context, l *Log) error {
	c := l.Checkpoint()
	if len(w.Clients) == 0 || len(c.Note) == 0 {
		return nil
	}
	lines, errs := make([][]byte, len(w.Clients)), make([]error, len(w.Clients))
	var all sync.WaitGroup
	for i, one := range w.Clients {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, witnessTimeout)
			defer cancel()
			if lines[i], errs[i] = w.one(ctx, l, c, one); errs[i] != nil {
				errs[i] = fmt.Errorf("witness %s: %w", one.Name(), errs[i])
			}
		})
	}
	all.Wait()
	var given [][]byte
	for _, line := range lines {
		if line != nil {
			given = append(given, line)
		}
	}
	err := errors.Join(errs...)
	if len(given) == 0 || len(given) < w.AtLeast {
		return err
	}
	return errors.Join(err, l.KeepWitnessed(c, given...))
}

// one asks one witness, a second time where it says at which size it is.
func (w *Witnesses) one(ctx context.Context, l *Log, c Checkpoint, one *witness.Client) ([]byte, error) {
	key := c.Origin + "\n" + one.Name()
	old := w.size(key)
	for try := range 2 {
		line, err := w.from(ctx, l, c, one, old)
		if err == nil {
			w.seen(key, c.Size)
			return line, nil
		}
		behind, ok := errors.AsType[*witness.Behind](err)
		if !ok || try > 0 {
			return nil, err
		}
		if durable, _ := l.Head(); behind.Size > durable {
			return nil, fmt.Errorf("%w: %d, and it has %d", ErrShorter, behind.Size, durable)
		}
		if behind.Size > c.Size {
			return nil, nil // a younger checkpoint was asked for already
		}
		old = behind.Size
	}
	return nil, nil
}

func (w *Witnesses) from(ctx context.Context, l *Log, c Checkpoint, one *witness.Client, old uint64) ([]byte, error) {
	if old == 0 || old >= c.Size {
		return one.Add(ctx, min(old, c.Size), nil, c.plain())
	}
	proof, _, err := l.Prove(ctx, old, c.Size)
	if err != nil {
		return nil, err
	}
	return one.Add(ctx, old, proof, c.plain())
}

func (w *Witnesses) size(key string) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sizes[key]
}

func (w *Witnesses) seen(key string, size uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sizes == nil {
		w.sizes = map[string]uint64{}
	}
	w.sizes[key] = size
}

// Latest asks all for the last checkpoint that they have of a log: what Options.Elsewhere
// takes. One that doesn't answer in five seconds says nothing: a log starts without its
// witnesses, too.
func (w *Witnesses) Latest(ctx context.Context, origin string) map[string][]byte {
	ctx, cancel := context.WithTimeout(ctx, latestTimeout)
	defer cancel()
	found := map[string][]byte{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, one := range w.Clients {
		all.Go(func() {
			msg, err := one.Latest(ctx, origin)
			if err != nil || msg == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			found["the memory of the witness "+one.Name()] = msg
		})
	}
	all.Wait()
	return found
}
