package consent

import (
	"errors"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

const (
	yes     = access.FactTrue
	no      = access.FactFalse
	unknown = access.FactUnknown
)

func TestOnlyAConfirmedConsentStands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.is(mailOf(canary), "newsletter:email", no)
	h.asks(canary)
	h.is(mailOf(canary), "newsletter:email", no)
	h.answers(h.link(), Confirmed)
	h.is(mailOf(canary), "newsletter:email", yes)
	h.is(mailOf(" Canary.Person@EXAMPLE.org "), "newsletter", yes)
	for _, other := range []string{"newsletter:phone", "newsletter:post", "newsletter:messenger", "survey:email", "survey"} {
		h.is(mailOf(canary), other, no)
	}
	h.is(mailOf(another), "newsletter:email", no)
	h.is(Subject{}, "newsletter:email", unknown)
	h.is(Subject{Phones: []string{"030 1234567"}}, "newsletter:email", no)
	h.is(mailOf("nothing to read"), "newsletter:email", no)
	h.answers(h.link(), Withdrawn)
	h.is(mailOf(canary), "newsletter:email", no)
}

// What counts is the address that would be written to.
func TestEachAddressNeedsItsOwnConsent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	both := Subject{Entity: "contact", Record: "7", Emails: []string{canary, another}}
	h.is(both, "newsletter:email", no)
	h.asks(another)
	h.answers(h.link(), Confirmed)
	h.is(both, "newsletter:email", yes)
	h.answers(h.link(), Withdrawn)
	h.is(both, "newsletter:email", no)
	h.is(mailOf(canary), "newsletter:email", yes)
}

func TestARecordsConsentIsThatOfItsAddresses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	record := Subject{Entity: "contact", Record: "7"}
	with := Subject{Entity: "contact", Record: "7", Emails: []string{canary}}
	moved := Subject{Entity: "contact", Record: "7", Emails: []string{another}}
	h.change(record, "newsletter:email", Confirmed, "paper", h.clock())
	h.is(record, "newsletter:email", yes)
	h.is(with, "newsletter:email", yes)
	h.pass(time.Hour)
	h.change(with, "newsletter:email", Withdrawn, "crm", h.clock())
	h.is(record, "newsletter:email", no)
	h.is(with, "newsletter:email", no)
	h.is(moved, "newsletter:email", no)
	h.is(mailOf(canary), "newsletter:email", no)

	other := Subject{Entity: "contact", Record: "8"}
	bound := Subject{Entity: "contact", Record: "8", Emails: []string{"eight@example.org"}}
	h.change(bound, "newsletter:email", Confirmed, "crm", h.clock())
	h.is(bound, "newsletter:email", yes)
	h.is(other, "newsletter:email", unknown) // its consent is that of an address that isn't here
	h.is(Subject{Entity: "contact", Record: "8", Emails: []string{"new@example.org"}}, "newsletter:email", no)
}

func TestARecordsNoCountsForAllButThoseWhoConsentLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := Subject{Entity: "contact", Record: "7", Emails: []string{canary}}
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.pass(time.Hour)
	h.change(Subject{Entity: "contact", Record: "7"}, "newsletter:email", Withdrawn, "crm", h.clock())
	h.is(s, "newsletter:email", no)
	h.is(mailOf(canary), "newsletter:email", yes)
	h.pass(time.Hour)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.is(s, "newsletter:email", yes)
}

func TestANoIsForEveryChannelWhereNoneIsNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := Subject{Emails: []string{canary}, Phones: []string{"+49 30 1234567"}}
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.change(s, "newsletter:phone", Confirmed, "paper", h.clock())
	h.is(s, "newsletter:phone", yes)
	h.is(s, "newsletter:messenger", no)
	h.pass(time.Minute)
	if err := h.l.Change(t.Context(), site, s, Wanted{}, Withdrawn, "crm: no advertising", h.clock()); err != nil {
		t.Fatal(err)
	}
	h.is(s, "newsletter", no)
	h.is(Subject{Phones: []string{"030/1234567"}}, "newsletter:phone", no)
}

func TestWhatIsOlderChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.answers(h.link(), Withdrawn)
	h.change(mailOf(canary), "newsletter:email", Confirmed, "an old list", h.clock().AddDate(-1, 0, 0))
	h.is(mailOf(canary), "newsletter:email", no)
	at := h.clock().Add(time.Hour)
	h.pass(2 * time.Hour)
	h.change(mailOf(canary), "newsletter:email", Confirmed, "paper", at)
	h.is(mailOf(canary), "newsletter:email", yes)
	h.change(mailOf(canary), "newsletter:email", Withdrawn, "an old letter", at.Add(-time.Minute))
	h.is(mailOf(canary), "newsletter:email", yes)
	h.change(mailOf(canary), "newsletter:email", Withdrawn, "a letter", at)
	h.change(mailOf(canary), "newsletter:email", Confirmed, "another list", at)
	h.is(mailOf(canary), "newsletter:email", no) // of the same time, the no counts
}

