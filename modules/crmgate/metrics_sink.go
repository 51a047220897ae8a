package crmgate

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/crmgate/crmgate/internal/sink"
)

// sinkMetrics tells how the sinks do. Its labels are the names and kinds of the
// configuration, and closed lists.
type sinkMetrics struct {
	states func() []SinkState

	lag, behind, failing, delivered, lost, failures *prometheus.Desc
}

func newSinkMetrics(states func() []SinkState) *sinkMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("crmgate_sink_"+name, help, append([]string{"sink", "kind"}, labels...), nil)
	}
	return &sinkMetrics{
		states:    states,
		lag:       desc("lag_entries", "Entries of the log that the sink has not passed on yet."),
		behind:    desc("lag_seconds", "How long the oldest entry has waited that the sink has not passed on yet."),
		failing:   desc("failing", "1 where the sink's last try failed."),
		delivered: desc("delivered_entries_total", "Entries that the sink has passed on since the start."),
		lost:      desc("lost_entries_total", "Entries that were destroyed before the sink had passed them on."),
		failures:  desc("failures_total", "Tries of the sink that failed, by the reason.", "reason"),
	}
}

// Describe implements prometheus.Collector.
func (m *sinkMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.behind, m.failing, m.delivered, m.lost, m.failures} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *sinkMetrics) Collect(to chan<- prometheus.Metric) {
	for _, s := range m.states() {
		one := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, t, v, append([]string{s.Name, s.Kind}, labels...)...)
		}
		if !s.Known {
			continue
		}
		one(m.lag, prometheus.GaugeValue, float64(s.Lag))
		one(m.behind, prometheus.GaugeValue, s.Behind.Seconds())
		one(m.failing, prometheus.GaugeValue, truth(!s.Since.IsZero()))
		one(m.delivered, prometheus.CounterValue, float64(s.Delivered))
		one(m.lost, prometheus.CounterValue, float64(s.Lost))
		for _, reason := range sink.Reasons() {
			one(m.failures, prometheus.CounterValue, float64(s.Failures[reason]), reason)
		}
	}
}

var _ prometheus.Collector = (*sinkMetrics)(nil)
