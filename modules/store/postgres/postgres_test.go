package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/factor"
	factortest "github.com/crmgate/crmgate/internal/factor/storetest"
	"github.com/crmgate/crmgate/internal/sealed"
	sealedtest "github.com/crmgate/crmgate/internal/sealed/storetest"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
	pgtest "github.com/crmgate/crmgate/test/postgres"
)

func openAt(t testing.TB, dsn string) session.Store {
	t.Helper()
	store, closer, err := (&Store{DSN: dsn}).OpenStore(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func record() session.Record {
	now := time.Unix(1_800_000_000, 0)
	rec := session.Record{
		Created: now, Touched: now, Expires: now.Add(time.Hour), Subject: "subject", SID: "sid", Sealed: []byte("sealed"),
	}
	rand.Read(rec.Key[:])
	return rec
}

func add(ctx context.Context, s session.Store, rec session.Record) error {
	_, err := s.Create(ctx, rec, session.Spent{ID: rand.Text(), Until: rec.Expires}, session.Limit{})
	return err
}

func TestStoreOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	t.Run("keeps-the-contract", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) session.Store {
			t.Helper()
			return openAt(t, server.Database(t))
		})
	})
	t.Run("remembers-whose-CRM-sessions-are", func(t *testing.T) {
		storetest.RunBinder(t, func(t *testing.T) session.Binder {
			t.Helper()
			return openAt(t, server.Database(t)).(session.Binder)
		})
	})
	t.Run("keeps-what-was-asked", func(t *testing.T) {
		storetest.RunKeeper(t, func(t *testing.T) session.Keeper {
			t.Helper()
			return openAt(t, server.Database(t)).(session.Keeper)
		})
	})
	t.Run("keeps-documents", func(t *testing.T) {
		sealedtest.Run(t, func(t *testing.T) sealed.Store {
			t.Helper()
			return openAt(t, server.Database(t)).(sealed.Store)
		})
	})
	t.Run("keeps-second-factors", func(t *testing.T) {
		factortest.Run(t, func(t *testing.T) factor.Store {
			t.Helper()
			return openAt(t, server.Database(t)).(factor.Store)
		})
	})
	t.Run("nodes-that-start-together-make-one-schema", func(t *testing.T) {
		dsn := server.Database(t)
		var all sync.WaitGroup
		stores := make([]session.Store, 8)
		for i := range stores {
			all.Go(func() { stores[i] = openAt(t, dsn) })
		}
		all.Wait()
		rec := record()
		if err := add(t.Context(), stores[0], rec); err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if _, err := s.Load(t.Context(), rec.Key); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("newer-schema-is-refused", func(t *testing.T) {
		dsn := server.Database(t)
		openAt(t, dsn)
		server.Exec(t, dsn, "UPDATE crmgate_schema SET version = 99")
		if _, _, err := (&Store{DSN: dsn}).OpenStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "schema version 99, this build knows up to 6: start the newer crmgate") {
			t.Errorf("OpenStore = %v", err)
		}
	})
	t.Run("user-who-may-make-no-tables-is-told", func(t *testing.T) {
		dsn := server.Database(t)
		server.Exec(t, strings.Replace(dsn, dsn[len("postgres://"):strings.Index(dsn, "@")], "postgres", 1), "REVOKE ALL ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO postgres")
		if _, _, err := (&Store{DSN: dsn}).OpenStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "make no tables") {
			t.Errorf("OpenStore = %v", err)
		}
	})
	t.Run("examination-makes-no-tables", func(t *testing.T) {
		dsn := server.Database(t)
		for range 2 { // the second would see what the first had made
			if got, err := (&Store{DSN: dsn}).ExamineStore(t.Context(), ""); err != nil || !strings.Contains(got, "first start makes the tables") {
				t.Errorf("ExamineStore = %q, %v", got, err)
			}
		}
		openAt(t, dsn)
		if got, err := (&Store{DSN: dsn}).ExamineStore(t.Context(), ""); err != nil || !strings.Contains(got, "has its tables") {
			t.Errorf("ExamineStore = %q, %v", got, err)
		}
		server.Exec(t, dsn, "UPDATE crmgate_schema SET version = 99")
		if _, err := (&Store{DSN: dsn}).ExamineStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "schema version 99") {
			t.Errorf("ExamineStore = %v", err)
		}
	})
	t.Run("examination-tells-of-a-user-who-may-make-no-tables", func(t *testing.T) {
		dsn := server.Database(t)
		server.Exec(t, strings.Replace(dsn, dsn[len("postgres://"):strings.Index(dsn, "@")], "postgres", 1), "REVOKE ALL ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO postgres")
		if _, err := (&Store{DSN: dsn}).ExamineStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "make no tables") {
			t.Errorf("ExamineStore = %v", err)
		}
	})
	t.Run("missing-database-is-told", func(t *testing.T) {
		dsn := strings.Replace(server.Database(t), "@/crmgate", "@/nowhere", 1)
		if _, _, err := (&Store{DSN: dsn}).OpenStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "CREATE DATABASE") {
			t.Errorf("OpenStore = %v", err)
		}
	})
}

