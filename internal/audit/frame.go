package audit

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// The types of a frame. Zero is what a segment is filled with.
const (
	frameHeader byte = 1
	frameEntry  byte = 2
	frameCommit byte = 3
)

const (
	frameOverhead = 4 + 4 + 1
	commitFrame   = frameOverhead + commitSize
	// maxLeaf is what a C2SP tlog-tiles bundle can hold of one entry.
	maxLeaf = 1<<16 - 1
	// maxPayload bounds what a reader believes of a length.
	maxPayload = 8 + maxLeaf
	// maxHeader is the largest header frame.
	maxHeader = frameOverhead + headerFixed + maxNode + 64*tlog.HashSize
)

var (
	errZeros = errors.New("no frame: zeros")
	errFrame = errors.New("frame is cut short or its checksum is wrong")
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// appendFrame appends a frame whose payload comes in pieces.
func appendFrame(dst []byte, typ byte, payload ...[]byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0, typ)
	for _, p := range payload {
		dst = append(dst, p...)
	}
	body := dst[at+8:]
	binary.BigEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.BigEndian.PutUint32(dst[at+4:], checksum(body))
	return dst
}

// parseLength reads a frame's length from its first bytes: that of the whole
// frame. It judges the type with it, so that garbage rarely asks for more bytes.
func parseLength(b []byte) (int, error) {
	if [frameOverhead]byte(b[:frameOverhead]) == ([frameOverhead]byte{}) {
		return 0, errZeros
	}
	n := int64(binary.BigEndian.Uint32(b))
	switch {
	case b[8] == frameCommit && n == 1+commitSize,
		b[8] == frameEntry && n > 1+8 && n <= 1+maxPayload,
		b[8] == frameHeader && n > headerFixed && n <= maxHeader-8:
		return int(n) + 8, nil
	}
	return 0, errFrame
}

// parseFrame returns the payload of a whole frame.
func parseFrame(b []byte) (typ byte, payload []byte, err error) {
	if binary.BigEndian.Uint32(b[4:]) != checksum(b[8:]) {
		return 0, nil, errFrame
	}
	return b[8], b[frameOverhead:], nil
}

const (
	headerVersion = 1
	epochSize     = 16
	maxNode       = 63
	// version u8, number u32, base u64, previous end u64, epoch, node length u8
	headerFixed = 1 + 4 + 8 + 8 + epochSize + 1
)

// identity is whose log it is: every entry is bound to it.
type identity struct {
	node  string
	epoch [epochSize]byte
}

// header opens a segment. It holds all that is needed to go on from here
// without reading what lies before.
type header struct {
	identity
	number uint32
	// before is the tree in front of the segment's first entry.
	before tree
	// previousEnd is where the segment before ends. What lies behind that
	// offset there was never acknowledged: its write failed.
	previousEnd int64
}

func appendHeader(dst []byte, h header) []byte {
	payload := make([]byte, 0, headerFixed+len(h.node)+len(h.before.edge)*tlog.HashSize)
	payload = append(payload, headerVersion)
	payload = binary.BigEndian.AppendUint32(payload, h.number)
	payload = binary.BigEndian.AppendUint64(payload, h.before.size)
	payload = binary.BigEndian.AppendUint64(payload, uint64(h.previousEnd))
	payload = append(payload, h.epoch[:]...)
	payload = append(payload, byte(len(h.node)))
	payload = append(payload, h.node...)
	for _, hash := range h.before.edge {
		payload = append(payload, hash[:]...)
	}
	return appendFrame(dst, frameHeader, payload)
}

// parseHeader accepts exactly what appendHeader writes.
func parseHeader(p []byte) (header, error) {
	if len(p) < headerFixed || p[0] != headerVersion {
		return header{}, errFrame
	}
	h := header{
		number:      binary.BigEndian.Uint32(p[1:]),
		before:      tree{size: binary.BigEndian.Uint64(p[5:])},
		previousEnd: int64(binary.BigEndian.Uint64(p[13:])),
	}
	copy(h.epoch[:], p[21:])
	n, rest := int(p[headerFixed-1]), p[headerFixed:]
	edges := bits.OnesCount64(h.before.size)
	if n > maxNode || len(rest) != n+edges*tlog.HashSize || h.previousEnd < 0 {
		return header{}, errFrame
	}
	h.node, rest = string(rest[:n]), rest[n:]
	for ; len(rest) > 0; rest = rest[tlog.HashSize:] {
		h.before.edge = append(h.before.edge, tlog.Hash(rest[:tlog.HashSize]))
	}
	return h, nil
}
