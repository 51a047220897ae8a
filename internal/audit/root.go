package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/keys"
)

// RootNode is the name of the log that holds the checkpoints of all nodes' logs in
// a database, each as an entry. One process at a time writes it; it is a log like
// the others otherwise. No node has that name.
const RootNode = "root"

// ErrWentBack says that a node's newest checkpoint is older than one that it had
// before, or another one for the same entries.
var ErrWentBack = errors.New("a node's checkpoints went back; run: crmgate audit verify")

// Root writes the root log.
type Root struct {
	log  *Log
	ring *keys.Ring
	// seen are the checkpoints that were written last.
	seen map[string]Checkpoint
}

// OpenRoot opens the root log for writing, or returns ErrLocked where another
// process does. checkpoints and elsewhere are what Options says they are.
func OpenRoot(ctx context.Context, db Database, ring *keys.Ring, checkpoints string, elsewhere asking) (*Root, error) {
	l, err := Open(ctx, "", ring, Options{Node: RootNode, Rows: db.Node(RootNode), Checkpoints: checkpoints, Elsewhere: elsewhere, Fellows: db})
	if err != nil {
		return nil, err
	}
	return &Root{log: l, ring: ring, seen: map[string]Checkpoint{}}, nil
}

// Log is the root log, to be countersigned. Root alone appends to it.
func (r *Root) Log() *Log { return r.log }

// Close lets another process write it.
func (r *Root) Close() error { return r.log.Close() }

// Gather writes an entry for each node whose last checkpoint is another one than
// before.
func (r *Root) Gather(ctx context.Context, db Database) error {
	nodes, err := LogNodes(ctx, db)
	if err != nil {
		return err
	}
	var wrong error
	for _, node := range nodes {
		all, err := (&Options{Rows: db.Node(node), files: newRowFiles(db.Node(node))}).shelf("", r.ring).load()
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("node %s: %w", node, err))
			continue
		}
		if len(all) == 0 {
			continue // it is beginning
		}
		last, was := all[len(all)-1], r.seen[node]
		switch {
		case last.Origin == was.Origin && last.Size == was.Size && last.Root == was.Root:
			continue
		case last.Origin == was.Origin && last.Size <= was.Size:
			wrong = errors.Join(wrong, fmt.Errorf("%w: node %s has one over %d entries, and had one over %d", ErrWentBack, node, last.Size, was.Size))
			continue
		}
		if _, err := r.log.Append(ctx, &Entry{Kind: Control, Event: NodeCheckpoint, Detail: string(last.plain())}); err != nil {
			return errors.Join(wrong, err)
		}
		r.seen[node] = last
	}
	return wrong
}

// LogNodes are the nodes of a database whose entries are of requests: all but the
// root.
func LogNodes(ctx context.Context, db Database) ([]string, error) {
	nodes, err := db.Nodes(ctx)
	return slices.DeleteFunc(nodes, func(n string) bool { return n == RootNode }), err
}

// Missing are the nodes of the checkpoints in the root log that aren't among nodes, each
// with the number of entries that its log had at least.
func Missing(gathered []Checkpoint, nodes []string) (map[string]uint64, error) {
	missing := map[string]uint64{}
	for _, c := range gathered {
		of, err := identityOf(c.Origin)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		// A log that was restored has another name; what it was kept under is the same.
		if !slices.Contains(nodes, of.node) && !slices.Contains(nodes, baseNode(of.node)) {
			missing[of.node] = max(missing[of.node], c.Size)
		}
	}
	return missing, nil
}

// RootCheckpoints are the checkpoints of all nodes that the root log holds, named by
// where they stand in it: each node's log has to agree with its own. Their notes are
// left in the log: it has one a minute of each node.
func RootCheckpoints(ctx context.Context, db Database, ring *keys.Ring) ([]Checkpoint, error) {
	mark, err := db.Node(RootNode).Mark(ctx)
	if err != nil || mark.Size == 0 {
		return nil, err
	}
	var found []Checkpoint
	for s, err := range ReadRows(ctx, db.Node(RootNode), ring) {
		if err != nil {
			return nil, fmt.Errorf("the root log: %w", err)
		}
		if s.Entry.Event != NodeCheckpoint {
			continue
		}
		name := fmt.Sprintf("entry %d of the root log", s.Seq)
		text, _, _ := strings.Cut(s.Entry.Detail, "\n\n")
		c, err := parseCheckpoint(text + "\n")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.Name = name
		found = append(found, c)
	}
	return found, nil
}
