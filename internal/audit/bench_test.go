package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend stands beside BenchmarkProbe: the goals are ratios to it, in
// the same directory and process. AUDIT_BENCH_DIR names a directory on the disk
// that is measured.
//
//	go test -run '^$' -bench 'Probe|Append' -benchtime 2s ./internal/audit
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 16, 128} {
		b.Run(strconv.Itoa(appenders), func(b *testing.B) {
			l := mustOpen(b, filepath.Join(benchDir(b), "log"), testRing(b), Options{})
			entries := newSampler(1).entries(200)
			times := make([][]time.Duration, appenders)
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range appenders {
				n := b.N / appenders
				if w < b.N%appenders {
					n++
				}
				wg.Go(func() {
					for i := range n {
						begin := time.Now()
						if _, err := l.Append(b.Context(), entries[(w*7+i)%len(entries)]); err != nil {
							b.Error(err)
							return
						}
						times[w] = append(times[w], time.Since(begin))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			report(b, slices.Concat(times...))
			mustClose(b, l)
		})
	}
}

// BenchmarkProbe is what the disk can do: an overwrite of 4 KiB of zeros and an
// fdatasync.
func BenchmarkProbe(b *testing.B) {
	f, err := osFiles{benchDir(b)}.create("probe")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const size = 64 << 20
	if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
		b.Fatal(err)
	}
	if err := f.sync(); err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 4096)
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		if _, err := f.WriteAt(block, int64(i)*4096%size); err != nil {
			b.Fatal(err)
		}
		if err := f.datasync(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(begin))
	}
	report(b, times)
}

func benchDir(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("AUDIT_BENCH_DIR"); dir != "" {
		dir, err := os.MkdirTemp(dir, "audit") //nolint:usetesting // the disk that is measured is named by the caller
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return b.TempDir()
}

func report(b *testing.B, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkVerify(b *testing.B) {
	dir, ring := b.TempDir(), testRing(b)
	l := mustOpen(b, dir, ring, Options{SegmentSize: 8 << 20})
	entries := newSampler(1).entries(1000)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := range 500 {
				if _, err := l.Append(b.Context(), entries[i%len(entries)]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	mustClose(b, l)
	for _, keys := range []bool{false, true} {
		b.Run(fmt.Sprintf("keys=%v", keys), func(b *testing.B) {
			r := ring
			if !keys {
				r = nil
			}
			var size uint64
			for b.Loop() {
				report, err := Verify(b.Context(), dir, r, Check{})
				if err != nil {
					b.Fatal(err)
				}
				size += report.Size
			}
			b.ReportMetric(float64(size)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
