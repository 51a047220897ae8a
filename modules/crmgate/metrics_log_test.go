package crmgate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sink"
)

// withLog are services with a log that has one intent.
func withLog(t *testing.T) *Services {
	t.Helper()
	dir := t.TempDir()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(t.Context(), filepath.Join(dir, "log"), ring, audit.Options{SegmentSize: 64 << 10, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	if _, err := log.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "r"}); err != nil {
		t.Fatal(err)
	}
	return &Services{Log: log, dir: dir}
}

// gathered registers all metrics, as Provision does, and returns what a scrape sees.
func gathered(t *testing.T, services func() *Services) (reg *prometheus.Registry, names []string) {
	t.Helper()
	reg = prometheus.NewRegistry()
	if _, err := newMetrics(reg, func() int { return 0 }); err != nil {
		t.Fatal(err)
	}
	if err := reg.Register(newLogMetrics(services)); err != nil {
		t.Fatal(err)
	}
	sinks := []SinkState{{Name: "siem", Kind: "webhook", State: sink.State{Known: true, Failures: map[string]uint64{"refused": 2, "no such": 1}}, Lag: 3}}
	if err := reg.Register(newSinkMetrics(func() []SinkState { return sinks })); err != nil {
		t.Fatal(err)
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		names = append(names, f.GetName())
	}
	return reg, names
}

func TestLogTellsHowItDoes(t *testing.T) {
	s := withLog(t)
	s.growth.samples = []grown{{time.Now().Add(-24 * time.Hour), 0}}
	_, _ = s.Log.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "not valid"})
	_, _ = s.Log.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "r", Method: strings.Repeat("x", 100<<10)})
	reg, _ := gathered(t, func() *Services { return s })
	if got := values(t, reg, "crmgate_log_append_failures_total"); got["too_large"] != 1 || got["other"] != 1 || len(got) != len(audit.FailureReasons()) {
		t.Errorf("failures are %v", got)
	}
	for name, want := range map[string]float64{
		"crmgate_log_entries": 2, "crmgate_log_index_lag_entries": 2, "crmgate_log_queue_entries": 0, "crmgate_log_retention_failing": 0,
		"crmgate_log_holds_unconfirmed": 0,
	} {
		if got := values(t, reg, name)[""]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"crmgate_log_written_bytes_total", "crmgate_log_disk_free_bytes", "crmgate_log_disk_days_left"} {
		if got := values(t, reg, name)[""]; got <= 0 {
			t.Errorf("%s is %v", name, got)
		}
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if n := f.GetName(); n != "crmgate_log_append_seconds" && n != "crmgate_log_group_entries" {
			continue
		}
		if h := f.GetMetric()[0].GetHistogram(); h.GetSampleCount() != 2 || h.GetSampleSum() <= 0 {
			t.Errorf("%s counts %d, sum %v", f.GetName(), h.GetSampleCount(), h.GetSampleSum())
		}
	}
	if _, names := gathered(t, func() *Services { return nil }); slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "crmgate_log_") }) {
		t.Errorf("a gateway without a log tells %v", names)
	}
}

func TestDaysLeftFollowTheLogsGrowth(t *testing.T) {
	var g growth
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, ok := g.daysLeft(at, 0, 1e9); ok {
		t.Error("it knows at once")
	}
	for hour := range 24 * 30 {
		g.note(at.Add(time.Duration(hour)*time.Hour), uint64(hour)*1e6)
	}
	now := at.Add(30 * 24 * time.Hour)
	if days, ok := g.daysLeft(now, 720e6, 240e6); !ok || days < 9.9 || days > 10.1 {
		t.Errorf("%v days, %v, want 10", days, ok)
	}
	if n := len(g.samples); n > 7*24+2 {
		t.Errorf("%d samples are kept", n)
	}
	if days, ok := g.daysLeft(now.Add(8*24*time.Hour), 0, 1); !ok || days != dayLimit {
		t.Errorf("%v days, %v for a log that doesn't grow", days, ok)
	}
}

var metricName = regexp.MustCompile(`crmgate_[a-z_]+`)

// The dashboard asks for metrics that there are, and shows all there is of the log.
func TestDashboardShowsTheMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("../../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	v := newVouched(t)
	ready(t, v.Services)
	v.attesting.all(t.Context(), v.Services, v.logger)
	s := v.Services
	s.growth.samples = []grown{{time.Now().Add(-time.Hour), 0}}
	_, names := gathered(t, func() *Services { return s })
	asked := map[string]bool{}
	for _, p := range board.Panels {
		if len(p.Targets) == 0 || p.Title == "" {
			t.Errorf("panel %d shows nothing", p.ID)
		}
		for _, target := range p.Targets {
			for _, name := range metricName.FindAllString(target.Expr, -1) {
				for _, end := range []string{"_bucket", "_sum", "_count"} {
					name = strings.TrimSuffix(name, end)
				}
				asked[name] = true
				if !slices.Contains(names, name) {
					t.Errorf("%s asks for %s, which there isn't", p.Title, name)
				}
			}
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "crmgate_") && !asked[name] {
			t.Errorf("nothing shows %s", name)
		}
	}
}
