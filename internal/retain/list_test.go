package retain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
)

func ringFor(t *testing.T) sealed.Ring {
	t.Helper()
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func contact(n int) access.Record {
	return access.Record{Entity: "contact", Type: "contact", ID: fmt.Sprint(n)}
}

func overdueOnes(n ...int) (out []Found) {
	for _, i := range n {
		out = append(out, Found{Record: contact(i), Verdict: Verdict{Overdue: true, Rule: "3y after closed_at", Last: time.Date(2020, 1, i%28+1, 0, 0, 0, 0, time.UTC)}})
	}
	return out
}

// listOn is a list on a store that two nodes share.
func listOn(t *testing.T, store any, ring sealed.Ring, site string) *List {
	t.Helper()
	l, err := NewList(store, ring, site)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func said(by string, at time.Time) Said { return Said{By: by, At: at, Why: "file 12", Audit: "n/1"} }

func TestListTakesEachRecordOnce(t *testing.T) {
	t.Parallel()
	store, ring, ctx := new(storetest.Memory), ringFor(t), t.Context()
	one, two, other := listOn(t, store, ring, "a"), listOn(t, store, ring, "a"), listOn(t, store, ring, "b")
	all := overdueOnes(3, 1, 2, 3)
	if missing := one.Missing(all); len(missing) != 3 {
		t.Errorf("missing %v", missing)
	}
	if err := one.Add(ctx, overdueOnes(1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	if missing := one.Missing(all); len(missing) != 0 {
		t.Errorf("after that missing %v", missing)
	}
	fresh, err := two.New(ctx, overdueOnes(1, 2, 3, 4))
	if err != nil || len(fresh) != 1 || fresh[0].Record.ID != "4" {
		t.Errorf("on the other node new are %v, %v", fresh, err)
	}
	listed, more, err := two.Listed(ctx, 10)
	if err != nil || more || len(listed) != 3 || listed[0].Record.ID != "1" || listed[0].Stage != Open {
		t.Errorf("listed %v %t %v", listed, more, err)
	}
	if _, more, _ := two.Listed(ctx, 2); !more {
		t.Error("nothing says that there are more")
	}
	if listed, _, _ := other.Listed(ctx, 10); len(listed) != 0 {
		t.Errorf("another site's list has %v", listed)
	}
	if _, err := other.Get(ctx, one.Name(contact(1))); !errors.Is(err, ErrNotThere) {
		t.Errorf("another site finds it: %v", err)
	}
	for _, name := range []string{"", "x", strings.Repeat("0", 64), strings.Repeat("f", 65)} {
		if _, err := one.Get(ctx, name); !errors.Is(err, ErrNotThere) {
			t.Errorf("Get(%q) = %v", name, err)
		}
	}
	off, err := one.Settle(ctx, []access.Record{contact(1), contact(9)})
	if err != nil || len(off) != 1 {
		t.Errorf("Settle = %v, %v", off, err)
	}
	if _, err := two.Get(ctx, one.Name(contact(1))); !errors.Is(err, ErrNotThere) {
		t.Errorf("it is still there: %v", err)
	}
}

// Of any number of people who press at once, one has begun the deletion, and it is never
// who has asked.
func TestDeletionIsBegunOnceAndByASecondPerson(t *testing.T) {
	t.Parallel()
	store, ring, ctx, now := new(storetest.Memory), ringFor(t), t.Context(), time.Now()
	one, two := listOn(t, store, ring, "a"), listOn(t, store, ring, "a")
	if err := one.Add(ctx, overdueOnes(1)); err != nil {
		t.Fatal(err)
	}
	name := one.Name(contact(1))
	if _, err := one.Confirm(ctx, name, said("e-b", now)); !errors.Is(err, ErrStage) {
		t.Errorf("unasked: %v", err)
	}
	if _, err := one.Ask(ctx, name, said("e-a", now)); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Ask(ctx, name, said("e-c", now)); !errors.Is(err, ErrStage) {
		t.Errorf("asked twice: %v", err)
	}
	for _, by := range []string{"e-a", ""} {
		if _, err := two.Confirm(ctx, name, said(by, now)); !errors.Is(err, ErrSame) {
			t.Errorf("%q confirms: %v", by, err)
		}
		if _, err := two.Refuse(ctx, name, said(by, now)); !errors.Is(err, ErrSame) {
			t.Errorf("%q refuses: %v", by, err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	begun := 0
	for i := range 8 {
		wg.Go(func() {
			l := []*List{one, two}[i%2]
			if _, err := l.Confirm(ctx, name, said(fmt.Sprintf("e-%d", i), now)); err == nil {
				mu.Lock()
				begun++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if begun != 1 {
		t.Errorf("begun %d times", begun)
	}
	// The process may die here: another one finds it on its way, and nothing but a look
	// leads on.
	after := listOn(t, store, ring, "a")
	it, err := after.Get(ctx, name)
	if err != nil || it.Stage != Deleting {
		t.Fatalf("afterwards %+v, %v", it, err)
	}
	for what, do := range map[string]func() (*Item, error){
		"ask":     func() (*Item, error) { return after.Ask(ctx, name, said("e-c", now)) },
		"confirm": func() (*Item, error) { return after.Confirm(ctx, name, said("e-c", now)) },
		"hold":    func() (*Item, error) { return after.Hold(ctx, name, said("e-c", now)) },
		"claim":   func() (*Item, error) { return after.Claim(ctx, name, said("e-c", now)) },
	} {
		if _, err := do(); !errors.Is(err, ErrStage) {
			t.Errorf("%s on the way: %v", what, err)
		}
	}
	if off, err := one.Settle(ctx, []access.Record{contact(1)}); err != nil || len(off) != 0 {
		t.Errorf("it is taken off the list on its way: %v, %v", off, err)
	}
	if _, err := after.End(ctx, name, true, "", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := after.End(ctx, name, false, "", nil); !errors.Is(err, ErrStage) {
		t.Errorf("it ends twice: %v", err)
	}
	proofs, _, err := one.Proofs(ctx, 10)
	if err != nil || len(proofs) != 1 || !proofs[0].Gone || proofs[0].Ask.By != "e-a" || proofs[0].Confirmed.By == "e-a" {
		t.Errorf("proofs %+v, %v", proofs, err)
	}
	if listed, _, _ := one.Listed(ctx, 10); len(listed) != 0 {
		t.Errorf("it is still to do: %v", listed)
	}
	// It is back in the CRM: it is on the list again, and the proof gives way.
	if fresh, err := after.New(ctx, overdueOnes(1)); err != nil || len(fresh) != 1 {
		t.Errorf("new are %v, %v", fresh, err)
	}
}

func TestAHoldStandsAgainstDeletion(t *testing.T) {
	t.Parallel()
	store, ring, ctx, now := new(storetest.Memory), ringFor(t), t.Context(), time.Now()
	l := listOn(t, store, ring, "a")
	if err := l.Add(ctx, overdueOnes(1, 2)); err != nil {
		t.Fatal(err)
	}
	name := l.Name(contact(1))
	if _, err := l.Ask(ctx, name, said("e-a", now)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Hold(ctx, name, said("e-c", now)); err != nil {
		t.Fatal(err)
	}
	for _, ids := range [][]string{{"2", "1"}, {"001"}, {" 1"}} {
		if held, err := l.Held(ctx, "contact", []string{"person", "contact"}, ids); err != nil || !held {
			t.Errorf("Held(%q) = %t, %v", ids, held, err)
		}
	}
	if held, err := l.Held(ctx, "contact", []string{"contact"}, []string{"2", "10", "0"}); err != nil || held {
		t.Errorf("Held = %t, %v", held, err)
	}
	if _, err := l.Confirm(ctx, name, said("e-b", now)); err == nil {
		t.Error("a held record is deleted")
	}
	if _, err := l.Ask(ctx, name, said("e-b", now)); !errors.Is(err, ErrHeld) {
		t.Errorf("asked under a hold: %v", err)
	}
	if off, err := l.Settle(ctx, []access.Record{contact(1)}); err != nil || len(off) != 0 {
		t.Errorf("a hold is lost: %v, %v", off, err)
	}
	if _, err := l.Release(ctx, name, said("e-a", now)); err != nil {
		t.Fatal(err)
	}
	it, err := l.Ask(ctx, name, said("e-a", now))
	if err != nil || !slices.ContainsFunc(it.Rest, func(s Said) bool { return s.What == DidRelease }) {
		t.Errorf("after the release %+v, %v", it, err)
	}
	// A wish that nobody answers in time is none.
	l.now = func() time.Time { return now.Add(AskLasts + time.Hour) }
	if _, err := l.Confirm(ctx, name, said("e-b", now)); !errors.Is(err, ErrStage) {
		t.Errorf("an old wish is answered: %v", err)
	}
}

func TestKnownDatesAreSharedAndGrowOld(t *testing.T) {
	t.Parallel()
	store, ring, ctx, now := new(storetest.Memory), ringFor(t), t.Context(), time.Now()
	known := func() *Known {
		k, err := NewKnown(store, ring, "a")
		if err != nil {
			t.Fatal(err)
		}
		k.now = func() time.Time { return now }
		return k
	}
	one, two := known(), known()
	given := ParseDate("2020-01-01")
	if err := one.Note(ctx, []Fact{{Record: contact(1), Dates: Dates{"closed_at": given, "x": {State: Empty}}}, {Record: contact(2), Dates: Dates{"closed_at": {}}, Asked: true}}); err != nil {
		t.Fatal(err)
	}
	find := func(k *Known, n int) Fact {
		f := []Fact{{Record: contact(n)}}
		if err := k.Find(ctx, f); err != nil {
			t.Fatal(err)
		}
		return f[0]
	}
	if f := find(two, 1); f.Dates["closed_at"] != given || f.Dates["x"].State != Empty || f.Asked {
		t.Errorf("the other node knows %+v", f)
	}
	if f := find(two, 2); !f.Asked || f.Dates["closed_at"].State != Unknown {
		t.Errorf("the other node knows %+v", f)
	}
	told := []Fact{{Record: contact(1), Dates: Dates{"closed_at": {State: Empty}}}}
	if err := two.Find(ctx, told); err != nil || told[0].Dates["closed_at"].State != Empty {
		t.Errorf("what was known goes before what is told: %+v, %v", told, err)
	}
	now = now.Add(missedFor + time.Minute)
	if f := find(two, 2); f.Asked {
		t.Error("what a record didn't say is believed for long")
	}
	now = now.Add(knownFor)
	if f := find(two, 1); len(f.Dates) != 0 {
		t.Error("an old date is believed")
	}
	now = now.Add(-10 * 24 * time.Hour)
	if f := find(known(), 1); len(f.Dates) != 0 {
		t.Error("a date from the future is believed")
	}
	now = time.Now()
	if err := one.Forget(ctx, contact(1)); err != nil || len(find(known(), 1).Dates) != 0 {
		t.Errorf("a date isn't forgotten: %v", err)
	}
	f := Fact{Dates: Dates{}}
	f.Tell("a", given)
	f.Tell("a", given)
	f.Tell("b", given)
	f.Tell("b", Date{State: Empty})
	if f.Dates["a"] != given || f.Dates["b"].State != Unknown {
		t.Errorf("told %+v", f.Dates)
	}
}

func TestReasonsAreOneLine(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{
		"Akte 12": true, " a  b c ": true, "x": false, "": false, strings.Repeat("x", 301): false, "abc\x00def": false, "line\nanother": true,
	} {
		if got, is := Reason(s); is != ok || strings.Contains(got, "\n") {
			t.Errorf("Reason(%q) = %q, %t", s, got, is)
		}
	}
}
