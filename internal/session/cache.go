package session

import (
	"sync"
	"sync/atomic"
	"time"
)

// cacheLimit bounds how many sessions are remembered; it is far above what one
// node serves, and only there so that memory has a bound.
const cacheLimit = 100_000

// entry is a session as this node knows it. All but used is immutable.
type entry struct {
	session Session
	asked   time.Time
	epoch   uint64       // of the cache when the store was asked
	used    atomic.Int64 // unix nanoseconds
	// later is when the tokens may be tried to be renewed again, in unix
	// nanoseconds; failing says that the last try failed.
	later   atomic.Int64
	failing atomic.Bool
}

// knownFor is how long what is known is gone by. It is within Staleness by as much
// as a request that began with it may take until it is forwarded.
const knownFor = Staleness - 500*time.Millisecond

// stale reports whether the store has to be asked again.
func (e *entry) stale(now time.Time) bool { return e.olderThan(knownFor, now) }

// olderThan reports whether the store was asked so long ago. A clock that went
// back counts as long ago too: nothing known is younger than the present.
func (e *entry) olderThan(d time.Duration, now time.Time) bool {
	age := now.Sub(e.asked)
	return age >= d || age < 0
}

// follow takes over what another entry of the same session knows of this node.
func (e *entry) follow(before *entry) {
	e.use(before.lastUse())
	e.later.Store(before.later.Load())
	e.failing.Store(before.failing.Load())
}

func (e *entry) lastUse() time.Time { return time.Unix(0, e.used.Load()) }

// use moves the last use forward, never back.
func (e *entry) use(at time.Time) {
	n := at.UnixNano()
	for {
		old := e.used.Load()
		if old >= n || e.used.CompareAndSwap(old, n) {
			return
		}
	}
}

// cache remembers sessions between requests. Its zero value is ready.
type cache struct {
	mu      sync.RWMutex
	entries map[Key]*entry
	// epoch counts revocations. What was asked for in an earlier one isn't kept.
	epoch uint64
	// changed is closed, and replaced, when something of another kind than use
	// happens to a session; nil while nobody watches.
	changed chan struct{}
}

// changes is closed when sessions are revoked or renewed here.
func (c *cache) changes() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// tell wakes the watchers. It is called with mu held.
func (c *cache) tell() {
	c.epoch++
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// get returns what is known of a session, or nil, and the present epoch.
func (c *cache) get(key Key) (*entry, uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entries[key], c.epoch
}

// put remembers an entry; when there is no room, some other one goes.
func (c *cache) put(key Key, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.epoch != c.epoch {
		return
	}
	if c.entries == nil {
		c.entries = make(map[Key]*entry)
	}
	before, ok := c.entries[key]
	if ok {
		e.follow(before)
	} else if len(c.entries) >= cacheLimit {
		for other := range c.entries {
			delete(c.entries, other)
			break
		}
	}
	c.entries[key] = e
}

func (c *cache) drop(key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

// revoke forgets sessions, and what is being asked of the store meanwhile.
func (c *cache) revoke(keys ...Key) {
	if len(keys) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell()
	for _, key := range keys {
		delete(c.entries, key)
	}
}

func (c *cache) revokeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell()
	clear(c.entries)
}

// replace puts a session that was rewritten into force: what is being asked of
// the store meanwhile may be the old one, and isn't kept.
func (c *cache) replace(key Key, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell()
	e.epoch = c.epoch
	before, ok := c.entries[key]
	if !ok {
		return // nobody uses it here
	}
	e.use(before.lastUse())
	c.entries[key] = e
}

// due returns the sessions in use whose tokens are to be renewed.
func (c *cache) due(now time.Time, idle time.Duration) []Key {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var keys []Key
	for key, e := range c.entries {
		due := e.session.due
		if due.IsZero() || now.Before(due) || now.UnixNano() < e.later.Load() {
			continue
		}
		if now.Before(e.session.Expires) && now.Sub(e.lastUse()) < idle {
			keys = append(keys, key)
		}
	}
	return keys
}

// postpone puts a session's next renewal off.
func (c *cache) postpone(key Key, until time.Time) {
	if e, _ := c.get(key); e != nil {
		e.later.Store(until.UnixNano())
	}
}

// failed notes that a session could not be renewed, and reports whether that is
// news.
func (c *cache) failed(key Key) bool {
	e, _ := c.get(key)
	return e != nil && e.failing.CompareAndSwap(false, true)
}

// sweep forgets what has ended.
func (c *cache) sweep(now time.Time, idle time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.entries {
		if !now.Before(e.session.Expires) || now.Sub(e.lastUse()) >= idle {
			delete(c.entries, key)
		}
	}
}
