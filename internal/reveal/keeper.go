package reveal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// kind is the room's in the store, kept how long a book is kept that nobody writes to.
const (
	kind = "reveal"
	kept = 48 * time.Hour
)

// tries bounds how often a change is tried that others come before. Each time one of
// them has come through.
const tries = 1000

// Keeper keeps the books of one site in the store, so that all nodes see the same.
type Keeper struct {
	room  *sealed.Room
	clock *Clock
}

// NewKeeper returns a keeper. The store has to keep documents.
func NewKeeper(store any, ring sealed.Ring, clock *Clock) (*Keeper, error) {
	room, err := sealed.New(kind, store, ring)
	if err != nil {
		return nil, fmt.Errorf("reveal: %w", err)
	}
	return &Keeper{room: room, clock: clock}, nil
}

// Who is an employee at a site.
type Who struct{ key, group sealed.Key }

// Who returns an employee at a site by their identity at the provider.
func (k *Keeper) Who(site, issuer, subject string) Who {
	return Who{key: k.room.Key("book", site, issuer, subject), group: k.group(site)}
}

func (k *Keeper) group(site string) sealed.Key { return k.room.Key("site", site) }

// Now is the time that wishes go by.
func (k *Keeper) Now() time.Time { return k.clock.Now() }

// Book returns somebody's book, an empty one where there is none.
func (k *Keeper) Book(ctx context.Context, who Who) (Book, error) {
	b, _, err := k.load(ctx, who)
	return b, err
}

func (k *Keeper) load(ctx context.Context, who Who) (b Book, it sealed.Item, err error) {
	items, err := k.room.Load(ctx, who.key)
	if err != nil {
		return b, it, fmt.Errorf("reading wishes: %w", err)
	}
	it, ok := items[who.key]
	if !ok {
		return b, sealed.Item{Key: who.key, Group: who.group}, nil
	}
	if err := json.Unmarshal(it.Plain, &b); err != nil {
		return Book{}, it, fmt.Errorf("reading wishes: %w", err)
	}
	return b, it, nil
}

// Update changes somebody's book: change gets it as it is, and is called again where
// somebody else was first. An error of change's is returned, and nothing is saved then.
func (k *Keeper) Update(ctx context.Context, who Who, change func(b *Book, now time.Time) error) error {
	for range tries {
		b, it, err := k.load(ctx, who)
		if err != nil {
			return err
		}
		now := k.Now()
		if err := change(&b, now); err != nil {
			return err
		}
		if it.Plain, err = json.Marshal(b); err != nil {
			return fmt.Errorf("writing wishes: %w", err)
		}
		it.Until = now.Add(kept)
		err = k.room.Save(ctx, it)
		if err == nil || !errors.Is(err, sealed.ErrChanged) {
			return err
		}
	}
	return sealed.ErrChanged
}

// Pending is a wish that waits for a second person.
type Pending struct {
	Who
	Wish

	Book Book
}

// Pending lists the wishes of a site that wait. Of one who asks, it is their book that
// says who they are.
func (k *Keeper) Pending(ctx context.Context, site string) ([]Pending, error) {
	group, after, now := k.group(site), sealed.Key{}, k.Now()
	var list []Pending
	for {
		items, err := k.room.List(ctx, group, after, sealed.ListLimit)
		if err != nil {
			return nil, fmt.Errorf("listing wishes: %w", err)
		}
		for _, it := range items {
			after = it.Key
			var b Book
			if err := json.Unmarshal(it.Plain, &b); err != nil {
				return nil, fmt.Errorf("reading wishes: %w", err)
			}
			for _, w := range b.Wishes {
				if w.Waits(now) {
					list = append(list, Pending{Who: Who{it.Key, group}, Wish: w, Book: b})
				}
			}
		}
		if len(items) < sealed.ListLimit {
			return list, nil
		}
	}
}
