// Package postgres keeps sessions and second factors in PostgreSQL, for a gateway
// on several nodes: who signs in at one goes on at the others, and who is revoked
// at one is out at all of them.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crmgate/crmgate/internal/session"
)

func init() {
	caddy.RegisterModule(Store{})
}

// Store is the Caddy module crmgate.stores.postgres. Its tables (crmgate_session,
// crmgate_spent, crmgate_bound, crmgate_factor, crmgate_schema) are made when it is
// opened, so the database's user needs the right to make tables there; what
// sessions and second factors say is encrypted in them. PostgreSQL 13 or newer.
//
// A database that can't be reached at the start doesn't keep the gateway from
// starting: requests get 503 until it is there. Beyond this machine the
// connection has to be encrypted, and the server's certificate verified
// (sslmode=verify-full).
type Store struct {
	// The database, as libpq writes it: `postgres://crmgate@db.example.de/crmgate`.
	// Leave the password to a placeholder (`{env.CRMGATE_DSN}`), a passfile or a
	// client certificate. Required.
	DSN string `json:"dsn,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Store) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "crmgate.stores.postgres",
		New: func() caddy.Module { return new(Store) },
	}
}

// Provision judges the address. It opens no connection.
func (s *Store) Provision(caddy.Context) error {
	_, err := s.config()
	return err
}

// UnmarshalCaddyfile reads the store from the global option crmgate.
//
//	store postgres {
//	    dsn <dsn>
//	}
func (s *Store) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Err("store postgres takes a block: store postgres { dsn … }")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() != "dsn" {
			return d.Errf("store postgres has no %q: it takes `dsn <dsn>` and nothing else", d.Val())
		}
		if s.DSN != "" {
			return d.Err("dsn stands once")
		}
		if !d.AllArgs(&s.DSN) || s.DSN == "" {
			return d.Err("dsn takes one value: dsn {env.CRMGATE_DSN}")
		}
	}
	if s.DSN == "" {
		return d.Err("store postgres needs a database: store postgres { dsn {env.CRMGATE_DSN} }")
	}
	return nil
}

// What a connection may take, in the server's own words: one that hangs must not
// hold a row, and no request waits for long.
const (
	statementTimeout = "5000" // milliseconds, as the two below
	lockTimeout      = "3000"
	idleTimeout      = "10000"
	maxConnections   = 16
)

// config reads the DSN. Its errors hold nothing of it: a password may stand there.
func (s *Store) config() (*pgxpool.Config, error) {
	dsn, err := caddy.NewReplacer().ReplaceOrErr(s.DSN, true, true)
	if err != nil {
		return nil, fmt.Errorf("store postgres: dsn: %w", err)
	}
	if strings.TrimSpace(dsn) == "" {
		return nil, errors.New("store postgres: the dsn is empty: write postgres://USER@HOST/DATABASE?sslmode=verify-full")
	}
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("store postgres: the dsn can't be read: write postgres://USER@HOST/DATABASE?sslmode=verify-full, " +
			"letters that URLs give a meaning in the password as %XX, and check the files that it names")
	}
	if err := encrypted(&cfg.ConnConfig.Config); err != nil {
		return nil, err
	}
	p := cfg.ConnConfig.RuntimeParams
	p["application_name"] = "crmgate"
	p["statement_timeout"], p["lock_timeout"], p["idle_in_transaction_session_timeout"] = statementTimeout, lockTimeout, idleTimeout
	// What was answered survives: a revoked session must not come back.
	p["synchronous_commit"] = "on"
	if cfg.ConnConfig.ConnectTimeout == 0 || cfg.ConnConfig.ConnectTimeout > operationFor {
		cfg.ConnConfig.ConnectTimeout = operationFor
	}
	// Of several hosts the one that takes writes; a standby would refuse them.
	cfg.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = maxConnections
	}
	return cfg, nil
}

// encrypted refuses a way to the database that others can read or turn aside.
func encrypted(cfg *pgconn.Config) error {
	ways := []*pgconn.FallbackConfig{{Host: cfg.Host, TLSConfig: cfg.TLSConfig}}
	for _, way := range append(ways, cfg.Fallbacks...) {
		ip := net.ParseIP(way.Host)
		if strings.HasPrefix(way.Host, "/") || strings.HasPrefix(way.Host, "@") || way.Host == "localhost" || ip != nil && ip.IsLoopback() {
			continue
		}
		if t := way.TLSConfig; t == nil || t.InsecureSkipVerify && t.VerifyPeerCertificate == nil {
			return fmt.Errorf("store postgres: the connection to %s would not be encrypted, or the server not verified: "+
				"add sslmode=verify-full (and sslrootcert=FILE for a CA of your own) to the dsn", way.Host)
		}
	}
	return nil
}

// OpenStore implements session.Opener. A database that can't be reached is tried
// again with every operation; one that is another's, newer, or lets us make no
// tables, is an error.
func (s *Store) OpenStore(ctx context.Context, _ string) (session.Store, io.Closer, error) {
	db, err := s.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	var wrong *schemaError
	if err := db.prepare(ctx); errors.As(err, &wrong) {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, db, nil
}

// connect makes the pool. It doesn't wait for a connection.
func (s *Store) connect(ctx context.Context, change ...func(*pgxpool.Config)) (*database, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	for _, f := range change {
		f(cfg)
	}
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return nil, errors.New("store postgres: the dsn can't be used")
	}
	return &database{pool: pool, what: "session store", secret: cfg.ConnConfig.Password}, nil
}

// Interface guards.
var (
	_ caddy.Module          = (*Store)(nil)
	_ caddy.Provisioner     = (*Store)(nil)
	_ caddyfile.Unmarshaler = (*Store)(nil)
	_ session.Opener        = (*Store)(nil)
	_ session.Store         = (*database)(nil)
	_ io.Closer             = (*database)(nil)
)
