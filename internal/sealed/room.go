package sealed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Ring is what a room needs of the gateway's keys.
type Ring interface {
	Seal(purpose string, plaintext, aad []byte) ([]byte, error)
	Open(purpose string, sealed, aad []byte) ([]byte, error)
	Derive(purpose string) [32]byte
}

// Room holds the documents of one kind.
type Room struct {
	kind  string
	store Store
	ring  Ring
	key   [32]byte
}

// Item is a document that was opened.
type Item struct {
	Key, Group Key
	// Until is in whole seconds; Save cuts off what is less.
	Until   time.Time
	Version int64
	// Plain is what it says. In Save, nil takes the document away.
	Plain []byte
}

// New returns the room of a kind. A store that keeps no documents is an error that
// names the remedy.
func New(kind string, store any, ring Ring) (*Room, error) {
	s, ok := store.(Store)
	if !ok {
		return nil, fmt.Errorf("the session store %T can't keep documents (%s): use the store sqlite or postgres", store, kind)
	}
	return &Room{kind: kind, store: s, ring: ring, key: ring.Derive("sealed " + kind)}, nil
}

// Key is the keyed hash of words: nobody finds it without the gateway's keys, and
// those of another kind are others. ("a", "bc") isn't ("ab", "c").
func (r *Room) Key(words ...string) (k Key) {
	mac := hmac.New(sha256.New, r.key[:])
	fmt.Fprintf(mac, "%q", words) // never fails
	mac.Sum(k[:0])
	return k
}

// Load returns those that are there, in one question to the store, by their keys.
func (r *Room) Load(ctx context.Context, keys ...Key) (map[Key]Item, error) {
	if len(keys) == 0 {
		return nil, nil //nolint:nilnil // an empty map to read from
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compare)
	docs, err := r.store.LoadDocs(ctx, r.kind, slices.Compact(keys))
	if err != nil {
		return nil, err
	}
	items := make(map[Key]Item, len(docs))
	for i := range docs {
		if items[docs[i].Key], err = r.open(&docs[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// List returns those of a group in the order of their keys, from behind after on, at
// most so many, and never more than ListLimit: ask again from behind the last one.
func (r *Room) List(ctx context.Context, group, after Key, most int) ([]Item, error) {
	if group == (Key{}) {
		return nil, errors.New("a list of documents takes a group")
	}
	docs, err := r.store.ListDocs(ctx, r.kind, group, after, min(most, ListLimit))
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(docs))
	for i := range docs {
		if items[i], err = r.open(&docs[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// Save saves all of them, or none: ErrChanged if one isn't what was read. An item that
// isn't there yet has version 0.
func (r *Room) Save(ctx context.Context, items ...Item) error {
	docs := make([]Doc, len(items))
	for i, it := range items {
		d := Doc{Kind: r.kind, Key: it.Key, Group: it.Group, Version: it.Version}
		if !it.Until.IsZero() {
			d.Until = time.Unix(it.Until.Unix(), 0)
		}
		if it.Plain != nil {
			var err error
			if d.Sealed, err = r.ring.Seal(r.purpose(), it.Plain, aad(&d)); err != nil {
				return fmt.Errorf("sealing a document (%s): %w", r.kind, err)
			}
		}
		docs[i] = d
	}
	// In one order everywhere: two that save the same documents don't wait for each other.
	slices.SortFunc(docs, func(a, b Doc) int { return compare(a.Key, b.Key) })
	return r.store.SaveDocs(ctx, docs)
}

// Sweep takes away what is over, of all kinds.
func (r *Room) Sweep(ctx context.Context, now time.Time) (int, error) {
	return r.store.SweepDocs(ctx, now)
}

func (r *Room) open(d *Doc) (Item, error) {
	plain, err := r.ring.Open(r.purpose(), d.Sealed, aad(d))
	if err != nil {
		return Item{}, fmt.Errorf("opening a document (%s): %w", r.kind, err)
	}
	return Item{Key: d.Key, Group: d.Group, Until: d.Until, Version: d.Version, Plain: plain}, nil
}

func (r *Room) purpose() string { return "sealed " + r.kind }

// aad binds what a document says to where it lies: who can write to the store can't
// move one person's document to another, or prolong it.
func aad(d *Doc) []byte {
	var until int64
	if !d.Until.IsZero() {
		until = d.Until.Unix()
	}
	return fmt.Appendf(nil, "%q %x %x %d", d.Kind, d.Key, d.Group, until)
}

func compare(a, b Key) int { return bytes.Compare(a[:], b[:]) }
