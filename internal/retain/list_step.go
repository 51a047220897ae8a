package retain

import "context"

// Ask notes the first person's wish to delete a record.
func (l *List) Ask(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.ask(s) })
}

// Confirm notes the second person's consent: the deletion is on its way then, and of any
// number of posts one has begun it. Nothing but this leads there.
func (l *List) Confirm(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.confirm(s) })
}

// Refuse notes the second person's no.
func (l *List) Refuse(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.refuse(s) })
}

// Hold sets a hold against deletion, Release takes it back.
func (l *List) Hold(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.hold(s) })
}

// Release takes a hold back.
func (l *List) Release(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.release(s) })
}

// Claim notes that somebody deleted the record in the CRM.
func (l *List) Claim(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error { return it.claim(s) })
}

// Back puts a record back on the list that is there still.
func (l *List) Back(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error {
		if it.Stage != Deleting && it.Stage != Claimed {
			return ErrStage
		}
		it.back(s)
		return nil
	})
}

// Note adds what was done on the way.
func (l *List) Note(ctx context.Context, name string, s Said) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error {
		it.Rest = append(it.Rest, s)
		return nil
	})
}

// End makes the list's entry the proof of the deletion.
func (l *List) End(ctx context.Context, name string, gone bool, remains string, got *Received) (*Item, error) {
	return l.change(ctx, name, func(it *Item) error {
		if it.Stage != Deleting && it.Stage != Claimed {
			return ErrStage
		}
		it.Remains, it.Received = remains, got
		it.end(l.now().UTC(), gone)
		return nil
	})
}
