package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite" // also the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks the file as ours ("CRMG"), so that no other program's
// database is migrated by mistake.
const applicationID = 0x43524d47

// migrations take the schema from one version (their index) to the next. They
// are never changed once released, only added to.
func migrations() []string {
	return []string{
		`CREATE TABLE session (
			key     BLOB PRIMARY KEY, -- SHA-256 of the id in the cookie
			created INTEGER NOT NULL, -- seconds since 1970, as all times here
			touched INTEGER NOT NULL,
			expires INTEGER NOT NULL,
			subject TEXT NOT NULL,    -- hash of issuer and subject
			sid     TEXT NOT NULL,    -- hash of issuer and the provider's session
			sealed  BLOB NOT NULL
		) STRICT, WITHOUT ROWID;
		CREATE INDEX session_subject ON session (subject);
		CREATE INDEX session_sid ON session (sid);
		CREATE TABLE spent (
			id    TEXT PRIMARY KEY,   -- a sign-in that a session was made for
			until INTEGER NOT NULL
		) STRICT, WITHOUT ROWID;`,
		`ALTER TABLE session ADD COLUMN version INTEGER NOT NULL DEFAULT 1; -- counts rewrites
		ALTER TABLE session ADD COLUMN leased INTEGER NOT NULL DEFAULT 0;   -- milliseconds since 1970`,
		`CREATE TABLE bound (
			id      BLOB PRIMARY KEY, -- keyed hash of a CRM session's id
			session BLOB NOT NULL,    -- the key of the gateway session that got it
			owner   TEXT NOT NULL,    -- pseudonym
			until   INTEGER NOT NULL
		) STRICT, WITHOUT ROWID;`,
		`CREATE TABLE factor (
			idx     TEXT PRIMARY KEY, -- hash of whose it is
			person  INTEGER NOT NULL, -- 1 is an enrolment, 0 an invitation to one
			expires INTEGER NOT NULL, -- 0 is never
			sealed  BLOB NOT NULL,
			version INTEGER NOT NULL
		) STRICT, WITHOUT ROWID;`,
		`CREATE TABLE kept (
			id     BLOB PRIMARY KEY, -- keyed hash of a handle and of whose it is
			owner  BLOB NOT NULL,    -- keyed hash of whose it is
			made   INTEGER NOT NULL, -- nanoseconds since 1970
			until  INTEGER NOT NULL,
			sealed BLOB NOT NULL     -- what was asked
		) STRICT;
		CREATE INDEX kept_owner ON kept (owner, made);
		CREATE INDEX kept_until ON kept (until);`,
		`CREATE TABLE doc (
			kind    TEXT NOT NULL,    -- the part of the gateway that it belongs to
			key     BLOB NOT NULL,    -- keyed hash of what it is about
			grp     BLOB NOT NULL,    -- keyed hash that it is listed by
			until   INTEGER NOT NULL, -- 0 is for good
			version INTEGER NOT NULL, -- counts writes
			sealed  BLOB NOT NULL,
			PRIMARY KEY (kind, key)
		) STRICT;
		CREATE INDEX doc_grp ON doc (kind, grp, key);
		CREATE INDEX doc_until ON doc (until) WHERE until > 0;`,
	}
}

// open opens or makes the database at path and brings its schema up to date.
func open(ctx context.Context, path string) (*database, error) {
	if err := prepare(path); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening session store %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", dsn(abs))
	if err != nil {
		return nil, fmt.Errorf("opening session store %s: %w", path, err)
	}
	// WAL lets readers go on beside the one writer; more connections than cores
	// are of no use.
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	if err := migrateAlone(ctx, db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &database{db: db, now: time.Now}, nil
}

// dsn names the file and what every connection to it has to be set to. A commit
// is durable when it returns (synchronous FULL): a session that was revoked must
// not come back with the power.
func dsn(path string) string {
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "trusted_schema(OFF)", "secure_delete(ON)",
	}}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: pragmas.Encode()}
	return u.String()
}

// prepare makes the file and its folder, and takes them away from other users.
// SQLite gives its -wal and -shm files the mode of the database.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of session store %s: %w: let the gateway's user write there, or name another path", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening session store %s: %w: let the gateway's user write there, or name another path", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening session store %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("opening session store %s: it is no regular file: name another path", path)
	}
	if info.Mode().Perm()&^fs.FileMode(0o600) != 0 {
		if err := f.Chmod(0o600); err != nil {
			return fmt.Errorf("taking session store %s away from other users: %w: make it the gateway's own", path, err)
		}
	}
	return nil
}

const (
	// busyFor is how long another process may take to make the file, and
	// busyEvery the pause between looks at it.
	busyFor   = 5 * time.Second
	busyEvery = 10 * time.Millisecond
)

// migrateAlone migrates once no other process does. SQLite doesn't wait
// (busy_timeout) for who switches a new file to WAL: of two that start together
// one is told at once that the file is locked.
func migrateAlone(ctx context.Context, db *sql.DB, path string) error {
	ctx, cancel := context.WithTimeout(ctx, busyFor)
	defer cancel()
	for {
		err := migrate(ctx, db, path)
		if locked, ok := errors.AsType[*sqlite.Error](err); !ok || locked.Code() != sqlite3.SQLITE_BUSY {
			return err
		}
		timer := time.NewTimer(busyEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// migrate brings the schema up to date in one transaction, so that two processes
// that start together don't do it twice.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("opening session store %s: %w: is it a SQLite file, and is there room on the disk?", path, err)
	}
	defer tx.Rollback()
	var version, application, tables int
	err = errors.Join(
		tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version),
		tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&application),
		tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables),
	)
	if err != nil {
		return fmt.Errorf("reading the version of session store %s: %w", path, err)
	}
	if err := checkVersion(path, version, application == applicationID || application == 0 && tables == 0); err != nil {
		return err
	}
	all := migrations()
	if version == len(all) {
		return nil
	}
	for v, step := range all[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("bringing session store %s to schema version %d: %w", path, version+v+1, err)
		}
	}
	// PRAGMA takes no parameters; these are constants.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(all), applicationID)); err != nil {
		return fmt.Errorf("noting the version of session store %s: %w", path, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("bringing session store %s up to date: %w", path, err)
	}
	return nil
}

// Schema is the version of what this build writes; one before it can't read it.
func (Store) Schema() int { return len(migrations()) }

// checkVersion refuses another program's file, and one of a newer build.
func checkVersion(path string, version int, ours bool) error {
	known := len(migrations())
	switch {
	case !ours:
		return fmt.Errorf("session store %s is another program's database: name another path", path)
	case version > known || version < 0:
		return fmt.Errorf("session store %s has schema version %d, this build knows up to %d: start the newer crmgate again, or move the file away (everybody signs in anew)",
			path, version, known)
	}
	return nil
}