// A server that is down at the start, comes, and goes and comes again.
func TestServerMayComeAndGo(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	dsn := server.Database(t)
	server.Stop(t)
	if _, err := (&Store{DSN: dsn}).ExamineStore(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "is it running") || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("ExamineStore without a server = %v", err)
	}
	s := openAt(t, dsn)
	rec := record()
	err := add(t.Context(), s, rec)
	if err == nil || !strings.Contains(err.Error(), "is it running") || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("Create without a server = %v", err)
	}
	for range 2 {
		server.Run(t)
		if err := add(t.Context(), s, record()); err != nil {
			t.Fatal(err)
		}
		server.Stop(t)
		if _, err := s.Load(t.Context(), rec.Key); err == nil || errors.Is(err, session.ErrNone) {
			t.Errorf("Load without a server = %v", err)
		}
	}
}

// What hangs is given up, and told of as a store that can't be used.
func TestHangingServerIsGivenUp(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	dsn := server.Database(t)
	s := openAt(t, dsn)
	rec := record()
	if err := add(t.Context(), s, rec); err != nil {
		t.Fatal(err)
	}
	locked, closer, err := (&Store{DSN: dsn}).OpenStore(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	db, ok := locked.(*database)
	if !ok {
		t.Fatalf("%T", locked)
	}
	tx, err := db.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE crmgate_session"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), rec.Key); err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("Load = %v", err)
	}
}

func TestSecretsAreNotInErrors(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://u:CANARY@127.0.0.1:1/db", "postgres://u:CANARY@127.0.0.1:notaport/db", "host=127.0.0.1 port=1 password=CANARY sslmode=nonsense",
		"postgres://u:CANARY%zz@h/db", "password=CANARY host", "postgres://u:CANARY@db.example.de/crmgate", "host=127.0.0.1 port=1 user=u password='CANARY' dbname=CANARY",
	} {
		store, closer, err := (&Store{DSN: dsn}).OpenStore(t.Context(), "")
		if err == nil {
			_, err = store.Load(t.Context(), session.Key{})
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		}
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("error = %v", err)
		}
	}
}

func TestUnverifiedNetworkIsRefused(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(authority), 0o600); err != nil {
		t.Fatal(err)
	}
	for dsn, good := range map[string]bool{
		"postgres://u@db.example.de/crmgate":                                 false,
		"postgres://u@db.example.de/crmgate?sslmode=disable":                 false,
		"postgres://u@db.example.de/crmgate?sslmode=prefer":                  false,
		"postgres://u@db.example.de/crmgate?sslmode=require":                 false,
		"postgres://u@127.0.0.1,db.example.de/crmgate":                       false,
		"postgres://u@db.example.de/crmgate?sslmode=verify-full":             true,
		"postgres://u@10.0.0.1/crmgate?sslmode=verify-ca&sslrootcert=" + ca:  true,
		"postgres://u@a.example.de,b.example.de/crmgate?sslmode=verify-full": true,
		"postgres://u@127.0.0.1/crmgate":                                     true,
		"postgres://u@localhost/crmgate":                                     true,
		"postgres://u@/crmgate?host=/run/postgresql":                         true,
	} {
		err := (&Store{DSN: dsn}).Provision(caddy.Context{})
		if good != (err == nil) || err != nil && !strings.Contains(err.Error(), "sslmode=verify-full") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestCaddyfile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres {\n dsn {env.X}\n}":   "",
		"postgres":                      "needs a database",
		"postgres x":                    "takes a block",
		"postgres {\n dns x\n}":         "has no \"dns\"",
		"postgres {\n dsn\n}":           "takes one value",
		"postgres {\n dsn a b\n}":       "takes one value",
		"postgres {\n dsn a\n dsn b\n}": "stands once",
	} {
		var s Store
		err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
		if want == "" && (err != nil || s.DSN != "{env.X}") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// authority is a CA's certificate, made for this test; its key is gone.
const authority = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUPSkEmD3uje9smYSu2pxKmq8mhAwwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjMwOTQxNDdaFw0zNjExMjAwOTQxNDda
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASd0acW
N+gQLhXdDDyH/Bn+zRF7pDuZjRwKQly0/6FF+YR6YoDsAu6m/PLcsBGfKOyfB7/2
9uK/7WAymCJsfUabo1MwUTAdBgNVHQ4EFgQU3VviPrlohmwLglaznMsUN99WaVUw
HwYDVR0jBBgwFoAU3VviPrlohmwLglaznMsUN99WaVUwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiEA/OnUCG2Sr28HLb6fPwL3zItGW/qfP4H8pTer
hlSvbc8CIA2OkRbbqpCzRSZAGFMbeqM0AElPeXu2EiJWScp9Gg5d
-----END CERTIFICATE-----
`
