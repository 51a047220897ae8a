package alarm

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/sink"
)

// Sender sends a message somewhere. It is sent again, with the same ID, where that
// failed.
type Sender interface {
	Send(ctx context.Context, m *Message) error
	Close() error
}

// Channel tells of alarms as they come in the log. Of one cause it tells once in an
// interval, and behind it how often it came meanwhile. It is a sink's target: the
// cursor moves when a message was taken, so that what a crash forgets is how often a
// cause was repeated, and no alarm.
type Channel struct {
	Sender Sender
	// Desk is the address of the site whose desk shows alarms, without a path. It is
	// configured: the name of a site in an entry is what a client called it.
	Desk string
	// AtLeast is the lightest level that is told.
	AtLeast Level
	// Every is the interval.
	Every time.Duration

	batch []Told
	told  map[string]*repeats
	now   func() time.Time
}

// repeats is a cause that was told.
type repeats struct {
	at   time.Time
	last Told
	more int
}

// Told is one alarm in a message.
type Told struct {
	// ID is the entry's, node/seq.
	ID       string    `json:"audit_id"`
	Time     time.Time `json:"time"`
	Cause    string    `json:"kind"`
	Level    Level     `json:"level"`
	How      string    `json:"what"`
	Site     string    `json:"site,omitempty"`
	Employee string    `json:"employee,omitempty"`
	Stopped  bool      `json:"stopped,omitempty"`
	// More counts further ones of the same cause. Where the alarm itself was told
	// before, Again is set.
	More  int  `json:"more,omitempty"`
	Again bool `json:"again,omitempty"`

	key string
}

// Message is what is sent at once.
type Message struct {
	// ID is the same where the same alarms are sent again.
	ID     string
	Alarms []Told
	// Left counts alarms that found no room.
	Left int
	Desk string
}

// maxLines is how many alarms a message tells of, and maxBatch how many entries are
// taken together.
const (
	maxLines = 20
	maxBatch = 200
)

// The forms of what goes out: what is in another one could be anything.
var (
	siteForm     = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]{1,260}$`)
	employeeForm = regexp.MustCompile(`^e-[a-z2-7]{26}$`)
)

// NewChannel makes a channel.
func NewChannel(s Sender, desk string, atLeast Level, every time.Duration) *Channel {
	return &Channel{Sender: s, Desk: desk, AtLeast: atLeast, Every: every, told: map[string]*repeats{}, now: time.Now}
}

// Add implements sink.Target.
func (c *Channel) Add(s *audit.Stored) error {
	e := &s.Entry
	if e.Event != audit.AlarmRaised || e.Alarm == nil || !Level(e.Alarm.Level).AtLeast(c.AtLeast) {
		return nil
	}
	a := e.Alarm
	t := Told{
		ID: fmt.Sprintf("%s/%d", s.Node, s.Seq), Time: e.Time.UTC(), Cause: a.Cause, Level: Level(a.Level), How: a.How, Stopped: a.Stopped,
		More: a.Repeated,
	}
	if siteForm.MatchString(e.Gate) {
		t.Site = e.Gate
	}
	if employeeForm.MatchString(e.Employee) {
		t.Employee = e.Employee
	}
	t.key = causeOf(e.Gate, t.Employee, a)
	c.batch = append(c.batch, t)
	return nil
}

// causeOf is what makes two alarms one. Which hosts stand in mails is up to whoever
// writes them: links are told of site by site, however many there are.
func causeOf(site, employee string, a *audit.Alarm) string {
	if a.Cause == Link && a.How != HowOpened {
		return a.Cause + "\n" + site
	}
	words := []string{a.Cause, a.How, a.Level, site, employee}
	for _, r := range a.Records {
		words = append(words, r.String())
	}
	return strings.Join(words, "\n")
}

// Full implements sink.Target.
func (c *Channel) Full() bool { return len(c.batch) >= maxBatch }

// Drop implements sink.Target.
func (c *Channel) Drop() { c.batch = c.batch[:0] }

// Settle implements sink.Target: what was taken is the other side's.
func (c *Channel) Settle() error { return nil }

// Close implements sink.Target.
func (c *Channel) Close() error { return c.Sender.Close() }

// Due implements sink.Reminding: some cause came again, and its interval is over.
func (c *Channel) Due() bool {
	now := c.now()
	for _, r := range c.told {
		if r.more > 0 && c.over(r, now) {
			return true
		}
	}
	return false
}

// over reports whether a cause may be told again. A clock that went back hushes
// nothing.
func (c *Channel) over(r *repeats, now time.Time) bool {
	since := now.Sub(r.at)
	return since >= c.Every || since < 0
}

// Deliver implements sink.Target. Nothing of what it remembers changes until the
// message was taken.
func (c *Channel) Deliver(ctx context.Context) error {
	now := c.now()
	next := map[string]*repeats{}
	var lines []Told
	for key, r := range c.told {
		switch {
		case !c.over(r, now):
			kept := *r
			next[key] = &kept
		case r.more > 0:
			again := r.last
			again.More, again.Again = r.more, true
			lines = append(lines, again)
			next[key] = &repeats{at: now, last: r.last}
		}
	}
	slices.SortFunc(lines, func(a, b Told) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	for _, t := range c.batch {
		if r := next[t.key]; r != nil {
			r.more += 1 + t.More
			r.last = t
			continue
		}
		lines = append(lines, t)
		next[t.key] = &repeats{at: now, last: t}
	}
	if len(lines) > 0 {
		m := c.message(lines)
		if err := c.Sender.Send(ctx, m); err != nil {
			return err
		}
	}
	c.told = next
	c.Drop()
	return nil
}

func (c *Channel) message(lines []Told) *Message {
	m := &Message{ID: messageID(lines), Alarms: lines, Desk: c.Desk + DeskPath}
	// The gravest stay where there are too many.
	slices.SortStableFunc(m.Alarms, func(a, b Told) int {
		return slices.Index(Levels(), b.Level) - slices.Index(Levels(), a.Level)
	})
	if len(m.Alarms) > maxLines {
		m.Left = len(m.Alarms) - maxLines
		m.Alarms = m.Alarms[:maxLines]
	}
	return m
}

// DeskPath is the page of the desk that shows alarms.
const DeskPath = "/.crmgate/desk/alarms"

var (
	_ sink.Target    = (*Channel)(nil)
	_ sink.Reminding = (*Channel)(nil)
)
