package consent

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sealed"
)

func TestALinkConfirmsOnceAndInTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	token := h.link()
	if k, err := h.l.Look(t.Context(), token); err != nil || k.Done != "" || k.Late || len(k.About) != 1 || k.About[0].Text != purposes()[0].Texts[0].Text {
		t.Fatalf("Look = %+v, %v", k, err)
	}
	if h.log.count("consent_given") != 0 {
		t.Fatal("a look confirms")
	}
	if k := h.answers(token, Confirmed); k.Done != Confirmed || k.Already {
		t.Errorf("the first answer is %+v", k)
	}
	if k := h.answers(token, Confirmed); k.Done != Confirmed || !k.Already {
		t.Errorf("the second answer is %+v", k)
	}
	if k := h.answers(token, Withdrawn); k.Done != Withdrawn || k.Already {
		t.Errorf("the withdrawal is %+v", k)
	}
	for _, again := range []State{Confirmed, Withdrawn, Refused} {
		if k := h.answers(token, again); k.Done != Withdrawn || !k.Already {
			t.Errorf("%s after the withdrawal is %+v", again, k)
		}
	}
	h.is(mailOf(canary), "newsletter:email", no)
	if n := h.log.count("consent_given"); n != 1 {
		t.Errorf("it was given %d times", n)
	}
}

func TestALateLinkConfirmsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.pass(73 * time.Hour)
	if k := h.answers(h.link(), Confirmed); !k.Late || k.Done != "" {
		t.Errorf("too late is %+v", k)
	}
	if err := h.l.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.log.count("consent_expired") != 1 {
		t.Error("that it expired is no entry")
	}
	if err := h.l.Expire(t.Context()); err != nil || h.log.count("consent_expired") != 1 {
		t.Errorf("it expires twice, %v", err)
	}
	h.is(mailOf(canary), "newsletter:email", no)
	h.pass(-24 * time.Hour)
	if k := h.answers(h.link(), Confirmed); !k.Late || k.Done != "" {
		t.Errorf("expired, by a clock that is set back, it is %+v", k)
	}
	h.pass(24 * time.Hour)
	if k := h.answers(h.link(), Refused); k.Done != Refused {
		t.Errorf("a no that comes late is %+v", k)
	}
	h.pass(4 * 365 * 24 * time.Hour)
	if _, err := h.l.Room.Sweep(t.Context(), h.clock()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.l.Look(t.Context(), h.link()); !errors.Is(err, ErrNoLink) {
		t.Errorf("long after: %v", err)
	}
}

func TestANoBeforeTheConfirmationIsARefusal(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.asks(canary)
	if k := h.answers(h.link(), Withdrawn); k.Done != Refused {
		t.Errorf("the one click is %+v", k)
	}
	h.is(mailOf(canary), "newsletter:email", no) // it is the newest word
}

// A link whose wish was ended by another mail's, or in the CRM, says so and confirms
// nothing; of two wishes it says the one that stands.
func TestALinkTellsWhatWasEndedElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	first := h.link()
	h.asks(canary)
	h.answers(h.link(), Refused)
	if k, err := h.l.Look(t.Context(), first); err != nil || k.Done != Refused || k.DoneAt.IsZero() {
		t.Errorf("the other mail's link is %+v, %v", k, err)
	}
	if k := h.answers(first, Confirmed); k.Done != Refused || !k.Already {
		t.Errorf("its confirmation is %+v", k)
	}
	h.is(mailOf(canary), "newsletter:email", no)

	err := h.l.Ask(t.Context(), Ask{Email: another, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}, {"survey", Email, "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.send()
	h.pass(time.Minute)
	h.change(mailOf(another), "newsletter:email", Withdrawn, "the CRM", h.clock())
	if k := h.answers(h.link(), Confirmed); k.Done != Confirmed || k.Already || len(k.About) != 1 || k.About[0].Purpose != "survey" {
		t.Errorf("the confirmation of what is left is %+v", k)
	}
	h.change(mailOf(another), "survey:email", Withdrawn, "the CRM", h.clock())
	if k, err := h.l.Look(t.Context(), h.link()); err != nil || k.Done != Withdrawn {
		t.Errorf("after the end of all it is %+v, %v", k, err)
	}
}

func TestWhatIsNoLinkLeadsToNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	foreign := h.node(ring)
	for _, token := range []string{"", "x", strings.Repeat("A", 43), h.link() + "A", h.link()[:42], strings.Repeat("A", 1<<20)} {
		if _, err := h.l.Look(t.Context(), token); !errors.Is(err, ErrNoLink) {
			t.Errorf("Look(%.10q) = %v", token, err)
		}
		if _, err := h.l.Answer(t.Context(), token, Confirmed, Wanted{}); !errors.Is(err, ErrNoLink) {
			t.Errorf("Answer(%.10q) = %v", token, err)
		}
	}
	if _, err := foreign.Look(t.Context(), h.link()); !errors.Is(err, ErrNoLink) {
		t.Errorf("another gateway's link: %v", err)
	}
}

