package retain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/sealed"
)

const (
	// knownFor is how long a date that was read is believed without reading it again.
	knownFor = 24 * time.Hour
	// missedFor is how long a record isn't asked for again that didn't say its date.
	missedFor = 10 * time.Minute
	// keptFor is how long the store keeps dates.
	keptFor = 7 * 24 * time.Hour
	// saveAfter is how old what is saved may get before it is saved again unchanged.
	saveAfter = 12 * time.Hour
	// mostKnown bounds the records that this process remembers.
	mostKnown = 50_000
)

// Known are the dates of records as they were read last: in the store, for all nodes,
// and in memory. It may be older than the CRM by a day at most.
type Known struct {
	room *sealed.Room
	site string
	now  func() time.Time

	mu  sync.Mutex
	has map[sealed.Key]known
}

type known struct {
	dates Dates
	at    time.Time
	// asked says that the record itself was read: what is missing is missing there.
	asked bool
	saved time.Time
}

// kept is what the store holds.
type kept struct {
	At    int64             `json:"at"`
	Asked bool              `json:"asked,omitempty"`
	Dates map[string]string `json:"dates"`
}

// NewKnown remembers the dates of a site's records.
func NewKnown(store any, ring sealed.Ring, site string) (*Known, error) {
	room, err := sealed.New("retain-dates", store, ring)
	if err != nil {
		return nil, fmt.Errorf("retain: %w", err)
	}
	return &Known{room: room, site: site, now: time.Now, has: map[sealed.Key]known{}}, nil
}

// Fact is what is known of one record.
type Fact struct {
	Record access.Record
	Dates  Dates
	// Asked says that the record itself was read.
	Asked bool
}

func (k *Known) key(r access.Record) sealed.Key { return k.room.Key(k.site, r.Type, r.ID) }

// Find adds to the dates of records what was read before: one question to the store at
// most. What an answer says itself stays.
func (k *Known) Find(ctx context.Context, facts []Fact) error {
	var ask []sealed.Key
	k.mu.Lock()
	for i := range facts {
		key := k.key(facts[i].Record)
		had, ok := k.has[key]
		if ok && k.fresh(had) {
			facts[i].add(had)
		} else {
			ask = append(ask, key)
		}
	}
	k.mu.Unlock()
	if len(ask) == 0 {
		return nil
	}
	items, err := k.room.Load(ctx, ask...)
	if err != nil {
		return fmt.Errorf("reading the dates of records: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range facts {
		key := k.key(facts[i].Record)
		it, ok := items[key]
		if !ok {
			continue
		}
		had, ok := open(it)
		if !ok || !k.fresh(had) {
			continue
		}
		facts[i].add(had)
		k.remember(key, had)
	}
	return nil
}

func open(it sealed.Item) (known, bool) {
	var in kept
	if json.Unmarshal(it.Plain, &in) != nil {
		return known{}, false
	}
	had := known{dates: Dates{}, at: time.Unix(in.At, 0), asked: in.Asked}
	had.saved = had.at
	for name, word := range in.Dates {
		had.dates[name] = ParseWord(word)
	}
	return had, true
}

// add takes what was known where nothing newer is.
func (f *Fact) add(had known) {
	f.Asked = f.Asked || had.asked
	if f.Dates == nil {
		f.Dates = Dates{}
	}
	for name, d := range had.dates {
		if _, told := f.Dates[name]; !told {
			f.Dates[name] = d
		}
	}
}

// fresh reports whether what is known is still believed. A clock that was set back
// makes nothing young.
func (k *Known) fresh(had known) bool {
	age := k.now().Sub(had.at)
	for _, d := range had.dates {
		if d.State == Unknown {
			return age >= -time.Minute && age < missedFor
		}
	}
	return age >= -time.Minute && age < knownFor
}

// Note keeps what was read. What is saved already and hasn't changed isn't saved again.
// A store that can't be used costs another read later, and nothing else.
func (k *Known) Note(ctx context.Context, facts []Fact) error {
	now := k.now()
	var save []sealed.Key
	k.mu.Lock()
	for i := range facts {
		f := &facts[i]
		if len(f.Dates) == 0 {
			continue
		}
		key := k.key(f.Record)
		had, ok := k.has[key]
		next := known{dates: maps.Clone(f.Dates), at: now, asked: f.Asked}
		if ok && had.asked == next.asked && maps.Equal(had.dates, next.dates) && now.Sub(had.saved) < saveAfter && !now.Before(had.saved) {
			next.saved = had.saved
		} else {
			next.saved = now
			save = append(save, key)
		}
		k.remember(key, next)
	}
	k.mu.Unlock()
	return k.save(ctx, save)
}

// remember keeps something in memory; the caller holds the lock. When there is no room,
// all is forgotten: the store has it.
func (k *Known) remember(key sealed.Key, what known) {
	if _, ok := k.has[key]; !ok && len(k.has) >= mostKnown {
		clear(k.has)
	}
	k.has[key] = what
}

// mostSaved bounds how many are saved at a time.
const mostSaved = 500

func (k *Known) save(ctx context.Context, all []sealed.Key) error {
	for len(all) > 0 {
		n := min(len(all), mostSaved)
		if err := k.saveSome(ctx, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (k *Known) saveSome(ctx context.Context, all []sealed.Key) error {
	before, err := k.room.Load(ctx, all...)
	if err != nil {
		return fmt.Errorf("keeping the dates of records: %w", err)
	}
	items := make([]sealed.Item, 0, len(all))
	k.mu.Lock()
	for _, key := range all {
		what, ok := k.has[key]
		if !ok {
			continue
		}
		out := kept{At: what.at.Unix(), Asked: what.asked, Dates: map[string]string{}}
		for name, d := range what.dates {
			out.Dates[name] = d.Word()
		}
		plain, err := json.Marshal(out)
		if err != nil {
			k.mu.Unlock()
			return fmt.Errorf("keeping the dates of records: %w", err)
		}
		items = append(items, sealed.Item{Key: key, Until: what.at.Add(keptFor), Version: before[key].Version, Plain: plain})
	}
	k.mu.Unlock()
	if err := k.room.Save(ctx, items...); err != nil && !errors.Is(err, sealed.ErrChanged) { // another node has just read the same
		return fmt.Errorf("keeping the dates of records: %w", err)
	}
	return nil
}

// Forget takes back what is known of a record.
func (k *Known) Forget(ctx context.Context, r access.Record) error {
	key := k.key(r)
	k.mu.Lock()
	delete(k.has, key)
	k.mu.Unlock()
	items, err := k.room.Load(ctx, key)
	if err != nil || len(items) == 0 {
		return err
	}
	if err := k.room.Save(ctx, sealed.Item{Key: key, Version: items[key].Version}); err != nil && !errors.Is(err, sealed.ErrChanged) {
		return fmt.Errorf("forgetting a record's dates: %w", err)
	}
	return nil
}

// Tell notes what an answer says in a field. Two that differ are none.
func (f *Fact) Tell(field string, d Date) {
	if had, told := f.Dates[field]; told && had != d {
		d = Date{}
	}
	f.Dates[field] = d
}
