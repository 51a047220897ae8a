package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Found is what the ledger holds of a person, as officers see it.
type Found struct {
	// Lines are what stands, by purpose and channel, of each identifier asked for.
	Lines  []Standing
	Proofs []*Proof
}

// Standing is what stands for a purpose and channel under one identifier.
type Standing struct {
	// By is email, phone or record: what it was found by.
	By      string    `json:"by"`
	Purpose string    `json:"purpose"`
	Channel string    `json:"channel"`
	State   State     `json:"state"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"`
	Proof   string    `json:"proof"`
	Source  string    `json:"source,omitempty"`
	// Bound says that it is about certain addresses of the record alone.
	Bound bool `json:"bound,omitempty"`
}

// Find returns all that the ledger holds of a subject, with what was declared together
// with it.
func (l *Ledger) Find(ctx context.Context, s Subject) (*Found, error) {
	ids, unread := l.identifiers(s)
	if len(unread) > 0 || len(ids) == 0 {
		return nil, fmt.Errorf("%w: the address, number or record can't be read", ErrChange)
	}
	b, err := l.begin(ctx, ids)
	if err != nil {
		return nil, err
	}
	f := new(Found)
	var proofs []string
	for _, d := range b.persons {
		f.Lines = append(f.Lines, d.says.lines(b.now, l.Within)...)
		for _, r := range d.says.Proofs {
			if !slices.Contains(proofs, r.ID) {
				proofs = append(proofs, r.ID)
			}
		}
	}
	if err := b.load(ctx, proofs...); err != nil {
		return nil, err
	}
	for _, id := range proofs {
		if d := b.proofs[id]; d != nil {
			f.Proofs = append(f.Proofs, &d.says)
		}
	}
	slices.SortFunc(f.Proofs, func(a, b *Proof) int { return strings.Compare(b.ID, a.ID) }) // the newest first
	return f, nil
}

func (p *person) lines(now time.Time, within time.Duration) []Standing {
	var all []Standing
	for name, n := range p.Lines {
		purpose, channel, _ := strings.Cut(name, "/")
		all = append(all, Standing{
			By: p.Kind, Purpose: purpose, Channel: channel, State: n.standing(now, within), At: n.At, Until: n.Until,
			Proof: n.Proof, Source: n.Source, Bound: len(n.Of) > 0,
		})
	}
	slices.SortFunc(all, func(a, b Standing) int {
		return strings.Compare(lineName(a.Purpose, a.Channel), lineName(b.Purpose, b.Channel))
	})
	return all
}

// ErrNone says that there is no such proof.
var ErrNone = errors.New("there is no such proof of consent")

// Proof returns one proof by its id, or ErrNone.
func (l *Ledger) Proof(ctx context.Context, id string) (*Proof, error) {
	key := l.proofKey(id)
	items, err := l.Room.Load(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reading a proof of consent: %w", err)
	}
	d, ok, err := read[Proof](items, key)
	if err == nil && !ok {
		err = ErrNone
	}
	if err != nil {
		return nil, err
	}
	return &d.says, nil
}
