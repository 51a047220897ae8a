package crmgate

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/session"
)

// LogKeeper is a session store that keeps the audit logs of all nodes, too.
type LogKeeper interface {
	// OpenLogs opens the database of the logs. One that can't be reached is an
	// error: without its log a gateway forwards nothing.
	OpenLogs(ctx context.Context) (audit.Database, io.Closer, error)
}

// LogPlace is where a gateway's log is: in a directory, or in a database with
// those of other nodes.
type LogPlace struct {
	// Dir is the directory; it is for nothing where there is a database.
	Dir string
	// Node is this gateway's. In a directory it may be "": the log knows it.
	Node string
	// Database is nil for a directory.
	Database audit.Database

	dataDir string
	config  LogConfig
	closer  io.Closer
}

// nodeFile holds the name of a node whose log is in a database, in its data
// directory.
const nodeFile = "node"

// PlaceLog finds the log of a gateway. A database that keeps it is opened.
func PlaceLog(ctx context.Context, dataDir string, config LogConfig, store session.Opener) (*LogPlace, error) {
	node, err := caddy.NewReplacer().ReplaceOrErr(config.Node, true, true)
	if err != nil {
		return nil, fmt.Errorf("log node: %w", err)
	}
	p := &LogPlace{Dir: filepath.Join(dataDir, "log"), Node: node, dataDir: dataDir, config: config}
	keeper, ok := store.(LogKeeper)
	if !ok || config.Local {
		return p, nil
	}
	if err := noLocalLog(p.Dir); err != nil {
		return nil, err
	}
	if p.Node == "" {
		if p.Node, err = randomNode(dataDir); err != nil {
			return nil, err
		}
	}
	if p.Node == audit.RootNode {
		return nil, fmt.Errorf("log node %s: that is the name of the log over all nodes; give this one another", p.Node)
	}
	if p.Database, p.closer, err = keeper.OpenLogs(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// stays refuses what a reload can't change of a log that is open.
func (p *LogPlace) stays(config LogConfig) error {
	if config.Local != p.config.Local || config.Node != p.config.Node {
		return errors.New("the log's place and its node's name can't change at a reload: stop the gateway and start it anew")
	}
	return nil
}

// noLocalLog refuses to begin a second log beside one that was written to a
// directory: what is in it would be forgotten.
func noLocalLog(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(found) == 0 {
		return err
	}
	return fmt.Errorf("there is a log in %s, and the session store keeps logs, too: `log { local }` goes on with the one that is there; "+
		"to begin one in the store, move %s and the checkpoints beside it to where evidence is kept", dir, dir)
}

// randomNode is a name that the data directory keeps.
func randomNode(dataDir string) (string, error) {
	file := filepath.Join(dataDir, nodeFile)
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the node's name: %w", err)
	}
	random := make([]byte, 5)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("drawing a name for the node: %w", err)
	}
	name := "n" + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(random)
	if err := os.WriteFile(file, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keeping the node's name: %w", err)
	}
	return name, nil
}

// Close lets go of the database.
func (p *LogPlace) Close() error {
	if p.closer == nil {
		return nil
	}
	return p.closer.Close()
}

// Nodes are those whose entries of requests can be read from here: "" is the one
// in the directory.
func (p *LogPlace) Nodes(ctx context.Context) ([]string, error) {
	if p.Database == nil {
		return []string{p.Node}, nil
	}
	return audit.LogNodes(ctx, p.Database)
}

// Logs are all logs here: those of the nodes, and the root log over them.
func (p *LogPlace) Logs(ctx context.Context) ([]string, error) {
	if p.Database == nil {
		return []string{p.Node}, nil
	}
	return p.Database.Nodes(ctx)
}

// rows are those of a node, nil for a directory.
func (p *LogPlace) rows(node string) audit.Rows {
	if p.Database == nil {
		return nil
	}
	return p.Database.Node(node)
}

// KeepsRoot reports whether checkpoints of the log over all nodes are kept here.
func (p *LogPlace) KeepsRoot() bool {
	found, err := filepath.Glob(filepath.Join(rootDir(p.dataDir), "*.checkpoint"))
	return err == nil && len(found) > 0
}

// Name names a node's log for people.
func (p *LogPlace) Name(node string) string {
	if rows := p.rows(node); rows != nil {
		return rows.String()
	}
	return p.Dir
}

// Options are those that this gateway opens its log with.
func (p *LogPlace) Options() audit.Options {
	return audit.Options{
		Node: p.Node, SegmentSize: int64(p.config.SegmentMiB) << 20, Checkpoints: p.checkpoints(p.Node), Rows: p.rows(p.Node), Fellows: p.Database,
		Elsewhere: p.elsewhere(),
	}
}

// elsewhere asks the witnesses for what they have seen of a log, nil where there are none.
func (p *LogPlace) elsewhere() func(ctx context.Context, origin string) map[string][]byte {
	w, err := p.config.witnesses()
	if err != nil || w == nil { // Provision has refused what is wrong
		return nil
	}
	return w.Latest
}

// checkpoints is the directory of a node's checkpoints: of this one's, here.
func (p *LogPlace) checkpoints(node string) string {
	switch {
	case node == p.Node:
		return CheckpointDir(p.dataDir)
	case node == audit.RootNode && p.Database != nil:
		return rootDir(p.dataDir)
	}
	return ""
}

// Index is the index that this gateway keeps of a node's log.
func (p *LogPlace) Index(node string, ring *keys.Ring) *audit.Index {
	if rows := p.rows(node); rows != nil {
		return audit.OpenRowsIndex(filepath.Join(IndexDir(p.dataDir), node), rows, ring)
	}
	return audit.OpenIndex(IndexDir(p.dataDir), p.Dir, ring)
}

// Search reads the whole of a node's log.
func (p *LogPlace) Search(ctx context.Context, node string, ring *keys.Ring, q audit.Query) iter.Seq2[audit.Stored, error] {
	if rows := p.rows(node); rows != nil {
		return audit.SearchRows(ctx, rows, ring, q)
	}
	return audit.Search(ctx, p.Dir, ring, q)
}

// Check is how a node's log is verified from here.
func (p *LogPlace) Check(node string) audit.Check {
	return audit.Check{Checkpoints: p.checkpoints(node), Rows: p.rows(node)}
}

// OptionsOf are those to open the log of a node, or the one over all nodes, with.
func (p *LogPlace) OptionsOf(node string) audit.Options {
	o := p.Options()
	if node != p.Node {
		o.Node, o.Rows, o.Checkpoints = node, p.rows(node), p.checkpoints(node)
	}
	return o
}

// Exporting is how a node's log is exported from here.
func (p *LogPlace) Exporting(node string) audit.Exporting {
	return audit.Exporting{Checkpoints: p.checkpoints(node), Rows: p.rows(node)}
}
