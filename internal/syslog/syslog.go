// Package syslog sends messages of RFC 5424 to a syslog receiver: over UDP
// (RFC 5426) and unix datagrams one in each, over TCP (RFC 6587), TLS (RFC 5425)
// and unix streams with their lengths in front.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"time"
)

var (
	// ErrTooLong says that a message doesn't fit a datagram that receivers take
	// whole. The message wasn't sent: half of one would be believed.
	ErrTooLong = errors.New("the message is too long for a datagram; use tcp or tls, or send less")
	// ErrAddress says that an address names no receiver.
	ErrAddress = errors.New("not the address of a syslog receiver: write udp://HOST:514, tcp://HOST:601, tls://HOST:6514 or unix:///dev/log")
)

const (
	// maxDatagram is what common receivers take in one.
	maxDatagram = 8192
	// maxMessage is what they take in a stream.
	maxMessage = 64 << 10
	// timeout bounds connecting and sending where the context has no deadline.
	timeout = 10 * time.Second
	// idle is for how long a connection is trusted without a look whether the
	// other side has closed it.
	idle = time.Second
)

// Writer sends messages to one receiver. It connects anew where a connection
// broke. Its methods are safe for concurrent use.
//
// That Write returned nil says that the system took the message, not that the
// receiver has it: UDP loses what it likes, and of a TCP connection that breaks
// the last messages are gone. Syslog has no acknowledgements.
type Writer struct {
	network, address string
	config           *tls.Config
	hostname         string

	mu     sync.Mutex
	conn   net.Conn
	stream bool
	last   time.Time // of the last message on conn
	closed bool
}

// ParseAddress reads udp://HOST:PORT, tcp://…, tls://… and unix:///PATH into what
// Dial takes. Ports default to 514, 601 and 6514.
func ParseAddress(text string) (network, address string, secure bool, err error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false, fmt.Errorf("%w, not %q", ErrAddress, text)
	}
	if u.Scheme == "unix" && u.Host == "" && len(u.Path) > 1 {
		return "unix", u.Path, false, nil
	}
	port, known := map[string]string{"udp": "514", "tcp": "601", "tls": "6514"}[u.Scheme]
	if !known || u.Hostname() == "" || (u.Path != "" && u.Path != "/") {
		return "", "", false, fmt.Errorf("%w, not %q", ErrAddress, text)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	network, secure = u.Scheme, u.Scheme == "tls"
	if secure {
		network = "tcp"
	}
	return network, net.JoinHostPort(u.Hostname(), port), secure, nil
}

// New makes a Writer that connects with its first message. network is udp, tcp, or
// unix, which takes datagrams and streams; TLS is spoken over tcp where config
// isn't nil.
func New(network, address string, config *tls.Config) *Writer {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = ""
	}
	if config != nil && config.ServerName == "" {
		config = config.Clone()
		if host, _, err := net.SplitHostPort(address); err == nil {
			config.ServerName = host
		}
	}
	return &Writer{network: network, address: address, config: config, hostname: hostname}
}

// Dial is New, and connects at once.
func Dial(ctx context.Context, network, address string, config *tls.Config) (*Writer, error) {
	w := New(network, address, config)
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// Write sends one message. Where the connection turns out to be broken it connects
// anew and sends the message once more: the receiver may then have it twice.
func (w *Writer) Write(ctx context.Context, m Message) error {
	text := m.encode(w.hostname, time.Now())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errors.New("sending to syslog: the writer is closed")
	}
	w.drop(w.conn != nil && w.stream && w.left())
	if w.conn != nil {
		err := w.send(ctx, text)
		if err == nil || errors.Is(err, ErrTooLong) || ctx.Err() != nil {
			return err
		}
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	return w.send(ctx, text)
}

// Close ends the connection.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}

func (w *Writer) drop(really bool) {
	if really && w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// left reports whether the other side has closed a connection that stood idle.
// A message written to such a one is lost, and Write would say it was sent.
func (w *Writer) left() bool {
	if time.Since(w.last) < idle {
		return false
	}
	if w.conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return true
	}
	var b [1]byte
	_, err := w.conn.Read(b[:])
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func (w *Writer) connect(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	conn, stream, err := w.dial(ctx)
	if err != nil {
		return fmt.Errorf("connecting to the syslog receiver %s: %w", w.address, err)
	}
	w.conn, w.stream, w.last = conn, stream, time.Now()
	return nil
}

func (w *Writer) dial(ctx context.Context) (conn net.Conn, stream bool, err error) {
	var d net.Dialer
	switch w.network {
	case "udp":
		conn, err = d.DialContext(ctx, "udp", w.address)
	case "unix":
		if conn, err = d.DialContext(ctx, "unixgram", w.address); err != nil {
			conn, err = d.DialContext(ctx, "unix", w.address)
			stream = true
		}
	case "tcp":
		stream = true
		if w.config != nil {
			conn, err = (&tls.Dialer{NetDialer: &d, Config: w.config}).DialContext(ctx, "tcp", w.address)
		} else {
			conn, err = d.DialContext(ctx, "tcp", w.address)
		}
	default:
		err = fmt.Errorf("%w: there is no network %q", ErrAddress, w.network)
	}
	return conn, stream, err
}

func (w *Writer) send(ctx context.Context, text []byte) error {
	switch {
	case w.stream && len(text) > maxMessage, !w.stream && len(text) > maxDatagram:
		return fmt.Errorf("sending to syslog: %w (%d bytes)", ErrTooLong, len(text))
	case w.stream:
		text = append(fmt.Appendf(nil, "%d ", len(text)), text...)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	deadline, _ := ctx.Deadline()
	err := w.conn.SetWriteDeadline(deadline)
	if err == nil {
		var n int
		if n, err = w.conn.Write(text); err == nil && n < len(text) {
			err = io.ErrShortWrite
		}
	}
	if err != nil {
		// What follows half a message would be read as its rest.
		w.drop(true)
		return fmt.Errorf("sending to the syslog receiver %s: %w", w.address, err)
	}
	w.last = time.Now()
	return nil
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
