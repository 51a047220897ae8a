package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// logSchema are the logs: where each ends and who writes it, its small files, and
// its groups of entries. What is appended is encrypted: compressing it is idle.
const logSchema = `CREATE TABLE crmgate_log (
		node   text COLLATE "C" PRIMARY KEY,
		writer bytea NOT NULL,            -- the process that writes
		fence  bigint NOT NULL,           -- counts its connections
		size   bigint NOT NULL DEFAULT 0, -- entries
		root   bytea NOT NULL DEFAULT '', -- of the tree over them
		segment text NOT NULL DEFAULT '',
		ends   bigint NOT NULL DEFAULT 0  -- bytes of that segment
	) WITH (fillfactor = 10);
	CREATE TABLE crmgate_log_file (
		node    text COLLATE "C" NOT NULL,
		name    text COLLATE "C" NOT NULL,
		version bigint NOT NULL,          -- the later one stays
		size    bigint NOT NULL,
		content bytea NOT NULL,           -- without the zeros behind it
		PRIMARY KEY (node, name)
	);
	CREATE TABLE crmgate_log_group (
		node    text COLLATE "C" NOT NULL,
		segment text COLLATE "C" NOT NULL,
		start   bigint NOT NULL,          -- offset
		frames  bytea NOT NULL,
		PRIMARY KEY (node, segment, start)
	);
	ALTER TABLE crmgate_log_group ALTER COLUMN frames SET STORAGE EXTERNAL;`

// OpenLogs implements crmgate.LogKeeper. Other than sessions, a log needs its
// database at the start.
func (s *Store) OpenLogs(ctx context.Context) (audit.Database, io.Closer, error) {
	db, err := s.connect(ctx, forLogs)
	if err != nil {
		return nil, nil, err
	}
	db.what = "audit log"
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	if err := db.prepare(ctx); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return logs{db}, db, nil
}

// maxReaders is how many connections are used beside the one that appends.
const maxReaders = 4

// forLogs changes what connections are for sessions into what they are for logs:
// few, used rarely, and tried before: what is read or put isn't asked again by
// another request. The server gives up soon those whose machine is gone, and with
// them the node's lock.
func forLogs(cfg *pgxpool.Config) {
	cfg.MaxConns = maxReaders
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
	p := cfg.ConnConfig.RuntimeParams
	p["tcp_keepalives_idle"], p["tcp_keepalives_interval"], p["tcp_keepalives_count"] = "10", "5", "3"
	p["default_transaction_isolation"] = "read committed"
}

// logs implements audit.Database.
type logs struct{ *database }

// Nodes implements audit.Database.
func (l logs) Nodes(ctx context.Context) (nodes []string, err error) {
	err = l.read(ctx, func(ctx context.Context) (err error) {
		nodes, err = texts(l.pool.Query(ctx, "SELECT node FROM crmgate_log ORDER BY node"))
		return err
	})
	return nodes, err
}

func texts(rows pgx.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Node implements audit.Database.
func (l logs) Node(name string) audit.Rows {
	tries := lockTries
	if name == audit.RootNode {
		tries = 1 // one of the nodes writes it, and the others ask again and again
	}
	return &nodeLog{l.database, name, tries}
}

// aloneFor is how long a node waits for what another one does to its months.
const aloneFor = 30 * time.Second

// Alone implements audit.Database, by a lock of a connection.
func (l logs) Alone(ctx context.Context) (audit.Turn, error) {
	ctx, cancel := context.WithTimeout(ctx, aloneFor)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, l.fault("opening", err)
	}
	a := &alone{l.database, conn}
	for {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext('crmgate months'))", int32(schemaLock)).Scan(&locked); err != nil {
			return nil, errors.Join(l.fault("opening", err), a.Close())
		}
		if locked {
			return a, nil
		}
		select {
		case <-time.After(lockGap):
		case <-ctx.Done():
			return nil, errors.Join(errors.New("another node destroys or holds months of the audit log for too long; try again"), a.Close())
		}
	}
}

// alone has a lock for as long as its connection lasts.
type alone struct {
	*database
	conn *pgx.Conn
}

