package desk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// memory is a log of entries in their order. It answers as the index does, and
// counts what is read.
type memory struct {
	entries []audit.Entry
	read    int
}

func (m *memory) Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		if before == 0 || before > uint64(len(m.entries)) {
			before = uint64(len(m.entries))
		}
		for i := int(before) - 1; i >= 0; i-- {
			e := m.entries[i]
			if !holds(&e, q) {
				continue
			}
			m.read++
			if err := ctx.Err(); err != nil {
				yield(audit.Stored{}, err)
				return
			}
			if !yield(audit.Stored{Seq: uint64(i), Entry: e}, nil) {
				return
			}
		}
	}
}

func (m *memory) Size(ctx context.Context) (uint64, error) { return uint64(len(m.entries)), nil }

func only(log Log) []Source { return []Source{{Log: log}} }

func holds(e *audit.Entry, q audit.Query) bool {
	if q.Kind != "" && e.Kind != q.Kind || q.Employee != "" && e.Employee != q.Employee ||
		!q.Since.IsZero() && e.Time.Before(q.Since) || !q.Until.IsZero() && !e.Time.Before(q.Until) {
		return false
	}
	if q.Record == "" {
		return true
	}
	for _, a := range e.Accesses {
		for _, id := range a.IDs {
			if a.Type+"/"+id == q.Record {
				return true
			}
		}
	}
	return e.Disclosure != nil && slices.ContainsFunc(e.Disclosure.Records, func(r access.DisclosedRecord) bool { return isNamed(r.Record, q.Record) })
}

var began = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// someLog is a log whose requests overlap, some of which are refused, go
// unanswered, or are answered in parts; and the row that each ought to be.
func someLog(rnd *rand.Rand, n int) (m *memory, want []uint64) {
	m = new(memory)
	add := func(e audit.Entry) uint64 {
		e.Time = began.Add(time.Duration(len(m.entries)) * time.Minute)
		m.entries = append(m.entries, e)
		return uint64(len(m.entries) - 1)
	}
	var open []audit.Entry
	for i := range n {
		who := fmt.Sprintf("e-%d", rnd.IntN(3))
		switch rnd.IntN(8) {
		case 0:
			want = append(want, add(audit.Entry{Kind: audit.Control, Event: audit.SignIn, Employee: who}))
			continue
		case 1:
			want = append(want, add(audit.Entry{
				Kind: audit.Intent, Request: fmt.Sprint(i), Employee: who, Decision: &audit.Decision{Refused: true, Reason: "no_policy"},
				Accesses: []access.Access{{Action: access.Export, Entity: "contact", Type: "contact"}},
			}))
			continue
		}
		intent := audit.Entry{
			Kind: audit.Intent, Request: fmt.Sprint(i), Employee: who, Decision: &audit.Decision{},
			Accesses: []access.Access{{Action: access.Search, Entity: "contact", Type: "contact"}},
		}
		if rnd.IntN(2) == 0 {
			intent.Accesses[0].Action, intent.Accesses[0].IDs = access.Read, []string{fmt.Sprint(rnd.IntN(5))}
		}
		seq := add(intent)
		want = append(want, seq)
		for part := range rnd.IntN(3) {
			open = append(open, audit.Entry{
				Kind: audit.Disclosure, Request: intent.Request, Intent: seq, Employee: who, Status: 200, Part: part,
				Disclosure: &access.Disclosure{Records: []access.DisclosedRecord{{
					Record:  access.Record{Entity: "contact", Type: "contact", ID: fmt.Sprint(rnd.IntN(5))},
					Treated: map[access.Category]access.Treatment{access.Bank: access.Treatment(rnd.IntN(6)), access.Name: access.Clear},
				}}},
			})
		}
		for len(open) > 0 && rnd.IntN(3) > 0 {
			at := rnd.IntN(len(open))
			add(open[at])
			open = slices.Delete(open, at, at+1)
		}
	}
	for _, e := range open {
		add(e)
	}
	slices.Reverse(want)
	return m, want
}

// pages reads all pages of a search.
func pages(t *testing.T, log Log, q Query, b Bounds) (all []*Row) {
	t.Helper()
	for range 10_000 {
		f, err := Find(t.Context(), only(log), q, b)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Rows) > b.Rows {
			t.Fatalf("%d rows on a page of %d", len(f.Rows), b.Rows)
		}
		all = append(all, f.Rows...)
		if f.Next == "" {
			return all
		}
		if before, next := q.Before.at(""), f.Next.at(""); q.Before != "" && next.before >= before.before {
			t.Fatalf("after %s comes %s", q.Before, f.Next)
		}
		q.Before = f.Next
	}
	t.Fatal("pages without end")
	return nil
}

func numbers(rows []*Row) (all []uint64) {
	for _, r := range rows {
		all = append(all, r.Seq)
	}
	return all
}

