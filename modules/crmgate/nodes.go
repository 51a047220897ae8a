package crmgate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
)

// NodeLog is the log of one node, as it is searched from here.
type NodeLog struct {
	// Node is its name; Own says that it is this gateway's.
	Node string
	Own  bool

	services *Services
	index    *audit.Index
	// turn is had by whoever makes the index of another node's log.
	turn chan struct{}
}

// others are the logs of other nodes that somebody has searched here.
type others struct {
	mu     sync.Mutex
	byNode map[string]*NodeLog
	// failing are those that couldn't be followed the last time.
	failing map[string]bool
}

// Nodes reports whether there are logs of several nodes here, by their names.
func (s *Services) Nodes() bool { return s.place.Database != nil }

// Logs are the logs whose entries are of requests: this gateway's, and where a database
// keeps them those of all nodes, by their names.
func (s *Services) Logs(ctx context.Context) ([]*NodeLog, error) {
	nodes, err := s.place.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding the nodes: %w", err)
	}
	own := s.place.Node
	if s.place.Database != nil && !slices.Contains(nodes, own) {
		nodes = append(nodes, own) // its log is gone: reading it says so
		slices.Sort(nodes)
	}
	all := make([]*NodeLog, 0, len(nodes))
	for _, node := range nodes {
		all = append(all, s.node(node))
	}
	return all, nil
}

func (s *Services) node(node string) *NodeLog {
	if node == s.place.Node {
		return &NodeLog{Node: node, Own: true, services: s, index: s.index}
	}
	s.others.mu.Lock()
	defer s.others.mu.Unlock()
	if s.others.byNode == nil {
		s.others.byNode, s.others.failing = map[string]*NodeLog{}, map[string]bool{}
	}
	n := s.others.byNode[node]
	if n == nil {
		n = &NodeLog{Node: node, services: s, index: s.place.Index(node, s.Ring), turn: make(chan struct{}, 1)}
		s.others.byNode[node] = n
	}
	return n
}

func (o *others) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var err error
	for _, n := range o.byNode {
		err = errors.Join(err, n.index.Close())
	}
	return err
}

// Size catches up with the log, and returns how many entries are found in it from
// then on: all that were durable when it was called.
func (n *NodeLog) Size(ctx context.Context) (uint64, error) {
	if n.Own {
		size, _ := n.services.Log.Head()
		return size, n.index.Update(ctx, size, nil)
	}
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-ctx.Done():
		return 0, fmt.Errorf("the index of node %s is being made: %w", n.Node, ctx.Err())
	}
	if err := n.index.Refresh(ctx); err != nil {
		return 0, err
	}
	if err := n.index.Update(ctx, 0, nil); err != nil {
		return 0, err
	}
	return n.index.Size()
}

// Newest returns the entries that match and stand before the number before (0: the
// end), the newest first, as far as Size has caught up with them. That somebody looks
// is for the caller to append, before.
func (n *NodeLog) Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error] {
	return n.index.Newest(ctx, q, before)
}

// followEvery is how often the index of another node's log catches up with it, where
// there is somebody to search it.
const followEvery = 10 * time.Second

// FollowNodes has the indexes of the other nodes' logs catch up, until the app stops:
// a search has little left to do then. Pages of the desk need it.
func (a *App) FollowNodes(s *Services) {
	if s.place.Database == nil {
		return
	}
	follow := func(ctx context.Context) { s.followNodes(ctx, a.logger) }
	a.run(follow)
	a.Every(followEvery, follow)
}

func (s *Services) followNodes(ctx context.Context, logger *zap.Logger) {
	logs, err := s.Logs(ctx)
	if err != nil {
		return // the log's own writer tells of it
	}
	for _, n := range logs {
		if n.Own {
			continue
		}
		_, err := n.Size(ctx)
		if ctx.Err() != nil {
			return
		}
		s.others.mu.Lock()
		told := s.others.failing[n.Node]
		s.others.failing[n.Node] = err != nil
		s.others.mu.Unlock()
		if err != nil && !told {
			logger.Warn("the log of another node can't be searched from here", zap.String("node", n.Node), zap.Error(err))
		}
	}
}

