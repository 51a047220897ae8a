package gate

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
)

// errHold says that a held response is larger than hold.
var errHold = errors.New("the response is larger than hold")

// response is what the CRM's answer is written to. It implements exactly
// Header, WriteHeader, Write and FlushError: no Unwrap, ReadFrom, Hijack or
// Push, each of which would be a way around the mask. Nothing of it reaches the
// client by itself.
type response struct {
	header http.Header
	status int
	limit  int64
	held   bytes.Buffer
	// feed takes the bytes of a streamed response; nil while it is held.
	feed func(p []byte) error
	// begin is asked once, at the first byte of a streamed response.
	begin func() error
	// open is asked when the CRM flushes a stream that may begin without a byte.
	open func() error
	err  error
}

func newResponse(limit int64) *response {
	return &response{header: make(http.Header), limit: limit}
}

// Header is the response's own map; what of it goes on is copied at release.
func (r *response) Header() http.Header { return r.header }

// WriteHeader keeps the final status. 1xx answers are dropped, and a second
// call is ignored.
func (r *response) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
}

// Write holds the bytes, or feeds them to the streaming mask.
func (r *response) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.err != nil {
		return 0, r.err
	}
	r.err = r.take(p)
	if r.err != nil {
		return 0, r.err
	}
	return len(p), nil
}

// take holds the bytes or feeds them. What begins a stream decides which.
func (r *response) take(p []byte) error {
	if begin := r.begin; begin != nil {
		r.begin = nil
		if err := begin(); err != nil {
			return err
		}
	}
	if r.feed != nil {
		return r.feed(p)
	}
	if int64(r.held.Len()+len(p)) > r.limit {
		return errHold
	}
	if r.held.Len() == 0 {
		r.room()
	}
	r.held.Write(p)
	return nil
}

// maxRoom bounds the room that a response gets for the length that it names:
// the CRM may name any.
const maxRoom = 1 << 20

// room makes room for the whole body, where its length is known.
func (r *response) room() {
	n, err := strconv.ParseInt(r.header.Get("Content-Length"), 10, 64)
	if err == nil && n > 0 {
		r.held.Grow(int(min(n, r.limit, maxRoom)))
	}
}

// FlushError ends nothing that is held: a unit is released as soon as it is
// complete, masked and logged.
func (r *response) FlushError() error {
	if r.open != nil && r.err == nil {
		r.err = r.open()
	}
	return nil
}

// passing is what the answer of a route without personal data is written to:
// the CRM's bytes as they are, but for cookies of the gateway's names.
type passing struct {
	w      http.ResponseWriter
	strip  func(http.Header)
	status int
}

// Header is the client's.
func (p *passing) Header() http.Header { return p.w.Header() }

// WriteHeader takes the gateway's own cookies out first. 1xx answers are
// dropped: their headers would not be.
func (p *passing) WriteHeader(status int) {
	if p.status != 0 || status < 200 {
		return
	}
	p.status = status
	p.strip(p.w.Header())
	p.w.WriteHeader(status)
}

// Write writes to the client.
func (p *passing) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK)
	}
	return p.w.Write(b)
}

// FlushError flushes the client's writer.
func (p *passing) FlushError() error {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK) // flushing writes the headers, too
	}
	return http.NewResponseController(p.w).Flush()
}
