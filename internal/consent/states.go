package consent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/sealed"
)

// skew is by how much the clocks of two nodes may differ: of two declarations within it
// that lie in different documents, the no counts.
const skew = 5 * time.Minute

// States tells for each subject, and each wanted, whether there is consent now: True
// where it was confirmed and is neither withdrawn nor over; False where somebody said no,
// or nobody said anything; Unknown where it can't be told: of a subject without anything
// to find it by. One question to the store answers for all.
//
// What counts is the address that would be written to. A subject with several addresses
// of a channel has consent where each of them has. A record's own consent (a mark in the
// CRM, say) stands for addresses that said nothing themselves; where it was given for
// certain addresses, it stands for those alone: without them it is Unknown. A record's no
// counts for all of its addresses but those that consented later.
func (l *Ledger) States(ctx context.Context, site string, subjects []Subject, wanted []Wanted) ([][]access.FactState, error) {
	if site != l.Site {
		return nil, fmt.Errorf("the ledger of consents is that of %s, not of %s", l.Site, site)
	}
	asked := make([]subject, len(subjects))
	var keys []sealed.Key
	for i, s := range subjects {
		asked[i].ids, asked[i].unread = l.identifiers(s)
		for _, id := range asked[i].ids {
			k := l.key(id)
			asked[i].keys = append(asked[i].keys, k)
			keys = append(keys, k)
		}
	}
	items, err := l.Room.Load(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading consents: %w", err)
	}
	all := make(map[sealed.Key]*person, len(items))
	for k := range items {
		d, _, err := read[person](items, k)
		if err != nil {
			return nil, err
		}
		all[k] = &d.says
	}
	now := l.Now()
	states := make([][]access.FactState, len(subjects))
	for i := range asked {
		states[i] = make([]access.FactState, len(wanted))
		for j, w := range wanted {
			states[i][j] = l.state(&asked[i], all, w, now)
		}
	}
	return states, nil
}

// subject is a subject by its identifiers.
type subject struct {
	ids    []identifier
	keys   []sealed.Key
	unread []string // kinds of those that can't be read
}

func (l *Ledger) state(s *subject, all map[sealed.Key]*person, w Wanted, now time.Time) access.FactState {
	if w.Channel != "" {
		return l.channel(s, all, w.Purpose, w.Channel, now)
	}
	best := access.FactFalse
	for _, c := range Channels() {
		switch l.channel(s, all, w.Purpose, c, now) {
		case access.FactTrue:
			return access.FactTrue
		case access.FactUnknown:
			best = access.FactUnknown
		}
	}
	return best
}

// channel is the state of one purpose and channel.
func (l *Ledger) channel(s *subject, all map[sealed.Key]*person, purpose, channel string, now time.Time) access.FactState {
	name := lineName(purpose, channel)
	var addresses []address
	var record *line
	known := false
	for i, id := range s.ids {
		var n *line
		if p := all[s.keys[i]]; p != nil {
			n = p.Lines[name]
		}
		switch {
		case id.kind == byRecord:
			record, known = n, true
		case channel == Post || uses(channel) == id.kind:
			addresses = append(addresses, address{ref(s.keys[i]), n})
		}
	}
	if channel == Post {
		return l.byPost(addresses, record, known, now)
	}
	if slices.Contains(s.unread, uses(channel)) {
		return access.FactFalse // an address that nobody can have consented for
	}
	if len(addresses) == 0 {
		return l.ofRecord(record, len(s.ids) > 0, now)
	}
	for _, a := range addresses {
		if !l.consents(a, record, now) {
			return access.FactFalse
		}
	}
	return access.FactTrue
}

type address struct {
	ref  string
	line *line
}

// uses is the kind of address that a channel writes to.
func uses(channel string) string {
	switch channel {
	case Email:
		return byEmail
	case Phone, Messenger:
		return byPhone
	}
	return ""
}

// consents reports whether an address has consent, at a record of which more may be
// said.
func (l *Ledger) consents(a address, record *line, now time.Time) bool {
	own, its := a.line.standing(now, l.Within), record.standing(now, l.Within)
	if own != Confirmed {
		// What the address itself says, or once said, comes first.
		said := own.negative() || own == Expired && a.line.State == Confirmed
		return !said && its == Confirmed && len(record.Of) == 0
	}
	refused := its.negative() && !slices.Contains(record.Of, a.ref) && !record.At.Add(skew).Before(a.line.At)
	return !refused
}

// ofRecord is the state of a record without an address of the channel.
func (l *Ledger) ofRecord(record *line, known bool, now time.Time) access.FactState {
	switch {
	case !known:
		return access.FactUnknown
	case record.standing(now, l.Within) != Confirmed:
		return access.FactFalse
	case len(record.Of) > 0:
		return access.FactUnknown // its consent is that of addresses that aren't here
	}
	return access.FactTrue
}

// byPost is about the person, whatever they are found by: one consent that no later no
// takes back.
func (l *Ledger) byPost(addresses []address, record *line, known bool, now time.Time) access.FactState {
	if len(addresses) == 0 && !known {
		return access.FactUnknown
	}
	lines := []*line{record}
	for _, a := range addresses {
		lines = append(lines, a.line)
	}
	var yes, no time.Time
	for _, n := range lines {
		switch s := n.standing(now, l.Within); {
		case s == Confirmed && n.At.After(yes):
			yes = n.At
		case s.negative() && n.At.After(no):
			no = n.At
		}
	}
	if yes.IsZero() || !no.IsZero() && !no.Add(skew).Before(yes) {
		return access.FactFalse
	}
	return access.FactTrue
}

// ParseWanted reads `<purpose>` or `<purpose>:<channel>`, what stands behind `consent:`
// in a policy.
func ParseWanted(s string) (Wanted, bool) {
	purpose, channel, has := strings.Cut(s, ":")
	if !isWord(purpose) || has && !slices.Contains(Channels(), channel) {
		return Wanted{}, false
	}
	return Wanted{Purpose: purpose, Channel: channel}, true
}
