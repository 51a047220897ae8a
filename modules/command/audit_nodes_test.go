package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile" // the adapter
	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/store/postgres"
	pgtest "github.com/crmgate/crmgate/test/postgres"
)

// The commands find the logs of all nodes by the configuration of one.
func TestAuditCommandsReadTheLogsOfAllNodes(t *testing.T) {
	t.Parallel()
	dir, pg := t.TempDir(), pgtest.Start(t)
	dsn := pg.Database(t)
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	db, closer, err := (&postgres.Store{DSN: dsn}).OpenLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	var logs []*audit.Log
	for _, node := range []string{"gate1", "gate2"} {
		opts := audit.Options{Node: node, Rows: db.Node(node)}
		if node == "gate1" {
			opts.Checkpoints = filepath.Join(dir, "checkpoints")
		}
		l, err := audit.Open(t.Context(), "", ring, opts)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	// She signs in at one node, and reads at the other.
	vera := logs[0].Employee("issuer", "vera")
	for i, e := range []*audit.Entry{
		{Kind: audit.Control, Event: audit.SignIn, Employee: vera, Names: &audit.Names{User: "vera"}},
		{Kind: audit.Intent, Request: "at-gate2", Employee: vera},
		{Kind: audit.Intent, Request: "at-gate1", Employee: vera},
		{Kind: audit.Intent, Request: "somebody-elses", Employee: logs[0].Employee("issuer", "max")},
	} {
		if _, err := logs[i%2].Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	root, err := audit.OpenRoot(t.Context(), db, ring, "", nil)
	if err == nil {
		err = root.Gather(t.Context(), db)
	}
	if err == nil {
		err = root.Close()
	}
	for _, l := range logs {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "Caddyfile")
	text := fmt.Sprintf("{\n\tcrmgate {\n\t\tdata_dir %s\n\t\tstore postgres {\n\t\t\tdsn %q\n\t\t}\n\t\tlog {\n\t\t\tnode gate1\n\t\t}\n\t}\n}\n", dir, dsn)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := runAudit(t, append(args, "--config", config)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	found := run("search", "--employee", "vera")
	lines := strings.Split(strings.TrimSpace(found), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "gate1  ") || !strings.HasPrefix(lines[1], "gate2  ") || !strings.HasPrefix(lines[2], "gate1  ") {
		t.Errorf("search finds\n%s", found)
	}
	if out := run("search", "--kind", "intent", "--json"); strings.Count(out, "\n") != 3 || !strings.Contains(out, `"node":"gate2"`) {
		t.Errorf("search finds\n%s", out)
	}
	if out := run("search", "--employee", "vera", "--node", "gate2"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "gate2  ") {
		t.Errorf("search at one node finds\n%s", out)
	}
	if out, err := runAudit(t, "search", "--node", "gate3", "--config", config); err == nil || !strings.Contains(err.Error(), "there are gate1, gate2") {
		t.Errorf("a search at no node says %v\n%s", err, out)
	}
	run("reindex")
	if out := run("verify"); strings.Count(out, "The log is what was written.") != 3 || !strings.Contains(out, "node root") || strings.Contains(out, "CANARY") {
		t.Errorf("verify says\n%s", out)
	}
	to := filepath.Join(t.TempDir(), "november")
	run("export", to)
	for _, node := range []string{"gate1", "gate2", "root"} {
		if out, err := runAudit(t, "verify", "--export", filepath.Join(to, node)); err != nil {
			t.Errorf("the export of %s: %v\n%s", node, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "log")); err == nil {
		t.Error("a command has made a log on the disk")
	}
	backedUpAndPutBack(t, pg, db, dir, dsn, ring, run)
	heldAtAnotherNode(t, db, ring, run)
	if out := run("verify", "--node", "gate2"); strings.Count(out, "The log is what was written.") != 1 {
		t.Errorf("verify of one node says\n%s", out)
	}
	// One that can't be read is named, and the others are shown.
	change(t, dsn, "UPDATE crmgate_log_group SET frames = overlay(frames placing '\\x00'::bytea from 200) WHERE node = $1", "gate2")
	if out, err := runAudit(t, "search", "--kind", "intent", "--config", config); err == nil || !strings.Contains(err.Error(), "entries of node gate2 are missing") || !strings.Contains(out, "gate1") {
		t.Errorf("with a damaged log search says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "verify", "--config", config); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "node gate2: ") || strings.Count(out, "what was written") != 2 {
		t.Errorf("with a damaged log verify says %v\n%s", err, out)
	}
	forget(t, dsn, "gate2")
	if out, err := runAudit(t, "verify", "--config", config); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "the log of node gate2 isn't there") {
		t.Errorf("without a node's log verify says %v\n%s", err, out)
	}
}

// backedUpAndPutBack backs the logs up, and puts the database back to an earlier state.
func backedUpAndPutBack(t *testing.T, pg *pgtest.Server, db audit.Database, dir, dsn string, ring *keys.Ring, run func(...string) string) {
	t.Helper()
	to, keyDir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "keys")
	if out := run("backup", "--keys", keyDir, to); strings.Count(out, "backup  ") != 3 {
		t.Errorf("backup says\n%s", out)
	}
	there := filepath.Join(t.TempDir(), "log")
	if _, err := audit.Restore(t.Context(), filepath.Join(to, "gate2"), there, ring, audit.Options{}, audit.Restoring{Keys: filepath.Join(keyDir, "gate2")}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for s, err := range audit.Read(t.Context(), there, ring) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Entry.Request == "at-gate2" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("in the restored backup an entry stands %d times", n)
	}
	dump := pg.Dump(t, dsn)
	run("search", "--kind", "intent")
	pg.Restore(t, dsn, dump)
	config := filepath.Join(dir, "Caddyfile")
	if out, err := runAudit(t, "search", "--config", config); err == nil || !strings.Contains(err.Error(), "crmgate audit restore") {
		t.Errorf("on an older database search says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "restore", "--config", config, "--keys", keyDir, to); err == nil || !strings.Contains(err.Error(), "restore the database") {
		t.Errorf("restore of a backup says %v\n%s", err, out)
	}
	if out := run("restore"); !strings.Contains(out, "The log of gate1 goes on: crmgate/gate1/") || !strings.Contains(out, "are lost") || !strings.Contains(out, "The log of root goes on") {
		t.Errorf("restore says\n%s", out)
	}
	run("search", "--kind", "intent")
	root, err := audit.OpenRoot(t.Context(), db, ring, "", nil)
	if err == nil {
		err = errors.Join(root.Gather(t.Context(), db), root.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if out := run("verify"); strings.Count(out, "restored") < 2 {
		t.Errorf("verify says\n%s", out)
	}
}

// heldAtAnotherNode has a hold of another node listed and released.
func heldAtAnotherNode(t *testing.T, db audit.Database, ring *keys.Ring, run func(...string) string) {
	t.Helper()
	l, err := audit.Open(t.Context(), "", ring, audit.Options{Node: "gate2", Rows: db.Node("gate2"), Fellows: db})
	if err != nil {
		t.Fatal(err)
	}
	held, err := l.Hold(t.Context(), audit.Hold{From: "2020-01", Reason: "case 4711"}, "uid 0")
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("gate2/%d", held.Seq)
	out := run("retention")
	if !strings.HasPrefix(out, "NODE") || !strings.Contains(out, "held by entry "+at) || !strings.Contains(out, "\nroot ") || !strings.Contains(out, "entry "+at) {
		t.Errorf("retention says\n%s", out)
	}
	if out := run("hold", "--from", "2020-01", "--reason", "case 4712"); !strings.Contains(out, "Written down as gate1.r1/") {
		t.Errorf("hold says\n%s", out)
	}
	if out := run("release", "--entry", at, "--reason", "case 4711 is closed"); strings.Contains(out, "entry "+at) || !strings.Contains(out, "case 4712") {
		t.Errorf("release says\n%s", out)
	}
}

// forget takes a node's log out of the database.
func forget(t *testing.T, dsn, node string) {
	t.Helper()
	for _, table := range []string{"crmgate_log_group", "crmgate_log_file", "crmgate_log"} {
		change(t, dsn, "DELETE FROM "+table+" WHERE node = $1", node)
	}
}

func change(t *testing.T, dsn, statement, node string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statement, node); err != nil {
		t.Fatal(err)
	}
}
