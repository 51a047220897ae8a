package command

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// found looks for a remark.
func found(e *examination, level crmgate.Level, about, what string) bool {
	for _, r := range e.list {
		if r.Level == level && r.About == about && strings.Contains(r.What, what) {
			return (r.Remedy == "") == (level == crmgate.Good)
		}
	}
	return false
}

func TestDoctorLooksAtTheDataDirectoryAndMakesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(t *testing.T, dir string)
		want []crmgate.Remark
	}{
		"not there": {
			func(t *testing.T, dir string) { t.Helper(); try(t, os.Remove(dir)) },
			[]crmgate.Remark{{Level: crmgate.Warning, About: "data directory", What: "not there yet"}, {Level: crmgate.Good, About: "log", What: "can be written"}},
		},
		"a file": {
			func(t *testing.T, dir string) {
				t.Helper()
				try(t, os.Remove(dir))
				try(t, os.WriteFile(dir, nil, 0o600))
			},
			[]crmgate.Remark{{Level: crmgate.Failure, About: "data directory", What: "is no directory"}},
		},
		"empty": {
			func(*testing.T, string) {},
			[]crmgate.Remark{{Level: crmgate.Good, About: "data directory"}, {Level: crmgate.Good, About: "keys", What: "the first start makes them"}},
		},
		"open to others": {
			func(t *testing.T, dir string) { t.Helper(); try(t, os.Chmod(dir, 0o755)) },
			[]crmgate.Remark{{Level: crmgate.Warning, About: "data directory", What: "others than its owner"}},
		},
		"log without its key": {
			func(t *testing.T, dir string) { t.Helper(); try(t, os.Mkdir(filepath.Join(dir, "log"), 0o700)) },
			[]crmgate.Remark{{Level: crmgate.Failure, About: "keys", What: "but no key"}},
		},
		"with a key": {
			func(t *testing.T, dir string) { t.Helper(); makeKey(t, dir) },
			[]crmgate.Remark{{Level: crmgate.Good, About: "keys", What: "can be read"}},
		},
		"key that others read": {
			func(t *testing.T, dir string) { t.Helper(); try(t, os.Chmod(makeKey(t, dir), 0o644)) },
			[]crmgate.Remark{{Level: crmgate.Failure, About: "keys", What: "mode 0644"}},
		},
		"key that is none": {
			func(t *testing.T, dir string) { t.Helper(); try(t, os.WriteFile(makeKey(t, dir), []byte("x"), 0o600)) },
			[]crmgate.Remark{{Level: crmgate.Failure, About: "keys", What: "malformed"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			try(t, os.Mkdir(dir, 0o700))
			c.make(t, dir)
			before := tree(t, filepath.Dir(dir))
			e := new(examination)
			e.data(t.Context(), dir, keys.InDir(crmgate.KeyDir(dir)))
			for _, w := range c.want {
				if !found(e, w.Level, w.About, w.What) {
					t.Errorf("want %s %s: %s; said %+v", w.Level, w.About, w.What, e.list)
				}
			}
			if after := tree(t, filepath.Dir(dir)); after != before {
				t.Errorf("it changed\n%s\nto\n%s", before, after)
			}
		})
	}
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeKey makes a master key and returns its file.
func makeKey(t *testing.T, dir string) string {
	t.Helper()
	at := filepath.Join(dir, "keys")
	_, err := keys.Open(at)
	try(t, err)
	return filepath.Join(at, keys.FileName)
}

// tree lists all files below a folder with their modes and times.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	try(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		}
		return err
	}))
	return b.String()
}

func TestDoctorReachesTheCRM(t *testing.T) {
	t.Parallel()
	local, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	defer local.Close()
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "crm.sock"))
	try(t, err)
	defer socket.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	try(t, gone.Close())
	for dial, level := range map[string]crmgate.Level{
		local.Addr().String():               crmgate.Good,
		"unix/" + socket.Addr().String():    crmgate.Good,
		gone.Addr().String():                crmgate.Failure,
		"unix//nowhere/crm.sock":            crmgate.Failure,
		"{http.request.header.Upstream}:80": crmgate.Warning,
	} {
		e := new(examination)
		e.upstream(t.Context(), dial)
		if len(e.list) != 1 || !found(e, level, "CRM", "") {
			t.Errorf("%s: %+v, want %s", dial, e.list, level)
		}
	}
}

func TestDoctorSeesACRMThatOthersReach(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true} {
		crm, err := net.Listen("tcp4", listen)
		try(t, err)
		t.Cleanup(func() { _ = crm.Close() })
		port := crm.Addr().(*net.TCPAddr).Port
		e := new(examination)
		e.bypass(t.Context(), net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), uint(port), []string{"127.0.0.1", "127.0.0.2"})
		if got := found(e, crmgate.Warning, "CRM", "also answers at 127.0.0.2"); got != want || len(e.list) > 1 {
			t.Errorf("a CRM that listens on %s: %+v", listen, e.list)
		}
	}
}

// The terminal stands at the end, so the worst comes last; and nothing that a
// provider says reaches it as an escape sequence.
func TestDoctorPrintsTheWorstLast(t *testing.T) {
	t.Parallel()
	e := new(examination)
	e.say(crmgate.Failure, "clocks", "Set them", "they differ \x1b[2J")
	e.say(crmgate.Good, "CRM", "", "it answers")
	e.say(crmgate.Warning, "PKCE", "Require it", "not said")
	var b bytes.Buffer
	try(t, e.show(&b))
	out := b.String()
	last := -1
	for _, line := range []string{"ok       CRM: it answers\n", "warning  PKCE: not said\n         → Require it\n", "error    clocks: they differ �[2J\n", "errors: 1, warnings: 1\n"} {
		at := strings.Index(out, line)
		if at <= last {
			t.Errorf("%q is at %d in\n%s", line, at, out)
		}
		last = at
	}
	b.Reset()
	try(t, e.showJSON(&b))
	var said struct {
		Remarks          []crmgate.Remark
		Errors, Warnings int
	}
	if err := json.Unmarshal(b.Bytes(), &said); err != nil || len(said.Remarks) != 3 || said.Errors != 1 || said.Warnings != 1 {
		t.Errorf("JSON: %v, %s", err, &b)
	}
}
