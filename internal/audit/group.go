package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// group is what one write made durable: entries and the commit behind them.
type group struct {
	start, end int64
	// header is set for the first group of a segment.
	header  *header
	entries []entryFrame
	commit  commit
}

type entryFrame struct {
	seq    uint64
	offset int64
	// envelope is valid until the next group is read.
	envelope []byte
}

// badFrame says that no group begins at the reader's offset: the frame at offset
// is the first that isn't whole, after index whole entries.
type badFrame struct {
	offset int64
	index  int
	err    error
}

func (b *badFrame) Error() string { return fmt.Sprintf("offset %d: %v", b.offset, b.err) }
func (b *badFrame) Unwrap() error { return b.err }

// groupReader reads a segment group by group. It checks frames only; what the
// groups say is checked by its caller.
type groupReader struct {
	file file
	size int64
	// off is where the next group begins.
	off int64
	buf []byte // of the file, from off
}

func newGroupReader(f file) (*groupReader, error) {
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	return &groupReader{file: f, size: size}, nil
}

const readWindow = 1 << 20

// bytes returns n bytes of the file from at, which isn't before off.
func (r *groupReader) bytes(at int64, n int) ([]byte, error) {
	if at+int64(n) > r.size {
		return nil, errFrame
	}
	from := int(at - r.off)
	if need := from + n; need > len(r.buf) {
		want := min(int64(max(need, readWindow, 2*len(r.buf))), r.size-r.off)
		if int64(cap(r.buf)) < want {
			r.buf = make([]byte, want)
		}
		r.buf = r.buf[:want]
		if _, err := r.file.ReadAt(r.buf, r.off); err != nil && !errors.Is(err, io.EOF) {
			r.buf = nil
			return nil, fmt.Errorf("reading the log: %w", err)
		}
	}
	return r.buf[from : from+n], nil
}

// next returns the group at off and moves behind it. A *badFrame leaves the
// reader where it was.
func (r *groupReader) next() (group, error) {
	g := group{start: r.off}
	type span struct {
		at int64
		n  int
	}
	var spans []span
	for at := r.off; ; {
		b, n, err := r.frame(at)
		if err != nil {
			return group{}, r.bad(at, len(spans), err)
		}
		typ, payload, err := parseFrame(b)
		if err != nil {
			return group{}, r.bad(at, len(spans), err)
		}
		switch typ {
		case frameHeader:
			h, err := parseHeader(payload)
			if err != nil || at != 0 {
				return group{}, r.bad(at, len(spans), errFrame)
			}
			g.header = &h
		case frameEntry:
			spans = append(spans, span{at, n})
		case frameCommit:
			g.commit, g.end = parseCommit(payload), at+int64(n)
			g.entries = make([]entryFrame, len(spans))
			for i, s := range spans {
				payload := r.buf[s.at-r.off+frameOverhead : s.at-r.off+int64(s.n)]
				g.entries[i] = entryFrame{seq: binary.BigEndian.Uint64(payload), offset: s.at, envelope: payload[8:]}
			}
			r.advance(g.end)
			return g, nil
		}
		at += int64(n)
	}
}

func (r *groupReader) frame(at int64) ([]byte, int, error) {
	if at+frameOverhead > r.size {
		return nil, 0, errZeros
	}
	b, err := r.bytes(at, frameOverhead)
	if err != nil {
		return nil, 0, err
	}
	n, err := parseLength(b)
	if err != nil {
		return nil, 0, err
	}
	b, err = r.bytes(at, n)
	return b, n, err
}

// bad drops what was read: a log that is being written changes under a reader,
// and the next look has to see it.
func (r *groupReader) bad(at int64, index int, err error) error {
	r.buf = nil
	if errors.Is(err, errZeros) || errors.Is(err, errFrame) {
		return &badFrame{offset: at, index: index, err: err}
	}
	return err
}

func (r *groupReader) advance(end int64) {
	r.buf = r.buf[end-r.off:]
	r.off = end
}

// tail is what lies behind the last group of a segment.
type tail struct {
	// end is the offset behind the last byte that isn't zero.
	end int64
	// tampered says that it can't be what a torn write left.
	tampered bool
}

// tail judges the bytes from off on. A crash can tear the group that was being
// written, and no other: it is not written before the one in front of it is
// durable. So two commits behind the damage, or one whose group has lost no
// sector (each is zeros before it is written), were damaged later.
func (r *groupReader) tail() (tail, error) {
	t := tail{end: r.off}
	commits, own := 0, int64(0)
	buf := make([]byte, 0, min(readWindow+commitFrame, r.size-r.off))
	for at := r.off; at < r.size; at += readWindow {
		n := min(readWindow+commitFrame-1, r.size-at)
		buf = buf[:n]
		if _, err := r.file.ReadAt(buf, at); err != nil && !errors.Is(err, io.EOF) {
			return tail{}, fmt.Errorf("reading the log: %w", err)
		}
		trimmed := len(bytes.TrimRight(buf, "\x00"))
		if trimmed == 0 {
			continue
		}
		t.end = max(t.end, at+int64(trimmed))
		for _, i := range findCommits(buf, min(readWindow, int(n))) {
			if commits++; commits == 1 {
				own = at + int64(i) + commitFrame
			}
		}
	}
	if commits == 0 {
		return t, nil
	}
	lost, err := r.lostSector(own)
	t.tampered = commits > 1 || !lost
	return t, err
}

// findCommits returns where whole commit frames begin in buf, before limit.
func findCommits(buf []byte, limit int) []int {
	var found []int
	prefix := []byte{0, 0, 0, 1 + commitSize}
	for at := 0; ; at++ {
		i := bytes.Index(buf[at:], prefix)
		if i < 0 {
			return found
		}
		at += i
		if at >= limit || at+commitFrame > len(buf) {
			return found
		}
		if buf[at+8] != frameCommit {
			continue
		}
		if _, _, err := parseFrame(buf[at : at+commitFrame]); err == nil {
			found = append(found, at)
		}
	}
}

const sectorSize = 512

// lostSector reports whether a sector between off and end holds only zeros
// there.
func (r *groupReader) lostSector(end int64) (bool, error) {
	b := make([]byte, end-r.off)
	if _, err := r.file.ReadAt(b, r.off); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading the log: %w", err)
	}
	for at := r.off; len(b) > 0; {
		n := min(sectorSize-at%sectorSize, int64(len(b)))
		if len(bytes.TrimRight(b[:n], "\x00")) == 0 {
			return true, nil
		}
		b, at = b[n:], at+n
	}
	return false, nil
}
