package retain

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/sealed"
)

// proofLasts is how long the proof of a deletion is kept.
const proofLasts = 3 * 366 * 24 * time.Hour

// List is the work list of a site: its overdue records, and the proofs of those that
// were deleted. Each lies in the store under a keyed hash, sealed.
type List struct {
	room *sealed.Room
	site string
	now  func() time.Time

	mu sync.Mutex
	// on are the records that this process knows to be on the list.
	on map[sealed.Key]time.Time
}

// onFor is how long it is believed that a record is on the list.
const onFor = 10 * time.Minute

// NewList opens the work list of a site.
func NewList(store any, ring sealed.Ring, site string) (*List, error) {
	room, err := sealed.New("retain-list", store, ring)
	if err != nil {
		return nil, fmt.Errorf("retain: %w", err)
	}
	return &List{room: room, site: site, now: time.Now, on: map[sealed.Key]time.Time{}}, nil
}

// key takes an id in any spelling that a CRM may read as the same: nobody has two records
// that differ in the case of letters alone, or in zeros before a number.
func (l *List) key(r access.Record) sealed.Key {
	id := strings.ToLower(strings.TrimSpace(r.ID))
	if strings.Trim(id, "0123456789") == "" {
		id = cmp.Or(strings.TrimLeft(id, "0"), "0")
	}
	return l.room.Key(l.site, r.Type, id)
}

func (l *List) open() sealed.Key { return l.room.Key(l.site, "open") }
func (l *List) done() sealed.Key { return l.room.Key(l.site, "done") }

// Name is how a page names a record's place on the list: nothing can be read from it.
func (l *List) Name(r access.Record) string {
	k := l.key(r)
	return hex.EncodeToString(k[:])
}

func named(s string) (k sealed.Key, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(k) {
		return k, false
	}
	copy(k[:], b)
	return k, true
}

// Found is a record that was judged.
type Found struct {
	Record  access.Record
	Verdict Verdict
}

// Missing are those of the overdue records that this process doesn't know to be on the
// list, each once.
func (l *List) Missing(found []Found) []Found {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Found
	seen := map[sealed.Key]bool{}
	for _, f := range found {
		k := l.key(f.Record)
		if at, ok := l.on[k]; f.Verdict.Overdue && !seen[k] && (!ok || now.Sub(at) >= onFor || now.Before(at)) {
			seen[k] = true
			out = append(out, f)
		}
	}
	return out
}

// New are those of the records that aren't on the list: what Add would add. One that was
// deleted and is back counts as new.
func (l *List) New(ctx context.Context, found []Found) ([]Found, error) {
	keys := make([]sealed.Key, len(found))
	for i := range found {
		keys[i] = l.key(found[i].Record)
	}
	items, err := l.room.Load(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading the work list: %w", err)
	}
	var out []Found
	for i := range found {
		it, ok := items[keys[i]]
		if ok && it.Group != l.done() {
			l.note(keys[i])
			continue
		}
		out = append(out, found[i])
	}
	return out, nil
}

func (l *List) note(keys ...sealed.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.on)+len(keys) > mostKnown {
		clear(l.on)
	}
	for _, k := range keys {
		l.on[k] = l.now()
	}
}

// Add puts overdue records on the list. Those that are there stay as they are.
func (l *List) Add(ctx context.Context, found []Found) error {
	for len(found) > 0 {
		n := min(len(found), mostSaved)
		if err := l.addSome(ctx, found[:n]); err != nil {
			return err
		}
		found = found[n:]
	}
	return nil
}

func (l *List) addSome(ctx context.Context, found []Found) error {
	const tries = 3
	for range tries {
		keys := make([]sealed.Key, len(found))
		for i := range found {
			keys[i] = l.key(found[i].Record)
		}
		before, err := l.room.Load(ctx, keys...)
		if err != nil {
			return fmt.Errorf("reading the work list: %w", err)
		}
		var items []sealed.Item
		for i, f := range found {
			had, ok := before[keys[i]]
			if ok && had.Group != l.done() {
				continue
			}
			it := &Item{Record: f.Record, Rule: f.Verdict.Rule, Last: f.Verdict.Last, Unknown: f.Verdict.Unknown, Since: l.now().UTC(), Stage: Open}
			sealedItem, err := l.item(it, had.Version)
			if err != nil {
				return err
			}
			items = append(items, sealedItem)
		}
		if err := l.room.Save(ctx, items...); err == nil {
			l.note(keys...)
			return nil
		} else if !errors.Is(err, sealed.ErrChanged) {
			return fmt.Errorf("writing the work list: %w", err)
		}
	}
	return nil // somebody else adds the same
}

