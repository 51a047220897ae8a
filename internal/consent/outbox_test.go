package consent

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/sealed"
)

// The entry is there before the server is asked to take the mail.
func TestAMailIsWrittenDownBeforeItIsSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.box.when = func(m *Mail) {
		h.log.mu.Lock()
		defer h.log.mu.Unlock()
		last := h.log.all[len(h.log.all)-1]
		if last.Event != audit.ConsentMailed || !strings.Contains(last.Detail, m.MessageID) {
			t.Errorf("the last entry is %s %q", last.Event, last.Detail)
		}
	}
	h.asks(canary)
	h.box.when = nil
	h.log.fail = true
	err := h.l.Ask(t.Context(), Ask{Email: another, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}})
	if !errors.Is(err, errLog) {
		t.Errorf("without a log: %v", err)
	}
	h.log.fail = false
	h.send()
	if len(h.box.got) != 1 {
		t.Errorf("%d mails", len(h.box.got))
	}
}

// A node that dies after the server took the mail sends it again, under the same
// Message-ID and with the same link; one that dies before saving anything sends nothing.
func TestANodeThatDiesLeavesOneMailMoreAtMost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gone := errors.New("kill -9")
	h.faulty.fail = func([]sealed.Doc) error { return gone }
	if err := h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); !errors.Is(err, gone) {
		t.Fatalf("Ask = %v", err)
	}
	h.faulty.fail = nil
	h.send()
	if len(h.box.got) != 0 {
		t.Fatal("a wish that was never saved is mailed")
	}
	if err := h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); err != nil {
		t.Fatal(err)
	}
	h.box.when = func(*Mail) { h.faulty.fail = func([]sealed.Doc) error { return gone } }
	if err := h.l.SendDue(t.Context()); !errors.Is(err, gone) {
		t.Fatalf("SendDue = %v", err)
	}
	h.box.when, h.faulty.fail = nil, nil
	h.send()
	if len(h.box.got) != 1 {
		t.Fatalf("the claim is no claim: %d mails", len(h.box.got))
	}
	h.pass(lease + time.Second)
	h.send()
	h.pass(24 * time.Hour)
	h.send()
	if len(h.box.got) != 2 || h.box.got[0].MessageID != h.box.got[1].MessageID || h.box.got[0].Unsubscribe != h.box.got[1].Unsubscribe {
		t.Errorf("the mails are %+v", h.box.got)
	}
	h.answers(h.link(), Confirmed)
	h.is(mailOf(canary), "newsletter:email", yes)
}

func TestManyNodesSendOneMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 5 {
		if err := h.l.Ask(t.Context(), Ask{Email: fmt.Sprintf("p%d@example.org", i), Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := h.l.SendDue(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(h.box.got) != 5 {
		t.Errorf("%d mails", len(h.box.got))
	}
}

func TestAMailIsTriedAgainAndThenNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	down := errors.New("nobody there")
	h.box.fail = down
	if err := h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	h.box.when = func(*Mail) { tries++ }
	for range 60 {
		if err := h.l.SendDue(t.Context()); err != nil && !errors.Is(err, down) {
			t.Fatal(err)
		}
		h.pass(10 * time.Minute)
	}
	if tries != mostTries() {
		t.Errorf("%d tries, want %d", tries, mostTries())
	}
	h.box.fail = nil
	h.send()
	if len(h.box.got) != 0 {
		t.Error("it is tried for ever")
	}
	h.asks(another)
	if len(h.box.got) != 1 {
		t.Error("what failed keeps others waiting")
	}
}

func TestAnAddressThatIsRefusedIsTriedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.box.fail = fmt.Errorf("%w: 550", ErrUndeliverable)
	if err := h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}}); err != nil {
		t.Fatal(err)
	}
	if err := h.l.SendDue(t.Context()); !errors.Is(err, ErrUndeliverable) || strings.Contains(err.Error(), canary) {
		t.Errorf("SendDue = %v", err)
	}
	h.box.fail = nil
	h.pass(time.Hour)
	h.send()
	if len(h.box.got) != 0 {
		t.Error("it is tried again")
	}
}

// Nobody's mailbox can be filled by others.
func TestAnAddressGetsFewMailsInADay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 10 {
		h.asks(canary)
		h.pass(time.Minute)
	}
	if len(h.box.got) != 3 {
		t.Errorf("%d mails", len(h.box.got))
	}
	if err := h.l.AskToStop(t.Context(), canary, "de"); err != nil {
		t.Fatal(err)
	}
	h.send()
	if len(h.box.got) != 4 {
		t.Error("who fills the mailbox with wishes keeps its owner from withdrawing")
	}
	h.pass(25 * time.Hour)
	h.asks(canary)
	if len(h.box.got) != 5 {
		t.Error("the limit lasts longer than a day")
	}
}

func TestAClockThatWasWrongKeepsNoMailBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.box.fail = errors.New("nobody there")
	h.pass(1000 * time.Hour)
	_ = h.l.Ask(t.Context(), Ask{Email: canary, Language: "de", Texts: []Shown{{"newsletter", Email, "2026-11"}}})
	_ = h.l.SendDue(t.Context()) // it isn't taken
	h.box.fail = nil
	h.pass(-1000 * time.Hour)
	h.send()
	if len(h.box.got) != 1 {
		t.Error("a clock that was ahead keeps the mail back")
	}
}

func TestTheMailIsPlainAndCanBeAnsweredByOneClick(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.asks(canary)
	m := h.box.got[0]
	raw, err := new(SMTP).Copy(&m)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader([]byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"To": "<" + canary + ">", "List-Unsubscribe": "<https://crm.example.de/.crmgate/consent/w/" + h.link() + ">",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated",
		"Message-Id": "<" + m.MessageID + ">", "Content-Type": "text/plain; charset=UTF-8", "User-Agent": "", "X-Mailer": "",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.HasSuffix(m.MessageID, "@crm.example.de") {
		t.Errorf("the Message-ID is %s", m.MessageID)
	}
	for _, want := range []string{"https://crm.example.de/.crmgate/consent/c/" + h.link(), purposes()[0].Texts[0].Text, "Muster GmbH, Musterweg 1", "27.11.2026 10:00 UTC", "https://example.de/privacy"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q isn't in the mail:\n%s", want, m.Text)
		}
	}
}
