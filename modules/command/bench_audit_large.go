package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

const (
	benchEmployees = 200
	benchRecords   = 50_000
)

// benchEntry is the i-th entry of a log: an intent, or the disclosure of the one
// before it, of so many records where i+1 is a multiple of four, else of one.
func benchEntry(i, records int, at time.Time) *audit.Entry {
	rnd := rand.New(rand.NewPCG(uint64(i/2), 1)) //nolint:gosec // entries to measure with, the same ones each time
	request := uuid.UUID{6: 0x70, 8: 0x80}
	for n := range 6 {
		request[10+n] = byte(rnd.Uint32())
	}
	e := &audit.Entry{Time: at, Request: request.String(), Employee: fmt.Sprintf("e-%026d", rnd.IntN(benchEmployees))}
	if i%2 == 0 {
		e.Kind, e.Roles, e.Session, e.Factor = audit.Intent, []string{"sales"}, fmt.Sprintf("%026x", rnd.Uint64()), "amr=pwd,otp auth_time=2026-09-07T07:58:11Z"
		e.Gate, e.Profile, e.SourceIP, e.Method = "crm.example.de", "demo/1.0", fmt.Sprintf("10.1.2.%d", rnd.IntN(256)), "GET"
		e.Accesses = []access.Access{{Route: "contacts", Action: access.Search, Entity: "contact", Type: "contact"}}
		e.Decision = &audit.Decision{Line: "policy.csv:7: p, sales, contact, *, search, clear, own, allow", Policy: "8f14e45fceea167a"}
		return e
	}
	e.Kind, e.Intent, e.Status, e.Bytes, e.DurationMS = audit.Disclosure, uint64(i-1), 200, 18_400, 41
	e.BodySHA256 = fmt.Sprintf("%064x", rnd.Uint64())
	e.Disclosure = &access.Disclosure{}
	if i%4 == 1 {
		records = 1
	}
	treated := map[access.Category]access.Treatment{access.Name: access.Clear, access.Email: access.Partial, access.Bank: access.Hidden}
	for range records {
		e.Disclosure.Records = append(e.Disclosure.Records, access.DisclosedRecord{
			Record: access.Record{Entity: "contact", Type: "contact", ID: strconv.Itoa(rnd.IntN(benchRecords))}, Treated: treated,
		})
	}
	return e
}

// large fills a log and measures what its size costs.
func (b *benchAudit) large(ctx context.Context) error {
	dir, indexDir := filepath.Join(b.dir, "large"), filepath.Join(b.dir, "index")
	l, err := audit.Open(ctx, dir, b.ring, audit.Options{Node: "bench"})
	if err != nil {
		return err
	}
	rates, err := b.fill(ctx, l)
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	b.step()
	b.add(benchAuditResult{What: "append to the full log, of the empty one's rate", Value: round(rates[1]/rates[0], 100), Unit: "times"}.atLeast(.9))
	if err := b.indexed(ctx, dir, indexDir); err != nil {
		return err
	}
	began := time.Now()
	if _, err := audit.Verify(ctx, dir, nil, audit.Check{}); err != nil {
		return err
	}
	hashes := time.Since(began)
	began = time.Now()
	report, err := audit.Verify(ctx, dir, b.ring, audit.Check{})
	if err != nil {
		return err
	}
	opened := time.Since(began)
	b.step()
	index, err := bytesBelow(indexDir)
	if err != nil {
		return err
	}
	n := float64(report.Size)
	b.add(
		benchAuditResult{What: "verify without keys", Value: round(n/hashes.Seconds(), 1), Unit: "entries a second"}.atLeast(400_000),
		benchAuditResult{What: "verify, each entry opened", Value: round(n/opened.Seconds(), 1), Unit: "entries a second"},
		benchAuditResult{What: "log", Value: round(float64(report.Bytes)/n, 10), Unit: "bytes an entry"},
		benchAuditResult{What: "index", Value: round(float64(index)/n, 10), Unit: "bytes an entry"},
	)
	return nil
}

// fill fills the log; it returns the rates of the first and of the last tenth.
func (b *benchAudit) fill(ctx context.Context, l *audit.Log) (rates [2]float64, err error) {
	year := time.Now().AddDate(-1, 0, 0)
	from, tenth := 0, b.entries/10
	for _, part := range []struct{ until, rate int }{{tenth, 0}, {b.entries - tenth, -1}, {b.entries, 1}} {
		var next atomic.Int64
		next.Store(int64(from) - 1)
		began := time.Now()
		_, err := appendAll(64, func(int, int) (*audit.Entry, bool) {
			i := int(next.Add(1))
			records := 1
			if i%20 == 19 {
				records = 50
			}
			return benchEntry(i, records, year.Add(time.Duration(float64(i)/float64(b.entries)*float64(365*24*time.Hour)))), i < part.until
		}, func(e *audit.Entry) error { _, err := l.Append(ctx, e); return err })
		if err != nil {
			return rates, fmt.Errorf("filling the log: %w", err)
		}
		if part.rate >= 0 {
			rates[part.rate] = float64(part.until-from) / time.Since(began).Seconds()
		}
		from = part.until
	}
	return rates, nil
}

// indexed measures the index: how fast it is made, and what is found in it.
func (b *benchAudit) indexed(ctx context.Context, dir, indexDir string) (err error) {
	ix := audit.OpenIndex(indexDir, dir, b.ring)
	defer func() { err = errors.Join(err, ix.Close()) }()
	began := time.Now()
	if err := ix.Rebuild(ctx, nil); err != nil {
		return err
	}
	b.add(benchAuditResult{What: "index", Value: round(float64(b.entries)/time.Since(began).Seconds(), 1), Unit: "entries a second"}.atLeast(5_000))
	b.step()
	rnd := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // questions to measure with, the same ones each time
	for _, q := range []struct {
		what string
		goal float64
		ask  func() audit.Query
		most int
	}{
		{"search, a record's history", 10, func() audit.Query { return audit.Query{Record: "contact/" + strconv.Itoa(rnd.IntN(benchRecords))} }, 200},
		{"search, an employee's week, 100", 20, func() audit.Query {
			until := time.Now().AddDate(0, 0, -rnd.IntN(350))
			return audit.Query{Employee: fmt.Sprintf("e-%026d", rnd.IntN(benchEmployees)), Since: until.AddDate(0, 0, -7), Until: until}
		}, 100},
	} {
		times := make([]float64, 0, 50)
		for range cap(times) {
			began, found := time.Now(), 0
			for _, err := range ix.Search(ctx, q.ask()) {
				if err != nil {
					return err
				}
				if found++; found == q.most {
					break
				}
			}
			times = append(times, float64(time.Since(began))/float64(time.Millisecond))
		}
		slices.Sort(times)
		b.add(benchAuditResult{What: q.what, Value: round(median(times), 100), Unit: "ms"}.atMost(q.goal))
		b.step()
	}
	return nil
}

func bytesBelow(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
