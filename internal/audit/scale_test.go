package audit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// BenchmarkScale tells what a log of many entries costs. AUDIT_BENCH_ENTRIES is how
// many (100,000 without), AUDIT_BENCH_DIR on which disk.
//
//	AUDIT_BENCH_ENTRIES=1000000 AUDIT_BENCH_DIR=/var/tmp go test -run '^$' -bench Scale -benchtime 1x -timeout 1h ./internal/audit
//
// Half of the entries are intents, half disclosures, of one record each, but for
// every tenth pair: that lists fifty. 200 employees, 50,000 records, a year.
func BenchmarkScale(b *testing.B) {
	n := 100_000
	if many, err := strconv.Atoi(os.Getenv("AUDIT_BENCH_ENTRIES")); err == nil {
		n = many
	}
	dir, ring := benchDir(b), testRing(b)
	logDir, indexDir := filepath.Join(dir, "log"), filepath.Join(dir, "index")
	l := mustOpen(b, logDir, ring, Options{Node: "n1"})
	for b.Loop() {
		rate := fillYear(b, l, n)
		b.ReportMetric(rate, "appends/s")
	}
	mustClose(b, l)
	ix := OpenIndex(indexDir, logDir, ring)
	defer ix.Close()
	begin := time.Now()
	if err := ix.Rebuild(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "indexed/s")
	if err := ix.Close(); err != nil { // what is in SQLite's own logs goes into the files
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytesIn(b, indexDir))/float64(n), "index-B/entry")
	begin = time.Now()
	report, err := Verify(b.Context(), logDir, ring, Check{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "verified/s")
	b.ReportMetric(float64(report.Bytes)/float64(n), "log-B/entry")
	begin = time.Now()
	if _, err := Export(b.Context(), logDir, ring, filepath.Join(dir, "export"), Exporting{}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "exported/s")
	begin = time.Now()
	if _, err := VerifyExport(b.Context(), filepath.Join(dir, "export"), "", Attesters{}, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "export-verified/s")
	timeSearches(b, ix)
}

// fillYear appends n entries with 64 appenders and returns how many a second.
func fillYear(b *testing.B, l *Log, n int) float64 {
	b.Helper()
	var next atomic.Int64
	begin := time.Now()
	year := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			s, rnd := newSampler(uint64(w)), rand.New(rand.NewPCG(uint64(w), 1))
			for {
				i := next.Add(2) - 2
				if i >= int64(n) {
					return
				}
				records := 1
				if i/2%10 == 0 {
					records = 50
				}
				intent, disclosure := s.request(records)
				at := year.Add(time.Duration(float64(i) / float64(n) * float64(365*24*time.Hour)))
				intent.Time, disclosure.Time = at, at
				intent.Employee = fmt.Sprintf("e-%026d", rnd.IntN(200))
				disclosure.Employee, disclosure.Disclosure = intent.Employee, &access.Disclosure{}
				treated := map[access.Category]access.Treatment{access.Name: access.Clear, access.Email: access.Partial, access.Bank: access.Hidden}
				for range records {
					disclosure.Disclosure.Records = append(disclosure.Disclosure.Records, access.DisclosedRecord{
						Record: access.Record{Entity: "contact", Type: "contact", ID: fmt.Sprint(rnd.IntN(50_000))}, Treated: treated,
					})
				}
				if _, err := l.Append(b.Context(), intent); err != nil {
					b.Error(err)
					return
				}
				if _, err := l.Append(b.Context(), disclosure); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

func bytesIn(b *testing.B, dir string) (total int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		total += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}

func timeSearches(b *testing.B, ix *Index) {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 1))
	for name, query := range map[string]func() Query{
		"record-ms": func() Query { return Query{Record: "contact/" + fmt.Sprint(rnd.IntN(50_000))} },
		"employee-week-ms": func() Query {
			since := time.Date(2026, time.Month(1+rnd.IntN(9)), 1+rnd.IntN(20), 0, 0, 0, 0, time.UTC)
			return Query{Employee: fmt.Sprintf("e-%026d", rnd.IntN(200)), Since: since, Until: since.AddDate(0, 0, 7)}
		},
	} {
		var times []time.Duration
		found := 0
		for range 50 {
			begin := time.Now()
			for _, err := range ix.Search(b.Context(), query()) {
				if err != nil {
					b.Fatal(err)
				}
				found++
			}
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, name)
		b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-"+name)
		b.ReportMetric(float64(found)/50, "found-per-"+name)
	}
}
