package alarmwebhook

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sink"
)

const canary = "canary-record-4711"

func read(t *testing.T, block string) (*Webhook, error) {
	t.Helper()
	w := new(Webhook)
	if err := w.UnmarshalCaddyfile(caddyfile.NewTestDispenser(block)); err != nil {
		return nil, err
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	return w, w.Provision(ctx)
}

func TestWebhookRefusesWhatItCannotMean(t *testing.T) {
	for block, want := range map[string]string{
		"alarm_webhook": "one address",
		"alarm_webhook http://chat.example.de {\ndesk https://x.de\n}":                  "https",
		"alarm_webhook https://chat.example.de":                                         "desk https://crm.example.de",
		"alarm_webhook https://chat.example.de {\ndesk x.de\n}":                         "desk https://crm.example.de",
		"alarm_webhook https://chat.example.de {\ndesk https://x.de\nsecret short\n}":   "too short",
		"alarm_webhook https://chat.example.de {\ndesk https://x.de\nlevels low\n}":     `nearest: "level"`,
		"alarm_webhook https://chat.example.de {\ndesk https://x.de\ntrust /nowhere\n}": "trust",
	} {
		if _, err := read(t, block); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", block, err, want)
		}
	}
}

// From the log to the server: an alarm goes out though the server was away at first and
// the gateway stopped meanwhile; what is no alarm, and what an alarm names, stays.
func TestAlarmGoesFromTheLogToTheServer(t *testing.T) {
	var away atomic.Bool
	away.Store(true)
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Webhook-Signature") == "" {
			t.Errorf("headers %v", r.Header)
		}
		got <- string(body)
	}))
	defer server.Close()
	dir := t.TempDir()
	ring, err := keys.Open(dir + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), dir+"/log", ring, audit.Options{Node: "n1", SegmentSize: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := read(t, "alarm_webhook "+server.URL+" {\ndesk https://crm.example.de\nsecret 0123456789abcdef\n}")
	if err != nil {
		t.Fatal(err)
	}
	run := func() (*sink.Status, func()) {
		target, to, err := w.Target()
		if err != nil {
			t.Fatal(err)
		}
		r := &sink.Runner{Name: "alarms", To: to, Log: l, Target: target, Status: new(sink.Status), Tell: func(sink.News) {}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx, func() {}) }()
		return r.Status, func() { cancel(); <-done }
	}
	status, stop := run()
	until(t, func() bool { return status.State(time.Now()).Known })
	if _, err := l.Append(t.Context(), &audit.Entry{
		Kind: audit.Control, Event: audit.AlarmRaised, Gate: "crm.example.de", Detail: canary, SourceIP: "192.0.2.9",
		Alarm: &audit.Alarm{Cause: "canary", Level: "high", How: "alone", Host: canary, Records: []access.Record{{Entity: "contact", Type: "contact", ID: canary}}},
	}); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return !status.State(time.Now()).Since.IsZero() })
	stop()
	away.Store(false)
	_, stop = run()
	defer stop()
	var body string
	select {
	case body = <-got:
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	var m struct {
		Type string
		Text string
		Data struct {
			Alarms []map[string]any
			Desk   string
		}
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.Type != "crmgate.alarm" || len(m.Data.Alarms) != 1 || m.Data.Alarms[0]["kind"] != "canary" ||
		m.Data.Desk != "https://crm.example.de/.crmgate/desk/alarms" || !strings.Contains(m.Text, "Lockdatensatz") {
		t.Errorf("%s, %v", body, err)
	}
	if strings.Contains(body, canary) || strings.Contains(body, "192.0.2.9") {
		t.Errorf("a value is in %s", body)
	}
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
		<-time.After(5 * time.Millisecond)
	}
}
