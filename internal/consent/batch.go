package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// batch is what is read and saved together.
type batch struct {
	l       *Ledger
	now     time.Time
	ids     []identifier
	persons []*doc[person]
	proofs  map[string]*doc[Proof]
	// ends are the ends of proofs that were changed.
	ends  map[string]time.Time
	dirty bool
	also  []sealed.Item
}

// begin reads the documents of identifiers.
func (l *Ledger) begin(ctx context.Context, ids []identifier) (*batch, error) {
	persons, err := l.persons(ctx, ids)
	if err != nil {
		return nil, err
	}
	return &batch{l: l, now: l.Now(), ids: ids, persons: persons, proofs: map[string]*doc[Proof]{}, ends: map[string]time.Time{}}, nil
}

// of returns the documents of some of the identifiers.
func (b *batch) of(ids []identifier) []*doc[person] {
	var all []*doc[person]
	for i, id := range b.ids {
		if slices.Contains(ids, id) {
			all = append(all, b.persons[i])
		}
	}
	return all
}

// said reports whether all of that stands already, from the same source.
func (b *batch) said(under []identifier, w Wanted, to State, by told) bool {
	for _, d := range b.of(under) {
		n := d.says.Lines[lineName(w.Purpose, w.Channel)]
		if n == nil || n.State != to || n.Source != by.source || to == Confirmed && !n.At.Equal(by.at) {
			return false
		}
	}
	return true
}

// load reads proofs that the batch doesn't hold yet.
func (b *batch) load(ctx context.Context, ids ...string) error {
	var keys []sealed.Key
	for _, id := range ids {
		if b.proofs[id] == nil {
			keys = append(keys, b.l.proofKey(id))
		}
	}
	items, err := b.l.Room.Load(ctx, keys...)
	if err != nil {
		return fmt.Errorf("reading proofs of consents: %w", err)
	}
	for _, id := range ids {
		if b.proofs[id] != nil {
			continue
		}
		d, ok, err := read[Proof](items, b.l.proofKey(id))
		if err != nil {
			return err
		}
		if ok {
			b.proofs[id] = d
		}
	}
	return nil
}

// declare adds a declaration that was made elsewhere. A no is a step of all proofs that
// it ends; where there are none, and for a yes, it is a proof of its own.
func (b *batch) declare(ctx context.Context, under []identifier, addresses []string, w Wanted, to State, by told, newest bool) error {
	ended, err := b.open(ctx, under, w)
	if err != nil {
		return err
	}
	said := Said{What: string(to), Source: by.source, DeclaredAt: by.at}
	var stands *Proof
	if to.negative() && newest {
		for _, p := range ended {
			if err := b.step(ctx, p, said, to, under); err != nil {
				return err
			}
			stands = p
		}
	}
	if stands == nil {
		if stands, err = b.found(ctx, w, to, said, by, under); err != nil {
			return err
		}
		if to == Confirmed && newest {
			b.supersede(ended, stands)
		}
	}
	if !newest {
		b.ends[stands.ID] = b.now.Add(b.l.Keep)
	}
	b.stand(stands, under, addresses, to, by.source, by.at)
	return nil
}

// found makes a proof of a declaration that is made by its first step.
func (b *batch) found(ctx context.Context, w Wanted, to State, said Said, by told, under []identifier) (*Proof, error) {
	p, err := newProof(w.Purpose, w.Channel)
	if err != nil {
		return nil, err
	}
	said.Declared = b.l.declared(p, by.from)
	said.of(under)
	said.Form = by.form
	if by.text != nil {
		said.with(*by.text)
	}
	b.proofs[p.ID] = &doc[Proof]{item: sealed.Item{Key: b.l.proofKey(p.ID)}, says: *p}
	p = &b.proofs[p.ID].says
	if purpose, ok := b.l.purpose(w.Purpose); ok && to == Confirmed && purpose.Lasts > 0 {
		p.Until = by.at.Add(purpose.Lasts)
	}
	return p, b.step(ctx, p, said, to, under)
}

// open returns the proofs of a purpose and channel that haven't ended.
func (b *batch) open(ctx context.Context, under []identifier, w Wanted) ([]*Proof, error) {
	var ids []string
	for _, d := range b.of(under) {
		for _, r := range d.says.Proofs {
			if r.Purpose == w.Purpose && r.Channel == w.Channel && !slices.Contains(ids, r.ID) {
				ids = append(ids, r.ID)
			}
		}
	}
	if err := b.load(ctx, ids...); err != nil {
		return nil, err
	}
	var all []*Proof
	for _, id := range ids {
		if d := b.proofs[id]; d != nil && (d.says.State == Confirmed || d.says.State == Asked) {
			all = append(all, &d.says)
		}
	}
	return all, nil
}

// step adds a step to a proof, which is in that state from then on.
func (b *batch) step(ctx context.Context, p *Proof, said Said, to State, ids []identifier) error {
	if err := b.l.next(ctx, p, said, ids); err != nil {
		return err
	}
	p.State, b.dirty = to, true
	b.ends[p.ID] = b.l.ends(p, b.now)
	return nil
}

// supersede lets older consents of the same line end: a newer one stands.
func (b *batch) supersede(older []*Proof, by *Proof) {
	for _, p := range older {
		if p != by && p.State == Confirmed {
			b.ends[p.ID] = b.now.Add(b.l.Keep)
		}
	}
}

// stand sets what stands under identifiers.
func (b *batch) stand(p *Proof, under []identifier, addresses []string, to State, source string, at time.Time) {
	for i, id := range b.ids {
		if !slices.Contains(under, id) {
			continue
		}
		says := &b.persons[i].says
		n := line{State: to, At: at.Round(0), Proof: p.ID, Source: source}
		if to == Confirmed {
			n.Until = p.Until
		}
		if id.kind == byRecord {
			n.Of = addresses
		}
		says.declare(p.Purpose, p.Channel, n)
		for _, other := range under {
			if other != id {
				says.With = union(says.With, []string{ref(b.l.key(other))})
			}
		}
		says.note(proofRef{ID: p.ID, Purpose: p.Purpose, Channel: p.Channel, Until: b.ends[p.ID]}, b.now)
	}
	b.dirty = true
}

// save saves all, or nothing.
func (b *batch) save(ctx context.Context) error {
	if !b.dirty && len(b.also) == 0 {
		return nil
	}
	items := b.also
	for id, end := range b.ends {
		d := b.proofs[id]
		it, err := d.save(end)
		if err != nil {
			return err
		}
		items = append(items, it)
		for _, p := range b.persons {
			if i := slices.IndexFunc(p.says.Proofs, func(r proofRef) bool { return r.ID == id }); i >= 0 {
				p.says.Proofs[i].Until = end
			}
		}
	}
	if b.dirty {
		for _, d := range b.persons {
			it, err := d.save(d.says.until())
			if err != nil {
				return err
			}
			items = append(items, it)
		}
	}
	if err := b.l.Room.Save(ctx, items...); err != nil {
		return fmt.Errorf("saving consents: %w", err)
	}
	b.l.changes.Add(1)
	return nil
}
