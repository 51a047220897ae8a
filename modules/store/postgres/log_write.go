package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crmgate/crmgate/internal/audit"
)

const (
	// lockTries and lockGap are how long a start waits for the end of a process
	// that wrote before it.
	lockTries = 20
	lockGap   = 100 * time.Millisecond
)

// writing implements audit.Held: a connection that has the node's lock, and two
// numbers in the log's row that every statement asks for. A process that has lost
// its connection, or of which a statement is still under way, changes nothing once
// another one, or its own next connection, has changed them.
type writing struct {
	*nodeLog
	writer  []byte
	fence   atomic.Int64
	version atomic.Int64 // counts what is put and removed, over all fences

	mu   sync.Mutex // guards conn: one append at a time
	conn *pgx.Conn
	// pid is the server's process of the connection before.
	pid uint32
	// warned says that the server warned: it does so where it ends the wait for a
	// standby and acknowledges all the same.
	warned atomic.Bool
}

// Hold implements audit.Rows.
func (n *nodeLog) Hold(ctx context.Context) (audit.Held, error) {
	w := &writing{nodeLog: n, writer: make([]byte, 16)}
	if _, err := rand.Read(w.writer); err != nil {
		return nil, fmt.Errorf("drawing a name for this process: %w", err)
	}
	err := w.open(ctx)
	if err == nil {
		err = w.take(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// open makes a connection that has the lock.
func (w *writing) open(ctx context.Context) error {
	cfg := w.pool.Config().ConnConfig.Copy()
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" {
			w.warned.Store(true)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return w.fault("opening", err)
	}
	w.conn = conn
	if err := durable(ctx, conn); err != nil {
		return err
	}
	for range w.tries {
		locked, err := w.lock(ctx)
		if errors.Is(err, audit.ErrFenced) {
			return err
		}
		if err != nil {
			return w.fault("opening", err)
		}
		if locked {
			w.pid = conn.PgConn().PID()
			return nil
		}
		select {
		case <-time.After(lockGap):
		case <-ctx.Done():
			return w.fault("opening", ctx.Err())
		}
	}
	if w.pid != 0 {
		return errors.New("opening the audit log: PostgreSQL hasn't ended the connection before yet")
	}
	return audit.ErrLocked
}

// lock tries to take the lock. Where the connection before still has it, as far as
// the server knows, that one is ended.
func (w *writing) lock(ctx context.Context) (locked bool, err error) {
	err = w.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", int32(schemaLock), w.node).Scan(&locked)
	if err != nil || locked || w.pid == 0 {
		return locked, err
	}
	var ours bool
	err = w.conn.QueryRow(ctx, "SELECT coalesce((SELECT writer = $2 FROM crmgate_log WHERE node = $1), false)", w.node, w.writer).Scan(&ours)
	if err == nil && !ours {
		err = audit.ErrFenced
	}
	if err != nil {
		return false, err
	}
	_, err = w.conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND classid::bigint = $1 AND objid::bigint = hashtext($2)::bigint & 4294967295 AND granted AND pid = $3
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, int64(schemaLock), w.node, int64(w.pid))
	return false, err
}

// durable refuses a server that forgets what it acknowledges.
func durable(ctx context.Context, conn *pgx.Conn) error {
	var commit, fsync string
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')").Scan(&commit, &fsync); err != nil {
		return fmt.Errorf("asking PostgreSQL for its settings: %w", err)
	}
	switch {
	case fsync != "on":
		return &schemaError{"PostgreSQL runs with fsync = " + fsync + ", so it loses what it has acknowledged, entries of the audit log among it: set fsync = on"}
	case commit != "on" && commit != "remote_apply":
		return &schemaError{"synchronous_commit is " + commit + ", so PostgreSQL loses what it has acknowledged, entries of the audit log among it: " +
			"set it to on (a pooler between may have dropped what the gateway asks for)"}
	}
	return nil
}

// take makes this process the writer.
func (w *writing) take(ctx context.Context) error {
	var fence int64
	err := w.conn.QueryRow(ctx, `INSERT INTO crmgate_log (node, writer, fence) VALUES ($1, $2, 1)
		ON CONFLICT (node) DO UPDATE SET writer = excluded.writer, fence = crmgate_log.fence + 1 RETURNING fence`, w.node, w.writer).Scan(&fence)
	w.fence.Store(fence)
	w.version.Store(fence << 32)
	return w.fault("opening", err)
}

