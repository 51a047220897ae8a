package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver that the index asks for

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
)

func mustIndex(t testing.TB, log files, ring *keys.Ring) *Index {
	t.Helper()
	ix := openIndex(filepath.Join(t.TempDir(), "index"), log, ring)
	t.Cleanup(func() { ix.Close() })
	return ix
}

func mustUpdate(t testing.TB, ix *Index, upto uint64) {
	t.Helper()
	if err := ix.Update(t.Context(), upto, nil); err != nil {
		t.Fatal(err)
	}
}

// randomEntry is one of few employees, records and values, in one of three months.
func randomEntry(rnd *rand.Rand, l *Log) *Entry {
	id := func() string { return fmt.Sprint(rnd.IntN(12)) }
	typ := []string{"contact", "lead", "party.party"}[rnd.IntN(3)]
	who := rnd.IntN(4)
	// The month changes now and then: each change makes data keys.
	size, _ := l.Head()
	month := time.Month(6 + size/150%3)
	e := &Entry{
		Kind: Intent, Request: id(), Employee: l.Employee("https://login", fmt.Sprint(who)),
		Time: time.Date(2026, month, 1+rnd.IntN(28), rnd.IntN(24), 0, 0, 0, time.UTC),
	}
	switch rnd.IntN(4) {
	case 0:
		e.Accesses = []access.Access{{Type: typ, Entity: "contact", IDs: []string{id(), id()}}}
	case 1:
		e.Kind, e.Disclosure = Disclosure, disclosed(typ, id(), id(), id())
	case 2:
		e.Kind, e.Disclosure = Disclosure, &access.Disclosure{Rows: 1, Identifying: []access.Identifier{{Category: access.Email, Value: id() + "@example.de"}}}
	default:
		e.Kind, e.Request, e.Event = Control, "", SignIn
		e.Names = &Names{User: fmt.Sprintf("User%d", who), Email: fmt.Sprintf("u%d@example.de", who), Name: "Straße " + fmt.Sprint(who)}
	}
	return e
}

func randomQuery(rnd *rand.Rand, l *Log) Query {
	var q Query
	half := func() bool { return rnd.IntN(2) == 0 }
	if half() {
		q.Record = []string{"contact", "lead", "party.party"}[rnd.IntN(3)] + "/" + fmt.Sprint(rnd.IntN(14))
	}
	switch who := rnd.IntN(5); rnd.IntN(5) {
	case 0:
		q.Employee = l.Employee("https://login", fmt.Sprint(who))
	case 1:
		q.Employee = fmt.Sprintf(" USER%d", who)
	case 2:
		q.Employee = fmt.Sprintf("STRAßE %d ", who)
	}
	if rnd.IntN(5) == 0 {
		q.Keyed = l.Keyed("email", fmt.Sprint(rnd.IntN(14))+"@Example.de")
	}
	if half() {
		q.Since = time.Date(2026, 6, 1+rnd.IntN(90), 0, 0, 0, 0, time.UTC)
	}
	if half() {
		q.Until = time.Date(2026, 6, 1+rnd.IntN(90), 0, 0, 0, 0, time.UTC)
	}
	q.Kind = []Kind{"", Intent, Disclosure, Control}[rnd.IntN(4)]
	return q
}

// seqs are what a search finds, and its error.
func seqs(found func(func(Stored, error) bool)) (list []string, err error) {
	for s, err := range found {
		if err != nil {
			return list, err
		}
		list = append(list, fmt.Sprintf("%d %s %s", s.Seq, s.LeafHash, s.Entry.Request))
	}
	return list, nil
}

// agree compares random searches of the index with those of the whole log.
func agree(t *testing.T, ix *Index, log files, l *Log, ring *keys.Ring, rnd *rand.Rand, n int) {
	t.Helper()
	some := 0
	for range n {
		q := randomQuery(rnd, l)
		want, wantErr := seqs(search(q, func() iter.Seq2[Stored, error] { return read(t.Context(), log, ring) }))
		got, gotErr := seqs(ix.Search(t.Context(), q))
		if !slices.Equal(got, want) || errors.Is(gotErr, ErrNobody) != errors.Is(wantErr, ErrNobody) || (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%+v:\nthe index finds %d, %v\nthe log has %d, %v", q, len(got), gotErr, len(want), wantErr)
		}
		if len(got) > 0 {
			some++
		}
	}
	if some < n/5 {
		t.Errorf("only %d of %d searches find anything", some, n)
	}
}

func indexFindsWhatTheLogHas(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	l := mustOpen(t, "disk", ring, onDisk(d))
	ix := mustIndex(t, d, ring)
	for range max(1, 4/sparse) {
		for range 150 {
			mustAppend(t, l, randomEntry(rnd, l))
		}
		size, _ := l.Head()
		mustUpdate(t, ix, size)
		agree(t, ix, d, l, ring, rnd, 60)
	}
	mustClose(t, l)
	mustUpdate(t, ix, 0)
	agree(t, ix, d, l, ring, rnd, 60)
	if err := ix.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	agree(t, ix, d, l, ring, rnd, 60)
}

