package reveal

import (
	"context"
	"time"
)

// Each step has two halves, with an entry in the log between them: what the first
// saves shows nothing yet, and what the second saves has its entry. A process that
// ends in between leaves an entry without an effect, or a wish that shows nothing;
// never a field that is shown without an entry.

// Draft takes a wish in that isn't in the log yet. It counts from then on.
func (k *Keeper) Draft(ctx context.Context, who Who, of Book, w Wish, r *Rules) (Wish, error) {
	err := k.Update(ctx, who, func(b *Book, now time.Time) error {
		b.Name, b.Employee = of.Name, of.Employee
		if err := b.Ask(w, now, r); err != nil {
			return err
		}
		w = *b.Find(w.ID)
		return nil
	})
	return w, err
}

// Asked has a drafted wish wait for a second person.
func (k *Keeper) Asked(ctx context.Context, who Who, id, entry string) error {
	return k.step(ctx, who, id, Drafted, func(w *Wish, _ time.Time) bool {
		w.State, w.Entry = Asked, entry
		return true
	})
}

// Claim takes a waiting wish for one who decides, so that nobody else does. Nobody
// decides on their own.
func (k *Keeper) Claim(ctx context.Context, who Who, id, decider string) error {
	return k.Update(ctx, who, func(b *Book, now time.Time) error {
		w := b.Find(id)
		if w == nil || !w.Waits(now) {
			return ErrGone
		}
		if decider == "" || decider == b.Employee {
			return ErrOneself
		}
		w.State, w.Decider, w.Decided = Drafted, decider, now
		return nil
	})
}

// Decide says what the one has decided who has claimed it.
func (k *Keeper) Decide(ctx context.Context, who Who, id, decider string, yes bool, entry string) error {
	return k.step(ctx, who, id, Drafted, func(w *Wish, _ time.Time) bool {
		if w.Decider != decider || decider == "" {
			return false
		}
		w.State, w.Entry = Refused, entry
		if yes {
			w.State = Allowed
		}
		return true
	})
}

// Begin shows a field to a session from now on: of a wish that takes nobody else, or
// that was allowed.
func (k *Keeper) Begin(ctx context.Context, who Who, id, session, entry string, r *Rules) error {
	return k.update(ctx, who, id, func(w *Wish, now time.Time) bool {
		free := w.State == Drafted && w.Decider == "" && !r.Needs(w.Categories)
		if !free && !w.MayBegin(now) {
			return false
		}
		w.State, w.Session, w.Entry = Shown, session, entry
		w.Begun, w.Until = now, now.Add(r.Lasts)
		return true
	})
}

// End masks a field again before its time.
func (k *Keeper) End(ctx context.Context, who Who, id string) error {
	return k.update(ctx, who, id, func(w *Wish, _ time.Time) bool {
		if w.State != Shown && w.State != Asked && w.State != Allowed {
			return false
		}
		w.State = Ended
		return true
	})
}

func (k *Keeper) step(ctx context.Context, who Who, id string, from State, change func(*Wish, time.Time) bool) error {
	return k.update(ctx, who, id, func(w *Wish, now time.Time) bool { return w.State == from && change(w, now) })
}

func (k *Keeper) update(ctx context.Context, who Who, id string, change func(*Wish, time.Time) bool) error {
	return k.Update(ctx, who, func(b *Book, now time.Time) error {
		w := b.Find(id)
		if w == nil || !change(w, now) {
			return ErrGone
		}
		return nil
	})
}
