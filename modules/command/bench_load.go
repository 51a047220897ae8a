package command

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// benchAnswers are all answers of a variant: each distinct body once, and which
// entry of the log goes with which.
type benchAnswers struct {
	mu     sync.Mutex
	seed   maphash.Seed
	bodies []benchAnswer
	index  map[uint64]int
	// logged are the entries that answers named, and unnamed counts answers
	// that named none.
	logged  []benchLogged
	unnamed int
}

// benchAnswer is a distinct answer, of a stream one cycle.
type benchAnswer struct {
	to  *benchBody
	raw []byte
}

// benchLogged says that the answer whose intent is entry seq had that body.
type benchLogged struct {
	seq  uint64
	body int
}

// maxDistinct is how many distinct answers a variant may give to one request. In
// a session pseudonyms stay the same, so one for each body is what is expected.
const maxDistinct = 16

var errDistinct = errors.New("the answers to one and the same request differ")

// know returns the number of a body, which is kept if it is new.
func (a *benchAnswers) know(to *benchBody, raw []byte) (int, error) {
	h := maphash.Bytes(a.seed, raw)
	a.mu.Lock()
	defer a.mu.Unlock()
	if i, ok := a.index[h]; ok {
		return i, nil
	}
	if len(a.bodies) == maxDistinct {
		return 0, errDistinct
	}
	i := len(a.bodies)
	a.index[h] = i
	a.bodies = append(a.bodies, benchAnswer{to: to, raw: bytes.Clone(raw)})
	return i, nil
}

func (a *benchAnswers) add(c *benchConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logged = append(a.logged, c.logged...)
	a.unnamed += c.unnamed
}

// benchLoad is what is asked for in a run, and by how many connections.
type benchLoad struct {
	body  *benchBody
	conns int
	proto string
}

// benchTally is what a run came to.
type benchTally struct {
	took      time.Duration
	latencies []time.Duration
}

// load keeps so many connections busy, each with one request at a time.
func (v *benchVariant) load(ctx context.Context, l benchLoad, d time.Duration) (benchTally, error) {
	if v.answers.index == nil {
		v.answers.seed, v.answers.index = maphash.MakeSeed(), map[uint64]int{}
	}
	wait := benchWait
	if l.body.streams() {
		wait = benchStreamWait
	}
	ctx, cancel := context.WithTimeout(ctx, d+wait)
	defer cancel()
	workers := make([]*benchConn, l.conns)
	for i := range workers {
		client, err := dialBench(ctx, l.proto, v.addr)
		if err != nil {
			return benchTally{}, err
		}
		defer client.close()
		workers[i] = &benchConn{client: client, v: v, to: l.body}
	}
	began := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, len(workers))
	for i, c := range workers {
		wg.Go(func() { errs[i] = c.run(ctx, began.Add(d)) })
	}
	wg.Wait()
	run := benchTally{took: time.Since(began)}
	for _, c := range workers {
		run.latencies = append(run.latencies, c.latencies...)
		v.answers.add(c)
	}
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return run, err
	}
	return run, nil
}
