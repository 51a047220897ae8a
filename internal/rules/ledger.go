package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// Known is that somebody acknowledged the rules.
type Known struct {
	At   time.Time
	Lang string
}

// Person is somebody as the identity provider knows them.
type Person struct{ Issuer, Subject string }

// Ledger knows who has acknowledged one version of the rules. It is safe for
// concurrent use.
type Ledger struct {
	version string
	every   time.Duration
	room    *sealed.Room
	now     func() time.Time

	mu sync.RWMutex
	// remembered are those whose acknowledgement was found. That there is none isn't
	// remembered: it may be given at another node at any time.
	remembered map[Person]Known
}

// LedgerConfig says what a ledger is of.
type LedgerConfig struct {
	Rules *Rules
	// Every is for how long an acknowledgement holds.
	Every time.Duration
	// Store keeps documents, as sealed.New takes it.
	Store any
	Ring  sealed.Ring
	// Now is the clock; the default is time.Now.
	Now func() time.Time
}

// kind is that of the documents.
const kind = "rules"

// rememberLimit bounds how many people are remembered: far above what a node serves.
const rememberLimit = 100_000

// keepFor is how long what doesn't hold any more is kept.
const keepFor = 31 * 24 * time.Hour

// NewLedger returns the ledger of the rules in force.
func NewLedger(c LedgerConfig) (*Ledger, error) {
	room, err := sealed.New(kind, c.Store, c.Ring)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Ledger{version: c.Rules.Version(), every: c.Every, room: room, now: c.Now, remembered: map[Person]Known{}}, nil
}

// holds reports whether an acknowledgement is good now. One that lies ahead is, as far
// as its time: a clock that went back asks nobody again. One from a clock that was far
// ahead isn't good for longer than twice that.
func (l *Ledger) holds(k Known) bool {
	age := l.now().Sub(k.At)
	return age < l.every && age > -l.every
}

// Until is when somebody is asked again.
func (l *Ledger) Until(k Known) time.Time { return k.At.Add(l.every) }

// Remembers reports whether this node knows that somebody has acknowledged. It asks no
// store.
func (l *Ledger) Remembers(p Person) bool {
	l.mu.RLock()
	k, ok := l.remembered[p]
	l.mu.RUnlock()
	return ok && l.holds(k)
}

// Ask asks the store for somebody, whose pseudonym it is, and reports whether they have
// acknowledged.
func (l *Ledger) Ask(ctx context.Context, p Person, pseudonym string) (Known, bool, error) {
	k, _, err := l.load(ctx, pseudonym)
	if err != nil || !l.holds(k) {
		return Known{}, false, err
	}
	l.remember(p, k)
	return k, true, nil
}

// Acknowledge notes that somebody has, now. The entry of it is durable before.
func (l *Ledger) Acknowledge(ctx context.Context, p Person, pseudonym, lang string) (Known, error) {
	k := Known{At: l.now().UTC().Truncate(time.Second), Lang: lang}
	for range triesToSave {
		before, version, err := l.load(ctx, pseudonym)
		if err != nil {
			return Known{}, err
		}
		if l.holds(before) { // in another tab, or at another node
			l.remember(p, before)
			return before, nil
		}
		err = l.save(ctx, pseudonym, k, version)
		if errors.Is(err, sealed.ErrChanged) {
			continue
		}
		if err != nil {
			return Known{}, fmt.Errorf("noting an acknowledgement: %w", err)
		}
		l.remember(p, k)
		return k, nil
	}
	return Known{}, errors.New("noting an acknowledgement: others noted one each time")
}

// triesToSave is how often somebody else may have been quicker.
const triesToSave = 5

// document is what is kept, sealed.
type document struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Lang    string    `json:"lang"`
}

func (l *Ledger) key(pseudonym string) sealed.Key { return l.room.Key(pseudonym, l.version) }

func (l *Ledger) load(ctx context.Context, pseudonym string) (k Known, version int64, err error) {
	key := l.key(pseudonym)
	found, err := l.room.Load(ctx, key)
	if err != nil {
		return k, 0, fmt.Errorf("asking who has acknowledged the rules: %w", err)
	}
	it, ok := found[key]
	if !ok {
		return k, 0, nil
	}
	k, err = l.read(it)
	return k, it.Version, err
}

func (l *Ledger) read(it sealed.Item) (Known, error) {
	var d document
	if err := json.Unmarshal(it.Plain, &d); err != nil || d.Version != l.version {
		return Known{}, errors.New("an acknowledgement of the rules can't be read")
	}
	return Known{At: d.At, Lang: d.Lang}, nil
}

func (l *Ledger) save(ctx context.Context, pseudonym string, k Known, version int64) error {
	raw, err := json.Marshal(document{Version: l.version, At: k.At, Lang: k.Lang})
	if err != nil {
		return err
	}
	return l.room.Save(ctx, sealed.Item{Key: l.key(pseudonym), Until: k.At.Add(l.every + keepFor), Version: version, Plain: raw})
}

func (l *Ledger) remember(p Person, k Known) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.remembered[p]; !ok && len(l.remembered) >= rememberLimit {
		for other := range l.remembered {
			delete(l.remembered, other)
			break
		}
	}
	l.remembered[p] = k
}

// loadBatch is how many people the store is asked for at a time.
const loadBatch = 500

// Outstanding returns those of the pseudonyms who haven't acknowledged.
func (l *Ledger) Outstanding(ctx context.Context, pseudonyms []string) ([]string, error) {
	var left []string
	for len(pseudonyms) > 0 {
		some := pseudonyms[:min(len(pseudonyms), loadBatch)]
		pseudonyms = pseudonyms[len(some):]
		keys := make([]sealed.Key, len(some))
		for i, p := range some {
			keys[i] = l.key(p)
		}
		found, err := l.room.Load(ctx, keys...)
		if err != nil {
			return nil, fmt.Errorf("asking who has acknowledged the rules: %w", err)
		}
		for i, p := range some {
			it, ok := found[keys[i]]
			if !ok {
				left = append(left, p)
				continue
			}
			k, err := l.read(it)
			if err != nil {
				return nil, err
			}
			if !l.holds(k) {
				left = append(left, p)
			}
		}
	}
	return left, nil
}
