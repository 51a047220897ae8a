package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// goneAfter is how long a node's log has to have been silent before another node
// destroys months in it, if nobody has its lock then. A node that is started again
// within that time must not find its log taken.
const goneAfter = 7 * 24 * time.Hour

// Retain destroys what is due in the root log.
func (r *Root) Retain(ctx context.Context, how Retaining) ([]*Destroyed, error) {
	return r.log.Retain(ctx, how)
}

// Gone is the log of a node that was seen for the last time too long ago.
type Gone struct {
	rows Rows
	node string
	own  *Log
}

// GoneNodes are the nodes beside own whose logs haven't been written for a week.
func GoneNodes(ctx context.Context, db Database, own *Log) ([]*Gone, error) {
	nodes, err := LogNodes(ctx, db)
	if err != nil {
		return nil, err
	}
	own.keeper.mu.Lock()
	now, _ := own.keeper.clock.time()
	own.keeper.mu.Unlock()
	var all []*Gone
	var wrong error
	for _, node := range nodes {
		if own.keeper.fellows != nil && node == own.keeper.fellows.own {
			continue
		}
		last, err := LastCheckpoint(db.Node(node), own.keys.ring)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("node %s: %w", node, err))
			continue
		}
		if last == nil {
			continue // it is beginning
		}
		day, _, _ := strings.Cut(last.Name, ".")
		if at, err := time.Parse(time.DateOnly, day); err == nil && now.Sub(at) > goneAfter {
			all = append(all, &Gone{rows: db.Node(node), node: node, own: own})
		}
	}
	return all, wrong
}

// Node is the node's name.
func (g *Gone) Node() string { return g.node }

// Retain destroys what is due in the log, as its own node would: by an entry in it and a
// note in each key's place. Nothing is written where nothing is due, and ErrLocked is
// returned where the node is there after all.
func (g *Gone) Retain(ctx context.Context, how Retaining) ([]*Destroyed, error) {
	how.Witness, how.Index = g.own, nil
	keys, err := readKeys(g.rows, g.own.keys.ring)
	if err != nil {
		return nil, err
	}
	now, _ := how.time(nil)
	if how.Today != "" {
		now, _ = g.own.clock.now()
	}
	due := false
	for _, k := range how.plan(keys.list(), now) {
		due = due || k.Due && (k.Lacking == 0 || how.Today != "") && keys.mayGo(k.Key, now)
	}
	if !due {
		return nil, nil
	}
	// Its own checkpoints are at the node that is gone: that its database went back is
	// known to its witnesses alone.
	beside := g.own.keeper.fellows
	l, err := Open(ctx, "", g.own.keys.ring, Options{Node: g.node, Rows: g.rows, Fellows: beside.db, Elsewhere: beside.elsewhere})
	if err != nil {
		return nil, err
	}
	gone, err := l.Retain(ctx, how)
	return gone, errors.Join(err, l.Close())
}

// readKeys reads which data keys a log has, and changes none.
func readKeys(rows Rows, ring *keys.Ring) (*dataKeys, error) {
	k := newDataKeys(newRowFiles(rows), ring)
	names, err := k.files.list(keyDir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		id, ok, err := keyFile(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		key, err := k.get(id)
		if err != nil && !errors.Is(err, ErrDestroyed) {
			return nil, err
		}
		k.last = max(k.last, id)
		if key != nil && (k.current[key.class] == nil || k.current[key.class].id < id) {
			k.current[key.class] = key
		}
	}
	return k, nil
}

// KeepingOf says what another node's log keeps until when.
func (l *Log) KeepingOf(ctx context.Context, node string, r Retention) ([]Kept, error) {
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	k, err := readKeys(l.keeper.fellows.db.Node(node), l.keys.ring)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", node, err)
	}
	if err := l.loadHolds(ctx); err != nil {
		return nil, err
	}
	now, _ := l.keeper.clock.time()
	all := l.keeper.kept(k, node, r, now)
	for i := range all {
		all[i].Node = node
	}
	return all, nil
}
