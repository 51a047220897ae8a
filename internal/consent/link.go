package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// ErrNoLink says that a link leads to nothing: it never did, or what it was about is
// forgotten.
var ErrNoLink = errors.New("this link leads to nothing")

// Link is what somebody sees who follows a link of a mail.
type Link struct {
	// Stop says that the link came with a mail of AskToStop.
	Stop     bool
	Language string
	Made     time.Time
	// Until is when it can't be confirmed any more; Late says that it is too late.
	Until time.Time
	Late  bool
	// Done is what the link was used for already, and when; "" is not yet.
	Done   State
	DoneAt time.Time
	// Already says that this time it changed nothing.
	Already bool
	// About are the texts that it is about; of a stop, what stands.
	About []About
}

// About is one purpose and channel.
type About struct {
	Wanted
	Title, Text string
	State       State
	At          time.Time
}

// Look tells what a link is about. It changes nothing: programs that look through mails
// follow links.
func (l *Ledger) Look(ctx context.Context, token string) (*Link, error) {
	d, b, err := l.follow(ctx, token)
	if err != nil {
		return nil, err
	}
	return b.link(ctx, &d.says)
}

// follow finds the ticket of a token.
func (l *Ledger) follow(ctx context.Context, token string) (*doc[ticket], *batch, error) {
	if !isToken(token) {
		return nil, nil, ErrNoLink
	}
	key := l.ticketKey(token)
	items, err := l.Room.Load(ctx, key)
	if err != nil {
		return nil, nil, fmt.Errorf("reading what a link is about: %w", err)
	}
	d, ok, err := read[ticket](items, key)
	if err != nil {
		return nil, nil, err
	}
	if !ok || !d.says.Listed || !d.item.Until.IsZero() && l.Now().After(d.item.Until) {
		return nil, nil, ErrNoLink
	}
	b, err := l.begin(ctx, []identifier{d.says.who()})
	return d, b, err
}

