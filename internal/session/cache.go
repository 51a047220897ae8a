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
}

// stale reports whether the store has to be asked again. A clock that went back
// counts as stale too: nothing known is older than the present.
func (e *entry) stale(now time.Time) bool {
	age := now.Sub(e.asked)
	return age >= Staleness || age < 0
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
		e.use(before.lastUse())
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
	c.epoch++
	for _, key := range keys {
		delete(c.entries, key)
	}
}

func (c *cache) revokeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.entries)
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
