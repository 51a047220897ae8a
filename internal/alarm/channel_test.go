package alarm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

const (
	lure  = "canary-record-4711"
	whose = "e-aaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// taken is a sender that keeps what it is given.
type taken struct {
	messages []*Message
	err      error
}

func (s *taken) Send(_ context.Context, m *Message) error {
	if s.err == nil {
		s.messages = append(s.messages, m)
	}
	return s.err
}

func (s *taken) Close() error { return nil }

func entry(seq uint64, a audit.Alarm) *audit.Stored {
	s := &audit.Stored{Node: "n1", Seq: seq}
	s.Entry = audit.Entry{
		Kind: audit.Control, Event: audit.AlarmRaised, Time: time.Unix(1_700_000_000, 0), Employee: whose, Gate: "crm.example.de",
		SourceIP: "192.0.2.7", Alarm: &a,
	}
	return s
}

func opening(id string) audit.Alarm {
	return audit.Alarm{Cause: Canary, Level: string(High), How: HowAlone, Records: []access.Record{{Entity: "contact", Type: "contact", ID: id}}}
}

// channelOf is a channel with a clock that a test turns.
func channelOf(s Sender) (*Channel, *time.Time) {
	c, now := NewChannel(s, "https://crm.example.de", Medium, 15*time.Minute), time.Now()
	c.now = func() time.Time { return now }
	return c, &now
}

func deliver(t *testing.T, c *Channel, all ...*audit.Stored) {
	t.Helper()
	for _, s := range all {
		if err := c.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCauseIsToldOnceInAnIntervalWithACount(t *testing.T) {
	s := new(taken)
	c, now := channelOf(s)
	deliver(t, c, entry(1, opening(lure)), entry(2, opening(lure)))
	deliver(t, c, entry(3, opening(lure)))
	if len(s.messages) != 1 || len(s.messages[0].Alarms) != 1 || s.messages[0].Alarms[0].ID != "n1/1" {
		t.Fatalf("%d messages", len(s.messages))
	}
	if c.Due() {
		t.Error("due within the interval")
	}
	deliver(t, c, entry(4, opening("another")))
	if len(s.messages) != 2 {
		t.Error("another record is not told")
	}
	*now = now.Add(15 * time.Minute)
	if !c.Due() {
		t.Fatal("what came again is not due")
	}
	deliver(t, c)
	if len(s.messages) != 3 || s.messages[2].Alarms[0].More != 2 || !s.messages[2].Alarms[0].Again || s.messages[2].Alarms[0].ID != "n1/3" {
		t.Fatalf("the count: %+v", s.messages[2:])
	}
	*now = now.Add(15 * time.Minute)
	if c.Due() {
		t.Error("due without anything new")
	}
	deliver(t, c)
	if len(s.messages) != 3 || len(c.told) != 0 {
		t.Errorf("%d messages, %d causes are remembered", len(s.messages), len(c.told))
	}
}

// What couldn't be sent is neither forgotten nor taken for told.
func TestFailedMessageIsSentAgainWithTheSameID(t *testing.T) {
	s := &taken{err: errors.New("away")}
	c, _ := channelOf(s)
	ids := map[string]bool{}
	for range 3 {
		if err := c.Add(entry(1, opening(lure))); err != nil {
			t.Fatal(err)
		}
		if c.Deliver(t.Context()) == nil {
			t.Fatal("delivered")
		}
		ids[c.message([]Told{c.batch[0]}).ID] = true
		c.Drop()
	}
	s.err = nil
	deliver(t, c, entry(1, opening(lure)))
	if len(s.messages) != 1 || len(ids) != 1 || !ids[s.messages[0].ID] {
		t.Errorf("%d messages, ids %v", len(s.messages), ids)
	}
}

func TestLightAlarmsAndOtherEntriesAreNotTold(t *testing.T) {
	s := new(taken)
	c, _ := channelOf(s)
	low := opening(lure)
	low.Level = string(Low)
	other := entry(2, opening(lure))
	other.Entry.Event, other.Entry.Alarm = audit.Start, nil
	seen := entry(3, audit.Alarm{Entry: "n1/1"})
	seen.Entry.Event = audit.AlarmSeen
	deliver(t, c, entry(1, low), other, seen)
	if len(s.messages) != 0 {
		t.Errorf("%+v", s.messages[0])
	}
}

// However many hosts stand in mails, links are told of once a site and interval.
func TestManyLinksMakeOneMessage(t *testing.T) {
	s := new(taken)
	c, _ := channelOf(s)
	for i := range 500 {
		a := audit.Alarm{Cause: Link, Level: string(Medium), How: "lookalike", Host: strings.Repeat("x", i+1) + ".example"}
		deliver(t, c, entry(uint64(i), a))
	}
	if len(s.messages) != 1 {
		t.Errorf("%d messages", len(s.messages))
	}
	for i := range 50 { // canaries are configured: each is told, in bounded messages
		if err := c.Add(entry(uint64(i), opening(strings.Repeat("y", i+1)))); err != nil {
			t.Fatal(err)
		}
	}
	deliver(t, c)
	if m := s.messages[len(s.messages)-1]; len(m.Alarms) != maxLines || m.Left != 30 {
		t.Errorf("%d alarms, %d left", len(m.Alarms), m.Left)
	}
}

// Neither record nor host nor what a client could have written is in a message.
func TestMessagesHoldNothingOfTheCRM(t *testing.T) {
	s := new(taken)
	c, _ := channelOf(s)
	e := entry(1, opening(lure))
	e.Entry.Alarm.Host = lure + ".example"
	e.Entry.Gate = "evil.example/" + lure + "\r\nBcc: x@example"
	e.Entry.Detail = lure
	deliver(t, c, e)
	m := s.messages[0]
	for _, text := range []string{m.Text(), m.Subject()} {
		if strings.Contains(text, lure) || strings.Contains(text, "Bcc") || strings.Contains(text, "192.0.2.7") {
			t.Errorf("a value is in %q", text)
		}
	}
	for _, want := range []string{"n1/1", whose, "https://crm.example.de/.crmgate/desk/alarms", "hoch", "high"} {
		if !strings.Contains(m.Text(), want) {
			t.Errorf("%q is not in %s", want, m.Text())
		}
	}
}

func TestBoardShowsWhoAnswered(t *testing.T) {
	seen := func(seq uint64, of, said string) audit.Stored {
		s := *entry(seq, audit.Alarm{Entry: of})
		s.Entry.Event, s.Entry.Detail = audit.AlarmSeen, said
		return s
	}
	all := Board([]audit.Stored{seen(5, "n1/1", "a drill"), *entry(1, opening(lure)), *entry(3, opening(lure)), seen(6, "n2/1", "another")})
	if len(all) != 2 || all[0].ID != "n1/3" || all[1].ID != "n1/1" || len(all[0].Seen) != 0 || len(all[1].Seen) != 1 || all[1].Seen[0].Said != "a drill" {
		t.Errorf("%+v", all)
	}
	for text, ok := range map[string]bool{
		"a drill": true, "  a \n drill  ": true, "x": false, "    x   ": false, "": false, strings.Repeat("x", 301): false, "a\x00drill": false, "a\xffdrill": false,
	} {
		if _, got := Said(text); got != ok {
			t.Errorf("%q: %t", text, got)
		}
	}
}
