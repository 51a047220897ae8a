package desk

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// Purposes are why somebody may look at what one employee did: the closed list.
func Purposes() []string {
	return []string{"breach", "request", "complaint", "check", "authority", "other"}
}

// The longest and shortest note beside a purpose, in bytes.
const (
	minNote = 5
	maxNote = 300
)

// Ask is somebody's wish to see what an employee did. It stands in the log as an
// entry, and so does what another person says to it: nothing else keeps it.
type Ask struct {
	// ID is the request id of its entry.
	ID string
	// By and Employee are pseudonyms.
	By, Employee  string
	Roles         []string
	Purpose, Note string
	At            time.Time
	// Given and Refused are what was said to it, by Decider. Until is when
	// looking ends.
	Given, Refused bool
	Decider        string
	Until          time.Time
}

// NewAsk checks what somebody asks.
func NewAsk(employee, purpose, note string) (Ask, bool) {
	note = strings.Join(strings.Fields(note), " ")
	ok := IsPseudonym(employee) && slices.Contains(Purposes(), purpose) && len(note) >= minNote && Plain(note, maxNote)
	return Ask{Employee: employee, Purpose: purpose, Note: note}, ok
}

// Detail is what the entry of an ask says.
func (a Ask) Detail() string {
	return fmt.Sprintf("desk asks: employee %s, purpose %s: %s", a.Employee, a.Purpose, a.Note)
}

// Consent is what the entry of a consent says, Refusal that of a refusal.
func (a Ask) Consent(until time.Time) string {
	return fmt.Sprintf("desk consents: %s until %s", a.ID, until.UTC().Format(time.RFC3339))
}

// Refusal is what the entry of a refusal says.
func (a Ask) Refusal() string { return "desk refuses: " + a.ID }

// MayDecide reports whether somebody may say yes or no: it takes a second person,
// who isn't the one that is looked at either.
func (a Ask) MayDecide(who string) bool {
	return who != "" && who != a.By && who != a.Employee && !a.Given && !a.Refused
}

// Open reports whether looking is allowed at a time.
func (a Ask) Open(now time.Time) bool { return a.Given && !a.Refused && now.Before(a.Until) }

// AskLasts is how long an ask can be answered.
const AskLasts = 14 * 24 * time.Hour

var (
	askText     = regexp.MustCompile(`^desk asks: employee (e-[a-z2-7]{26}), purpose ([a-z]+): (.+)$`)
	consentText = regexp.MustCompile(`^desk consents: ([0-9A-Za-z.-]{1,64}) until (\S+)$`)
	refusalText = regexp.MustCompile(`^desk refuses: ([0-9A-Za-z.-]{1,64})$`)
)

// Asks reads the asks out of the log's entries, in any order; the newest ask comes
// first. Alone is how long an ask that needs nobody's consent lasts, 0: it needs one.
func Asks(entries []audit.Stored, alone time.Duration) []Ask {
	slices.SortFunc(entries, func(a, b audit.Stored) int { return a.Entry.Time.Compare(b.Entry.Time) })
	var all []Ask
	for i := range entries {
		e := &entries[i].Entry
		if e.Kind != audit.Control || e.Event != audit.Consent {
			continue
		}
		if m := askText.FindStringSubmatch(e.Detail); m != nil {
			a, ok := NewAsk(m[1], m[2], m[3])
			if !ok {
				continue
			}
			a.ID, a.By, a.Roles, a.At = e.Request, e.Employee, e.Roles, e.Time
			if alone > 0 {
				a.Given, a.Until = true, a.At.Add(alone)
			}
			all = append(all, a)
			continue
		}
		decide(all, e)
	}
	slices.Reverse(all)
	return all
}

// decide takes what a second person said. What was said by others counts for nothing.
func decide(all []Ask, e *audit.Entry) {
	id, until, given := "", time.Time{}, false
	if m := consentText.FindStringSubmatch(e.Detail); m != nil {
		var err error
		if until, err = time.Parse(time.RFC3339, m[2]); err != nil {
			return
		}
		id, given = m[1], true
	} else if m := refusalText.FindStringSubmatch(e.Detail); m != nil {
		id = m[1]
	}
	i := slices.IndexFunc(all, func(a Ask) bool { return a.ID == id })
	if i < 0 || !all[i].MayDecide(e.Employee) || e.Time.Sub(all[i].At) > AskLasts {
		return
	}
	a := &all[i]
	a.Given, a.Refused, a.Decider, a.Until = given, !given, e.Employee, until
}
