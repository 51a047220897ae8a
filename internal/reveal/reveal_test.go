package reveal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/reveal"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
)

// machine is a clock that a test sets.
type machine struct {
	wall  time.Time
	since time.Duration
}

func (m *machine) now() (time.Time, time.Duration) { return m.wall, m.since }

func (m *machine) passes(d time.Duration) { m.wall, m.since = m.wall.Add(d), m.since+d }

func rules() *reveal.Rules {
	return &reveal.Rules{
		Reasons: []string{"a call", "complaint"}, Lasts: 15 * time.Minute, Quota: 3,
		Approvals: []reveal.Approval{{Roles: []string{"lead"}, Categories: []access.Category{access.Bank}}},
	}
}

// room is a store with a keeper for each clock.
func room(t *testing.T, clocks ...*machine) []*reveal.Keeper {
	t.Helper()
	begin := node(t)
	var all []*reveal.Keeper
	for _, m := range clocks {
		all = append(all, begin(m))
	}
	return all
}

// node begins nodes that share a store.
func node(t *testing.T) func(*machine) *reveal.Keeper {
	t.Helper()
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	store := new(storetest.Memory)
	return func(m *machine) *reveal.Keeper {
		k, err := reveal.NewKeeper(store, ring, reveal.NewClock(m.now))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
}

func noon() *machine { return &machine{wall: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

var vera = reveal.Book{Name: "Vera", Employee: "e-vera"}

func wish(id, field string, cats ...access.Category) reveal.Wish {
	return reveal.Wish{
		ID: id, Field: field, Categories: cats, Reason: "a call", Note: "case 4711", Session: "s1",
		Record: access.Record{Entity: "contact", Type: "contact", ID: "7"},
	}
}

func shows(t *testing.T, k *reveal.Keeper, who reveal.Who, session string, r *reveal.Rules) bool {
	t.Helper()
	b, err := k.Book(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return len(b.Showing(session, k.Now(), r)) > 0
}

// shown has a wish that takes nobody else.
func shown(t *testing.T, k *reveal.Keeper, who reveal.Who, r *reveal.Rules) {
	t.Helper()
	if _, err := k.Draft(t.Context(), who, vera, wish("w1", "phone", access.Phone), r); err != nil {
		t.Fatal(err)
	}
	if shows(t, k, who, "s1", r) {
		t.Fatal("a wish without an entry shows a field")
	}
	if err := k.Begin(t.Context(), who, "w1", "s1", "0-12", r); err != nil {
		t.Fatal(err)
	}
	if !shows(t, k, who, "s1", r) {
		t.Fatal("the field isn't shown")
	}
}

func TestItEndsByItselfWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then  func(m, other *machine)
		still bool
		there bool // on a node that began after it
	}{
		"a moment before the end": {func(m, o *machine) { m.passes(14*time.Minute + 59*time.Second); o.wall = m.wall }, true, true},
		"the end":                 {func(m, o *machine) { m.passes(15 * time.Minute); o.wall = m.wall }, false, false},
		"set back within": {func(m, o *machine) {
			m.passes(15 * time.Minute)
			m.wall = m.wall.Add(-10 * time.Minute)
			o.wall = m.wall
		}, false, true},
		"set back before": {func(m, o *machine) { m.wall = m.wall.Add(-time.Hour); m.since += time.Minute; o.wall = m.wall }, true, false},
		"set forward":     {func(m, o *machine) { m.wall = m.wall.Add(16 * time.Minute); o.wall = m.wall }, false, false},
		"set forward and back": {func(m, o *machine) {
			m.passes(16 * time.Minute)
			m.wall = m.wall.Add(-16 * time.Minute)
			o.wall = m.wall.Add(-time.Minute)
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, other := noon(), noon()
			begin, r := node(t), rules()
			k := begin(m)
			who := k.Who("site", "idp", "vera")
			shown(t, k, who, r)
			c.then(m, other)
			if got := shows(t, k, who, "s1", r); got != c.still {
				t.Errorf("shown: %v, want %v", got, c.still)
			}
			if got := shows(t, begin(other), who, "s1", r); got != c.there {
				t.Errorf("shown by a node that began later: %v, want %v", got, c.there)
			}
		})
	}
}

func TestOnlyTheOneSessionSeesTheOneField(t *testing.T) {
	t.Parallel()
	k, r := room(t, noon())[0], rules()
	who := k.Who("site", "idp", "vera")
	shown(t, k, who, r)
	if shows(t, k, who, "s2", r) || shows(t, k, who, "", r) {
		t.Error("another session sees it")
	}
	for _, other := range []reveal.Who{k.Who("other", "idp", "vera"), k.Who("site", "idp2", "vera"), k.Who("site", "idp", "ver"), k.Who("sitei", "dp", "vera")} {
		if shows(t, k, other, "s1", r) {
			t.Error("somebody else sees it")
		}
	}
	b, err := k.Book(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	w := b.Find("w1")
	for field, want := range map[string]bool{"phone": true, "phone.number": true, "phone2": false, "phon": false, "mobile": false, "": false} {
		if w.Of(access.Record{Entity: "contact", Type: "contact", ID: "7"}, field) != want {
			t.Errorf("%q is shown: %v", field, !want)
		}
	}
	for _, rec := range []access.Record{{Type: "contact", ID: "8"}, {Type: "lead", ID: "7"}, {Type: "contact"}} {
		if w.Of(rec, "phone") {
			t.Errorf("%v is shown", rec)
		}
	}
}

func TestRulesInForceCount(t *testing.T) {
	t.Parallel()
	m := noon()
	k, r := room(t, m)[0], rules()
	who := k.Who("site", "idp", "vera")
	shown(t, k, who, r)
	strict := rules()
	strict.Approvals = []reveal.Approval{{Roles: []string{"lead"}}}
	short := rules()
	short.Lasts = time.Minute
	m.passes(2 * time.Minute)
	if shows(t, k, who, "s1", strict) || shows(t, k, who, "s1", short) || !shows(t, k, who, "s1", r) {
		t.Error("what the rules no longer allow is shown")
	}
	if err := k.End(t.Context(), who, "w1"); err != nil || shows(t, k, who, "s1", r) {
		t.Errorf("it was ended: %v", err)
	}
	if err := k.End(t.Context(), who, "w1"); !errors.Is(err, reveal.ErrGone) {
		t.Errorf("ended twice: %v", err)
	}
	if err := k.Begin(t.Context(), who, "w1", "s1", "0-13", r); !errors.Is(err, reveal.ErrGone) {
		t.Errorf("begun again: %v", err)
	}
}

// Two nodes take wishes of one employee at once: no more of them come through than the
// quota, and a clock that is set back gives none back.
func TestTheQuotaHoldsOverTwoNodes(t *testing.T) {
	t.Parallel()
	m, other := noon(), noon()
	all, r := room(t, m, other), rules()
	who := all[0].Who("site", "idp", "vera")
	var took, refused atomic.Int32
	var wait sync.WaitGroup
	for i := range 24 {
		wait.Go(func() {
			id := fmt.Sprint("w", i)
			switch _, err := all[i%2].Draft(context.Background(), who, vera, wish(id, id, access.Phone), r); {
			case err == nil:
				took.Add(1)
			case errors.Is(err, reveal.ErrQuota):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if took.Load() != 3 || refused.Load() != 21 {
		t.Errorf("%d wishes came through, %d were refused; the quota is 3", took.Load(), refused.Load())
	}
	again := func(k *reveal.Keeper) error {
		_, err := k.Draft(t.Context(), who, vera, wish("again", "again", access.Phone), r)
		return err
	}
	other.wall = other.wall.Add(-48 * time.Hour)
	m.passes(24*time.Hour - time.Second)
	if err := errors.Join(again(all[0]), again(all[1])); !errors.Is(err, reveal.ErrQuota) {
		t.Errorf("before a day has passed: %v", err)
	}
	m.passes(time.Second)
	if err := again(all[0]); err != nil {
		t.Errorf("after a day: %v", err)
	}
}

func TestOneWishForAFieldAtATime(t *testing.T) {
	t.Parallel()
	m := noon()
	k, r := room(t, m)[0], rules()
	who := k.Who("site", "idp", "vera")
	_, first := k.Draft(t.Context(), who, vera, wish("w0", "phone", access.Phone), r)
	_, second := k.Draft(t.Context(), who, vera, wish("w1", "phone", access.Phone), r)
	if first != nil || !errors.Is(second, reveal.ErrThere) {
		t.Errorf("two at once: %v, %v", first, second)
	}
	m.passes(time.Minute) // whoever drafted it has ended
	shown(t, k, who, r)
	if _, err := k.Draft(t.Context(), who, vera, wish("w2", "phone", access.Phone), r); !errors.Is(err, reveal.ErrThere) {
		t.Errorf("asked again: %v", err)
	}
}

// asked has a wish that waits.
func asked(t *testing.T, k *reveal.Keeper, who reveal.Who, r *reveal.Rules) {
	t.Helper()
	if _, err := k.Draft(t.Context(), who, vera, wish("w1", "iban", access.Bank), r); err != nil {
		t.Fatal(err)
	}
	if list, err := k.Pending(t.Context(), "site"); err != nil || len(list) != 0 {
		t.Errorf("a wish without an entry waits: %v, %v", list, err)
	}
	if err := k.Begin(t.Context(), who, "w1", "s1", "0-12", r); !errors.Is(err, reveal.ErrGone) {
		t.Errorf("begun without a second person: %v", err)
	}
	if err := k.Asked(t.Context(), who, "w1", "0-12"); err != nil {
		t.Fatal(err)
	}
	if err := k.Begin(t.Context(), who, "w1", "s1", "0-12", r); !errors.Is(err, reveal.ErrGone) {
		t.Errorf("begun before anybody decided: %v", err)
	}
}

func TestASecondPersonDecidesOnce(t *testing.T) {
	t.Parallel()
	m, other := noon(), noon()
	all, r := room(t, m, other), rules()
	k := all[0]
	who := k.Who("site", "idp", "vera")
	asked(t, k, who, r)
	list, err := all[1].Pending(t.Context(), "site")
	if err != nil || len(list) != 1 || list[0].Field != "iban" || list[0].Book.Name != "Vera" {
		t.Fatalf("waiting: %+v, %v", list, err)
	}
	if list, err := k.Pending(t.Context(), "other"); err != nil || len(list) != 0 {
		t.Errorf("another site sees %v, %v", list, err)
	}
	p := list[0]
	for _, oneself := range []string{"e-vera", ""} {
		if err := k.Claim(t.Context(), p.Who, "w1", oneself); !errors.Is(err, reveal.ErrOneself) {
			t.Errorf("%q decides: %v", oneself, err)
		}
	}
	if err := k.Claim(t.Context(), p.Who, "w1", "e-lena"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		all[1].Claim(t.Context(), p.Who, "w1", "e-max"),
		all[1].Decide(t.Context(), p.Who, "w1", "e-max", true, "0-14"),
		all[1].Decide(t.Context(), p.Who, "w1", "", true, "0-14"),
		k.Begin(t.Context(), who, "w1", "s1", "0-14", r),
	} {
		if !errors.Is(err, reveal.ErrGone) {
			t.Errorf("after somebody has claimed it: %v", err)
		}
	}
	if err := k.Decide(t.Context(), p.Who, "w1", "e-lena", true, "0-13"); err != nil || shows(t, k, who, "s1", r) {
		t.Fatalf("allowed: %v", err)
	}
	m.passes(time.Hour)
	if err := k.Begin(t.Context(), who, "w1", "s2", "0-15", r); err != nil || !shows(t, k, who, "s2", r) || shows(t, k, who, "s1", r) {
		t.Errorf("begun: %v", err)
	}
}

func TestWishesExpireAndAreRefused(t *testing.T) {
	t.Parallel()
	m := noon()
	k, r := room(t, m)[0], rules()
	who := k.Who("site", "idp", "vera")
	asked(t, k, who, r)
	m.passes(reveal.WishLasts)
	if list, err := k.Pending(t.Context(), "site"); err != nil || len(list) != 0 {
		t.Errorf("expired: %v, %v", list, err)
	}
	if err := k.Claim(t.Context(), who, "w1", "e-lena"); !errors.Is(err, reveal.ErrGone) {
		t.Errorf("an expired wish is decided on: %v", err)
	}
	if _, err := k.Draft(t.Context(), who, vera, wish("w2", "iban", access.Bank), r); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(k.Asked(t.Context(), who, "w2", "0-1"), k.Claim(t.Context(), who, "w2", "e-lena"), k.Decide(t.Context(), who, "w2", "e-lena", false, "0-2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Begin(t.Context(), who, "w2", "s1", "0-3", r); !errors.Is(err, reveal.ErrGone) || shows(t, k, who, "s1", r) {
		t.Errorf("refused: %v", err)
	}
	if _, err := k.Draft(t.Context(), who, vera, wish("w3", "iban", access.Bank), r); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(k.Asked(t.Context(), who, "w3", "0-1"), k.Claim(t.Context(), who, "w3", "e-lena"), k.Decide(t.Context(), who, "w3", "e-lena", true, "0-2"))
	m.passes(reveal.WishLasts)
	if begun := k.Begin(t.Context(), who, "w3", "s1", "0-3", r); err != nil || !errors.Is(begun, reveal.ErrGone) {
		t.Errorf("allowed too long ago: %v, %v", err, begun)
	}
}
