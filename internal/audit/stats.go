package audit

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Stats are what a log does, counted since it was opened.
type Stats struct {
	// Appends are the seconds that appends waited until their entry was durable.
	Appends Histogram
	// Groups are the entries that one sync made durable.
	Groups Histogram
	// Failures counts appends that failed, by one of FailureReasons.
	Failures map[string]uint64
	// Written is how many bytes were made durable.
	Written uint64
	// Queue is how many appends wait for the writer, Size the number of entries.
	Queue int
	Size  uint64
	// Signed is the size of the last checkpoint.
	Signed uint64
	// Spare says that the next segment is there.
	Spare bool
}

// Histogram counts values up to each bound; the last count is of all.
type Histogram struct {
	Bounds []float64
	Counts []uint64 // cumulative
	Sum    float64
	Count  uint64
}

// The reasons of a failed append.
const (
	failedBusy        = "busy"
	failedFull        = "full"
	failedUnsigned    = "unsigned"
	failedUnavailable = "unavailable"
	failedTooLarge    = "too_large"
	failedOther       = "other"
)

// FailureReasons lists them.
func FailureReasons() []string {
	return []string{failedBusy, failedFull, failedUnsigned, failedUnavailable, failedTooLarge, failedOther}
}

func failureReason(err error) int {
	for i, known := range []error{ErrBusy, ErrFull, ErrUnsigned, ErrUnavailable, ErrTooLarge} {
		if errors.Is(err, known) {
			return i
		}
	}
	return len(FailureReasons()) - 1
}

// meter counts what Stats tells. It is safe for concurrent use.
type meter struct {
	appends, groups *counts
	failures        [6]atomic.Uint64 // by the place in FailureReasons
	written         atomic.Uint64
}

func newMeter() *meter {
	return &meter{
		appends: newCounts(.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5),
		groups:  newCounts(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096),
	}
}

// appended counts an append that began at that time.
func (m *meter) appended(began time.Time, err error) {
	if err != nil {
		m.failures[failureReason(err)].Add(1)
		return
	}
	m.appends.add(time.Since(began).Seconds())
}

// counts is a histogram that is being counted.
type counts struct {
	bounds []float64
	counts []atomic.Uint64 // of one bucket each; the last is beyond all bounds
	sum    atomic.Uint64   // bits of a float64
}

func newCounts(bounds ...float64) *counts {
	return &counts{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (c *counts) add(v float64) {
	i, _ := slices.BinarySearch(c.bounds, v)
	c.counts[i].Add(1)
	for {
		old := c.sum.Load()
		if c.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (c *counts) histogram() Histogram {
	h := Histogram{Bounds: c.bounds, Counts: make([]uint64, len(c.bounds)), Sum: math.Float64frombits(c.sum.Load())}
	for i := range c.counts {
		h.Count += c.counts[i].Load()
		if i < len(h.Counts) {
			h.Counts[i] = h.Count
		}
	}
	return h
}

// Stats returns what the log has done since it was opened.
func (l *Log) Stats() Stats {
	size, _ := l.Head()
	s := Stats{
		Appends: l.meter.appends.histogram(), Groups: l.meter.groups.histogram(), Failures: map[string]uint64{},
		Written: l.meter.written.Load(), Queue: len(l.queue), Size: size, Signed: l.Checkpoint().Size,
		Spare: l.writer.spares.there.Load(),
	}
	for i, reason := range FailureReasons() {
		s.Failures[reason] = l.meter.failures[i].Load()
	}
	return s
}
