package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// Admin is the address of a database for the server's administrator.
func (s *Server) Admin() string { return s.dsn("postgres", "postgres") }

// Set changes a setting while the server runs, and waits until it holds.
func (s *Server) Set(t testing.TB, name, value string) {
	t.Helper()
	s.Exec(t, s.Admin(), fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", name, value))
	s.Exec(t, s.Admin(), "SELECT pg_reload_conf()")
	stack.Poll(t, name+" is "+value, func() bool { return s.Text(t, s.Admin(), "SELECT current_setting('"+name+"')") == value })
}

// Tables returns the files of the server's tables that hold some bytes, once all that
// was committed is in them. What is in the write-ahead log isn't looked at.
func (s *Server) Tables(t testing.TB, needle []byte) (found []string) {
	t.Helper()
	s.Exec(t, s.Admin(), "CHECKPOINT")
	err := filepath.WalkDir(filepath.Join(s.data, "base"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, needle) {
			found = append(found, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // taken away meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Dump is a copy of a database, as administrators make one; Restore puts one in the
// place of what is there.
func (s *Server) Dump(t testing.TB, dsn string) []byte {
	t.Helper()
	dump := s.command(filepath.Join(s.bin, "pg_dump"), "--clean", "--if-exists", dsn)
	var said bytes.Buffer
	dump.Stderr = &said
	out, err := dump.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, said.String())
	}
	return out
}

// Restore puts back what Dump has made.
func (s *Server) Restore(t testing.TB, dsn string, dump []byte) {
	t.Helper()
	load := s.command(filepath.Join(s.bin, "psql"), "-v", "ON_ERROR_STOP=1", "-q", "-1", dsn)
	load.Stdin = bytes.NewReader(dump)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
}

// Pause stops all of the server's processes as they stand, until Continue.
func (s *Server) Pause(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGSTOP) }

// Continue lets them go on.
func (s *Server) Continue(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGCONT) }

// Kill ends the server as a power cut does, and waits until it is gone. Run starts
// it again.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	all := s.processes(t)
	s.signal(t, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
	stack.Poll(t, "the server's processes are gone", func() bool {
		for _, pid := range all {
			if syscall.Kill(pid, 0) == nil {
				return false
			}
		}
		return true
	})
}

// signal sends a signal to the server's processes, the first one first: it makes
// no others then.
func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
	for _, pid := range s.processes(t)[1:] {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}

// processes are the server's own and its children.
func (s *Server) processes(t testing.TB) []int {
	t.Helper()
	all := []int{s.cmd.Process.Pid}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if fields := strings.Fields(rest); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(all[0]) {
			all = append(all, pid)
		}
	}
	return all
}