// What was acknowledged before a search began is found by it, whoever writes the
// index meanwhile.
func indexFindsWhatWasAcknowledged(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, Options{Node: "n1", SegmentSize: 32 << 10})
	at := filepath.Join(t.TempDir(), "index")
	var wg sync.WaitGroup
	for w := range 3 {
		ix := OpenIndex(at, dir, ring) // as three processes would
		defer ix.Close()
		wg.Go(func() {
			for i := range 25 {
				id := fmt.Sprintf("%d-%d", w, i)
				_, err := l.Append(t.Context(), &Entry{
					Kind: Intent, Request: id, Accesses: []access.Access{{Type: "contact", IDs: []string{id}}}, Session: strings.Repeat(id, 100),
				})
				if err != nil {
					t.Error(err)
					return
				}
				size, _ := l.Head()
				if err := ix.Update(t.Context(), size, nil); err != nil {
					t.Error(err)
					return
				}
				if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/" + id})); err != nil || len(got) != 1 {
					t.Errorf("contact/%s: found %v, %v", id, got, err)
				}
			}
		})
	}
	wg.Wait()
	mustClose(t, l)
}

// An index that has seen what the log then lost, or another log, is made anew.
func indexIsNeverAheadOfTheLog(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	l := mustOpen(t, "disk", ring, onDisk(d))
	for range 60 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	mustClose(t, l)
	earlier := copyOf(d)
	l = mustOpen(t, "disk", ring, onDisk(d))
	for range 60 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	mustClose(t, l)
	ix := mustIndex(t, d, ring)
	mustUpdate(t, ix, 0)
	ix.log, ix.keys = earlier, newDataKeys(earlier, ring)
	if p, err := ix.at(); err != nil || p != nil {
		t.Errorf("beside the shorter log the index stands at %+v, %v", p, err)
	}
	if _, err := seqs(ix.Search(t.Context(), Query{})); !errors.Is(err, ErrIndex) {
		t.Errorf("searching it: %v, want ErrIndex", err)
	}
	mustUpdate(t, ix, 0)
	agree(t, ix, earlier, l, ring, rnd, 30)
	// The log goes on in another way than the index has seen.
	l = mustOpen(t, "disk", ring, onDisk(earlier))
	for range 100 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	mustClose(t, l)
	mustUpdate(t, ix, 0)
	agree(t, ix, earlier, l, ring, rnd, 30)
	other, otherRing, _ := tamperLog(t)
	ix.log, ix.keys = other, newDataKeys(other, otherRing)
	mustUpdate(t, ix, 0)
	if got, err := seqs(ix.Search(t.Context(), Query{Kind: Intent})); err != nil || len(got) != 80 {
		t.Errorf("of the other log %d intents are found, %v", len(got), err)
	}
}

// Whatever is done to the index's files, a search says so or finds all; making it
// anew is the remedy.
func indexThatIsDamagedIsMadeAnew(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"position gone":    func(t *testing.T, dir string) { mustRemove(t, filepath.Join(dir, positionName)) },
		"position garbage": func(t *testing.T, dir string) { mustWrite(t, filepath.Join(dir, positionName), "{") },
		"position ahead": func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, positionName))
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, filepath.Join(dir, positionName), strings.Replace(string(b), `"end":`, `"end":1`, 1))
		},
		"month gone": func(t *testing.T, dir string) {
			mustRemove(t, filepath.Join(dir, monthName(2)))
		},
		"month garbage": func(t *testing.T, dir string) {
			mustWrite(t, filepath.Join(dir, monthName(2)), strings.Repeat("x", 9000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ring := newDisk(), testRing(t)
			rnd := rand.New(rand.NewPCG(7, 8))
			l := mustOpen(t, "disk", ring, onDisk(d))
			for range 80 {
				mustAppend(t, l, randomEntry(rnd, l))
			}
			mustClose(t, l)
			dir := filepath.Join(t.TempDir(), "index")
			ix := openIndex(dir, d, ring)
			mustUpdate(t, ix, 0)
			if err := ix.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, dir)
			err := ix.Update(t.Context(), 0, nil)
			if err == nil {
				_, err = seqs(ix.Search(t.Context(), Query{}))
			}
			if err != nil {
				if !errors.Is(err, ErrIndex) || !strings.Contains(err.Error(), "crmgate audit reindex") {
					t.Errorf("error = %v, want ErrIndex with the remedy", err)
				}
				if err := ix.Rebuild(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			agree(t, ix, d, l, ring, rnd, 30)
			ix.Close()
		})
	}
}

func mustRemove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An index that is cut off while it grows goes on from where it was.
func indexGoesOnWhereItWasCut(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	rnd := rand.New(rand.NewPCG(9, 10))
	l := mustOpen(t, "disk", ring, onDisk(d))
	ix := mustIndex(t, d, ring)
	for round := range 12 {
		for range 20 {
			mustAppend(t, l, randomEntry(rnd, l))
		}
		size, _ := l.Head()
		// The rows are there, and the position isn't: killed between the two.
		before, _ := os.ReadFile(filepath.Join(ix.dir, positionName))
		mustUpdate(t, ix, size)
		if round%3 == 1 && before != nil {
			mustWrite(t, filepath.Join(ix.dir, positionName), string(before))
		}
		if round%3 == 2 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := ix.Update(ctx, 0, nil); !errors.Is(err, context.Canceled) && err != nil {
				t.Errorf("a cut update: %v", err)
			}
		}
	}
	mustClose(t, l)
	mustUpdate(t, ix, 0)
	agree(t, ix, d, l, ring, rnd, 60)
}

// Nothing that is searched for stands in the index's files, and with the month's
// data key destroyed nothing of that month is found by it any more.
// Two logs that were one up to some entry and are alike in every length from then
// on: only the commit tells them apart.