// Append implements audit.Held: one statement, which inserts nothing where the row
// isn't this process's, or the log ends elsewhere.
func (w *writing) Append(ctx context.Context, name string, group audit.Part, before, after audit.Mark) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil || w.conn.IsClosed() {
		return fmt.Errorf("writing to the audit log: PostgreSQL has closed the connection")
	}
	w.warned.Store(false)
	done, err := w.conn.Exec(ctx, `WITH head AS (
			UPDATE crmgate_log SET size = $6, root = $7, segment = $8, ends = $9 + length($10::bytea)
			WHERE node = $1 AND writer = $2 AND fence = $3 AND size = $4 AND (size = 0 OR root = $5) RETURNING node
		) INSERT INTO crmgate_log_group (node, segment, start, frames) SELECT node, $8, $9, $10 FROM head`,
		w.node, w.writer, w.fence.Load(), int64(before.Size), before.Root[:], int64(after.Size), after.Root[:], name, group.Offset, group.Data)
	if err != nil {
		return w.fault("writing to", err)
	}
	if done.RowsAffected() != 1 {
		return audit.ErrFenced
	}
	if w.warned.Load() {
		return errors.New("writing to the audit log: PostgreSQL acknowledged with a warning; it may not have waited for its standby")
	}
	return nil
}

// held is the condition of what is written beside the groups. The row stays locked
// until it is written: nobody takes the log over meanwhile.
const held = "WITH held AS (SELECT node FROM crmgate_log WHERE node = $1 AND writer = $2 AND fence = $3 FOR SHARE) "

// Put implements audit.Held. Of two that are under way the later one stays, in
// whichever order they arrive: an earlier data key must never come in the place of
// the one that entries are sealed with.
func (w *writing) Put(ctx context.Context, name string, size int64, content []byte) error {
	if content == nil {
		content = []byte{}
	}
	done, err := w.pool.Exec(ctx, held+`INSERT INTO crmgate_log_file AS f (node, name, version, size, content)
			SELECT node, $4, $5, $6, $7 FROM held
			WHERE NOT EXISTS (SELECT FROM crmgate_log_group g WHERE g.node = $1 AND g.segment = $4)
		ON CONFLICT (node, name) DO UPDATE SET version = excluded.version, size = excluded.size, content = excluded.content
			WHERE f.version < excluded.version`,
		w.node, w.writer, w.fence.Load(), name, w.version.Add(1), size, content)
	if err != nil {
		return w.fault("writing to", err)
	}
	if done.RowsAffected() != 1 {
		return audit.ErrFenced
	}
	return nil
}

// Remove implements audit.Held. A segment with groups in it stays.
func (w *writing) Remove(ctx context.Context, name string) error {
	_, err := w.pool.Exec(ctx, held+`DELETE FROM crmgate_log_file f USING held WHERE f.node = held.node AND f.name = $4 AND f.version < $5
			AND NOT EXISTS (SELECT FROM crmgate_log_group g WHERE g.node = $1 AND g.segment = $4)`,
		w.node, w.writer, w.fence.Load(), name, w.version.Add(1))
	return w.fault("writing to", err)
}

// Scrub implements audit.Held: a row that was deleted stays in the table's file until
// its room is needed. The table is small, and written anew in a moment; whoever reads it
// for long (a dump) isn't waited for, and nobody waits behind.
func (w *writing) Scrub(ctx context.Context) error {
	cfg, warned := w.pool.Config().ConnConfig.Copy(), false
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { warned = warned || n.SeverityUnlocalized == "WARNING" }
	cfg.RuntimeParams["lock_timeout"] = "2s"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return w.fault("opening", err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is under way
	if _, err := conn.Exec(ctx, "VACUUM (FULL) crmgate_log_file"); err != nil {
		return w.fault("clearing deleted rows from", err)
	}
	if warned {
		return &schemaError{"PostgreSQL doesn't let the dsn's user clear deleted rows: make crmgate_log_file its own (ALTER TABLE … OWNER TO …)"}
	}
	return nil
}

// Resume implements audit.Held: it moves the fence under the row's lock, so that
// what was sent over an earlier connection has been done by then or never will be.
func (w *writing) Resume(ctx context.Context) (m audit.Mark, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil || w.conn.IsClosed() {
		if err := w.open(ctx); err != nil {
			return m, errors.Join(err, w.close(ctx))
		}
	}
	var fence, size int64
	var root []byte
	err = w.conn.QueryRow(ctx, "UPDATE crmgate_log SET fence = fence + 1 WHERE node = $1 AND writer = $2 RETURNING fence, size, root",
		w.node, w.writer).Scan(&fence, &size, &root)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return m, audit.ErrFenced
	case err != nil:
		return m, errors.Join(w.fault("opening", err), w.close(ctx))
	}
	w.fence.Store(fence)
	m.Size = uint64(size)
	if size > 0 && copy(m.Root[:], root) != len(m.Root) {
		return m, errors.New("reading from the audit log: its row is damaged")
	}
	return m, nil
}

func (w *writing) close(ctx context.Context) error {
	if w.conn == nil {
		return nil
	}
	conn := w.conn
	w.conn = nil
	_ = conn.Close(ctx) // it failed before, and says it again
	return nil
}

// Close implements io.Closer: the lock goes with the connection.
func (w *writing) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), operationFor)
	defer cancel()
	return w.close(ctx)
}

var _ audit.Held = (*writing)(nil)
