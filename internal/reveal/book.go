package reveal

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// State is how far a wish has come.
type State string

// The states. A wish that isn't in the log yet is drafted, and shows nothing.
const (
	Drafted State = "drafted"
	Asked   State = "asked"
	Allowed State = "allowed"
	Refused State = "refused"
	Shown   State = "shown"
	Ended   State = "ended"
)

// Wish is an employee's wish to see a field, and what became of it.
type Wish struct {
	// ID is the id of the request that asked.
	ID     string        `json:"id"`
	State  State         `json:"state"`
	Record access.Record `json:"record"`
	// Field is the field as the CRM spells it; one with parts stands for all of them.
	Field      string            `json:"field"`
	Categories []access.Category `json:"categories"`
	Reason     string            `json:"reason"`
	Note       string            `json:"note"`
	At         time.Time         `json:"at"`
	// Decider is the second person's name in the log, Decided when they said it.
	Decider string    `json:"decider,omitempty"`
	Decided time.Time `json:"decided,omitzero"`
	// Session is the one that sees the field, from Begun to Until. Entry is the
	// entry's place in the log.
	Session string    `json:"session,omitempty"`
	Begun   time.Time `json:"begun,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Entry   string    `json:"entry,omitempty"`
}

// Of reports whether the wish is about a field of a record, or about the field that
// it is a part of.
func (w *Wish) Of(r access.Record, field string) bool {
	return w.Record.Type == r.Type && w.Record.ID == r.ID && r.ID != "" &&
		(field == w.Field || strings.HasPrefix(field, w.Field+"."))
}

// skew is by how much two nodes' clocks may differ.
const skew = 5 * time.Second

// Shows reports whether the session sees the field at a time. A clock that was set
// back behind the beginning ends it, as one that is past the end does; and the rules
// in force are those that count: a shorter time, or a second person where nobody has
// decided.
func (w *Wish) Shows(session string, now time.Time, r *Rules) bool {
	return w.State == Shown && session != "" && w.Session == session && w.Entry != "" &&
		!now.Before(w.Begun.Add(-skew)) && now.Before(w.end(r)) &&
		(w.Decider != "" || !r.Needs(w.Categories))
}

func (w *Wish) end(r *Rules) time.Time {
	if most := w.Begun.Add(r.Lasts); most.Before(w.Until) {
		return most
	}
	return w.Until
}

// Waits reports whether somebody can still decide, MayBegin whether the employee can
// begin to look.
func (w *Wish) Waits(now time.Time) bool { return w.State == Asked && w.within(w.At, now) }

// MayBegin reports whether an allowed wish can still begin.
func (w *Wish) MayBegin(now time.Time) bool { return w.State == Allowed && w.within(w.Decided, now) }

// drafted reports whether somebody is about to take the wish further: in a request
// beside this one, or a node that has ended meanwhile.
func (w *Wish) drafted(now time.Time) bool {
	return w.State == Drafted && now.Before(w.At.Add(time.Minute))
}

func (w *Wish) within(from, now time.Time) bool {
	return !now.Before(from.Add(-skew)) && now.Before(from.Add(WishLasts))
}

// Book holds one employee's wishes at one site.
type Book struct {
	// Name is who they are for those who decide, Employee their name in the log.
	Name     string `json:"name,omitempty"`
	Employee string `json:"employee"`
	Wishes   []Wish `json:"wishes,omitempty"`
}

// The refusals of a wish.
var (
	// ErrQuota says that the employee has had as many wishes as they may have.
	ErrQuota = errors.New("the quota is used up")
	// ErrThere says that the field is shown, or asked for, already.
	ErrThere = errors.New("there is such a wish already")
	// ErrGone says that there is no such wish in that state any more.
	ErrGone = errors.New("there is no such wish any more")
	// ErrOneself says that it takes a second person.
	ErrOneself = errors.New("nobody decides on a wish of their own")
)

// Left is how many wishes the employee has left. One that lies in the future counts,
// too: a clock that was set back gives none back.
func (b *Book) Left(now time.Time, r *Rules) int {
	n := 0
	for i := range b.Wishes {
		if b.Wishes[i].At.After(now.Add(-day)) {
			n++
		}
	}
	return max(0, r.Quota-n)
}

// Ask adds a wish.
func (b *Book) Ask(w Wish, now time.Time, r *Rules) error {
	b.Wishes = slices.DeleteFunc(b.Wishes, func(w Wish) bool {
		return !w.At.After(now.Add(-day)) && !w.Shows(w.Session, now, r) && !w.MayBegin(now)
	})
	for i := range b.Wishes {
		o := &b.Wishes[i]
		same := o.Record == w.Record && o.Field == w.Field
		if same && (o.drafted(now) || o.Waits(now) || o.MayBegin(now) || o.Shows(w.Session, now, r)) {
			return ErrThere
		}
	}
	if b.Left(now, r) == 0 {
		return ErrQuota
	}
	w.State, w.At = Drafted, now
	b.Wishes = append(b.Wishes, w)
	return nil
}

// Find returns the wish with an id, nil for none.
func (b *Book) Find(id string) *Wish {
	i := slices.IndexFunc(b.Wishes, func(w Wish) bool { return w.ID == id })
	if i < 0 || id == "" {
		return nil
	}
	return &b.Wishes[i]
}

// Showing are the wishes by which a session sees fields at a time.
func (b *Book) Showing(session string, now time.Time, r *Rules) []Wish {
	var list []Wish
	for i := range b.Wishes {
		if b.Wishes[i].Shows(session, now, r) {
			list = append(list, b.Wishes[i])
		}
	}
	return list
}