// Lasts implements audit.Turn: the server is asked over the connection that has the lock.
func (a *alone) Lasts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	if a.conn.IsClosed() {
		return errors.New("months of the audit log: PostgreSQL has closed the connection that kept other nodes waiting")
	}
	return a.fault("reading from", a.conn.Ping(ctx))
}

// Close implements io.Closer.
func (a *alone) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), operationFor)
	defer cancel()
	_ = a.conn.Close(ctx) // the lock is gone with it in any case
	return nil
}

// read runs a query within its time.
func (d *database) read(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	err := f(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return fs.ErrNotExist
	}
	return d.fault("reading from", err)
}

// nodeLog implements audit.Rows.
type nodeLog struct {
	*database
	node string
	// tries is how often a start tries to take the node's lock.
	tries int
}

func (n *nodeLog) String() string {
	c := n.pool.Config().ConnConfig
	return fmt.Sprintf("PostgreSQL (database %s at %s), node %s", c.Database, c.Host, n.node)
}

// Mark implements audit.Rows.
func (n *nodeLog) Mark(ctx context.Context) (m audit.Mark, err error) {
	err = n.read(ctx, func(ctx context.Context) error {
		m, err = scanMark(n.pool.QueryRow(ctx, "SELECT size, root FROM crmgate_log WHERE node = $1", n.node))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return m, err
}

func scanMark(row pgx.Row) (m audit.Mark, err error) {
	var size int64
	var root []byte
	if err := row.Scan(&size, &root); err != nil {
		return m, err
	}
	if size > 0 && copy(m.Root[:], root) != len(m.Root) {
		return m, errors.New("the log's row is damaged")
	}
	m.Size = uint64(size)
	return m, nil
}

// List implements audit.Rows.
func (n *nodeLog) List(ctx context.Context) (names []string, err error) {
	err = n.read(ctx, func(ctx context.Context) (err error) {
		names, err = texts(n.pool.Query(ctx, "SELECT name FROM crmgate_log_file WHERE node = $1 ORDER BY name", n.node))
		return err
	})
	return names, err
}

// Stat implements audit.Rows. The segment that is written to ends where the log's
// own row says: groups that are gone are missed.
func (n *nodeLog) Stat(ctx context.Context, name string) (size, end int64, err error) {
	err = n.read(ctx, func(ctx context.Context) error {
		return n.pool.QueryRow(ctx, `SELECT f.size, CASE WHEN l.segment = f.name THEN l.ends ELSE coalesce(
				(SELECT start + length(frames) FROM crmgate_log_group g WHERE g.node = f.node AND g.segment = f.name ORDER BY start DESC LIMIT 1),
				length(f.content)) END
			FROM crmgate_log_file f LEFT JOIN crmgate_log l ON l.node = f.node WHERE f.node = $1 AND f.name = $2`, n.node, name).Scan(&size, &end)
	})
	return size, end, err
}

// Parts implements audit.Rows.
func (n *nodeLog) Parts(ctx context.Context, name string, from, to int64) (parts []audit.Part, err error) {
	err = n.read(ctx, func(ctx context.Context) error {
		rows, err := n.pool.Query(ctx, `SELECT greatest(start, $3), substring(frames FROM (greatest($3 - start, 0) + 1)::int FOR ($4 - greatest(start, $3))::int)
				FROM crmgate_log_group WHERE node = $1 AND segment = $2 AND start < $4
				AND start >= coalesce((SELECT max(start) FROM crmgate_log_group WHERE node = $1 AND segment = $2 AND start <= $3), 0)
			UNION ALL SELECT 0, content FROM crmgate_log_file WHERE node = $1 AND name = $2 AND length(content) > 0
			ORDER BY 1`, n.node, name, from, to)
		if err != nil {
			return err
		}
		parts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p audit.Part, err error) {
			err = row.Scan(&p.Offset, &p.Data)
			return p, err
		})
		return err
	})
	return parts, err
}

var (
	_ audit.Database    = logs{}
	_ audit.Rows        = (*nodeLog)(nil)
	_ crmgate.LogKeeper = (*Store)(nil)
)
