package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/keys"
)

// commit ends a group.
type commit struct {
	size uint64
	root tlog.Hash
	// open is the seq of the oldest intent without a disclosure, or size. A
	// recovery has to open the entries from there on only.
	open uint64
	// mac is keyed over the others and whose log it is. Without it somebody
	// without a key could take entries out, number the rest anew and commit the
	// roots of what is left.
	mac [sha256.Size]byte
}

const commitSize = 8 + tlog.HashSize + 8 + sha256.Size

func appendCommit(dst []byte, c commit) []byte {
	var payload [commitSize]byte
	c.fields(payload[:0])
	copy(payload[commitSize-sha256.Size:], c.mac[:])
	return appendFrame(dst, frameCommit, payload[:])
}

// fields appends what the mac is over.
func (c *commit) fields(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, c.size)
	dst = append(dst, c.root[:]...)
	return binary.BigEndian.AppendUint64(dst, c.open)
}

func parseCommit(payload []byte) commit {
	return commit{
		size: binary.BigEndian.Uint64(payload),
		root: tlog.Hash(payload[8 : 8+tlog.HashSize]),
		open: binary.BigEndian.Uint64(payload[8+tlog.HashSize:]),
		mac:  [sha256.Size]byte(payload[commitSize-sha256.Size:]),
	}
}

// commitKey makes and checks the macs of commits.
type commitKey [32]byte

func newCommitKey(ring *keys.Ring) *commitKey {
	k := commitKey(ring.Derive("audit commit"))
	return &k
}

// mac is keyed over a commit and the log that it belongs to.
func (k *commitKey) mac(id identity, c commit) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, k[:])
	h.Write(id.epoch[:])
	h.Write([]byte{byte(len(id.node))})
	h.Write([]byte(id.node))
	h.Write(c.fields(nil))
	h.Sum(sum[:0])
	return sum
}

// made reports whether a commit was written with the key.
func (k *commitKey) made(id identity, c commit) bool {
	want := k.mac(id, c)
	return hmac.Equal(want[:], c.mac[:])
}
