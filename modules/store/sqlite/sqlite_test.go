package sqlite

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/sealed"
	sealedtest "github.com/crmgate/crmgate/internal/sealed/storetest"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

func openAt(t testing.TB, path string) *database {
	t.Helper()
	db, err := open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) session.Store {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), fileName))
	})
}

func TestStoreRemembersWhoseCRMSessionsAre(t *testing.T) {
	t.Parallel()
	storetest.RunBinder(t, func(t *testing.T) session.Binder {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), fileName))
	})
}

func TestStoreKeepsWhatWasAsked(t *testing.T) {
	t.Parallel()
	storetest.RunKeeper(t, func(t *testing.T) session.Keeper {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), fileName))
	})
}

func TestStoreKeepsDocuments(t *testing.T) {
	t.Parallel()
	sealedtest.Run(t, func(t *testing.T) sealed.Store {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), fileName))
	})
}

func TestStoreSurvivesOddNamesAndReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c%41#ü", "x&mode=ro.db")
	rec := record()
	db, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Create(t.Context(), rec, session.Spent{ID: "s", Until: rec.Expires}, session.Limit{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, path)
	if _, err := again.Load(t.Context(), rec.Key); err != nil {
		t.Error(err)
	}
	if _, err := again.Create(t.Context(), record(), session.Spent{ID: "s"}, session.Limit{}); !errors.Is(err, session.ErrUsed) {
		t.Errorf("a sign-in was forgotten by closing: %v", err)
	}
}

func record() session.Record {
	now := time.Unix(1_800_000_000, 0)
	rec := session.Record{Created: now, Touched: now, Expires: now.Add(time.Hour), Subject: rand.Text(), Sealed: []byte("x")}
	rand.Read(rec.Key[:])
	return rec
}

// A file of the first version keeps its sessions.
func TestOlderFileIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path, rec := filepath.Join(t.TempDir(), fileName), record()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), migrations()[0]+fmt.Sprintf("PRAGMA user_version = 1; PRAGMA application_id = %d;", applicationID))
	if err == nil {
		_, err = db.ExecContext(t.Context(), "INSERT INTO session VALUES (?, 1, 2, 3, 'subject', 'sid', ?)", rec.Key[:], rec.Sealed)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := openAt(t, path).Lease(t.Context(), rec.Key, 1, time.Minute)
	if err != nil || got.Version != 1 || got.Subject != "subject" || !bytes.Equal(got.Sealed, rec.Sealed) {
		t.Errorf("Lease = %+v, %v", got, err)
	}
}

func TestFilesAreTheGatewaysOwn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", fileName)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, path)
	if _, err := db.Create(t.Context(), record(), session.Spent{ID: "s"}, session.Limit{}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 3 {
		t.Errorf("files = %v, %v, want database, -wal and -shm", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s has mode %v, %v", file, info.Mode(), err)
		}
	}
}

func TestFilesThatAreNotOursAreRefused(t *testing.T) {
	t.Parallel()
	make := func(t *testing.T, statements string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), fileName)
		db, err := sql.Open("sqlite", dsn(path))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]struct {
		path func(t *testing.T) string
		text string
	}{
		"newer": {func(t *testing.T) string {
			t.Helper()
			return make(t, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 99", applicationID))
		}, "schema version 99, this build knows up to 6: start the newer crmgate"},
		"another-program": {func(t *testing.T) string { t.Helper(); return make(t, "CREATE TABLE x (y)") }, "another program's database"},
		"another-id":      {func(t *testing.T) string { t.Helper(); return make(t, "PRAGMA application_id = 7") }, "another program's database"},
		"no-database": {func(t *testing.T) string {
			t.Helper()
			path := filepath.Join(t.TempDir(), fileName)
			if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is it a SQLite file"},
		"a-folder": {func(t *testing.T) string { t.Helper(); return t.TempDir() }, "name another path"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := c.path(t)
			if _, err := open(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path) {
				t.Errorf("open = %v, want an error with %q and the path", err, c.text)
			}
		})
	}
}

func TestTwoThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), fileName)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			db, err := open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := db.Create(t.Context(), record(), session.Spent{ID: rand.Text()}, session.Limit{}); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestPlaceOfTheFile(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "/data/crmgate/crmgate.db", "s.db": "/data/crmgate/s.db", "/var/x/s.db": "/var/x/s.db",
	} {
		if got := (&Store{Path: path}).file("/data/crmgate"); got != want {
			t.Errorf("file(%q) = %s, want %s", path, got, want)
		}
	}
	dir := filepath.Join(t.TempDir(), "crmgate")
	store, closer, err := (&Store{}).OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context(), session.Key{}); !errors.Is(err, session.ErrNone) {
		t.Error(err)
	}
	if err := closer.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", info.Mode(), err)
	}
}

func TestCaddyfile(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		"sqlite":                 "",
		"sqlite /var/lib/x.db":   "/var/lib/x.db",
		"sqlite {\n}":            "",
		"sqlite /a.db {\n}":      "/a.db",
		"sqlite /a.db /b.db":     "error: wrong argument count",
		`sqlite ""`:              "error: empty",
		"sqlite {\n path /x\n }": `error: takes no "path"`,
	} {
		s := new(Store)
		err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser(input))
		if text, bad := strings.CutPrefix(want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%q: %v, want %q", input, err, text)
			}
		} else if err != nil || s.Path != want {
			t.Errorf("%q: path %q, %v", input, s.Path, err)
		}
	}
	info, err := caddy.GetModule("crmgate.stores.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := info.New().(session.Opener); !ok {
		t.Error("the module opens no store")
	}
}

// TestRevocationSurvivesAKill kills a process right after its Delete returned.
func TestRevocationSurvivesAKill(t *testing.T) {
	const child = "CRMGATE_TEST_REVOKE"
	if path := os.Getenv(child); path != "" {
		revokeAndDie(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), fileName)
	rec, kept := record(), record()
	db := openAt(t, path)
	for i, r := range []session.Record{rec, kept} {
		if _, err := db.Create(t.Context(), r, session.Spent{ID: fmt.Sprint(i), Until: r.Expires}, session.Limit{}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRevocationSurvivesAKill$")
	cmd.Env = append(os.Environ(), child+"="+path)
	cmd.Stdin = bytes.NewReader(rec.Key[:])
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "revoked") {
		t.Fatalf("the child was to die by its own hand: %v, %s", err, out)
	}
	if _, err := db.Load(t.Context(), rec.Key); !errors.Is(err, session.ErrNone) {
		t.Errorf("Load = %v: a revoked session came back", err)
	}
	if _, err := db.Load(t.Context(), kept.Key); err != nil {
		t.Error(err)
	}
}

func revokeAndDie(t *testing.T, path string) {
	t.Helper()
	var key session.Key
	if _, err := os.Stdin.Read(key[:]); err != nil {
		t.Fatal(err)
	}
	db, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, "revoked")
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	_ = self.Kill()
	select {}
}

func BenchmarkLoad(b *testing.B) {
	db := openAt(b, filepath.Join(b.TempDir(), fileName))
	rec := record()
	rec.Sealed = make([]byte, 4096)
	if _, err := db.Create(b.Context(), rec, session.Spent{ID: "s"}, session.Limit{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := db.Load(b.Context(), rec.Key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	db := openAt(b, filepath.Join(b.TempDir(), fileName))
	for b.Loop() {
		if _, err := db.Create(b.Context(), record(), session.Spent{ID: rand.Text()}, session.Limit{}); err != nil {
			b.Fatal(err)
		}
	}
}