// Of many who click at once one confirms.
func TestManyClicksConfirmOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	token := h.link()
	var all sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for range 8 {
		all.Go(func() {
			k, err := h.l.Answer(t.Context(), token, Confirmed, Wanted{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || k.Done != Confirmed {
				t.Errorf("Answer = %+v, %v", k, err)
			} else if !k.Already {
				first++
			}
		})
	}
	all.Wait()
	if first != 1 {
		t.Errorf("%d were the first", first)
	}
	h.is(mailOf(canary), "newsletter:email", yes)
}

func TestAStopShowsAndEndsWhatStands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.change(mailOf(canary), "newsletter:email", Confirmed, "an old list", h.clock())
	h.change(mailOf(canary), "survey:email", Confirmed, "an old list", h.clock())
	h.pass(time.Hour)
	if err := h.l.AskToStop(t.Context(), canary, "de"); err != nil {
		t.Fatal(err)
	}
	h.send()
	token := h.link()
	k, err := h.l.Look(t.Context(), token)
	if err != nil || !k.Stop || len(k.About) != 2 {
		t.Fatalf("Look = %+v, %v", k, err)
	}
	if _, err := h.l.Answer(t.Context(), token, Confirmed, Wanted{}); err != nil {
		t.Fatal(err)
	}
	h.is(mailOf(canary), "survey:email", yes)
	if k, err = h.l.Answer(t.Context(), token, Withdrawn, Wanted{"survey", Email}); err != nil || len(k.About) != 1 {
		t.Fatalf("Answer = %+v, %v", k, err)
	}
	h.is(mailOf(canary), "survey:email", no)
	h.is(mailOf(canary), "newsletter:email", yes)
	if k := h.answers(token, Withdrawn); len(k.About) != 0 || k.Already {
		t.Errorf("the end of all is %+v", k)
	}
	if k := h.answers(token, Withdrawn); !k.Already {
		t.Errorf("once more is %+v", k)
	}
	h.is(mailOf(canary), "newsletter:email", no)
}

// Who isn't known gets the same mail as who is.
func TestNothingTellsWhetherSomebodyIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.pass(48 * time.Hour)
	saves := 0
	h.faulty.fail = func([]sealed.Doc) error { saves++; return nil }
	var work [2][2]int
	for i, who := range []string{canary, another} {
		loads := h.faulty.loads
		saves = 0
		if err := h.l.Ask(t.Context(), Ask{Email: who, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); err != nil {
			t.Fatal(err)
		}
		work[i] = [2]int{h.faulty.loads - loads, saves}
	}
	if work[0] != work[1] || work[0] != [2]int{0, 1} {
		t.Errorf("a known and an unknown address cost %v loads and saves", work)
	}
	h.send()
	for _, who := range []string{canary, another} {
		if err := h.l.AskToStop(t.Context(), who, "de"); err != nil {
			t.Fatal(err)
		}
	}
	h.send()
	plain := map[string]bool{}
	for _, m := range h.box.got[1:] {
		token := strings.TrimPrefix(m.Unsubscribe, h.l.Base+EndPath)
		plain[m.Subject+strings.ReplaceAll(m.Text, token, "T")] = true
	}
	if len(h.box.got) != 5 || len(plain) != 2 {
		t.Errorf("%d mails of %d kinds", len(h.box.got), len(plain))
	}
}

func TestFormsThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	good := []Shown{{"newsletter", Email, "2026-11"}}
	for name, a := range map[string]Ask{
		"no address":        {Email: "", Language: "de", Texts: good},
		"two addresses":     {Email: "a@example.org, b@example.org", Language: "de", Texts: good},
		"a header":          {Email: "a@example.org\r\nBcc: b@example.org", Language: "de", Texts: good},
		"no domain":         {Email: "a@localhost", Language: "de", Texts: good},
		"a name":            {Email: "A <a@example.org>", Language: "de", Texts: good},
		"a long one":        {Email: strings.Repeat("a", 250) + "@example.org", Language: "de", Texts: good},
		"another language":  {Email: canary, Language: "fr", Texts: good},
		"nothing":           {Email: canary, Language: "de"},
		"an old version":    {Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2020-01"}}},
		"another purpose":   {Email: canary, Language: "de", Texts: []Shown{{"adverts", Email, "1"}}},
		"phone by mail":     {Email: canary, Language: "de", Texts: []Shown{{"newsletter", Phone, "2026-11"}}},
		"twice the same":    {Email: canary, Language: "de", Texts: []Shown{good[0], good[0]}},
		"the other text":    {Email: canary, Language: "en", Texts: []Shown{{"survey", Email, "1"}}},
		"a very long page":  {Email: canary, Language: "de", Texts: good, Form: "https://" + strings.Repeat("x", 600)},
		"eleven of a kind":  {Email: canary, Language: "de", Texts: make([]Shown, 11)},
		"an address in GBR": {Email: "a@exa mple.org", Language: "de", Texts: good},
	} {
		if err := h.l.Ask(t.Context(), a); !errors.Is(err, ErrAsk) || strings.Contains(err.Error(), "example") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(h.log.all) != 0 {
		t.Errorf("what is refused is %d entries", len(h.log.all))
	}
}
