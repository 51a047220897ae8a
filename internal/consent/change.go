package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// ErrChange says that a change can't be made as it was given. Nothing was changed.
var ErrChange = errors.New("no change of a consent")

// Change adds what a person has declared elsewhere: in the CRM, or on paper. State is
// Confirmed, Refused or Withdrawn; for the latter two an empty purpose is every one, and
// an empty channel every one. A declaration that is older than what stands is kept in a
// proof of its own, and changes nothing. The same change made again changes nothing
// either.
func (l *Ledger) Change(ctx context.Context, site string, s Subject, w Wanted, to State, source string, at time.Time) error {
	if site != l.Site {
		return fmt.Errorf("%w: the ledger is that of %s, not of %s", ErrChange, l.Site, site)
	}
	_, err := l.changed(ctx, s, w, to, told{source: source, at: at, from: "crm"}, false)
	return err
}

// told is how the ledger came to know of a change.
type told struct {
	source, from, form string
	at                 time.Time
	text               *Text
}

// What became of a change.
type outcome int

const (
	known outcome = iota // it stood already
	older                // something newer stands
	taken
)

// changed makes a change, or with dry looks what would become of it.
func (l *Ledger) changed(ctx context.Context, s Subject, w Wanted, to State, by told, dry bool) (outcome, error) {
	ids, unread := l.identifiers(s)
	now := l.Now()
	if by.at.IsZero() {
		by.at = now
	}
	if err := l.checkChange(ids, unread, w, to, by, now); err != nil {
		return known, err
	}
	for range attempts {
		done, err := l.tryChange(ctx, ids, w, to, by, dry)
		if !errors.Is(err, sealed.ErrChanged) {
			return done, err
		}
	}
	return known, errors.New("the consents of this person are being changed by others all the time: try again")
}

// attempts is how often something is tried again that others have changed meanwhile.
const attempts = 20

func (l *Ledger) checkChange(ids []identifier, unread []string, w Wanted, to State, by told, now time.Time) error {
	_, known := l.purpose(w.Purpose)
	switch {
	case len(unread) > 0:
		return fmt.Errorf("%w: an e-mail address or phone number can't be read", ErrChange)
	case len(ids) == 0:
		return fmt.Errorf("%w: there is neither an address nor a record", ErrChange)
	case to != Confirmed && !to.negative():
		return fmt.Errorf("%w: %q is no declaration: confirmed, refused or withdrawn", ErrChange, to)
	case by.source == "" || len(by.source) > maxSource:
		return fmt.Errorf("%w: the source takes 1 to %d bytes", ErrChange, maxSource)
	case by.at.After(now.Add(skew)):
		return fmt.Errorf("%w: nobody can have declared it in the future", ErrChange)
	case w.Channel != "" && !slices.Contains(Channels(), w.Channel):
		return fmt.Errorf("%w: there are the channels email, phone, post and messenger", ErrChange)
	case to.negative() && w.Purpose == "" || known:
	default:
		return fmt.Errorf("%w: no purpose of that name is configured", ErrChange)
	}
	if to == Confirmed && w.Channel == "" {
		return fmt.Errorf("%w: a consent names its channel", ErrChange)
	}
	if addresses, record := of(ids, w.Channel); to == Confirmed && record == nil && len(addresses) == 0 {
		return fmt.Errorf("%w: there is no address for the channel %s", ErrChange, w.Channel)
	}
	return nil
}

// maxSource bounds a source in bytes.
const maxSource = 200

func (l *Ledger) tryChange(ctx context.Context, ids []identifier, w Wanted, to State, by told, dry bool) (outcome, error) {
	b, err := l.begin(ctx, ids)
	if err != nil {
		return known, err
	}
	done := known
	for _, w := range l.each(b, w, to) {
		one, err := b.changeOne(ctx, w, to, by, dry)
		if err != nil {
			return done, err
		}
		done = max(done, one)
	}
	return done, b.save(ctx)
}

// changeOne makes a change of one purpose and channel.
func (b *batch) changeOne(ctx context.Context, w Wanted, to State, by told, dry bool) (outcome, error) {
	addresses, record := of(b.ids, w.Channel)
	under := slices.DeleteFunc(slices.Clone(b.ids), func(id identifier) bool {
		return (record == nil || id != *record) && !slices.Contains(addresses, id)
	})
	if len(under) == 0 || b.said(under, w, to, by) {
		return known, nil
	}
	done, newest := taken, b.newest(under, w, by.at)
	if !newest {
		done = older
		if told, err := b.told(ctx, under, w, to, by); err != nil || told {
			return known, err
		}
	}
	if dry {
		return done, nil
	}
	return done, b.declare(ctx, under, b.l.refs(addresses), w, to, by, newest)
}

// told reports whether some proof tells of it already.
func (b *batch) told(ctx context.Context, under []identifier, w Wanted, to State, by told) (bool, error) {
	var ids []string
	for _, d := range b.of(under) {
		for _, r := range d.says.Proofs {
			if r.Purpose == w.Purpose && r.Channel == w.Channel {
				ids = append(ids, r.ID)
			}
		}
	}
	if err := b.load(ctx, ids...); err != nil {
		return false, err
	}
	for _, id := range ids {
		if b.proofs[id] == nil {
			continue
		}
		for _, s := range b.proofs[id].says.Steps {
			said, err := s.Said()
			if err != nil {
				return false, err
			}
			if said.What == string(to) && said.Source == by.source && said.DeclaredAt.Equal(by.at) {
				return true, nil
			}
		}
	}
	return false, nil
}

// newest reports whether nothing newer stands.
func (b *batch) newest(under []identifier, w Wanted, at time.Time) bool {
	return !slices.ContainsFunc(b.of(under), func(d *doc[person]) bool {
		n := d.says.Lines[lineName(w.Purpose, w.Channel)]
		return n != nil && n.State != Asked && at.Before(n.At)
	})
}

// each lists the purposes and channels that a change is about: a no without a purpose
// or channel is about all that are configured, or stand.
func (l *Ledger) each(b *batch, w Wanted, to State) []Wanted {
	if !to.negative() || w.Purpose != "" && w.Channel != "" {
		return []Wanted{w}
	}
	var all []Wanted
	add := func(purpose, channel string) {
		one := Wanted{purpose, channel}
		if (w.Purpose == "" || w.Purpose == purpose) && (w.Channel == "" || w.Channel == channel) && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	for _, p := range l.Purposes {
		for _, t := range p.Texts {
			add(p.Name, t.Channel)
		}
	}
	for _, d := range b.persons {
		for _, r := range d.says.Proofs {
			add(r.Purpose, r.Channel)
		}
	}
	if len(all) == 0 && w.Purpose != "" {
		for _, c := range Channels() {
			add(w.Purpose, c)
		}
	}
	return all
}
