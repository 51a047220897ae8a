package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
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

// benchAnswer is a distinct answer.
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

// benchLoad is what a run came to.
type benchLoad struct {
	took      time.Duration
	latencies []time.Duration
}

// load keeps so many connections busy, each with one request at a time.
func (v *benchVariant) load(ctx context.Context, body *benchBody, conns int, d time.Duration) (benchLoad, error) {
	if v.answers.index == nil {
		v.answers.seed, v.answers.index = maphash.MakeSeed(), map[uint64]int{}
	}
	ctx, cancel := context.WithTimeout(ctx, d+benchWait)
	defer cancel()
	workers := make([]*benchConn, conns)
	for i := range workers {
		c, err := v.dial(ctx, body)
		if err != nil {
			return benchLoad{}, err
		}
		defer c.Close()
		workers[i] = c
	}
	began := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, conns)
	for i, c := range workers {
		wg.Go(func() { errs[i] = c.run(began.Add(d)) })
	}
	wg.Wait()
	run := benchLoad{took: time.Since(began)}
	for _, c := range workers {
		run.latencies = append(run.latencies, c.latencies...)
		v.answers.add(c)
	}
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return run, err
	}
	return run, nil
}

// benchConn is one connection of the load.
type benchConn struct {
	net.Conn
	v         *benchVariant
	to        *benchBody
	request   []byte
	in        *bufio.Reader
	body      []byte
	latencies []time.Duration
	logged    []benchLogged
	unnamed   int
}

func (v *benchVariant) dial(ctx context.Context, body *benchBody) (*benchConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", v.addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, errors.Join(fmt.Errorf("connecting: %w", err), conn.Close())
		}
	}
	c := &benchConn{Conn: conn, v: v, to: body, in: bufio.NewReaderSize(conn, 64<<10)}
	c.request = fmt.Appendf(nil, "GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: crmgate-bench\r\nAccept: application/json\r\n", v.route.path, body.name, v.addr)
	if v.cookie != "" {
		c.request = fmt.Appendf(c.request, "Cookie: %s\r\n", v.cookie)
	}
	c.request = append(c.request, "\r\n"...)
	return c, nil
}

// run asks again and again. What is answered after the end still counts.
func (c *benchConn) run(until time.Time) error {
	for began := time.Now(); began.Before(until); {
		seq, err := c.ask()
		if err != nil {
			return err
		}
		now := time.Now()
		c.latencies = append(c.latencies, now.Sub(began))
		n, err := c.v.answers.know(c.to, c.body)
		if err != nil {
			return err
		}
		if seq == 0 {
			c.unnamed++
		} else {
			c.logged = append(c.logged, benchLogged{seq, n})
		}
		began = time.Now()
	}
	return nil
}

// ask sends the request, reads the answer's body and returns the number of the
// entry that the answer names, 0 for none.
func (c *benchConn) ask() (uint64, error) {
	if _, err := c.Write(c.request); err != nil {
		return 0, fmt.Errorf("sending a request: %w", err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, fmt.Errorf("reading an answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // for the error alone
		return 0, fmt.Errorf("an answer has status %d and length %d, expected 200 and a length: %s", resp.StatusCode, resp.ContentLength, said)
	}
	if n := int(resp.ContentLength); cap(c.body) < n {
		c.body = make([]byte, n)
	} else {
		c.body = c.body[:n]
	}
	if _, err := io.ReadFull(resp.Body, c.body); err != nil {
		return 0, fmt.Errorf("reading an answer: %w", err)
	}
	id := resp.Header.Get("Audit-Id")
	if id == "" {
		return 0, nil
	}
	_, number, _ := strings.Cut(id, "/")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 {
		return 0, errors.New("an answer's Audit-Id names no entry")
	}
	return seq, nil
}
