package desk

import (
	"context"
	"errors"
	"fmt"
	"html"
	"iter"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// failing is a log that can't be read.
type failing struct{ err error }

func (f failing) Newest(context.Context, audit.Query, uint64) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) { yield(audit.Stored{}, f.err) }
}
func (f failing) Size(context.Context) (uint64, error) { return 0, f.err }

// places are where rows stand.
func places(rows []*Row) (all []string) {
	for _, r := range rows {
		all = append(all, fmt.Sprintf("%s/%d", r.Node, r.Seq))
	}
	return all
}

// someNodes are the logs of some nodes, and their rows in the order of their times.
func someNodes(rnd *rand.Rand) (sources []Source, logs []*memory, want []string) {
	type at struct {
		time  time.Time
		place string
	}
	var all []at
	for i, node := range []string{"one", "three", "two"} {
		log, seqs := someLog(rnd, 20+rnd.IntN(60))
		for j := range log.entries { // no two at one time
			log.entries[j].Time = log.entries[j].Time.Add(time.Duration(i) * 7 * time.Second)
		}
		for _, seq := range seqs {
			all = append(all, at{log.entries[seq].Time, fmt.Sprintf("%s/%d", node, seq)})
		}
		sources, logs = append(sources, Source{node, log}), append(logs, log)
	}
	slices.SortFunc(all, func(a, b at) int { return b.time.Compare(a.time) })
	for _, a := range all {
		want = append(want, a.place)
	}
	return sources, logs, want
}

// However pages are cut, and whatever is written meanwhile, they hold each row of each
// node once, in the order of their times.
func TestPagesOfSeveralNodesHoldEachRowOnce(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		sources, logs, want := someNodes(rnd)
		b := Bounds{Rows: 1 + rnd.IntN(20), Entries: 5 + rnd.IntN(60), Time: time.Minute}
		var got []string
		q := Query{}
		for {
			f, err := Find(t.Context(), sources, q, b)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, places(f.Rows)...); f.Next == "" {
				break
			}
			if !isCursor(string(f.Next)) {
				t.Fatalf("the next page begins at %q", f.Next)
			}
			q.Before = f.Next
			log := logs[rnd.IntN(len(logs))] // meanwhile
			last := log.entries[len(log.entries)-1].Time
			log.entries = append(log.entries, audit.Entry{Kind: audit.Control, Event: audit.SignIn, Time: last.Add(time.Hour)})
			if len(sources) == len(logs) { // and a node begins
				sources = append(sources, Source{"zero", &memory{entries: []audit.Entry{{Kind: audit.Control, Event: audit.Start, Time: last.Add(time.Hour)}}}})
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: rows %v, want %v", seed, got, want)
		}
	}
}

// A clock that was wrong for a while moves the rows of its node, and hides none of any.
func TestAWrongClockHidesNoRow(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		sources, logs, want := someNodes(rnd)
		for range 3 {
			log := logs[rnd.IntN(len(logs))]
			from, by := rnd.IntN(len(log.entries)), time.Duration(rnd.IntN(200)-100)*365*24*time.Hour
			for i := from; i < min(len(log.entries), from+rnd.IntN(30)); i++ {
				log.entries[i].Time = log.entries[i].Time.Add(by)
			}
		}
		var got []string
		q := Query{}
		for range 10_000 {
			f, err := Find(t.Context(), sources, q, Bounds{Rows: 1 + rnd.IntN(9), Entries: 40, Time: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, places(f.Rows)...); f.Next == "" {
				break
			}
			q.Before = f.Next
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(got), len(want))
		}
	}
}

// A few entries of a clock that was behind don't hold up those before them.
func TestAShortStepOfTheClockKeepsTheOrder(t *testing.T) {
	log := func(minutes ...int) *memory {
		m := new(memory)
		for _, at := range minutes {
			m.entries = append(m.entries, audit.Entry{Kind: audit.Control, Event: audit.SignIn, Time: began.Add(time.Duration(at) * time.Minute)})
		}
		return m
	}
	sources := []Source{{"one", log(10, -5000, 30, 9000, 50, 55)}, {"two", log(5, 20, 40, 60)}}
	f, err := Find(t.Context(), sources, Query{}, PageBounds())
	want := []string{"two/3", "one/5", "one/4", "one/3", "two/2", "one/2", "one/1", "two/1", "one/0", "two/0"}
	if got := places(f.Rows); err != nil || !slices.Equal(got, want) {
		t.Errorf("rows %v, %v, want %v", got, err, want)
	}
}

