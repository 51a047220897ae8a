package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// schemaLock is the advisory lock under which the schema is made ("CRMG"): two
// nodes that start together don't do it twice.
const schemaLock = 0x43524d47

// migrations take the schema from one version (their index) to the next. They
// are never changed once released, only added to.
func migrations() []string {
	return []string{
		`CREATE TABLE crmgate_session (
			key     bytea PRIMARY KEY, -- SHA-256 of the id in the cookie
			created bigint NOT NULL,   -- seconds since 1970
			touched bigint NOT NULL,
			expires bigint NOT NULL,
			subject text NOT NULL,     -- hash of issuer and subject
			sid     text NOT NULL,     -- hash of issuer and the provider's session
			sealed  bytea NOT NULL,
			version bigint NOT NULL DEFAULT 1,          -- counts rewrites
			leased  timestamptz NOT NULL DEFAULT 'epoch' -- until when, by this server's clock
		);
		CREATE INDEX crmgate_session_subject ON crmgate_session (subject);
		CREATE INDEX crmgate_session_sid ON crmgate_session (sid);
		CREATE TABLE crmgate_spent (
			id    text PRIMARY KEY,    -- a sign-in that a session was made for
			until bigint NOT NULL
		);`,
		`CREATE TABLE crmgate_bound (
			id      bytea PRIMARY KEY, -- keyed hash of a CRM session's id
			session bytea NOT NULL,    -- the key of the gateway session that got it
			owner   text NOT NULL,     -- pseudonym
			until   bigint NOT NULL
		);`,
		// Bytes order the index as Go does, whatever the database's own order.
		`CREATE TABLE crmgate_factor (
			idx     text COLLATE "C" PRIMARY KEY, -- hash of whose enrolment or invitation it is
			person  boolean NOT NULL,             -- it is an enrolment
			expires bigint NOT NULL,              -- seconds since 1970; 0 is never
			sealed  bytea NOT NULL,
			version bigint NOT NULL               -- counts writes
		);
		CREATE INDEX crmgate_factor_expires ON crmgate_factor (expires) WHERE expires > 0;`,
		logSchema,
		`CREATE TABLE crmgate_kept (
			id     bytea PRIMARY KEY, -- keyed hash of a handle and of whose it is
			owner  bytea NOT NULL,    -- keyed hash of whose it is
			made   bigint NOT NULL,   -- nanoseconds since 1970
			until  bigint NOT NULL,   -- seconds since 1970
			sealed bytea NOT NULL     -- what was asked
		);
		CREATE INDEX crmgate_kept_owner ON crmgate_kept (owner, made);
		CREATE INDEX crmgate_kept_until ON crmgate_kept (until);`,
		`CREATE TABLE crmgate_doc (
			kind    text COLLATE "C" NOT NULL, -- the part of the gateway that it belongs to
			key     bytea NOT NULL,            -- keyed hash of what it is about
			grp     bytea NOT NULL,            -- keyed hash that it is listed by
			until   bigint NOT NULL,           -- seconds since 1970; 0 is for good
			version bigint NOT NULL,           -- counts writes
			sealed  bytea NOT NULL,
			PRIMARY KEY (kind, key)
		);
		CREATE INDEX crmgate_doc_grp ON crmgate_doc (kind, grp, key);
		CREATE INDEX crmgate_doc_until ON crmgate_doc (until) WHERE until > 0;`,
	}
}

// Schema is the version of what this build writes; one before it can't read it.
func (Store) Schema() int { return len(migrations()) }

// schemaError is a database that is there and can't be used: trying again is of
// no help.
type schemaError struct{ text string }

func (e *schemaError) Error() string { return e.text }

// prepare brings the schema up to date, once.
func (d *database) prepare(ctx context.Context) error {
	if d.ready.Load() {
		return nil
	}
	d.preparing.Lock()
	defer d.preparing.Unlock()
	if d.ready.Load() {
		return nil
	}
	if err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return migrate(ctx, tx) }); err != nil {
		return d.fault("opening", err)
	}
	d.ready.Store(true)
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
		return err
	}
	version, err := versionOf(ctx, tx)
	if err != nil {
		return err
	}
	if version == none {
		version = 0
		if _, err := tx.Exec(ctx, "CREATE TABLE crmgate_schema (version integer NOT NULL); INSERT INTO crmgate_schema VALUES (0)"); err != nil {
			return err
		}
	}
	all := migrations()
	for _, step := range all[version:] {
		if _, err := tx.Exec(ctx, step); err != nil {
			return err
		}
	}
	if version == len(all) {
		return nil
	}
	_, err = tx.Exec(ctx, "UPDATE crmgate_schema SET version = $1", len(all))
	return err
}

// none is the version of a database without our tables.
const none = -1

// versionOf reads the schema's version, and refuses one that this build doesn't
// know.
func versionOf(ctx context.Context, q interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
},
) (int, error) {
	var known bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('crmgate_schema') IS NOT NULL").Scan(&known); err != nil {
		return 0, err
	}
	if !known {
		return none, nil
	}
	version, newest := 0, len(migrations())
	if err := q.QueryRow(ctx, "SELECT version FROM crmgate_schema").Scan(&version); err != nil {
		return 0, err
	}
	if version < 0 || version > newest {
		return 0, &schemaError{fmt.Sprintf("the session store has schema version %d, this build knows up to %d: start the newer crmgate again, "+
			"or name another database (everybody signs in anew, second factors of the gateway's own are enrolled anew, and new logs begin; keep this one: it has the logs)", version, newest)}
	}
	return version, nil
}

// fault tells of an error without what the server or the driver may quote, and
// with the remedy where it is known.
func (d *database) fault(doing string, err error) error {
	var wrong *schemaError
	var server *pgconn.PgError
	doing += " the " + d.what
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return wrong
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: PostgreSQL gave no answer in time: is it running and reachable? %w", doing, context.DeadlineExceeded)
	case errors.As(err, &server):
		return serverFault(doing, server.Code)
	}
	text := err.Error()
	if d.secret != "" {
		text = strings.ReplaceAll(text, d.secret, "•••")
	}
	return fmt.Errorf("%s: PostgreSQL can't be reached: is it running, and does the dsn name it? (%s)", doing, text)
}

// serverFault tells of a refusal by the server. Its own text can quote values.
func serverFault(doing, code string) error {
	remedy := ""
	switch {
	case strings.HasPrefix(code, "28"):
		remedy = "PostgreSQL refuses the user of the dsn: check the password and pg_hba.conf"
	case code == "3D000":
		remedy = "the database of the dsn does not exist: CREATE DATABASE crmgate OWNER crmgate"
	case code == "42501", code == "3F000":
		remedy = "the user of the dsn may make no tables: make the database its own (ALTER DATABASE … OWNER TO …)"
	}
	if remedy != "" {
		return &schemaError{fmt.Sprintf("%s: %s (SQLSTATE %s)", doing, remedy, code)}
	}
	return fmt.Errorf("%s: PostgreSQL answers with SQLSTATE %s%s", doing, code, passing(code))
}

// passing is the remedy of what goes away without another configuration.
func passing(code string) string {
	switch {
	case code == "25006":
		return ": it is a standby, or set to be read only; let the dsn name the primary too (host=a,b)"
	case strings.HasPrefix(code, "53"):
		return ": it lacks room, memory or connections"
	}
	return ""
}
