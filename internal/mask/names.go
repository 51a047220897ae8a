package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// names makes the pseudonyms of one scope. It is for one goroutine at a time.
type names struct {
	key   [32]byte
	scope string
	// picture stands in a masked picture's place, in base64.
	picture string
	// made are the categories that names were made for, few as they are.
	made []categoryNames
	sum  [sha256.Size]byte
	in   []byte // what is hashed
	// written is where the placeholders of a document stand together.
	written strings.Builder
}

// writtenAtOnce is the memory that is taken for placeholders at a time, in bytes.
const writtenAtOnce = 4096

// join writes the parts behind each other.
func (n *names) join(parts ...string) string {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	from := n.room(size)
	for _, part := range parts {
		n.written.WriteString(part)
	}
	return n.written.String()[from:]
}

// digits are the digits of a text.
func (n *names) digits(text string) string {
	from := n.room(len(text))
	for i := range len(text) {
		if isDigit(text[i]) {
			n.written.WriteByte(text[i])
		}
	}
	return n.written.String()[from:]
}

// room makes room for so many bytes, and returns where they begin. What was
// written before stays where it is.
func (n *names) room(size int) int {
	if n.written.Cap()-n.written.Len() < size {
		n.written.Reset()
		n.written.Grow(max(size, writtenAtOnce))
	}
	return n.written.Len()
}

// categoryNames makes the pseudonyms of one category.
type categoryNames struct {
	cat  access.Category
	hash hash.Hash
}

// pseudonymAlphabet leaves out what is misread: I, O, 0, 1.
const pseudonymAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// name is a name of 40 bits keyed by scope and category. It isn't the same in
// another session: equal names across sessions would link what a person saw at
// different times, and let an insider test guesses once for all.
func (n *names) name(c access.Category, text string) string {
	h := n.of(c)
	h.Reset()
	n.in = append(n.in[:0], Normalize(c, text)...)
	h.Write(n.in)
	sum := h.Sum(n.sum[:0])
	var name [len("P-") + 8]byte
	copy(name[:], "P-")
	for i := range 8 {
		name[2+i] = pseudonymAlphabet[sum[i]&31]
	}
	if c == access.Email {
		return strings.ToLower(string(name[:])) + "@" + maskedDomain
	}
	from := n.room(len(name))
	n.written.Write(name[:])
	return n.written.String()[from:]
}

// of returns the hash of a category, under a key of its own.
func (n *names) of(c access.Category) hash.Hash {
	for i := range n.made {
		if n.made[i].cat == c {
			return n.made[i].hash
		}
	}
	h := hmac.New(sha256.New, n.key[:])
	for _, part := range [...]string{"crmgate pseudonym", n.scope, string(c)} {
		// The lengths keep ("a", "bc") and ("ab", "c") apart.
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	own := hmac.New(sha256.New, h.Sum(nil))
	n.made = append(n.made, categoryNames{c, own})
	return own
}