func (b *batch) link(ctx context.Context, t *ticket) (*Link, error) {
	k := &Link{
		Stop: t.Do == doStop, Language: t.Language, Made: t.Made, Until: t.Made.Add(b.l.Within),
		Late: t.Done == "" && t.over(b.now, b.l.Within), Done: t.Done, DoneAt: t.DoneAt,
	}
	if k.Stop {
		k.About = b.standing(t)
		return k, nil
	}
	proofs, err := b.own(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, p := range proofs {
		said, err := p.first()
		if err != nil {
			return nil, err
		}
		k.About = append(k.About, About{
			Wanted: Wanted{p.Purpose, p.Channel}, Title: b.l.title(p.Purpose, t.Language), Text: said.Text, State: p.State, At: said.At,
		})
	}
	return k, k.ended(proofs)
}

// ended tells of a link that was used for nothing, or confirmed, that all it was about was
// refused or withdrawn elsewhere: by the link of another mail, or in the CRM. What of it
// still stands is all that a confirmed link is about.
func (k *Link) ended(proofs []*Proof) error {
	if k.Done.negative() || len(proofs) == 0 {
		return nil
	}
	if slices.ContainsFunc(proofs, func(p *Proof) bool { return !p.State.negative() }) {
		if k.Done == Confirmed {
			k.About = slices.DeleteFunc(k.About, func(a About) bool { return a.State.negative() })
		} else if !slices.ContainsFunc(proofs, func(p *Proof) bool { return p.State == Asked }) {
			k.Late = true // expired, by a clock that went back since
		}
		return nil
	}
	last := proofs[0]
	said, err := last.Steps[len(last.Steps)-1].Said()
	k.Done, k.DoneAt, k.Late = last.State, said.At, false
	return err
}

// standing are the consents of an address that stand.
func (b *batch) standing(t *ticket) []About {
	var all []About
	for name, n := range b.persons[0].says.Lines {
		if n.standing(b.now, b.l.Within) == Confirmed {
			purpose, channel, _ := strings.Cut(name, "/")
			all = append(all, About{Wanted: Wanted{purpose, channel}, Title: b.l.title(purpose, t.Language), State: Confirmed, At: n.At})
		}
	}
	slices.SortFunc(all, func(a, b About) int { return strings.Compare(a.Purpose+"/"+a.Channel, b.Purpose+"/"+b.Channel) })
	return all
}

// Answer does what somebody says who followed a link: Confirmed, Refused or Withdrawn.
// A link confirms once, and in time; a no is never too late. What comes a second time
// changes nothing and is told so. Of a stop, one purpose and channel may be named; none
// is all.
func (l *Ledger) Answer(ctx context.Context, token string, to State, only Wanted) (*Link, error) {
	for range attempts {
		k, err := l.tryAnswer(ctx, token, to, only)
		if !errors.Is(err, sealed.ErrChanged) {
			return k, err
		}
	}
	return nil, errors.New("this link is being used by others all the time: try again")
}

func (l *Ledger) tryAnswer(ctx context.Context, token string, to State, only Wanted) (*Link, error) {
	d, b, err := l.follow(ctx, token)
	if err != nil {
		return nil, err
	}
	t := &d.says
	switch {
	case t.Do == doStop && (to == Confirmed || t.over(b.now, l.Within)):
		k, err := b.link(ctx, t)
		if err == nil && to != Confirmed {
			k.Late = true
		}
		return k, err
	case t.Do == doStop:
		return b.stop(ctx, t, token, only)
	case to == Confirmed && (t.Done != "" || t.over(b.now, l.Within)), t.Done.negative():
		k, err := b.link(ctx, t)
		if err == nil {
			k.Already = t.Done != ""
		}
		return k, err
	}
	if t.Done == Confirmed {
		to = Withdrawn
	} else if to == Withdrawn {
		to = Refused // there was nothing yet that could be withdrawn
	}
	return b.answer(ctx, d, token, to)
}

// answer makes the steps of an answer, and saves what stands from now on.
func (b *batch) answer(ctx context.Context, d *doc[ticket], token string, to State) (*Link, error) {
	t := &d.says
	proofs, err := b.own(ctx, t)
	if err != nil {
		return nil, err
	}
	if to == Confirmed && !slices.ContainsFunc(proofs, func(p *Proof) bool { return p.State == Asked }) {
		k, err := b.link(ctx, t)
		if err == nil {
			k.Already = true
		}
		return k, err
	}
	for _, p := range proofs {
		if to == Confirmed && p.State != Asked {
			continue // another mail's link, or the CRM, was quicker
		}
		if err := b.say(ctx, p, token, to, t.Language); err != nil {
			return nil, err
		}
	}
	t.Done, t.DoneAt, t.Next = to, b.now.Round(0), time.Time{}
	d.item.Group = sealed.Key{}
	it, err := d.save(b.last(t))
	if err != nil {
		return nil, err
	}
	b.also = append(b.also, it)
	if err := b.save(ctx); err != nil {
		return nil, err
	}
	return b.link(ctx, t)
}

// say makes what the owner of a mailbox has said the newest of their declarations.
func (b *batch) say(ctx context.Context, p *Proof, token string, to State, language string) error {
	said := Said{What: string(to), Source: "link", Link: hashOf([]byte(token))}
	older, err := b.open(ctx, b.ids, Wanted{p.Purpose, p.Channel})
	if err != nil {
		return err
	}
	at := b.now
	if n := b.persons[0].says.Lines[lineName(p.Purpose, p.Channel)]; n != nil && !n.At.Before(at) {
		at = n.At.Add(time.Nanosecond) // a clock that went back makes nobody's word older
	}
	if to == Confirmed {
		if purpose, ok := b.l.purpose(p.Purpose); ok && purpose.Lasts > 0 {
			p.Until = at.Add(purpose.Lasts).Round(0)
		}
		if err := b.step(ctx, p, said, to, b.ids); err != nil {
			return err
		}
		b.supersede(older, p)
	} else {
		if !slices.Contains(older, p) {
			older = append(older, p)
		}
		for _, q := range older {
			if err := b.step(ctx, q, said, to, b.ids); err != nil {
				return err
			}
		}
	}
	b.stand(p, b.ids, nil, to, "link", at)
	return nil
}

// last is when a ticket may be forgotten: with the last of its proofs, so that its link
// withdraws for as long as there is something to withdraw.
func (b *batch) last(t *ticket) time.Time {
	last := b.now.Add(grace)
	for _, r := range t.Lines {
		end, ok := b.ends[r.ID]
		if !ok {
			continue
		}
		if end.IsZero() {
			return end
		}
		if end.After(last) {
			last = end
		}
	}
	return last
}

// stop withdraws what stands for an address.
func (b *batch) stop(ctx context.Context, t *ticket, token string, only Wanted) (*Link, error) {
	any := false
	for _, a := range b.standing(t) {
		if only.Purpose != "" && a.Wanted != only {
			continue
		}
		any = true
		p, err := b.stands(ctx, a.Wanted)
		if err != nil {
			return nil, err
		}
		if err := b.say(ctx, p, token, Withdrawn, t.Language); err != nil {
			return nil, err
		}
	}
	if err := b.save(ctx); err != nil {
		return nil, err
	}
	k, err := b.link(ctx, t)
	if err == nil {
		k.Done, k.DoneAt, k.Already = Withdrawn, b.now, !any
	}
	return k, err
}

// stands returns the proof that stands for a purpose and channel.
func (b *batch) stands(ctx context.Context, w Wanted) (*Proof, error) {
	id := b.persons[0].says.Lines[lineName(w.Purpose, w.Channel)].Proof
	if err := b.load(ctx, id); err != nil {
		return nil, err
	}
	d := b.proofs[id]
	if d == nil {
		return nil, fmt.Errorf("the proof %s isn't in the store", id)
	}
	return &d.says, nil
}
