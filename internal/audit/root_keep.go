package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// ErrRootUnknown says that a node can't tell whether the root log that it finds is the
// newest one: its database may have been put back to an earlier state.
var ErrRootUnknown = errors.New("this node has never followed the log over all nodes, so it can't tell whether the database was put back to an earlier state, " +
	"and doesn't continue it: start a node that has written or followed it; if there is none any more, stop all gateways and run crmgate audit restore")

// RootKeeper is a node's part in the root log: it writes it, or keeps beside itself what
// the node that does has signed. By that it notices later that the log was put back, and
// never continues it under the name that it had.
type RootKeeper struct {
	DB   Database
	Ring *keys.Ring
	// Checkpoints is the directory of the root log's on this node, Node its own name.
	Checkpoints, Node string
	// Elsewhere is what Options says it is.
	Elsewhere func(ctx context.Context, origin string) map[string][]byte

	// found is how many entries the root log had when this process saw it first.
	found  *uint64
	prover *prover
}

// Open keeps the last checkpoint of the root log, and opens it for writing, or returns
// ErrLocked where another process writes it. A node that knows nothing of the log yet
// gets ErrLocked the first time, too: whether somebody writes it is seen at the next.
func (k *RootKeeper) Open(ctx context.Context) (*Root, error) {
	if err := k.knows(ctx); err != nil {
		return nil, err
	}
	if err := k.follow(ctx); err != nil {
		return nil, fmt.Errorf("following the log over all nodes: %w", err)
	}
	return OpenRoot(ctx, k.DB, k.Ring, k.Checkpoints, k.Elsewhere)
}

// knows refuses a node that has no checkpoint of the root log beside nodes that have
// written to it: what they wrote last may be lost. Once the log grows while this process
// looks on, one that knows it writes it.
func (k *RootKeeper) knows(ctx context.Context) error {
	kept, err := k.shelf().load()
	if err != nil || len(kept) > 0 {
		return err
	}
	mark, err := k.DB.Node(RootNode).Mark(ctx)
	if err != nil || mark.Size == 0 {
		return err // it begins
	}
	nodes, err := LogNodes(ctx, k.DB)
	if err != nil {
		return err
	}
	if slices.Equal(nodes, []string{k.Node}) {
		return nil // nobody else has written it
	}
	if k.found == nil {
		k.found = &mark.Size
		return ErrLocked
	}
	if mark.Size <= *k.found {
		return ErrRootUnknown
	}
	return nil
}

func (k *RootKeeper) shelf() shelf {
	return shelf{files: osFiles{k.Checkpoints}, dir: ".", where: k.Checkpoints, ring: k.Ring}
}

// follow keeps the last checkpoint of the root log, if it continues those that are here.
// Else they stay: they are the evidence.
func (k *RootKeeper) follow(ctx context.Context) error {
	own := k.shelf()
	kept, err := own.load()
	if err != nil {
		return err
	}
	last, err := LastCheckpoint(k.DB.Node(RootNode), k.Ring)
	if err != nil || last == nil {
		return err // opening it says what is missing
	}
	var had Checkpoint
	if len(kept) > 0 {
		had = kept[len(kept)-1]
		if err := k.continues(ctx, had, *last); err != nil {
			return err
		}
	}
	if had.Origin == last.Origin && had.Size == last.Size {
		return nil
	}
	if err := own.make(); err != nil {
		return err
	}
	return own.replace(kept, *last)
}

// replace keeps a checkpoint beside those of its log, and those of the names that the
// log had before in earlier/.
func (s shelf) replace(kept []Checkpoint, last Checkpoint) error {
	kept = slices.DeleteFunc(kept, func(c Checkpoint) bool { return c.Origin == last.Origin })
	for _, c := range kept {
		id, err := identityOf(c.Origin)
		if err == nil {
			err = errors.Join(s.files.mkdir(s.name(earlierDir)), s.files.syncDir(s.dir))
		}
		if err == nil {
			err = s.earlier(id).copy([]Checkpoint{c})
		}
		if err == nil && c.Name != last.Name {
			err = s.files.remove(s.name(c.Name))
		}
		if err != nil {
			return fmt.Errorf("keeping a checkpoint of %s: %w", c.Origin, err)
		}
	}
	return s.keep(last)
}

// continues reports whether the root log begins with what a checkpoint here is over, also
// where it was restored since, on another node, and goes on under another name.
func (k *RootKeeper) continues(ctx context.Context, had, last Checkpoint) error {
	if had.Origin != last.Origin {
		files := newRowFiles(k.DB.Node(RootNode))
		segments, err := listSegments(files)
		if err != nil {
			return err
		}
		links, err := chainOf(files, segments)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(links, func(l link) bool { return l.origin() == had.Origin }) {
			return k.back(had, "it is "+last.Origin+" now")
		}
	}
	if last.Size < had.Size {
		return k.back(had, fmt.Sprintf("its last one is over %d now", last.Size))
	}
	for _, c := range []Checkpoint{had, last} {
		if c.Size == 0 {
			continue
		}
		root, err := k.root(ctx, c.Size)
		if err != nil {
			return err
		}
		if root != c.Root {
			return k.back(had, "it holds other entries now")
		}
	}
	return nil
}

// root is the one over the first entries of the root log, read anew: from where the last
// reading ended, unless the log was another one then.
func (k *RootKeeper) root(ctx context.Context, size uint64) (tlog.Hash, error) {
	files := newRowFiles(k.DB.Node(RootNode))
	key := newDataKeys(files, k.Ring).commits
	g := &gatherer{upto: size}
	if k.prover == nil {
		k.prover = new(prover)
	}
	err := k.prover.read(ctx, files, key, size, g)
	if err != nil {
		k.prover, g = new(prover), &gatherer{upto: size}
		err = k.prover.read(ctx, files, key, size, g)
	}
	return g.tree.root(), err
}

func (k *RootKeeper) back(had Checkpoint, now string) error {
	return fmt.Errorf("%w: %s in %s is over %d entries of %s, and %s; %s", ErrTampered, had.Name, k.Checkpoints, had.Size, had.Origin, now, remedyOlder)
}