// A node whose log can't be read is named, and comes in where it can be again.
func TestANodeThatCannotBeReadIsNamed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 6))
	sources, _, want := someNodes(rnd)
	broken := slices.Clone(sources)
	wrong := errors.New("damaged")
	broken[1].Log = failing{wrong}
	f, err := Find(t.Context(), broken, Query{}, Bounds{Rows: 5, Entries: 1000, Time: time.Minute})
	if err != nil || len(f.Unread) != 1 || f.Unread[0].Node != "three" || !errors.Is(f.Unread[0].Err, wrong) || len(f.Rows) != 5 {
		t.Fatalf("found %+v, %v", f, err)
	}
	got := places(f.Rows)
	// It can be read again: all of it comes, none of the others twice.
	f, err = Find(t.Context(), sources, Query{Before: f.Next}, Bounds{Rows: 10_000, Entries: 100_000, Time: time.Minute})
	if got = append(got, places(f.Rows)...); err != nil || len(f.Unread) > 0 {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	// One that was there on the page before is named, too.
	f, err = Find(t.Context(), sources[:2], Query{Before: "one:5,three:5,two:5"}, PageBounds())
	if err != nil || len(f.Unread) != 1 || f.Unread[0].Node != "two" || !errors.Is(f.Unread[0].Err, ErrGone) {
		t.Errorf("without its log: %+v, %v", f, err)
	}
	for i := range broken {
		broken[i].Log = failing{wrong}
	}
	if _, err := Find(t.Context(), broken, Query{}, PageBounds()); !errors.Is(err, wrong) {
		t.Errorf("where nothing can be read: %v", err)
	}
}

// What a record's entries say together is of all nodes.
func TestARecordsSummaryIsOfAllNodes(t *testing.T) {
	held := &access.Disclosure{Records: []access.DisclosedRecord{{
		Record:  access.Record{Entity: "contact", Type: "contact", ID: "3"},
		Treated: map[access.Category]access.Treatment{access.Bank: access.Clear},
	}}}
	node := func(who string, at time.Duration) *memory {
		return &memory{entries: []audit.Entry{
			{Kind: audit.Intent, Employee: who, Time: began.Add(at), Accesses: []access.Access{{Action: access.Read, Type: "contact", IDs: []string{"3"}}}},
			{Kind: audit.Disclosure, Employee: who, Time: began.Add(at + time.Second), Disclosure: held},
		}}
	}
	f, err := Find(t.Context(), []Source{{"one", node("e-1", 0)}, {"two", node("e-2", time.Hour)}, {"zero", new(memory)}}, Query{Record: "contact/3"}, PageBounds())
	if err != nil || len(f.Rows) != 2 {
		t.Fatal(f, err)
	}
	s := f.Summary
	if s.Answers != 2 || s.Employees != 2 || s.Categories[0].Clear != 2 || !s.First.Equal(began.Add(time.Second)) || !s.Last.Equal(began.Add(time.Hour+time.Second)) {
		t.Errorf("summary %+v", s)
	}
}

// The link to a further page asks for what the page was asked for.
func TestFurtherPagesAreLed(t *testing.T) {
	q := Query{Record: "contact/a&b=c", Node: "one"}
	body, _ := Render("en", Page{Name: "record", Body: SearchView{Query: q, Path: RecordPath, Found: &Found{Rows: []*Row{{Seq: 9}}, Next: "one:9,two:0"}}})
	m := regexp.MustCompile(`href="([^"]+)">Older`).FindSubmatch(body)
	if m == nil {
		t.Fatal("there is no link")
	}
	at, err := url.Parse(html.UnescapeString(string(m[1])))
	if err != nil {
		t.Fatal(err)
	}
	got, wrong := ParseQuery(at.Query(), time.UTC)
	q.Before = "one:9,two:0"
	if at.Path != RecordPath || got != q || len(wrong) > 0 {
		t.Errorf("%s asks for %+v, %v", m[1], got, wrong)
	}
}
