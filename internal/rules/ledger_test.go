package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
)

// counted is a store that counts what it is asked.
type counted struct {
	*storetest.Memory
	loads atomic.Int32
	down  atomic.Bool
	seen  atomic.Pointer[[]sealed.Doc]
}

func (c *counted) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	c.loads.Add(1)
	if c.down.Load() {
		return nil, errors.New("the store is away")
	}
	return c.Memory.LoadDocs(ctx, kind, keys)
}

func (c *counted) SaveDocs(ctx context.Context, docs []sealed.Doc) error {
	c.seen.Store(&docs)
	return c.Memory.SaveDocs(ctx, docs)
}

type world struct {
	store *counted
	ring  *keys.Ring
	now   time.Time
	rules *Rules
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		store: &counted{Memory: new(storetest.Memory)}, ring: ring, rules: loaded(t),
		now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
	}
}

// node is a ledger as a node opens it.
func (w *world) node(t *testing.T) *Ledger {
	t.Helper()
	l, err := NewLedger(LedgerConfig{Rules: w.rules, Every: 365 * day, Store: w.store, Ring: w.ring, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const day = 24 * time.Hour

var vera = Person{Issuer: "https://login.example.de", Subject: "vera"}

const veras = "e-aaaaaaaaaaaaaaaaaaaaaaaaaa"

func asks(t *testing.T, l *Ledger, p Person, pseudonym string) bool {
	t.Helper()
	_, known, err := l.Ask(t.Context(), p, pseudonym)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func acknowledges(t *testing.T, l *Ledger) Known {
	t.Helper()
	k, err := l.Acknowledge(t.Context(), vera, veras, German)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAnAcknowledgementHoldsAtEveryNodeAndCostsNothing(t *testing.T) {
	w := newWorld(t)
	one, two := w.node(t), w.node(t)
	if one.Remembers(vera) || asks(t, one, vera, veras) || asks(t, two, vera, veras) {
		t.Fatal("somebody has acknowledged who hasn't")
	}
	acknowledges(t, one)
	if !one.Remembers(vera) || two.Remembers(vera) || !asks(t, two, vera, veras) || !two.Remembers(vera) {
		t.Error("the acknowledgement isn't known at both nodes")
	}
	if !asks(t, w.node(t), vera, veras) {
		t.Error("the acknowledgement is lost by a restart")
	}
	before := w.store.loads.Load()
	for range 100 {
		if !one.Remembers(vera) || !two.Remembers(vera) {
			t.Fatal("it is forgotten")
		}
	}
	if n := w.store.loads.Load() - before; n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
	if asks(t, one, Person{vera.Issuer, "paul"}, "e-bbbbbbbbbbbbbbbbbbbbbbbbbb") || one.Remembers(Person{"https://other.example.de", "vera"}) {
		t.Error("it holds for somebody else")
	}
}

func TestAnotherVersionAsksAgainAndTheFirstOneStays(t *testing.T) {
	w := newWorld(t)
	acknowledges(t, w.node(t))
	first := w.rules
	src := shipped(t)
	src.EN.Raw = append(src.EN.Raw[:len(src.EN.Raw):len(src.EN.Raw)], "\nMore.\n"...)
	var err error
	if w.rules, err = Load(src); err != nil {
		t.Fatal(err)
	}
	if l := w.node(t); asks(t, l, vera, veras) {
		t.Error("a changed English text doesn't ask again")
	} else {
		acknowledges(t, l)
	}
	// Two sites with different rules, or a change that is taken back: neither undoes the other.
	w.rules = first
	if !asks(t, w.node(t), vera, veras) {
		t.Error("the acknowledgement of the first version is gone")
	}
}

// A clock that goes back asks nobody again, one that was far ahead isn't good for long.
func TestClocksNeitherLockOutNorGrantForGood(t *testing.T) {
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at, now time.Time
		want    bool
	}{
		"the same day":                      {start, start, true},
		"a day before the year is over":     {start, start.Add(364 * day), true},
		"the year is over":                  {start, start.Add(365 * day), false},
		"the clock went back an hour":       {start, start.Add(-time.Hour), true},
		"the clock went back a month":       {start, start.Add(-30 * day), true},
		"acknowledged by a clock far ahead": {start.AddDate(10, 0, 0), start, false},
		"acknowledged by a clock of 1970":   {time.Unix(0, 0), start, false},
		"the clock is in 1970":              {start, time.Unix(0, 0), false},
	} {
		w := newWorld(t)
		w.now = c.at
		l := w.node(t)
		acknowledges(t, l)
		w.now = c.now
		if got := l.Remembers(vera); got != c.want {
			t.Errorf("%s: remembered %t, want %t", name, got, c.want)
		}
		if got := asks(t, w.node(t), vera, veras); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
		if !c.want { // nobody is locked out
			if k := acknowledges(t, l); !k.At.Equal(c.now) || !l.Remembers(vera) || !asks(t, w.node(t), vera, veras) {
				t.Errorf("%s: it can't be acknowledged anew: %v", name, k)
			}
		}
	}
}

func TestAnAcknowledgementIsGivenOnce(t *testing.T) {
	w := newWorld(t)
	one, two := w.node(t), w.node(t)
	first := acknowledges(t, one)
	w.now = w.now.Add(time.Hour)
	if again := acknowledges(t, two); !again.At.Equal(first.At) {
		t.Errorf("it is noted anew at %s", again.At)
	}
	w.now = w.now.Add(365 * day)
	done := make(chan error, 8)
	for range cap(done) {
		l := w.node(t)
		go func() {
			_, err := l.Acknowledge(context.Background(), vera, veras, English)
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if !asks(t, one, vera, veras) {
		t.Error("it isn't noted")
	}
}

func TestAStoreThatIsAwayLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	l := w.node(t)
	w.store.down.Store(true)
	if _, known, err := l.Ask(t.Context(), vera, veras); err == nil || known {
		t.Errorf("Ask = %t, %v", known, err)
	}
	if _, err := l.Acknowledge(t.Context(), vera, veras, German); err == nil || l.Remembers(vera) {
		t.Errorf("Acknowledge = %v, remembered %t", err, l.Remembers(vera))
	}
	if _, err := l.Outstanding(t.Context(), []string{veras}); err == nil {
		t.Error("who is outstanding is known without the store")
	}
	w.store.down.Store(false)
	if asks(t, l, vera, veras) {
		t.Error("an acknowledgement that wasn't saved holds")
	}
}

func TestTheStoreSeesNothingOfAPerson(t *testing.T) {
	w := newWorld(t)
	acknowledges(t, w.node(t))
	docs := *w.store.seen.Load()
	if len(docs) != 1 {
		t.Fatalf("%d documents", len(docs))
	}
	for _, no := range []string{"vera", veras, w.rules.Version(), "login.example.de", "de"} {
		if strings.Contains(string(docs[0].Sealed), no) && len(no) > 2 || strings.Contains(fmt.Sprintf("%s", docs[0].Key[:]), no) && len(no) > 2 {
			t.Errorf("the store sees %q", no)
		}
	}
	if docs[0].Until.Before(w.now.Add(365*day)) || docs[0].Until.After(w.now.Add(400*day)) {
		t.Errorf("it is kept until %s", docs[0].Until)
	}
}

func TestOutstandingAreThoseWhoHaveNot(t *testing.T) {
	w := newWorld(t)
	l := w.node(t)
	var all []string
	for i := range 1203 { // in several batches
		name := fmt.Sprintf("e-%026d", i)
		all = append(all, name)
		if i%3 != 0 {
			if _, err := l.Acknowledge(t.Context(), Person{"i", name}, name, German); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := w.store.loads.Load()
	left, err := w.node(t).Outstanding(t.Context(), all)
	if err != nil || len(left) != 401 || left[0] != all[0] || left[400] != all[1200] {
		t.Errorf("%d are outstanding, want 401: %v", len(left), err)
	}
	if n := w.store.loads.Load() - before; n != 3 {
		t.Errorf("the store was asked %d times for %d people", n, len(all))
	}
	w.now = w.now.Add(366 * day)
	if left, err = l.Outstanding(t.Context(), all); err != nil || len(left) != len(all) {
		t.Errorf("%d are outstanding after a year: %v", len(left), err)
	}
}

func TestMemoryHasABound(t *testing.T) {
	l := newWorld(t).node(t)
	for i := range rememberLimit + 10 {
		l.remember(Person{"i", fmt.Sprint(i)}, Known{At: l.now()})
	}
	if len(l.remembered) != rememberLimit || !l.Remembers(Person{"i", fmt.Sprint(rememberLimit + 9)}) {
		t.Errorf("%d people are remembered", len(l.remembered))
	}
}
