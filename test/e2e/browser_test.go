package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crmgate/crmgate/test/stack"
)

// TestBrowserThroughTheGate works in Tryton's own web client, once without and
// once through the gate, as sales and as master_data. The same requests succeed
// but for the listed differences; nothing that came to the browser of sales
// holds a value that sales must not see; the log tells of every answer.
func TestBrowserThroughTheGate(t *testing.T) {
	t.Parallel()
	s, plain := startSite(t), startTryton(t)
	out := keptDir(t)
	plainOut, gateOut := filepath.Join(out, "plain"), filepath.Join(out, "gate")
	var both sync.WaitGroup
	both.Go(func() {
		browse(t, "tryton.mjs", plain.url(), plainOut, "--facts", plain.factsFile(), "--users", "vera,paula")
	})
	both.Go(func() {
		browse(t, "gateway.mjs", s.Base+"/", gateOut, "--facts", s.crm.factsFile(), "--provider", s.provider.File)
	})
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	compareRuns(t, plainOut, gateOut)
	searchCapture(t, s, filepath.Join(gateOut, "capture.jsonl"))
	phonesAreKept(t, s)
}

// keptDir is a folder that stays when the test fails: its screenshots say why.
func keptDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "crmgate-browser-") //nolint:usetesting // it stays when the test fails
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("screenshots and what went over the wire: %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// browse runs a script of test/browser; every step has to go as it should.
func browse(t *testing.T, script string, args ...string) {
	t.Helper()
	ctx := t.Context()
	if end, ok := t.Deadline(); ok { // early enough to say what was done until then
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-20*time.Second))
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{stack.Path(t, "browser", script)}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it closes its browser then
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
	t.Logf("%s\n%s", script, out)
}

