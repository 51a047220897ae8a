// Package coding takes off what lies around a document: content codings and
// charsets, and finds out bodies that are not what their headers say.
package coding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/crmgate/crmgate/internal/doc"
)

var (
	// ErrCoding says that a content coding is unknown, or that there are too many.
	ErrCoding = errors.New("content coding not supported")
	// ErrTooLarge says that a decoded body is larger than allowed.
	ErrTooLarge = errors.New("decoded body too large")
)

const (
	// MaxCodings is how many codings may lie on each other.
	MaxCodings = 3
	// MaxRatio is how many times as large as the coded body the decoded one may
	// be, once it is larger than RatioFrom bytes.
	MaxRatio  = 250
	RatioFrom = 1 << 20

	// maxWindow bounds the memory of a zstd decoder, as RFC 9659 does for the web.
	maxWindow = 8 << 20
)

// Codings reads a Content-Encoding: the codings in the order they were applied,
// in lower case and without identity. The list is closed: gzip (x-gzip), deflate,
// br and zstd; all else is an ErrCoding.
func Codings(contentEncoding string) ([]string, error) {
	if strings.Trim(contentEncoding, " \t") == "" {
		return nil, nil
	}
	var list []string
	for word := range strings.SplitSeq(contentEncoding, ",") {
		switch word = strings.ToLower(strings.Trim(word, " \t")); word {
		case "identity":
		case "gzip", "x-gzip":
			list = append(list, "gzip")
		case "deflate", "br", "zstd":
			list = append(list, word)
		default:
			return nil, fmt.Errorf("%w: allow the upstream identity, gzip, deflate, br and zstd alone", ErrCoding)
		}
	}
	if len(list) > MaxCodings {
		return nil, fmt.Errorf("%w: more than %d codings on each other", ErrCoding, MaxCodings)
	}
	return list, nil
}

// Decode returns a reader of the body without its codings. It reads nothing
// before the first Read, so a slow body doesn't hold up the caller. The reader
// doesn't close the body.
//
// More than limit decoded bytes, at any layer, or more than MaxRatio times the
// coded size is an ErrTooLarge that names the limit. A body that is cut short,
// damaged or has bytes behind its end is a doc.ErrMalformed; a gzip body is one
// member. An empty body is empty in every coding. Errors of body come as they are.
func Decode(body io.Reader, contentEncoding string, limit int64) (io.ReadCloser, error) {
	codings, err := Codings(contentEncoding)
	if err != nil {
		return nil, err
	}
	source := &counter{r: body}
	d := &decoder{source: source, r: source, limit: limit}
	for _, coding := range slices.Backward(codings) {
		l := &layer{coding: coding, in: bufio.NewReader(d.r), limit: limit}
		d.layers = append(d.layers, l)
		d.r = l
	}
	return d, nil
}

// counter counts the coded bytes and remembers the body's own error: a decoder
// may hide it behind one of its own.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// decoder holds the outcome against the limits.
type decoder struct {
	source   *counter
	layers   []*layer
	r        io.Reader
	n, limit int64
	err      error
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	n, err := d.r.Read(p)
	d.n += int64(n)
	switch {
	case d.source.err != nil && err != nil:
		err = d.source.err
	case d.n > d.limit:
		n, err = 0, tooLarge(d.limit)
	case len(d.layers) > 0 && d.n > RatioFrom && d.n/MaxRatio > d.source.n:
		n, err = 0, fmt.Errorf("%w: more than %d times the coded body", ErrTooLarge, MaxRatio)
	}
	d.err = err
	return n, err
}

// Close frees the decoders. The body stays open.
func (d *decoder) Close() error {
	for _, l := range d.layers {
		if l.free != nil {
			l.free()
		}
	}
	d.layers = nil
	if d.err == nil {
		d.err = io.ErrClosedPipe
	}
	return nil
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
}

// layer takes off one coding.
type layer struct {
	coding   string
	in       *bufio.Reader
	out      io.Reader
	free     func()
	n, limit int64
	err      error
}

func (l *layer) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.read(p)
	if l.n += int64(n); l.n > l.limit {
		n, err = 0, tooLarge(l.limit)
	}
	l.err = err
	return n, err
}

func (l *layer) read(p []byte) (int, error) {
	if l.out == nil {
		if _, err := l.in.Peek(1); err != nil {
			return 0, err // io.EOF: an empty body
		}
		if err := l.open(); err != nil {
			return 0, l.fault(err)
		}
	}
	n, err := l.out.Read(p)
	if err == io.EOF {
		if _, more := l.in.Peek(1); more == nil {
			return n, l.fault(errors.New("bytes behind the end"))
		} else if more != io.EOF {
			return n, more
		}
		return n, io.EOF
	}
	return n, l.fault(err)
}

// fault names the coding that a body is damaged in. Decoders report what their
// reader did in their own ways; the inner layer's error is told as it is.
func (l *layer) fault(err error) error {
	if err == nil || errors.Is(err, ErrTooLarge) || errors.Is(err, doc.ErrMalformed) {
		return err
	}
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("%w: a zstd window of more than %d bytes", ErrTooLarge, maxWindow)
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("decoding %s: %w: %w", l.coding, doc.ErrMalformed, err)
}

func (l *layer) open() error {
	switch l.coding {
	case "gzip":
		z, err := gzip.NewReader(l.in)
		if err != nil {
			return err
		}
		z.Multistream(false) // browsers differ on a second member
		l.out = z
	case "deflate":
		z, err := zlib.NewReader(l.in)
		if err != nil {
			return err
		}
		l.out = z
	case "br":
		l.out = brotli.NewReader(l.in)
	case "zstd":
		z, err := zstd.NewReader(l.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		l.out, l.free = z, z.Close
	}
	return nil
}
