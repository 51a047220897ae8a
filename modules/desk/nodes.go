package desk

import (
	"context"
	"iter"
	"net/url"
	"slices"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// sources are the logs that are searched: of one node, or of all ("").
func (d *Desk) sources(ctx context.Context, node string) (sources []desk.Source, nodes []string, err error) {
	logs, err := d.services.Logs(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !d.services.Nodes() {
		return []desk.Source{{Log: logs[0]}}, nil, nil
	}
	for _, l := range logs {
		if nodes = append(nodes, l.Node); node == "" || node == l.Node {
			sources = append(sources, desk.Source{Node: l.Node, Log: l})
		}
	}
	return sources, nodes, nil
}

// unread tells the process log why a node's log isn't on a page.
func (d *Desk) unread(all []desk.Unread) {
	for _, u := range all {
		d.logger.Warn("the log of a node can't be searched from here", zap.String("node", u.Node), zap.Error(u.Err))
	}
}

// newest are the entries of all nodes, the newest of each node first, one node after the
// other. A log that can't be read ends it: what is decided by these entries must not
// be decided without some of them.
func (d *Desk) newest(ctx context.Context, q audit.Query) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		sources, _, err := d.sources(ctx, "")
		if err != nil {
			yield(audit.Stored{}, err)
			return
		}
		for _, s := range sources {
			if _, err := s.Log.Size(ctx); err != nil {
				yield(audit.Stored{}, err)
				return
			}
			for e, err := range s.Log.Newest(ctx, q, 0) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// nodeOf reads the node that a form names. It has answered when it returns false.
func (d *Desk) nodeOf(v crmgate.Visitor, form url.Values) (node string, logs []string, ok bool) {
	logs, err := d.services.Exportable(v.Request().Context())
	if err != nil {
		v.Failed("log_read", err)
		return "", nil, false
	}
	if node = form.Get("node"); node == "" || !d.services.Nodes() {
		return "", logs, true
	}
	if !slices.Contains(logs, node) {
		v.NotFound()
		return "", nil, false
	}
	return node, []string{node}, true
}
