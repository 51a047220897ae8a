package gate_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// keeping asks a running gateway, as the commands do.
func (n *child) keeping(q *crmgate.KeepingAsked) (*crmgate.KeepingAnswer, error) {
	q.DataDir = n.data()
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	r, err := caddycmd.AdminAPIRequest("unix/"+filepath.Join(n.dir, "admin.sock"), http.MethodPost, crmgate.KeepingPath, nil, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var answer struct{ Keeping crmgate.KeepingAnswer }
	err = json.NewDecoder(r.Body).Decode(&answer)
	return &answer.Keeping, err
}

func (n *child) kept(t *testing.T, q *crmgate.KeepingAsked) *crmgate.KeepingAnswer {
	t.Helper()
	a, err := n.keeping(q)
	if err != nil {
		t.Fatalf("%v\n%s", err, n.logs)
	}
	return a
}

// TestHoldsThroughTwoGateways asks two gateways whose logs are in one PostgreSQL, through
// their admin sockets: what one holds the other shows and releases. After the database
// was put back each says so until somebody has confirmed its holds, those of the log over
// all nodes among them.
func TestHoldsThroughTwoGateways(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.nodes["one"], c.nodes["two"]
	for _, n := range c.nodes {
		n.stop(t)
		file := filepath.Join(n.dir, "Caddyfile")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.Replace(text, []byte("admin off"), []byte("admin unix/"+filepath.Join(n.dir, "admin.sock")), 1)
		text = bytes.Replace(text, []byte("\n\t\t\tnode "), []byte("\n\t\t\tretain 36 months\n\t\t\tnode "), 1)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		n.start(t)
	}
	month := time.Now().UTC().Format("2006-01")
	held := one.kept(t, &crmgate.KeepingAsked{Hold: &audit.Hold{From: month, Reason: "case 1"}})
	if !strings.HasPrefix(held.Entry, "one/") || len(held.Holds) != 1 {
		t.Fatalf("the hold is %+v", held)
	}
	shown := two.kept(t, &crmgate.KeepingAsked{})
	if len(shown.Holds) != 1 || shown.Holds[0].Place() != held.Entry {
		t.Fatalf("the other node shows %+v", shown.Holds)
	}
	for _, node := range []string{"one", "two", audit.RootNode} {
		if !slices.ContainsFunc(shown.Kept, func(k audit.Kept) bool { return k.Node == node && slices.Contains(k.HeldBy, held.Entry) }) {
			t.Errorf("what node %s keeps isn't held: %+v", node, shown.Kept)
		}
	}
	two.kept(t, &crmgate.KeepingAsked{Release: &shown.Holds[0].Entry, Node: "one", Reason: "case 1 is closed"})
	if a := one.kept(t, &crmgate.KeepingAsked{}); len(a.Holds) != 0 {
		t.Errorf("what the other node released stands: %+v", a.Holds)
	}
	if _, err := one.keeping(&crmgate.KeepingAsked{Confirm: true, Reason: "idle"}); err == nil {
		t.Error("a log that wasn't restored was confirmed")
	}
	early := two.kept(t, &crmgate.KeepingAsked{Hold: &audit.Hold{From: month, Reason: "case 2"}})
	c.putBack(t, func() { one.kept(t, &crmgate.KeepingAsked{Hold: &audit.Hold{From: month, Reason: "case 3"}}) })
	c.confirmed(t, early.Entry)
}

// putBack puts the database back to before something was done, and has each node's log
// go on, as crmgate audit restore does.
func (c *cluster) putBack(t *testing.T, do func()) {
	t.Helper()
	dump := c.Dump(t, c.dsn)
	do()
	for _, n := range c.nodes {
		n.stop(t)
	}
	c.Restore(t, c.dsn, dump)
	db := c.database(t)
	for name, n := range c.nodes {
		for node, dir := range map[string]string{name: "checkpoints", audit.RootNode: "checkpoints-root"} {
			opts := audit.Options{Node: node, Rows: db.Node(node), Fellows: db, Checkpoints: filepath.Join(n.data(), dir)}
			if _, err := audit.GoOn(t.Context(), c.ring, opts, audit.Restoring{By: "a test"}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// confirmed confirms the holds at node one while another process writes the log over all
// nodes, and once more when it writes it itself.
func (c *cluster) confirmed(t *testing.T, early string) {
	t.Helper()
	one, db := c.nodes["one"], c.database(t)
	confirm := &crmgate.KeepingAsked{Confirm: true, Reason: "compared with the list of cases"}
	root, err := audit.OpenRoot(t.Context(), db, c.ring, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	one.start(t)
	a := one.kept(t, &crmgate.KeepingAsked{})
	if a.Unconfirmed == nil || len(a.Holds) != 1 || a.Holds[0].Place() != early {
		t.Errorf("after the restoration it is %+v, %+v", a.Unconfirmed, a.Holds)
	}
	if a = one.kept(t, confirm); a.Unconfirmed != nil || !strings.HasPrefix(a.Entry, "one.r1/") {
		t.Errorf("after the confirmation it is %+v, entry %s", a.Unconfirmed, a.Entry)
	}
	if n := c.confirmations(t, db); n != 0 {
		t.Errorf("node one confirmed %d times in a log that it doesn't write", n)
	}
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	one.stop(t)
	one.start(t)
	eventually(t, "the log over all nodes is confirmed", func() bool {
		_, err := one.keeping(confirm)
		return err == nil
	})
	if n := c.confirmations(t, db); n != 1 {
		t.Errorf("the log over all nodes was confirmed %d times", n)
	}
	if _, err := one.keeping(confirm); err == nil {
		t.Error("it is confirmed a second time")
	}
	one.stop(t)
	for _, node := range []string{"one", audit.RootNode} {
		if _, err := audit.Verify(t.Context(), "", c.ring, audit.Check{Rows: db.Node(node)}); err != nil {
			t.Errorf("node %s: %v", node, err)
		}
	}
}

// confirmations are those in the log over all nodes.
func (c *cluster) confirmations(t *testing.T, db audit.Database) (n int) {
	t.Helper()
	for s, err := range audit.ReadRows(t.Context(), db.Node(audit.RootNode), c.ring) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Entry.Event == audit.HoldsConfirmed {
			n++
		}
	}
	return n
}
