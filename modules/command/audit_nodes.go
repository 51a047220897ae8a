package command

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// finders search the logs of all nodes: one, but where a database keeps several.
type finders struct {
	nodes []string
	list  []*finder
}

func newFinders(ctx context.Context, cmd *cobra.Command, d data, ring *keys.Ring) (*finders, error) {
	nodes, err := d.place.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding the audit log: %w", err)
	}
	f := &finders{nodes: nodes}
	for _, node := range nodes {
		f.list = append(f.list, newFinder(cmd, d, node, ring))
	}
	return f, nil
}

// only searches the log of one node, or of all ("").
func (f *finders) only(node string) (*finders, error) {
	nodes, err := chosen(f.nodes, node)
	if err != nil || node == "" {
		return f, err
	}
	return &finders{nodes: nodes, list: []*finder{f.list[slices.Index(f.nodes, node)]}}, nil
}

func (f *finders) close() {
	for _, one := range f.list {
		one.close()
	}
}

// width is how wide the names of the nodes are, 0 where there is one.
func (f *finders) width() int {
	width := 0
	for _, node := range f.nodes {
		if len(f.nodes) > 1 {
			width = max(width, len(node))
		}
	}
	return width
}

// nodeFlag adds --node.
func nodeFlag(cmd *cobra.Command, node *string) {
	cmd.Flags().StringVar(node, "node", "", "The log of this node alone, where PostgreSQL has several")
}

// chosen is the node that was named among those that are there: all of them for "".
func chosen(nodes []string, node string) ([]string, error) {
	if node == "" {
		return nodes, nil
	}
	if !slices.Contains(nodes, node) {
		return nil, fmt.Errorf("--node %s: there are %s", node, strings.Join(nodes, ", "))
	}
	return []string{node}, nil
}

// nodeEntry is an entry of a node's log.
type nodeEntry struct {
	node string
	audit.Stored
}

// search finds the entries of all nodes in the order of their times; those of one
// node stay in the order of its log. Each log is caught up with before. Of one that
// can't be read, the error at the end says that its entries are missing.
func (f *finders) search(ctx context.Context, q audit.Query) (iter.Seq2[nodeEntry, error], error) {
	found := make([]iter.Seq2[audit.Stored, error], len(f.list))
	for i, one := range f.list {
		var err error
		if found[i], err = one.search(ctx, q); err != nil {
			return nil, err
		}
	}
	return func(yield func(nodeEntry, error) bool) { f.merge(found, yield) }, nil
}

// source is a node's entries on their way.
type source struct {
	node string
	next func() (audit.Stored, error, bool)
	head audit.Stored
	more bool
}

func (f *finders) merge(found []iter.Seq2[audit.Stored, error], yield func(nodeEntry, error) bool) {
	all := make([]*source, len(found))
	nobody := 0
	var unread error
	advance := func(s *source) {
		var err error
		s.head, err, s.more = s.next()
		if errors.Is(err, audit.ErrNobody) {
			// A name is known where somebody signed in: at another node, perhaps.
			if nobody++; nobody < len(all) {
				err, s.more = nil, false
			}
		}
		if err == nil {
			return
		}
		if s.more = false; len(all) > 1 && !errors.Is(err, audit.ErrNobody) {
			err = fmt.Errorf("entries of node %s are missing: %w", s.node, err)
		}
		unread = errors.Join(unread, err)
	}
	for i := range found {
		next, stop := iter.Pull2(found[i])
		defer stop()
		all[i] = &source{node: f.nodes[i], next: next}
		advance(all[i])
	}
	for first := earliest(all); first != nil; first = earliest(all) {
		if !yield(nodeEntry{first.node, first.head}, nil) {
			return
		}
		advance(first)
	}
	if unread != nil {
		yield(nodeEntry{}, unread)
	}
}

func earliest(all []*source) *source {
	var first *source
	for _, s := range all {
		if s.more && (first == nil || s.head.Entry.Time.Before(first.head.Entry.Time)) {
			first = s
		}
	}
	return first
}

// against are the checkpoints that were kept of a node's log.
func against(node string, several bool, kept map[string][]byte) map[string][]byte {
	if !several {
		return kept
	}
	own := map[string][]byte{}
	for name, msg := range kept {
		if audit.OfNode(msg, node) {
			own[name] = msg
		}
	}
	return own
}
