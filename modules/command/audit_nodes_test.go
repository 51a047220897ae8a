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
	dir, dsn := t.TempDir(), pgtest.Start(t).Database(t)
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
	forget(t, dsn, "gate2")
	if out, err := runAudit(t, "verify", "--config", config); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "the log of node gate2 isn't there") {
		t.Errorf("without a node's log verify says %v\n%s", err, out)
	}
}

// forget takes a node's log out of the database.
func forget(t *testing.T, dsn, node string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, table := range []string{"crmgate_log_group", "crmgate_log_file", "crmgate_log"} {
		if _, err := conn.Exec(t.Context(), "DELETE FROM "+table+" WHERE node = $1", node); err != nil {
			t.Fatal(err)
		}
	}
}
