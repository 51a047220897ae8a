package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// benchAppend is a load on the log.
type benchAppend struct {
	name      string
	appenders int
	records   int // of every second disclosure
	p50, p99  float64
	rate      float64
}

// benchAppends are what is measured, with the goals: multiples of the probe's.
func benchAppends() []benchAppend {
	return []benchAppend{
		{name: "append, 1 at a time", appenders: 1, records: 1, p50: 2},
		{name: "append, 16 at a time", appenders: 16, records: 1, p99: 5, rate: 5},
		{name: "append, 128 at a time", appenders: 128, records: 1, rate: 15},
		{name: "append lists of 50, 16 at a time", appenders: 16, records: 50, rate: 3},
	}
}

// benchTimes are what the operations of one run took.
type benchTimes struct {
	p50, p99 float64 // µs
	rate     float64 // a second
}

func newBenchTimes(times []time.Duration, took time.Duration) benchTimes {
	slices.Sort(times)
	n := len(times)
	at := func(part float64) float64 {
		return float64(times[min(n-1, int(part*float64(n)))]) / float64(time.Microsecond)
	}
	return benchTimes{p50: at(.5), p99: at(.99), rate: float64(n) / took.Seconds()}
}

// appends measures the probe and the appends in turns. A ratio is made within a round.
func (b *benchAudit) appends(ctx context.Context) error {
	loads := benchAppends()
	var probes []benchTimes
	taken := make([][]benchTimes, len(loads))
	for round := range b.rounds {
		probe, err := b.probe(ctx)
		if err != nil {
			return err
		}
		probes = append(probes, probe)
		b.step()
		for i, load := range loads {
			times, err := b.append(ctx, load, round)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", load.name, err)
			}
			taken[i] = append(taken[i], times)
			b.step()
		}
	}
	p50 := func(t benchTimes) float64 { return t.p50 }
	p99 := func(t benchTimes) float64 { return t.p99 }
	rate := func(t benchTimes) float64 { return t.rate }
	result := func(what, unit string, times []benchTimes, of func(benchTimes) float64) benchAuditResult {
		values, ratios := make([]float64, len(times)), make([]float64, len(times))
		for i, t := range times {
			values[i], ratios[i] = of(t), of(t)/of(probes[i])
		}
		return benchAuditResult{What: what, Unit: unit, Value: round(median(values), 100), Ratio: round(median(ratios), 100)}
	}
	b.add(result("probe p50", "µs", probes, p50), result("probe p99", "µs", probes, p99), result("probe", "a second", probes, rate))
	for i, load := range loads {
		half, last, all := result(load.name+", p50", "µs", taken[i], p50), result(load.name+", p99", "µs", taken[i], p99), result(load.name, "a second", taken[i], rate)
		if load.p50 > 0 {
			half = half.atMost(load.p50)
		}
		if load.p99 > 0 {
			last = last.atMost(load.p99)
		}
		if load.rate > 0 {
			all = all.atLeast(load.rate)
		}
		b.add(half, last, all)
	}
	return nil
}

// probe is what the disk can do.
func (b *benchAudit) probe(ctx context.Context) (t benchTimes, err error) {
	const size, block = 64 << 20, 4096
	f, err := os.OpenFile(filepath.Join(b.dir, "probe"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return t, fmt.Errorf("making the probe's file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zeros := make([]byte, size)
	if _, err := f.WriteAt(zeros, 0); err != nil {
		return t, fmt.Errorf("filling the probe's file: %w", err)
	}
	if err := dataSync(f); err != nil {
		return t, fmt.Errorf("filling the probe's file: %w", err)
	}
	var times []time.Duration
	began := time.Now()
	for at := int64(0); time.Since(began) < b.duration(); at = (at + block) % size {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		begin := time.Now()
		if _, err := f.WriteAt(zeros[:block], at); err != nil {
			return t, fmt.Errorf("writing the probe: %w", err)
		}
		if err := dataSync(f); err != nil {
			return t, fmt.Errorf("writing the probe: %w", err)
		}
		times = append(times, time.Since(begin))
	}
	return newBenchTimes(times, time.Since(began)), nil
}

// append measures one load on a new log.
func (b *benchAudit) append(ctx context.Context, load benchAppend, round int) (benchTimes, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("log-%d-%d-%d", load.appenders, load.records, round))
	l, err := audit.Open(ctx, dir, b.ring, audit.Options{Node: "bench"})
	if err != nil {
		return benchTimes{}, err
	}
	defer func() { _ = errors.Join(l.Close(), os.RemoveAll(dir)) }() // the next is another
	began := time.Now()
	times, err := appendAll(load.appenders, func(worker, i int) (*audit.Entry, bool) {
		if time.Since(began) >= b.duration() {
			return nil, false
		}
		return benchEntry(worker*1_000_003+i, load.records, began), true
	}, func(e *audit.Entry) error { _, err := l.Append(ctx, e); return err })
	return newBenchTimes(times, time.Since(began)), err
}

// appendAll has several appenders at work until next has no more for them.
func appendAll(appenders int, next func(worker, i int) (*audit.Entry, bool), add func(*audit.Entry) error) ([]time.Duration, error) {
	times, errs := make([][]time.Duration, appenders), make([]error, appenders)
	var failed atomic.Bool
	var wg sync.WaitGroup
	for w := range appenders {
		wg.Go(func() {
			for i := 0; !failed.Load(); i++ {
				e, more := next(w, i)
				if !more {
					return
				}
				begin := time.Now()
				if errs[w] = add(e); errs[w] != nil {
					failed.Store(true)
					return
				}
				times[w] = append(times[w], time.Since(begin))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(times...)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("appending: %w", err)
	}
	return all, nil
}
