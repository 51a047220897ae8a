package retain

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/sealed"
)

// Listed are the records of the list, those that wait for somebody first and then the
// oldest; most is how many are read, and more says that there are more.
func (l *List) Listed(ctx context.Context, most int) (all []*Item, more bool, err error) {
	all, more, err = l.group(ctx, l.open(), most)
	now := l.now()
	for _, it := range all {
		it.expire(now)
	}
	rank := func(it *Item) int {
		return slices.Index([]Stage{Deleting, Claimed, Asked, Open}, it.Stage)
	}
	slices.SortStableFunc(all, func(a, b *Item) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Last.Compare(b.Last), a.Since.Compare(b.Since), cmp.Compare(a.Record.ID, b.Record.ID))
	})
	return all, more, err
}

// Proofs are the records that were deleted, the newest first.
func (l *List) Proofs(ctx context.Context, most int) (all []*Item, more bool, err error) {
	all, more, err = l.group(ctx, l.done(), most)
	slices.SortStableFunc(all, func(a, b *Item) int { return b.Ended.Compare(a.Ended) })
	return all, more, err
}

func (l *List) group(ctx context.Context, group sealed.Key, most int) (all []*Item, more bool, err error) {
	var after sealed.Key
	for len(all) <= most {
		items, err := l.room.List(ctx, group, after, sealed.ListLimit)
		if err != nil {
			return nil, false, fmt.Errorf("reading the work list: %w", err)
		}
		for _, doc := range items {
			it, err := read(doc)
			if err != nil {
				return nil, false, err
			}
			all, after = append(all, it), doc.Key
		}
		if len(items) < sealed.ListLimit {
			break
		}
	}
	if len(all) > most {
		return all[:most], true, nil
	}
	return all, false, nil
}

// Held reports whether a hold stands against one of the records, under whichever of the
// CRM's words for their kind.
func (l *List) Held(ctx context.Context, e access.Entity, types, ids []string) (bool, error) {
	keys := make([]sealed.Key, 0, len(types)*len(ids))
	for _, typ := range types {
		for _, id := range ids {
			keys = append(keys, l.key(access.Record{Entity: e, Type: typ, ID: id}))
		}
	}
	items, err := l.room.Load(ctx, keys...)
	if err != nil {
		return false, fmt.Errorf("reading the work list: %w", err)
	}
	for _, doc := range items {
		it, err := read(doc)
		if err != nil {
			return false, err
		}
		if it.Hold != nil {
			return true, nil
		}
	}
	return false, nil
}
