package command

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// benchSample is one measurement of one cell.
type benchSample struct {
	cpu      float64 // microseconds per request
	rps      float64
	p50, p99 float64 // milliseconds
	rss      float64 // MiB
}

func newBenchSample(run benchTally, cpu time.Duration, peak int64) benchSample {
	n := len(run.latencies)
	slices.Sort(run.latencies)
	ms := func(part float64) float64 {
		return float64(run.latencies[min(n-1, int(part*float64(n)))]) / float64(time.Millisecond)
	}
	return benchSample{
		cpu: float64(cpu) / float64(time.Microsecond) / float64(n), rps: float64(n) / run.took.Seconds(),
		p50: ms(.50), p99: ms(.99), rss: float64(peak) / (1 << 20),
	}
}

// benchResult is a cell's medians, as --json prints them.
type benchResult struct {
	Route    string  `json:"route"`
	Body     string  `json:"body"`
	Conns    int     `json:"conns"`
	Proto    string  `json:"proto"`
	CPU      float64 `json:"cpu_us"`
	RPS      float64 `json:"rps"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	RSS      float64 `json:"rss_mb"`
	CPURatio float64 `json:"cpu_ratio"`
}

// summarize takes the medians of the rounds. A ratio is made within a round,
// where both sides were measured under the same conditions.
func summarize(cells []benchCell, samples [][]benchSample) []benchResult {
	results := make([]benchResult, len(cells))
	plain := 0
	for i, c := range cells {
		if !c.variant.route.gated {
			plain = i
		}
		of := func(value func(round int) float64) float64 {
			values := make([]float64, len(samples[i]))
			for round := range values {
				values[round] = value(round)
			}
			return median(values)
		}
		results[i] = benchResult{
			Route: c.variant.route.name, Body: c.body.name, Conns: c.conns, Proto: c.proto,
			CPU:      round(of(func(r int) float64 { return samples[i][r].cpu }), 10),
			RPS:      round(of(func(r int) float64 { return samples[i][r].rps }), 1),
			P50:      round(of(func(r int) float64 { return samples[i][r].p50 }), 1000),
			P99:      round(of(func(r int) float64 { return samples[i][r].p99 }), 1000),
			RSS:      round(of(func(r int) float64 { return samples[i][r].rss }), 10),
			CPURatio: round(of(func(r int) float64 { return samples[i][r].cpu / samples[plain][r].cpu }), 100),
		}
	}
	return results
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func round(value, steps float64) float64 { return float64(int64(value*steps+0.5)) / steps }

func printIndented(w io.Writer, results any) error {
	raw, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s\n", raw); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

func printBench(w io.Writer, b *bench, results []benchResult) error {
	if _, err := fmt.Fprintf(w, "%s\n%d rounds of %g s each; medians\n\n", machine(), b.rounds, b.seconds); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	rows := [][]string{{"BODY", "CONNS", "PROTO", "ROUTE", "CPU µs", "x PLAIN", "REQ/S", "P50 ms", "P99 ms", "PEAK MB"}}
	number := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	for _, r := range results {
		rows = append(rows, []string{
			r.Body, strconv.Itoa(r.Conns), r.Proto, r.Route, number(r.CPU, 1), number(r.CPURatio, 2), number(r.RPS, 0),
			number(r.P50, 2), number(r.P99, 2), number(r.RSS, 0),
		})
	}
	return printTable(w, rows)
}
