package crmgate

import (
	"context"
	"encoding/json"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/stamp/stamptest"
	"github.com/crmgate/crmgate/internal/witness"
)

// vouched are services whose log has a witness, a syslog receiver and an authority.
type vouched struct {
	*Services
	attesting *attesting
	logged    *observer.ObservedLogs
	logger    *zap.Logger
	syslog    net.PacketConn
	witness   *httptest.Server
	key       string
}

func newVouched(t *testing.T) *vouched {
	t.Helper()
	s := withLog(t)
	report, err := audit.Verify(t.Context(), filepath.Join(s.dir, "log"), ringIn(t, s.dir), audit.Check{})
	if err != nil {
		t.Fatal(err)
	}
	v := &vouched{Services: s}
	dir := t.TempDir()
	if v.key, err = witness.Make(dir, "w1.example"); err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(dir, []string{report.Key})
	if err != nil {
		t.Fatal(err)
	}
	v.witness = httptest.NewServer(w.Handler(nil))
	t.Cleanup(v.witness.Close)
	var lc net.ListenConfig
	if v.syslog, err = lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.syslog.Close() })
	config := LogConfig{
		Witnesses: []WitnessConfig{{URL: v.witness.URL, Key: v.key}},
		Anchors: []AnchorConfig{
			{Kind: "syslog", Address: "udp://" + v.syslog.LocalAddr().String()},
			{Kind: "rfc3161", Address: stamptest.New(t).URL},
		},
	}
	if err := config.checkAttesting(); err != nil {
		t.Fatal(err)
	}
	core, logged := observer.New(zap.InfoLevel)
	v.logger, v.logged = zap.New(core), logged
	a := &App{Log: config, logger: v.logger}
	a.run = func(func(context.Context)) {} // the test asks itself
	if err := a.startAttesting(s); err != nil {
		t.Fatal(err)
	}
	v.attesting = s.attest.Load()
	return v
}

func ringIn(t *testing.T, dir string) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestCheckpointsAreMadeKnownToAll(t *testing.T) {
	v := newVouched(t)
	ready(t, v.Services)
	v.attesting.all(t.Context(), v.Services, v.logger)
	size := v.Log.Checkpoint().Size
	if w := v.Log.Witnessed(); w == nil || w.Size != size || w.By[0] != "w1.example" {
		t.Errorf("witnessed: %+v", w)
	}
	if w := v.Log.Stamped(); w == nil || w.Size != size {
		t.Errorf("stamped: %+v", w)
	}
	b := make([]byte, 4096)
	n, _, err := v.syslog.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`origin="` + v.Log.Checkpoint().Origin, `root="` + v.Log.Checkpoint().Root.String(), `signature="` + v.Log.Checkpoint().Signature(), " checkpoint [checkpoint@"} {
		if !strings.Contains(string(b[:n]), want) {
			t.Errorf("%s isn't in %s", want, b[:n])
		}
	}
	if failing, refuted := v.attesting.state(); refuted || len(failing) != 3 || failing["witness"] || failing["syslog"] || failing["rfc3161"] {
		t.Errorf("failing: %v, refuted: %v", failing, refuted)
	}
	if v.logged.Len() != 0 {
		t.Errorf("said %v", v.logged.All())
	}
}

// That nobody is there is said once, and once when they are there again; the log goes on.
func TestWitnessThatIsAwayIsSaidOnce(t *testing.T) {
	v := newVouched(t)
	ready(t, v.Services)
	v.witness.CloseClientConnections()
	handler := v.witness.Config.Handler
	v.witness.Close()
	for range 3 {
		v.attesting.all(t.Context(), v.Services, v.logger)
	}
	if said := v.logged.FilterLevelExact(zap.ErrorLevel).Len(); said != 1 {
		t.Errorf("it was said %d times: %v", said, v.logged.All())
	}
	if failing, refuted := v.attesting.state(); refuted || !failing["witness"] {
		t.Errorf("failing: %v, refuted: %v", failing, refuted)
	}
	if _, err := v.Log.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "r2"}); err != nil {
		t.Error(err)
	}
	v.attesting.witnesses.Clients[0].URL = httptest.NewServer(handler).URL
	v.attesting.all(t.Context(), v.Services, v.logger)
	if failing, _ := v.attesting.state(); failing["witness"] || v.logged.FilterMessageSnippet("again").Len() != 1 {
		t.Errorf("failing: %v: %v", failing, v.logged.All())
	}
}

// ready waits until the last checkpoint is over all entries.
func ready(t *testing.T, s *Services) {
	t.Helper()
	size, _ := s.Log.Head()
	for deadline := time.Now().Add(time.Minute); s.Log.Checkpoint().Size < size; {
		if time.Now().After(deadline) {
			t.Fatal("no checkpoint was signed")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestAttestingWordsAreRead(t *testing.T) {
	key, err := witness.Make(t.TempDir(), "w1.example")
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, stamptest.New(t).PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	good := "witness https://w1.example " + key + "\n witnesses at_least 1\n anchor syslog tls://log.example {\n every 5m\n ca " + ca + "\n }\n anchor rfc3161 https://tsa.example/tsr"
	for text, want := range map[string]string{
		good:                           "",
		"witness https://w1.example\n": "takes an address and a key",
		"witness https://w1.example " + key + "x":                  "not the key of a witness",
		"witness ftp://w1.example " + key:                          "isn't the address of a witness",
		"witness https://a " + key + "\n witness https://b " + key: "two witnesses are called w1.example",
		"witnesses at_least 1":                                     "there are 0 witnesses",
		"witnesses 2":                                              "at_least 2",
		"anchor syslog log.example":                                "not the address of a syslog receiver",
		"anchor syslog udp://log.example {\n ca " + ca + "\n }":    "ca goes with tls",
		"anchor rfc3161 tsa.example":                               "isn't the address of a time stamping authority",
		"anchor sysloq udp://log.example":                          `nearest: "syslog"`,
		"anchor syslog udp://log.example {\n every 5s\n }":         "a minute or more",
		"anchor syslog udp://log.example {\n evry 5m\n }":          `nearest: "every"`,
		"witnes x y": `nearest: "witness"`,
	} {
		var a App
		err := a.UnmarshalCaddyfile(caddyfile.NewTestDispenser("crmgate {\n log {\n " + text + "\n }\n}"))
		if err == nil {
			err = a.Log.checkAttesting()
		}
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			raw, err := json.Marshal(a.Log)
			var again LogConfig
			if err != nil || json.Unmarshal(raw, &again) != nil || again.checkAttesting() != nil || len(again.Anchors) != 2 || again.AtLeast != 1 {
				t.Errorf("as JSON: %s, %v", raw, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