// compareRuns compares the two runs; what differs has to be in the list, and
// what is in the list has to differ and to stand in the manual.
func compareRuns(t *testing.T, plainOut, gateOut string) {
	t.Helper()
	var found struct {
		Calls []struct {
			User, Step, Call string
			Why              []string
		}
		Steps, Missing []struct{ User, Step string }
	}
	raw, err := exec.CommandContext(t.Context(), "node", stack.Path(t, "browser", "compare.mjs"), plainOut, gateOut, "--json").Output()
	if json.Unmarshal(raw, &found) != nil {
		t.Fatalf("compare.mjs: %v\n%s", err, raw)
	}
	var replaced []string
	if raw, err := os.ReadFile(filepath.Join(gateOut, "replaced.json")); err != nil || json.Unmarshal(raw, &replaced) != nil {
		t.Fatal(err)
	}
	seen := map[difference]bool{}
	for _, c := range found.Calls {
		for _, why := range c.Why {
			d, ok := listed(c.User, c.Step, c.Call, why)
			if !ok {
				t.Errorf("as %s in %s: %s: %s; plain Tryton doesn't", c.User, c.Step, c.Call, why)
			}
			seen[d] = true
		}
	}
	for _, step := range replaced {
		if !slices.ContainsFunc(differences(), func(d difference) bool { return d.step == step }) {
			t.Errorf("the step %s is another one behind the gate, and no difference says why", step)
		}
		for _, d := range differences() {
			seen[d] = seen[d] || d.step == step && d.call == ""
		}
	}
	for _, x := range append(found.Steps, found.Missing...) {
		t.Errorf("as %s: the step %s is worse than plain, or missing", x.User, x.Step)
	}
	manual, err := os.ReadFile(stack.Path(t, "..", "docs", "crm", "tryton.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences() {
		if !seen[d] {
			t.Errorf("%s %s doesn't differ any more: take it out of the list and of the manual", d.step, d.call)
		}
		if !bytes.Contains(manual, []byte(d.rule)) {
			t.Errorf("docs/crm/tryton.md doesn't say: %s", d.rule)
		}
	}
}

// captured is a request of the browser as the harness wrote it down.
type captured struct {
	User, Step, Method, URL, Body string
	RequestBody                   string                         `json:"request_body"`
	BodyBase64                    string                         `json:"body_base64"`
	ResponseHeaders               []struct{ Name, Value string } `json:"response_headers"`
	Status                        int
	Failure                       string
}

func (c *captured) bytes(t *testing.T) []byte {
	t.Helper()
	if c.BodyBase64 == "" {
		return []byte(c.Body)
	}
	b, err := base64.StdEncoding.DecodeString(c.BodyBase64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *captured) header(name string) string {
	for _, h := range c.ResponseHeaders {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func (c *captured) headerBytes() []byte {
	var b bytes.Buffer
	for _, h := range c.ResponseHeaders {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	return b.Bytes()
}

// searchCapture searches every answer that the browser got through the gate,
// and compares it with the log.
func searchCapture(t *testing.T, s *site, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	secrets, log := s.crm.facts(t).secretsOf("sales"), s.exchanges(t)
	searched := map[[sha256.Size]byte]bool{}
	answers, disclosed := 0, 0
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		c := new(captured)
		if err := json.Unmarshal(line, c); err != nil {
			t.Fatal(err)
		}
		if c.Failure != "" || !strings.HasPrefix(c.URL, s.Base) {
			continue
		}
		answers++
		body := c.bytes(t)
		if sum := sha256.Sum256(body); c.User == "vera" && !searched[sum] {
			searched[sum] = true
			for _, found := range spotted(secrets, stack.Read(body, c.headerBytes()), stack.Read([]byte(c.RequestBody), []byte(c.URL))) {
				t.Errorf("in %s, %s: sales can read %s\n%s", c.Step, c.URL, found, c.RequestBody)
			}
		}
		if loggedWell(t, c, body, log) {
			disclosed++
		}
	}
	if answers < 1000 || disclosed < 200 {
		t.Errorf("only %d answers with %d disclosures: the browser did not do much", answers, disclosed)
	}
	t.Logf("%d answers searched, %d disclosures compared", answers, disclosed)
}

// loggedWell compares one answer with its entries and reports whether it
// disclosed something.
func loggedWell(t *testing.T, c *captured, body []byte, log exchanges) bool {
	t.Helper()
	var call struct{ Method string }
	_ = json.Unmarshal([]byte(c.RequestBody), &call)
	x := log.of(c.header("Audit-Id"))
	if x == nil {
		if call.Method != "" && !withoutEntry(call.Method) && !strings.Contains(c.Body, "Sitzung ist beendet") {
			t.Errorf("in %s: %s was answered %d without an entry", c.Step, call.Method, c.Status)
		}
		return false
	}
	if x.refused != nil || c.Status == http.StatusFound || x.disclosure == nil || x.disclosure.Bytes == 0 {
		return false
	}
	if !x.released(body) {
		t.Errorf("in %s: the disclosure of %s speaks of other bytes than came", c.Step, call.Method)
	}
	for _, r := range shown(c.RequestBody, body) {
		if !x.names(r.typ, r.id) {
			t.Errorf("in %s: %s shows %s/%s, which the disclosure doesn't name", c.Step, call.Method, r.typ, r.id)
		}
	}
	return true
}

// phonesAreKept reads the telephone numbers from Tryton itself: whatever sales
// did with what was masked, they are what they were.
func phonesAreKept(t *testing.T, s *site) {
	t.Helper()
	f := s.crm.facts(t)
	login := s.crm.logIn(t, "paula", f.Users["paula"].Password)
	for id, p := range f.Parties {
		req := &handMade{
			Name: "phones of " + id, Method: http.MethodPost, Path: "/crm/", Headers: map[string]string{"Content-Type": "application/json"},
		}
		question := fmt.Sprintf(`{"id":1,"method":"model.party.contact_mechanism.search_read","params":[[["party","=",%s]],0,50,null,["value","value_compact"],{}]}`, id)
		a := send(t, s.crm.addr, req, []byte(question), map[string]string{"Authorization": login.session})
		stored := stack.Read(a.body)
		for _, n := range p.Phones {
			if !stored.Holds(n.Value) || !stored.Holds(n.Forms[1]) {
				t.Errorf("party %s had the number %s, and now:\n%s", id, n.Value, a.body)
			}
		}
	}
}
