// Package clients drives the client libraries that CRMs' customers use, and a live
// service of OData, through the built gate.
package clients

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// secrets are those of the machines, by the role that each has.
var secrets = map[string]string{
	"sales":       "sales-4f1c9a7e2b8d3c6f5a0e9b7d1a2c3e4f",
	"master_data": "master-7b0d2e9f4c1a8e6d3f5b2c9a0d1e2f3a",
}

// crm is the stand-in for a CRM: it answers as a test says, and keeps what it got.
type crm struct {
	*httptest.Server
	mu  sync.Mutex
	got []received
}

// received is a request as the CRM got it.
type received struct {
	method, target string
	header         http.Header
	body           string
}

func startCRM(t *testing.T, answer http.HandlerFunc) *crm {
	t.Helper()
	c := &crm{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		c.got = append(c.got, received{r.Method, r.RequestURI, r.Header.Clone(), string(body)})
		c.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// requests are those that came with a method and a path that begins so.
func (c *crm) requests(method, path string) []received {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []received
	for _, r := range c.got {
		if r.method == method && strings.HasPrefix(r.target, path) {
			list = append(list, r)
		}
	}
	return list
}

// forget forgets what came.
func (c *crm) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = nil
}

// answers is a CRM that answers by method and path, and with 404 elsewhere.
func answers(known map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, ok := known[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, r)
	}
}

// body answers with a text, by pairs of a word of it and what stands for that.
func body(media, text string, replaced ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, strings.NewReplacer(replaced...).Replace(text)) // the client may be gone
	}
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// startGate runs a gate before the CRM, with a machine for each role.
func startGate(t *testing.T, profile, policy, upstream string, more ...string) *stack.Gate {
	t.Helper()
	addr := stack.FreePort(t)
	for role := range secrets {
		t.Setenv(strings.ToUpper(role)+"_SECRET", secrets[role])
		more = append(more, fmt.Sprintf("machine %s {\n\t\t\tsecret {env.%s_SECRET}\n\t\t\trole %[1]s\n\t\t}", role, strings.ToUpper(role)))
	}
	return stack.StartGate(t, addr, fmt.Sprintf(`{
	admin off
	crmgate {
		log {
			segment_mib 1
		}
	}
}
http://%s {
	crm_gate {
		profile %s
		accept documented
		policy %s
		oidc https://login.example.de {
			mfa amr mfa
			client_id crm
			client_secret none
		}
		%s
	}
	reverse_proxy %s {
		header_up Host {upstream_hostport}
	}
}
`, addr, profile, policy, strings.Join(more, "\n\t\t"), upstream), "")
}

// outcome is what became of a step of a script.
type outcome struct {
	Value json.RawMessage
	Error *thrown
}

// thrown is what a client threw.
type thrown struct {
	Class, Name, Message string
	Status, Code, Body   any
}

// outcomes are those of a script, by step.
type outcomes map[string]outcome

// run runs a script as a role.
func run(t *testing.T, script, base, role string, env ...string) outcomes {
	t.Helper()
	stack.Installed(t, stack.Path(t, "clients", "node_modules"))
	ctx, cancel := context.WithTimeout(t.Context(), stack.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	credential := "Basic " + base64.StdEncoding.EncodeToString([]byte(role+":"+secrets[role]))
	cmd.Env = append(os.Environ(), append(env, "GATE="+base, "CREDENTIAL="+credential)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s as %s: %v\n%s", script, role, err, &said)
	}
	var all outcomes
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("node %s as %s: %v\n%s\n%s", script, role, err, out, &said)
	}
	return all
}
