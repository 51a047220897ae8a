package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/store/postgres"
	pgtest "github.com/crmgate/crmgate/test/postgres"
	"github.com/crmgate/crmgate/test/stack"
)

// cluster is two gateways, each in a process of its own, whose sessions and logs
// are in one PostgreSQL.
type cluster struct {
	*pgtest.Server
	*witnesses
	dsn   string
	ring  *keys.Ring
	nodes map[string]*child
	scene *scene
	quit  context.CancelFunc
	all   sync.WaitGroup
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{
		Server: pgtest.Start(t), nodes: map[string]*child{},
		witnesses: &witnesses{asked: map[string]bool{}, received: map[string]map[string]bool{}, events: make(chan struct{}, 1000)},
	}
	c.next.Store(1_000_000)
	c.dsn = c.Database(t)
	var master []byte
	for _, name := range []string{"one", "two"} {
		dir := t.TempDir()
		at := filepath.Join(dir, "data", "keys")
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		if master != nil {
			if err := os.WriteFile(filepath.Join(at, keys.FileName), master, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if c.ring, err = keys.Open(at); err == nil {
			master, err = os.ReadFile(filepath.Join(at, keys.FileName))
		}
		if err != nil {
			t.Fatal(err)
		}
		c.nodes[name] = newChildIn(t, dir, env.crm.url, fmt.Sprintf("INFO\n\tcrmgate {\n\t\tstore postgres {\n\t\t\tdsn %q\n\t\t}\n\t\tlog {\n\t\t\tnode %s\n\t\t\tsink file %s/sink.jsonl {\n\t\t\t\tfrom start\n\t\t\t}\n\t\t}\n\t}", c.dsn, name, dir))
	}
	c.scene = newScene(t, c.crm)
	return c
}

// work has two clients ask each node, one of them for streams, until rest.
func (c *cluster) work(t *testing.T) {
	t.Helper()
	ctx, quit := context.WithCancel(t.Context())
	c.quit = quit
	for _, n := range c.nodes {
		b := n.site.as(t, "sven")
		for i := range 2 {
			c.all.Go(func() {
				for ctx.Err() == nil {
					// It returns where the gateway is gone.
					c.client(ctx, b, c.scene, i%2 == 1)
					select {
					case <-time.After(20 * time.Millisecond):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	t.Cleanup(c.rest)
}

func (c *cluster) rest() {
	c.quit()
	c.all.Wait()
}

// happen waits until something has reached the CRM or a client n times.
func (c *cluster) happen(t *testing.T, n int) {
	t.Helper()
	late := time.After(stack.Patience)
	for range n {
		select {
		case <-c.events:
		case <-late:
			t.Fatal("nothing reaches the CRM or a client")
		}
	}
}

// one asks a node for a record that nobody asked for before.
func (c *cluster) one(t *testing.T, n *child) (status int, asked bool) {
	t.Helper()
	id := fmt.Sprint(c.next.Add(10))
	r, err := n.site.as(t, "sven").try(ask{path: "/api/contacts/" + id, scene: c.scene})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return 0, c.asked[id]
	}
	if r.status == http.StatusOK {
		at := r.header.Get("Audit-Id")
		c.received[at] = map[string]bool{id: true}
	}
	return r.status, c.asked[id]
}

// refuses waits until the nodes answer 503, and asks again: nothing reaches the CRM.
func (c *cluster) refuses(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for name, n := range c.nodes {
		all.Go(func() {
			late := time.After(stack.Patience)
			for status := 0; status != http.StatusServiceUnavailable; status, _ = c.one(t, n) {
				select {
				case <-time.After(20 * time.Millisecond):
				case <-late:
					t.Errorf("node %s doesn't refuse", name)
					return
				}
			}
			if status, asked := c.one(t, n); status != http.StatusServiceUnavailable || asked {
				t.Errorf("without its database node %s answers %d; the CRM was asked: %v", name, status, asked)
			}
		})
	}
	all.Wait()
}

// serves waits until both nodes serve.
func (c *cluster) serves(t *testing.T) {
	t.Helper()
	for name, n := range c.nodes {
		stack.Poll(t, "node "+name+" serves", func() bool {
			status, _ := c.one(t, n)
			return status == http.StatusOK
		})
	}
}

// TestInvariantOnPostgreSQL has two gateways whose logs are in one PostgreSQL. The
// database is killed, paused and made read only, and each gateway is killed, while
// clients ask both. Whatever reached the CRM has an intent, whatever record a client
// has got a byte of has a disclosure, in the log of the node that answered.
func TestInvariantOnPostgreSQL(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.work(t)
	for _, f := range []struct {
		name string
		fail func(*testing.T)
	}{
		{"I01-I02-I03-database-is-killed", func(t *testing.T) { c.Kill(t); c.refuses(t); c.Run(t) }},
		{"I01-I02-I04-database-stands-still", func(t *testing.T) { c.Pause(t); c.refuses(t); c.Continue(t) }},
		{"I04-database-takes-no-writes", func(t *testing.T) {
			c.Set(t, "default_transaction_read_only", "on")
			c.refuses(t)
			c.Exec(t, c.Admin()+"&default_transaction_read_only=off", "ALTER SYSTEM RESET default_transaction_read_only")
			c.Exec(t, c.Admin(), "SELECT pg_reload_conf()")
		}},
		{"I01-I02-gateways-are-killed", func(t *testing.T) {
			for range 5 {
				for _, n := range c.nodes {
					c.happen(t, 15)
					n.kill()
					n.start(t)
				}
			}
		}},
		{"I01-answer-that-cannot-be-logged-is-not-shown", c.killedBeforeTheDisclosure},
		{"I10-second-process-with-a-nodes-name-is-refused", c.secondIsRefused},
	} {
		t.Run(f.name, func(t *testing.T) {
			c.happen(t, 30)
			f.fail(t)
			c.serves(t)
		})
	}
	c.rest()
	c.passedOn(t)
	for _, n := range c.nodes {
		n.stop(t)
	}
	c.compareAll(t, c.logs(t))
}

// passedOn checks that each node's sink has each entry of the node's own log, in order,
// over all that was done to database and gateways.
func (c *cluster) passedOn(t *testing.T) {
	t.Helper()
	db := c.database(t)
	for name, n := range c.nodes {
		mark, err := db.Node(name).Mark(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(n.dir, "sink.jsonl")
		next, lines := uint64(0), 0
		eventually(t, "the sink of node "+name+" has the log", func() bool {
			next, lines = inSink(t, file, name)
			return next >= mark.Size
		})
		t.Logf("node %s: %d entries, %d lines in its sink", name, mark.Size, lines)
	}
}

// inSink is the number behind the last of a node's entries in a file of events, where
// none before is missing.
func inSink(t *testing.T, file, node string) (next uint64, lines int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var e struct {
			Metadata struct {
				UID      string
				Sequence uint64
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || !strings.HasPrefix(e.Metadata.UID, node) || !strings.HasSuffix(e.Metadata.UID, fmt.Sprintf("/%d", e.Metadata.Sequence)) {
			t.Fatalf("line %q: %v", line, err)
		}
		if e.Metadata.Sequence > next {
			t.Fatalf("%s: entry %d comes where %d should", node, e.Metadata.Sequence, next)
		}
		next, lines = max(next, e.Metadata.Sequence+1), lines+1
	}
	return next, lines
}

// The database ends between the intent and the CRM's answer.
func (c *cluster) killedBeforeTheDisclosure(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		jsonAnswer(http.StatusOK, row(4711))(w, r)
	})
	b := c.nodes["one"].site.as(t, "sven")
	got := make(chan *reply, 1)
	go func() {
		r, err := b.try(ask{path: "/api/contacts/4711", scene: sc})
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	select {
	case <-asked:
	case <-time.After(stack.Patience):
		t.Error("the CRM isn't asked")
	}
	c.Kill(t)
	close(answer)
	if r := <-got; r != nil && (r.status == http.StatusOK || strings.Contains(string(r.body), "Muster")) {
		t.Errorf("without an entry the client gets %s", r)
	}
	c.refuses(t)
	c.Run(t)
}

func (c *cluster) secondIsRefused(t *testing.T) {
	db := c.database(t)
	opts := audit.Options{Node: "one", Rows: db.Node("one")}
	if l, err := audit.Open(t.Context(), "", c.ring, opts); err == nil || !strings.Contains(err.Error(), audit.ErrLocked.Error()) {
		t.Errorf("a second writer of node one: %v", err)
		_ = l.Close()
	}
}

func (c *cluster) database(t *testing.T) audit.Database {
	t.Helper()
	db, closer, err := (&postgres.Store{DSN: c.dsn}).OpenLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closer.Close() })
	return db
}

// logs verifies and reads the logs of all nodes.
func (c *cluster) logs(t *testing.T) map[string][]audit.Stored {
	t.Helper()
	db := c.database(t)
	nodes, err := db.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]audit.Stored{}
	gathered, err := audit.RootCheckpoints(t.Context(), db, c.ring)
	if err != nil || len(gathered) < len(nodes)-1 {
		t.Errorf("the root log over %v has %d checkpoints, %v", nodes, len(gathered), err)
	}
	for _, node := range nodes {
		if _, err := audit.Verify(t.Context(), "", c.ring, audit.Check{Rows: db.Node(node), Gathered: gathered}); err != nil {
			t.Errorf("node %s: %v", node, err)
		}
		for s, err := range audit.ReadRows(t.Context(), db.Node(node), c.ring) {
			if err != nil {
				t.Fatal(err)
			}
			all[node] = append(all[node], s)
		}
	}
	return all
}
