// Package postgres runs a PostgreSQL of a test's own, from the distribution's
// packages: a cluster in memory, on a Unix socket, as a user that isn't root.
package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/test/stack"
)

// unprivileged is whom the server runs as where the tests run as root, which it
// refuses.
const unprivileged = "postgres"

// Server is a running PostgreSQL.
type Server struct {
	bin, dir, data string
	as             *syscall.Credential
	cmd            *exec.Cmd
	databases      atomic.Int64
}

// Start makes a cluster and starts it. It ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{bin: binaries(t), dir: stack.MemoryDir(t)}
	s.data = filepath.Join(s.dir, "data")
	if os.Geteuid() == 0 {
		s.as = credential(t)
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	s.unpack(t)
	s.Run(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// fresh is a new cluster as a tar file: making one takes longer than most tests of it.
var fresh struct {
	sync.Mutex
	packed []byte
}

// unpack makes the first cluster of this process, and copies of it from then on.
func (s *Server) unpack(t testing.TB) {
	t.Helper()
	fresh.Lock()
	defer fresh.Unlock()
	if fresh.packed != nil {
		tar := s.command("tar", "-C", s.dir, "-xf", "-")
		tar.Stdin = bytes.NewReader(fresh.packed)
		if out, err := tar.CombinedOutput(); err != nil {
			t.Fatalf("unpacking a cluster: %v\n%s", err, out)
		}
		return
	}
	init := s.command(filepath.Join(s.bin, "initdb"), "-D", s.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	packed, err := s.command("tar", "-C", s.dir, "-cf", "-", "data").Output()
	if err != nil {
		t.Fatalf("packing the cluster: %v", err)
	}
	fresh.packed = packed
}

// binaries finds the newest server of the distribution.
func binaries(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatal("PostgreSQL is not installed; run: make setup")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1])
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // what isn't a number is old
	return n
}

func credential(t testing.TB) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(unprivileged)
	if err != nil {
		t.Fatalf("%v; run: make setup", err)
	}
	uid, errU := strconv.ParseUint(u.Uid, 10, 32)
	gid, errG := strconv.ParseUint(u.Gid, 10, 32)
	if errU != nil || errG != nil {
		t.Fatalf("the user %s has no numbers", unprivileged)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGINT}
	return cmd
}

// Run starts the server, again after Stop, and waits until it answers.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	s.cmd = s.command(filepath.Join(s.bin, "postgres"), "-D", s.data, "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	var said bytes.Buffer
	s.cmd.Stderr = &said
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stack.Poll(t, "PostgreSQL answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.dsn("postgres", "postgres"))
		if err != nil {
			return false
		}
		return conn.Close(ctx) == nil
	})
}

// Stop ends the server, with what is connected to it.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGINT) // a fast shutdown
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *Server) dsn(as, database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User(as), Path: "/" + database, RawQuery: url.Values{"host": {s.dir}}.Encode()}).String()
}

// Database makes an empty database that belongs to a user of its own, and returns
// its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("crmgate%d", s.databases.Add(1))
	s.Exec(t, s.dsn("postgres", "postgres"), "CREATE ROLE "+name+" LOGIN PASSWORD 'CANARY-password'")
	s.Exec(t, s.dsn("postgres", "postgres"), "CREATE DATABASE "+name+" OWNER "+name)
	return s.dsn(name, name)
}

// Exec runs a statement.
func (s *Server) Exec(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stack.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(ctx, statement)
	if err := conn.Close(ctx); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Text is what a query answers, in one row of one column.
func (s *Server) Text(t testing.TB, dsn, query string) (answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stack.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.QueryRow(ctx, query).Scan(&answer)
	if err := conn.Close(ctx); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}
