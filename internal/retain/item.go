package retain

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
)

// Stage is how far an overdue record has come. The zero value is none.
type Stage string

// The stages.
const (
	// Open is on the list, and nobody has asked anything.
	Open Stage = "open"
	// Asked waits for a second person.
	Asked Stage = "asked"
	// Deleting is on its way: the deletion may have reached the CRM, or not.
	Deleting Stage = "deleting"
	// Claimed is a record that was deleted in the CRM, as far as anybody says.
	Claimed Stage = "claimed"
	// Deleted is the end.
	Deleted Stage = "deleted"
)

// Said is what somebody said, or did, to a record on the list.
type Said struct {
	What Word      `json:"what"`
	By   string    `json:"by"` // a pseudonym
	At   time.Time `json:"at"`
	Why  string    `json:"why,omitempty"`
	// Audit is the place of the entry in the log.
	Audit string `json:"audit,omitempty"`
	// Status is what the CRM answered, 0 for nothing.
	Status int `json:"status,omitempty"`
}

// Word is what was done: the closed list.
type Word string

// The words.
const (
	DidAsk     Word = "asked"
	DidConfirm Word = "confirmed"
	DidRefuse  Word = "refused"
	DidHold    Word = "held"
	DidRelease Word = "released"
	DidRead    Word = "read"    // the gateway's own read
	DidDelete  Word = "deleted" // the gateway's own deletion
	DidClaim   Word = "claimed" // somebody deleted it in the CRM, or says so
	DidCheck   Word = "checked" // the gateway's own read afterwards
	DidBack    Word = "back"    // it is there still
)

// Item is a record on the work list, through to the proof of its deletion.
type Item struct {
	Record access.Record `json:"record"`
	// Rule is why it is overdue, Last the last day on which it could be kept; Unknown
	// says that nobody knows it.
	Rule    string    `json:"rule"`
	Last    time.Time `json:"last,omitzero"`
	Unknown bool      `json:"unknown,omitempty"`
	Since   time.Time `json:"since"`
	Stage   Stage     `json:"stage"`
	// Hold is why it can't be deleted; nil: nothing stands against it.
	Hold *Said `json:"hold,omitempty"`
	// Ask is the wish that waits, or was consented to.
	Ask *Said `json:"ask,omitempty"`
	// Confirmed is the second person.
	Confirmed *Said `json:"confirmed,omitempty"`
	// Gone says that the gateway read it afterwards, and that it wasn't there.
	Gone bool `json:"gone,omitempty"`
	// Remains is what the CRM keeps all the same, by its profile.
	Remains string `json:"remains,omitempty"`
	// Rest are everything that was said and done, in order.
	Rest []Said `json:"rest,omitempty"`
	// Ended is when it was deleted.
	Ended time.Time `json:"ended,omitzero"`
	// Received are those who got the record, as the log had it when the record was deleted.
	Received *Received `json:"received,omitempty"`
}

// Received are those to whom a record was disclosed (Art. 19), by the log.
type Received struct {
	// By are the roles and the machines that got it: a machine is another system.
	By []Recipient `json:"by,omitempty"`
	// Exports are the times at which it was taken along.
	Exports []Export `json:"exports,omitempty"`
	// Cut says that the log may hold more: months of it were destroyed, or couldn't be read.
	Cut bool `json:"cut,omitempty"`
}

// Recipient is a role or a machine that got a record.
type Recipient struct {
	Machine bool   `json:"machine,omitempty"`
	Name    string `json:"name"`
	Answers int    `json:"answers"`
	Clear   int    `json:"clear"`
}

// Export is one time at which a record was taken along.
type Export struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Audit string    `json:"audit"`
}

// Why nothing was done.
var (
	ErrNotThere = errors.New("the record isn't on the list")
	ErrStage    = errors.New("the record isn't where that can be done")
	ErrHeld     = errors.New("a hold stands against it")
	ErrSame     = errors.New("it takes two different people")
	ErrWhy      = errors.New("it takes a reason")
)

// The shortest and longest reason, in bytes.
const (
	minWhy = 5
	maxWhy = 300
)

// Reason makes a reason of what somebody wrote.
func Reason(s string) (string, bool) {
	s = strings.Join(strings.Fields(s), " ")
	bad := strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
	return s, len(s) >= minWhy && len(s) <= maxWhy && !bad
}

// AskLasts is how long a wish can be answered.
const AskLasts = 14 * 24 * time.Hour

// expire lets a wish go that nobody has answered in time.
func (it *Item) expire(now time.Time) {
	if it.Stage == Asked && it.Ask != nil && now.Sub(it.Ask.At) > AskLasts {
		it.Stage, it.Ask = Open, nil
	}
}

// ask is the first person's wish.
func (it *Item) ask(s Said) error {
	switch {
	case it.Hold != nil:
		return ErrHeld
	case it.Stage != Open:
		return ErrStage
	}
	s.What = DidAsk
	it.Stage, it.Ask = Asked, &s
	it.Rest = append(it.Rest, s)
	return nil
}

// MayDecide says why somebody can't be the second person.
func (it *Item) MayDecide(who string) error {
	switch {
	case it.Stage != Asked || it.Ask == nil:
		return ErrStage
	case it.Hold != nil:
		return ErrHeld
	case who == "" || who == it.Ask.By:
		return ErrSame
	}
	return nil
}

// confirm is the second person's consent: from here on it is on its way.
func (it *Item) confirm(s Said) error {
	if err := it.MayDecide(s.By); err != nil {
		return err
	}
	s.What = DidConfirm
	it.Stage, it.Confirmed = Deleting, &s
	it.Rest = append(it.Rest, s)
	return nil
}

// refuse is the second person's no.
func (it *Item) refuse(s Said) error {
	if err := it.MayDecide(s.By); err != nil {
		return err
	}
	s.What = DidRefuse
	it.Stage, it.Ask = Open, nil
	it.Rest = append(it.Rest, s)
	return nil
}

// hold stands against deleting; a wish that waits is gone.
func (it *Item) hold(s Said) error {
	if it.Hold != nil || it.Stage != Open && it.Stage != Asked {
		return ErrStage
	}
	s.What = DidHold
	it.Stage, it.Ask, it.Hold = Open, nil, &s
	it.Rest = append(it.Rest, s)
	return nil
}

func (it *Item) release(s Said) error {
	if it.Hold == nil {
		return ErrStage
	}
	s.What = DidRelease
	it.Hold = nil
	it.Rest = append(it.Rest, s)
	return nil
}

// claim notes that it was deleted in the CRM itself.
func (it *Item) claim(s Said) error {
	if it.Stage != Open && it.Stage != Asked {
		return ErrStage
	}
	s.What = DidClaim
	it.Stage = Claimed
	it.Rest = append(it.Rest, s)
	return nil
}

// back puts it on the list again: it is there still.
func (it *Item) back(s Said) {
	s.What = DidBack
	it.Stage, it.Ask, it.Confirmed = Open, nil, nil
	it.Rest = append(it.Rest, s)
}

// end is its deletion, seen or not.
func (it *Item) end(at time.Time, gone bool) {
	it.Stage, it.Ended, it.Gone = Deleted, at, gone
}