// A clock that goes back makes nobody's newest word older.
func TestAWithdrawalHoldsWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	h.pass(-40 * time.Hour)
	h.answers(h.link(), Withdrawn)
	h.is(mailOf(canary), "newsletter:email", no)
	h.pass(80 * time.Hour)
	h.is(mailOf(canary), "newsletter:email", no)
}

func TestAConsentEndsWithItsPurposesLifetime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	err := h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"survey", Email, "1"}, {"newsletter", Email, "2026-11"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.send()
	h.answers(h.link(), Confirmed)
	h.pass(364 * 24 * time.Hour)
	h.is(mailOf(canary), "survey:email", yes)
	h.pass(25 * time.Hour)
	h.is(mailOf(canary), "survey:email", no)
	h.is(mailOf(canary), "newsletter:email", yes)
}

func TestPostIsAboutThePersonWhateverTheyAreFoundBy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := Subject{Entity: "contact", Record: "7", Emails: []string{canary}, Phones: []string{"030 1234567"}}
	h.change(s, "newsletter:post", Confirmed, "paper", h.clock())
	h.is(mailOf(canary), "newsletter:post", yes)
	h.is(Subject{Entity: "contact", Record: "7", Emails: []string{another}}, "newsletter:post", yes)
	h.pass(time.Hour)
	h.change(mailOf(canary), "newsletter:post", Withdrawn, "a call", h.clock())
	h.is(s, "newsletter:post", no)
	h.is(mailOf(canary), "newsletter", no)
}

// A list of five hundred records costs one question.
func TestStatesOfManyAreOneQuestion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	h.answers(h.link(), Confirmed)
	subjects := make([]Subject, 500)
	for i := range subjects {
		subjects[i] = Subject{Entity: "contact", Record: string(rune('a' + i%26)), Emails: []string{another}}
	}
	subjects[42] = mailOf(canary)
	before := h.faulty.loads
	got, err := h.l.States(t.Context(), site, subjects, []Wanted{{"newsletter", Email}, {"newsletter", Phone}, {"survey", ""}})
	if err != nil || len(got) != 500 || got[42][0] != yes || got[42][1] == yes || got[41][0] != no {
		t.Fatalf("States = %d, %v", len(got), err)
	}
	if n := h.faulty.loads - before; n != 1 {
		t.Errorf("%d questions", n)
	}
	if _, err := h.l.States(t.Context(), "another.example.de", subjects[:1], nil); err == nil {
		t.Error("the ledger answers for another site")
	}
}

func TestChangesThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	now := h.clock()
	for name, c := range map[string]struct {
		s      Subject
		w      Wanted
		to     State
		source string
		at     time.Time
	}{
		"nobody":                 {Subject{}, Wanted{"newsletter", Email}, Confirmed, "x", now},
		"no address of it":       {mailOf(canary), Wanted{"newsletter", Phone}, Confirmed, "x", now},
		"an unreadable address":  {mailOf("who knows"), Wanted{"newsletter", Email}, Confirmed, "x", now},
		"another purpose":        {mailOf(canary), Wanted{"adverts", Email}, Withdrawn, "x", now},
		"another channel":        {mailOf(canary), Wanted{"newsletter", "fax"}, Withdrawn, "x", now},
		"a yes to every channel": {mailOf(canary), Wanted{"newsletter", ""}, Confirmed, "x", now},
		"a yes to everything":    {mailOf(canary), Wanted{}, Confirmed, "x", now},
		"no source":              {mailOf(canary), Wanted{"newsletter", Email}, Confirmed, "", now},
		"the future":             {mailOf(canary), Wanted{"newsletter", Email}, Confirmed, "x", now.Add(time.Hour)},
		"no declaration":         {mailOf(canary), Wanted{"newsletter", Email}, Asked, "x", now},
	} {
		if err := h.l.Change(t.Context(), site, c.s, c.w, c.to, c.source, c.at); !errors.Is(err, ErrChange) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(h.log.all) != 0 {
		t.Errorf("refused changes are %d entries", len(h.log.all))
	}
	h.is(mailOf(canary), "newsletter:email", no)
}

func TestTheSameChangeAgainChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	at := h.clock()
	for range 3 {
		h.change(mailOf(canary), "newsletter:email", Confirmed, "crm", at)
	}
	h.pass(time.Minute)
	for range 3 {
		h.change(mailOf(canary), "newsletter:email", Withdrawn, "crm", time.Time{})
		h.pass(time.Minute)
	}
	if h.log.count("consent_given") != 1 || h.log.count("consent_withdrawn") != 1 {
		t.Errorf("the log has %d entries", len(h.log.all))
	}
}
