package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What the load speaks.
const (
	benchHTTP1 = "HTTP/1.1"
	benchHTTP2 = "HTTP/2"
)

// benchAsker is one connection, which asks one thing at a time.
type benchAsker interface {
	ask(req *http.Request) (*http.Response, error)
	close()
}

func dialBench(ctx context.Context, proto, addr string) (benchAsker, error) {
	if proto == benchHTTP2 {
		t := &http.Transport{MaxConnsPerHost: 1, DisableCompression: true, Protocols: new(http.Protocols)}
		t.Protocols.SetUnencryptedHTTP2(true)
		return &benchTwo{t}, nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, errors.Join(fmt.Errorf("connecting: %w", err), conn.Close())
		}
	}
	return &benchOne{Conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// benchOne speaks HTTP/1.1. It does no more than it must: the load shares the
// processors with what is measured.
type benchOne struct {
	net.Conn
	in *bufio.Reader
	// raw is the request, the same each time.
	raw []byte
}

func (c *benchOne) ask(req *http.Request) (*http.Response, error) {
	if c.raw == nil {
		var raw bytes.Buffer
		if err := req.Write(&raw); err != nil {
			return nil, fmt.Errorf("writing a request: %w", err)
		}
		c.raw = raw.Bytes()
	}
	if _, err := c.Write(c.raw); err != nil {
		return nil, fmt.Errorf("sending a request: %w", err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, fmt.Errorf("reading an answer: %w", err)
	}
	return resp, nil
}

func (c *benchOne) close() { _ = c.Close() }

// benchTwo speaks HTTP/2.
type benchTwo struct{ *http.Transport }

func (c *benchTwo) ask(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	if resp.ProtoMajor != 2 {
		return nil, errors.Join(errors.New("the answer isn't HTTP/2"), resp.Body.Close())
	}
	return resp, nil
}

func (c *benchTwo) close() { c.CloseIdleConnections() }

// benchConn is one connection of the load.
type benchConn struct {
	client    benchAsker
	v         *benchVariant
	to        *benchBody
	body      []byte
	latencies []time.Duration
	logged    []benchLogged
	unnamed   int
}

// run asks again and again. What is answered after the end still counts.
func (c *benchConn) run(ctx context.Context, until time.Time) error {
	req, err := c.v.request(ctx, c.to)
	if err != nil {
		return err
	}
	for began := time.Now(); began.Before(until); {
		seq, err := c.ask(req)
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

// request is how the variant is asked for a body.
func (v *benchVariant) request(ctx context.Context, body *benchBody) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.addr+v.route.way(body), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	media, _, _ := strings.Cut(body.media, ";")
	req.Header.Set("Accept", media)
	req.Header.Set("User-Agent", "crmgate-bench")
	if v.cookie != "" {
		req.Header.Set("Cookie", v.cookie)
	}
	return req, nil
}

// ask asks, reads the answer's body and returns the number of the entry that the
// answer names, 0 for none.
func (c *benchConn) ask(req *http.Request) (uint64, error) {
	resp, err := c.client.ask(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 && !c.to.streams() {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // for the error alone
		return 0, fmt.Errorf("an answer has status %d and length %d, expected 200 and a length: %s", resp.StatusCode, resp.ContentLength, said)
	}
	if c.to.streams() {
		err = c.readStream(resp.Body)
	} else {
		err = c.readHeld(resp)
	}
	if err != nil {
		return 0, fmt.Errorf("reading an answer: %w", err)
	}
	return entryOf(resp)
}

func (c *benchConn) readHeld(resp *http.Response) error {
	if n := int(resp.ContentLength); cap(c.body) < n {
		c.body = make([]byte, n)
	} else {
		c.body = c.body[:n]
	}
	_, err := io.ReadFull(resp.Body, c.body)
	return err
}

// readStream keeps the first cycle. All further ones have to be like it.
func (c *benchConn) readStream(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	c.body = c.body[:0]
	for range c.to.contacts {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		c.body = append(c.body, line...)
	}
	chunk := make([]byte, 64<<10)
	for at := len(c.body); ; {
		n, err := in.Read(chunk)
		for rest := chunk[:n]; len(rest) > 0; {
			here := c.body[at%len(c.body):]
			m := min(len(rest), len(here))
			if !bytes.Equal(rest[:m], here[:m]) {
				return fmt.Errorf("byte %d differs from that of the first cycle", at)
			}
			rest, at = rest[m:], at+m
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && at == len(c.body)*c.to.times:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("it ends after %d bytes instead of %d", at, len(c.body)*c.to.times)
		default:
			return err
		}
	}
}

func entryOf(resp *http.Response) (uint64, error) {
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