// Each request is one row, with all of its answers, on whatever page it stands.
func TestPagesHoldEachRequestOnce(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		log, want := someLog(rnd, 150)
		bounds := Bounds{Rows: 1 + rnd.IntN(20), Entries: 5 + rnd.IntN(60), Time: time.Minute}
		if got := numbers(pages(t, log, Query{}, bounds)); !slices.Equal(got, want) {
			t.Fatalf("seed %d: rows %v, want %v", seed, got, want)
		}
		whole := map[uint64]*Row{}
		for _, r := range pages(t, log, Query{}, Bounds{Rows: 1000, Entries: 10_000, Time: time.Minute}) {
			whole[r.Seq] = r
		}
		for _, r := range pages(t, log, Query{}, bounds) {
			if fmt.Sprint(*r) != fmt.Sprint(*whole[r.Seq]) {
				t.Fatalf("seed %d: in pages %+v, at once %+v", seed, *r, *whole[r.Seq])
			}
		}
		for _, q := range []Query{
			{Action: access.Read, Category: access.Bank},
			{Category: access.Bank, Shown: Clear},
			{Decision: Refused},
			{Decision: Allowed},
			{Kind: audit.Control},
			{Kind: audit.Intent},
			{Employee: "e-1"},
			{Shown: Masked, Entity: "contact"},
		} {
			var filtered []uint64
			for _, seq := range want {
				if r := whole[seq]; q.matches(r) && (q.Employee == "" || r.Employee == q.Employee) {
					filtered = append(filtered, seq)
				}
			}
			if got := numbers(pages(t, log, q, bounds)); !slices.Equal(got, filtered) {
				t.Fatalf("seed %d, %s: rows %v, want %v", seed, q, got, filtered)
			}
		}
	}
}

// A record's history holds each request that asked for it or was answered with
// it, and tells of that record alone.
func TestARecordsHistoryIsWhole(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		log, all := someLog(rnd, 150)
		var want []uint64
		answers := 0
		for _, seq := range all {
			is := holds(&log.entries[seq], audit.Query{Record: "contact/3"})
			for _, e := range log.entries {
				if e.Kind == audit.Disclosure && e.Intent == seq && holds(&e, audit.Query{Record: "contact/3"}) {
					is = true
					answers++
				}
			}
			if is {
				want = append(want, seq)
			}
		}
		q := Query{Record: "contact/3"}
		rows := pages(t, log, q, Bounds{Rows: 1 + rnd.IntN(9), Entries: 10_000, Time: time.Minute})
		if got := numbers(rows); !slices.Equal(got, want) {
			t.Fatalf("seed %d: rows %v, want %v", seed, got, want)
		}
		for _, r := range rows {
			if len(r.Actions) == 0 || len(r.Records) > 1 || len(r.Records) == 1 && r.Records[0] != "contact/3" {
				t.Errorf("seed %d: row %+v", seed, *r)
			}
		}
		f, err := Find(t.Context(), only(log), q, PageBounds())
		if err != nil || f.Summary == nil || f.Summary.Answers != answers {
			t.Fatalf("seed %d: summary %+v, %v, want %d answers", seed, f.Summary, err, answers)
		}
	}
}

// The answer of a long export stands far behind its intent, which doesn't name the
// record: it is in the history all the same, on whatever page.
func TestALongExportStaysInARecordsHistory(t *testing.T) {
	log := &memory{entries: []audit.Entry{{
		Kind: audit.Intent, Request: "export", Decision: &audit.Decision{}, Accesses: []access.Access{{Action: access.Export, Type: "contact", Entity: "contact"}},
	}}}
	held := &access.Disclosure{Records: []access.DisclosedRecord{{Record: access.Record{Entity: "contact", Type: "contact", ID: "3"}}}}
	for range 30 {
		for range 500 {
			log.entries = append(log.entries, audit.Entry{Kind: audit.Control, Event: audit.SignIn})
		}
		seq := uint64(len(log.entries))
		log.entries = append(
			log.entries, audit.Entry{Kind: audit.Intent, Request: "read", Accesses: []access.Access{{Action: access.Read, Type: "contact", IDs: []string{"3"}}}},
			audit.Entry{Kind: audit.Disclosure, Request: "read", Intent: seq, Disclosure: held},
		)
	}
	log.entries = append(log.entries, audit.Entry{Kind: audit.Disclosure, Request: "export", Disclosure: held})
	rows := pages(t, log, Query{Record: "contact/3"}, Bounds{Rows: 7, Entries: 100, Time: time.Minute})
	if len(rows) != 31 || rows[30].Seq != 0 || !slices.Equal(rows[30].Actions, []access.Action{access.Export}) {
		t.Errorf("%d rows, the last %+v", len(rows), *rows[len(rows)-1])
	}
}

// However much there is, a page reads no more than its bounds.
func TestALookIsBounded(t *testing.T) {
	log, _ := someLog(rand.New(rand.NewPCG(1, 3)), 3000)
	f, err := Find(t.Context(), only(log), Query{Action: access.Delete}, Bounds{Rows: 10, Entries: 500, Time: time.Minute})
	if err != nil || !f.Short || f.Next == "" || f.Back.IsZero() || log.read > 501 {
		t.Errorf("found %+v, %v, after %d entries", f, err, log.read)
	}
	_, err = Find(t.Context(), only(log), Query{}, Bounds{Rows: 10, Entries: 500})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a look without time ends with %v", err)
	}
}