func (l *List) item(it *Item, version int64) (sealed.Item, error) {
	plain, err := json.Marshal(it)
	if err != nil {
		return sealed.Item{}, fmt.Errorf("writing the work list: %w", err)
	}
	out := sealed.Item{Key: l.key(it.Record), Group: l.open(), Version: version, Plain: plain}
	if it.Stage == Deleted {
		out.Group, out.Until = l.done(), it.Ended.Add(proofLasts)
	}
	return out, nil
}

// Settle takes records off the list that aren't overdue any more, unless they are on
// their way or held, and says which.
func (l *List) Settle(ctx context.Context, records []access.Record) ([]access.Record, error) {
	var keys []sealed.Key
	l.mu.Lock()
	for _, r := range records {
		if _, ok := l.on[l.key(r)]; ok {
			keys = append(keys, l.key(r))
		}
	}
	l.mu.Unlock()
	items, err := l.room.Load(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading the work list: %w", err)
	}
	var off []access.Record
	for _, k := range keys {
		doc, ok := items[k]
		l.forget(k)
		if !ok {
			continue
		}
		it, err := read(doc)
		if err != nil || it.Hold != nil || it.Stage != Open && it.Stage != Asked {
			continue
		}
		switch err := l.room.Save(ctx, sealed.Item{Key: k, Version: doc.Version}); {
		case err == nil:
			off = append(off, it.Record)
		case !errors.Is(err, sealed.ErrChanged):
			return off, fmt.Errorf("writing the work list: %w", err)
		}
	}
	return off, nil
}

func (l *List) forget(k sealed.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.on, k)
}

func read(doc sealed.Item) (*Item, error) {
	it := &Item{}
	if err := json.Unmarshal(doc.Plain, it); err != nil {
		return nil, fmt.Errorf("reading the work list: %w", err)
	}
	return it, nil
}

// Get returns a record of the list, or the proof of its deletion, by its name there.
func (l *List) Get(ctx context.Context, name string) (*Item, error) {
	it, _, err := l.get(ctx, name)
	return it, err
}

func (l *List) get(ctx context.Context, name string) (*Item, int64, error) {
	k, ok := named(name)
	if !ok {
		return nil, 0, ErrNotThere
	}
	items, err := l.room.Load(ctx, k)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the work list: %w", err)
	}
	doc, ok := items[k]
	if !ok {
		return nil, 0, ErrNotThere
	}
	it, err := read(doc)
	if err != nil {
		return nil, 0, err
	}
	if l.key(it.Record) != k { // of another site that shares the store
		return nil, 0, ErrNotThere
	}
	it.expire(l.now())
	return it, doc.Version, nil
}

// change does something to a record of the list: all or nothing, and of any number of
// concurrent calls one.
func (l *List) change(ctx context.Context, name string, do func(*Item) error) (*Item, error) {
	const tries = 5
	for range tries {
		it, version, err := l.get(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := do(it); err != nil {
			return it, err
		}
		doc, err := l.item(it, version)
		if err != nil {
			return nil, err
		}
		if err = l.room.Save(ctx, doc); err == nil {
			if it.Stage == Deleted {
				l.forget(doc.Key)
			}
			return it, nil
		} else if !errors.Is(err, sealed.ErrChanged) {
			return nil, fmt.Errorf("writing the work list: %w", err)
		}
	}
	return nil, ErrStage
}

// Drop takes a record off the list that isn't overdue after all, unless it is on its way or held.
func (l *List) Drop(ctx context.Context, name string) error {
	it, version, err := l.get(ctx, name)
	if err != nil {
		return err
	}
	if it.Hold != nil || it.Stage != Open && it.Stage != Asked {
		return ErrStage
	}
	k := l.key(it.Record)
	l.forget(k)
	if err := l.room.Save(ctx, sealed.Item{Key: k, Version: version}); errors.Is(err, sealed.ErrChanged) {
		return ErrStage
	} else if err != nil {
		return fmt.Errorf("writing the work list: %w", err)
	}
	return nil
}
