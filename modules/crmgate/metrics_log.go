package crmgate

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmgate/crmgate/internal/audit"
)

// logMetrics tells how the audit log does. It asks the log when it is scraped, and
// says nothing before the log is open. Labels are closed lists.
type logMetrics struct {
	services func() *Services

	appends, groups, failures, written, queue, entries, spare *prometheus.Desc
	indexLag, unsigned, free, days, retention, unconfirmed    *prometheus.Desc
	witnessed, witnessedAt, stampedAt, unattested, refuted    *prometheus.Desc
}

func newLogMetrics(services func() *Services) *logMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("crmgate_log_"+name, help, labels, nil)
	}
	return &logMetrics{
		services:    services,
		appends:     desc("append_seconds", "How long an entry of the audit log waited until it was durable."),
		groups:      desc("group_entries", "Entries that one sync made durable."),
		failures:    desc("append_failures_total", "Entries that could not be made durable, by the reason; their requests got 503.", "reason"),
		written:     desc("written_bytes_total", "Bytes that were appended to the log since the start."),
		queue:       desc("queue_entries", "Entries that wait for the log's writer."),
		entries:     desc("entries", "Entries in the log."),
		spare:       desc("spare_ready", "1 where the log's next file is made already."),
		indexLag:    desc("index_lag_entries", "Entries that the index has not taken yet."),
		unsigned:    desc("checkpoint_lag_entries", "Entries behind the last signed checkpoint."),
		free:        desc("disk_free_bytes", "Room on the log's disk."),
		days:        desc("disk_days_left", "Days until the disk is full, as fast as the log has grown in the last week."),
		retention:   desc("retention_failing", "1 where months that are due could not be destroyed."),
		unconfirmed: desc("holds_unconfirmed", "1 where the log was restored from a backup, and nothing is destroyed until somebody has confirmed the holds."),

		witnessed:   desc("witnessed_entries", "Entries that the last checkpoint with enough cosignatures is over."),
		witnessedAt: desc("witnessed_timestamp_seconds", "When that was countersigned."),
		stampedAt:   desc("stamped_timestamp_seconds", "When a checkpoint was stamped with the time last."),
		unattested:  desc("attesting_failing", "1 where checkpoints could not be made known the last time, by the kind.", "kind"),
		refuted:     desc("witness_refutes", "1 where a witness holds another history of the log, or a longer one."),
	}
}

// Describe implements prometheus.Collector.
func (m *logMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.appends, m.groups, m.failures, m.written, m.queue, m.entries, m.spare, m.indexLag, m.unsigned, m.free, m.days, m.retention, m.unconfirmed,
		m.witnessed, m.witnessedAt, m.stampedAt, m.unattested, m.refuted,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *logMetrics) Collect(to chan<- prometheus.Metric) {
	s := m.services()
	if s == nil {
		return
	}
	stats := s.Log.Stats()
	to <- histogram(m.appends, stats.Appends)
	to <- histogram(m.groups, stats.Groups)
	for _, reason := range audit.FailureReasons() {
		to <- prometheus.MustNewConstMetric(m.failures, prometheus.CounterValue, float64(stats.Failures[reason]), reason)
	}
	to <- prometheus.MustNewConstMetric(m.written, prometheus.CounterValue, float64(stats.Written))
	gauge := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(m.queue, float64(stats.Queue))
	gauge(m.entries, float64(stats.Size))
	gauge(m.spare, truth(stats.Spare))
	gauge(m.indexLag, lag(stats.Size, s.indexed.Load()))
	gauge(m.unsigned, lag(stats.Size, stats.Signed))
	gauge(m.retention, truth(s.retaining.Load()))
	gauge(m.unconfirmed, truth(s.unconfirmed.Load()))
	m.collectAttesting(s, gauge, to)
	if free, ok := roomOf(s.dir); ok {
		gauge(m.free, free)
		if days, ok := s.growth.daysLeft(time.Now(), stats.Written, free); ok {
			gauge(m.days, days)
		}
	}
}

// collectAttesting tells of those who vouch for the log, where any are configured.
func (m *logMetrics) collectAttesting(s *Services, gauge func(*prometheus.Desc, float64), to chan<- prometheus.Metric) {
	if w := s.Log.Witnessed(); w != nil {
		gauge(m.witnessed, float64(w.Size))
		gauge(m.witnessedAt, float64(w.Time.Unix()))
	}
	if w := s.Log.Stamped(); w != nil {
		gauge(m.stampedAt, float64(w.Time.Unix()))
	}
	t := s.attest.Load()
	if t == nil {
		return
	}
	failing, refuted := t.state()
	for kind, fails := range failing {
		to <- prometheus.MustNewConstMetric(m.unattested, prometheus.GaugeValue, truth(fails), kind)
	}
	if t.witnesses != nil {
		gauge(m.refuted, truth(refuted))
	}
}

func histogram(d *prometheus.Desc, h audit.Histogram) prometheus.Metric {
	buckets := make(map[float64]uint64, len(h.Bounds))
	for i, bound := range h.Bounds {
		buckets[bound] = h.Counts[i]
	}
	return prometheus.MustNewConstHistogram(d, h.Count, h.Sum, buckets)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// lag is how far something that was read later may be behind.
func lag(size, done uint64) float64 {
	if done >= size {
		return 0
	}
	return float64(size - done)
}

// growth remembers how fast the log grew.
type growth struct {
	mu      sync.Mutex
	samples []grown
}

type grown struct {
	at      time.Time
	written uint64
}

const (
	growthEvery = 10 * time.Minute
	growthOver  = 7 * 24 * time.Hour
	// dayLimit is what is told of a log that hardly grows.
	dayLimit = 100 * 365
)

// note takes a sample where the last one is old enough.
func (g *growth) note(now time.Time, written uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.samples); n > 0 && now.Sub(g.samples[n-1].at) < growthEvery {
		return
	}
	g.samples = append(g.samples, grown{now, written})
	for len(g.samples) > 2 && now.Sub(g.samples[1].at) >= growthOver {
		g.samples = g.samples[1:]
	}
}

// daysLeft says for how long the room lasts. It has to have seen ten minutes.
func (g *growth) daysLeft(now time.Time, written uint64, room float64) (days float64, ok bool) {
	g.note(now, written)
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.samples[0]
	over := now.Sub(first.at)
	if over < growthEvery {
		return 0, false
	}
	if written <= first.written {
		return dayLimit, true
	}
	perDay := float64(written-first.written) / over.Hours() * 24
	return min(room/perDay, dayLimit), true
}

// measure takes a sample of the log's growth; it goes on without anybody who scrapes.
func (s *Services) measure(context.Context) { s.growth.note(time.Now(), s.Log.Stats().Written) }

var _ prometheus.Collector = (*logMetrics)(nil)