// LogState is what can be said of a log without reading it.
type LogState struct {
	Node    string
	Entries uint64
	Root    string
	// Checkpoint is the size of the last one, Signed when it was written; of another
	// node's it is the day.
	Checkpoint uint64
	Signed     time.Time
	Indexed    uint64
	// Witnessed and Stamped are the last checkpoints that witnesses countersigned, and
	// that an authority stamped with the time; nil for none.
	Witnessed, Stamped *audit.Attestation
	// Attested are the configured kinds of those who vouch for the log, each with whether
	// it failed the last time. Refuted says that a witness holds another history.
	Attested map[string]bool
	Refuted  bool
	// Segments and Bytes are the log's files, Free what its disk has left; Bytes and
	// Free are -1 where this system doesn't tell, or the log is in a database.
	Segments int
	Bytes    int64
	Free     int64
	// Unconfirmed says that the log was restored, and that nothing is destroyed
	// until somebody has confirmed the holds.
	Unconfirmed bool
}

// State says how the log is.
func (n *NodeLog) State(ctx context.Context) (LogState, error) {
	if n.Own {
		return n.services.ownState()
	}
	l := LogState{Node: n.Node, Bytes: -1, Free: -1}
	rows := n.services.place.rows(n.Node)
	mark, err := rows.Mark(ctx)
	if err != nil {
		return l, fmt.Errorf("asking for the log of node %s: %w", n.Node, err)
	}
	l.Entries, l.Root = mark.Size, mark.Root.String()
	last, err := audit.LastCheckpoint(rows, n.services.Ring)
	if err != nil {
		return l, err
	}
	if last != nil {
		day, _, _ := strings.Cut(last.Name, ".")
		l.Checkpoint = last.Size
		l.Signed, _ = time.Parse(time.DateOnly, day) // the zero time: unknown
	}
	l.Indexed, err = n.index.Size()
	return l, err
}

// Verified is what was found in one log.
type Verified struct {
	// Node is the log's name; it is the root's, too.
	Node   string
	Report audit.Report
	// Missing is how many entries a log had at least that isn't there any more.
	Missing uint64
	// Err says that the log is damaged or couldn't be read.
	Err error
}

// Verify reads a node's log whole and checks it: all logs here, and the one over
// them, where node is "". Each is told of as it is begun.
func (s *Services) Verify(ctx context.Context, node string, begins func(node string, nth, of int), progress func(done, total int64)) ([]Verified, error) {
	nodes, err := s.place.Logs(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding the logs: %w", err)
	}
	var all []Verified
	var gathered []audit.Checkpoint
	if s.place.Database != nil {
		// A root log that can't be read is found by its own verification.
		gathered, _ = audit.RootCheckpoints(ctx, s.place.Database, s.Ring)
		if all, err = s.missing(nodes, gathered); err != nil {
			return nil, err
		}
	}
	if node != "" {
		nodes = slices.DeleteFunc(nodes, func(n string) bool { return n != node })
		all = slices.DeleteFunc(all, func(v Verified) bool { return v.Node != node })
	}
	for i, name := range nodes {
		if begins != nil {
			begins(name, i+1, len(nodes))
		}
		check := s.place.Check(name)
		check.Gathered, check.Progress = gathered, progress
		v := Verified{Node: name}
		v.Report, v.Err = audit.Verify(ctx, s.place.Dir, s.Ring, check)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		all = append(all, v)
	}
	return all, nil
}

// missing are the logs that the one over all nodes knows, or whose checkpoints are
// kept here, and that aren't there any more.
func (s *Services) missing(nodes []string, gathered []audit.Checkpoint) ([]Verified, error) {
	gone, err := audit.Missing(gathered, nodes)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(nodes, audit.RootNode) && s.place.KeepsRoot() {
		gone[audit.RootNode] = 1
	}
	var all []Verified
	for node, n := range gone {
		all = append(all, Verified{Node: node, Missing: n, Err: fmt.Errorf("%w: the log of node %s isn't there", audit.ErrTampered, node)})
	}
	slices.SortFunc(all, func(a, b Verified) int { return strings.Compare(a.Node, b.Node) })
	return all, nil
}

// Exportable are the logs to take along: this gateway's, or those of all nodes and
// the one over them.
func (s *Services) Exportable(ctx context.Context) ([]string, error) { return s.place.Logs(ctx) }

// Export hands the whole log of a node to put, file by file, without the keys that
// open it.
func (s *Services) Export(ctx context.Context, node string, put func(name string, content []byte) error) (audit.ExportReport, error) {
	return audit.ExportTo(ctx, s.place.Dir, s.Ring, put, s.place.Exporting(node))
}
