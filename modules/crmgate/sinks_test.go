package crmgate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	_ "github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/sink/file"
	_ "github.com/crmgate/crmgate/modules/sink/webhook"
	_ "github.com/crmgate/crmgate/modules/store/sqlite"
)

// loadSinks loads a configuration with these sinks.
func loadSinks(t *testing.T, dir string, sinks ...map[string]any) error {
	t.Helper()
	config, err := json.Marshal(map[string]any{
		"admin":   map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"logging": map[string]any{"logs": map[string]any{"default": map[string]any{"writer": map[string]any{"output": "discard"}}}},
		"apps":    map[string]any{"crmgate": map[string]any{"data_dir": dir, "log": map[string]any{"node": "n1", "sinks": sinks}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return caddy.Load(config, true)
}

func mustLoad(t *testing.T, dir string, sinks ...map[string]any) {
	t.Helper()
	if err := loadSinks(t, dir, sinks...); err != nil {
		t.Fatal(err)
	}
}

// logged is what the log in a data directory says.
func logged(t *testing.T, dir string) (details []string, size int) {
	t.Helper()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	for s, err := range audit.Read(t.Context(), filepath.Join(dir, "log"), ring) {
		if err != nil {
			t.Fatal(err)
		}
		if size++; s.Entry.Event == audit.SinkChange {
			details = append(details, s.Entry.Detail)
		}
	}
	return details, size
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// numbers are those of the entries in a file of events.
func numbers(t *testing.T, file string) (all []int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		var e struct {
			Metadata struct{ Sequence int }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, e.Metadata.Sequence)
	}
	return all
}

// A reload keeps the cursors of sinks that stay, begins those that are new, and
// forgets those that are gone; a start that fails changes nothing.
func TestReloadKeepsCursors(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	file := func(name string, more ...string) map[string]any {
		m := map[string]any{"sink": "file", "name": name, "path": filepath.Join(out, name+".jsonl")}
		if len(more) > 0 {
			m["from_start"] = true
		}
		return m
	}
	t.Cleanup(func() { _ = caddy.Stop() })
	has := func(what string) bool {
		details, _ := logged(t, dir)
		return strings.Contains(strings.Join(details, "\n"), what)
	}
	passed := func(name string, from int) {
		t.Helper()
		_, size := logged(t, dir)
		eventually(t, name+" has all", func() bool {
			got := numbers(t, filepath.Join(out, name+".jsonl"))
			return len(got) > 0 && got[len(got)-1] >= size-1
		})
		for i, n := range numbers(t, filepath.Join(out, name+".jsonl")) {
			if n != from+i {
				t.Fatalf("%s: entry %d in the place of %d", name, n, from+i)
			}
		}
	}
	mustLoad(t, dir, file("a", "from start"))
	passed("a", 0)
	mustLoad(t, dir, file("a"), file("b"))
	eventually(t, "b is added", func() bool { return has("sink b was added") })
	passed("a", 0)
	first := numbers(t, filepath.Join(out, "b.jsonl"))
	eventually(t, "b begins", func() bool { first = numbers(t, filepath.Join(out, "b.jsonl")); return len(first) > 0 })
	if first[0] == 0 {
		t.Error("b begins with the first entry")
	}
	// One that can't be started takes nothing away.
	if err := loadSinks(t, dir, map[string]any{"sink": "webhook", "url": "http://siem.example.de/"}); err == nil {
		t.Fatal("a webhook in clear text is taken")
	}
	mustLoad(t, dir, file("b"))
	eventually(t, "a is forgotten", func() bool { return has("sink a was removed: it had passed on all before entry") })
	passed("b", first[0])
	if has("sink b was removed") {
		t.Error("b was forgotten")
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "log", "sinks", "*")); err != nil || len(left) != 1 {
		t.Errorf("cursors %v, %v", left, err)
	}
	mustLoad(t, dir, file("b"))
	passed("b", first[0])
	details, _ := logged(t, dir)
	if n := strings.Count(strings.Join(details, "\n"), "sink b was added"); n != 1 {
		t.Errorf("b was added %d times: %q", n, details)
	}
}
