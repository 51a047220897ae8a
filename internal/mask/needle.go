package mask

import (
	"encoding/base64"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// The forms in which a secret is searched: as itself, and as base64 writes it
// with 0, 1 or 2 bytes before it (and with any number, since three bytes are four
// characters).
const (
	formPlain int8 = iota - 1
	formBase64
	lastForm = formBase64 + 2
)

const (
	// headLen is how many bytes of a needle are its key in the index.
	headLen = 4
	// longName is the length in bytes from which a name is searched within words.
	longName = 8
	// longWord is the length in bytes from which a note of one word is searched within
	// others: by accident it is part of none.
	longWord = 16
	// shortCore is the least length of base64 that is searched.
	shortCore = 6
)

// bunch is what is known of the needles that begin with the same bytes: their
// lengths. It is made when a text holds those bytes for the first time: most
// never are.
//
// The needles themselves lie in an index by the hash of their whole text, so that a
// place in a text costs a look for each of a few lengths, however many needles
// begin alike.
type bunch struct {
	// lengths has bit n set where some needle has n bytes.
	lengths [3]uint64
}

// longest returns the greatest length up to n, 0 for none.
func (b *bunch) longest(n int) int {
	n = min(n, 64*len(b.lengths)-1)
	left := b.lengths[n/64] << (63 - n%64) >> (63 - n%64)
	for word := n / 64; ; left = b.lengths[word] {
		if left != 0 {
			return 64*word + 63 - bits.LeadingZeros64(left)
		}
		if word--; word < 0 {
			return 0
		}
	}
}

// needle is one form in which a secret occurs.
type needle struct {
	text []byte // folded
	of   int32  // index of the secret
	// whole says that the string that holds the needle is replaced as a whole:
	// the needle is only a part of the value, or an encoded form of it.
	whole bool
	// word says that the needle counts as a whole word only: a short name is
	// part of many words.
	word bool
}

// putNeedles puts the heads of a secret's needles into the index. Of a number
// that's searched by its digits these are the forms that base64 makes of it.
func (s *Sweep) putNeedles(of int32) {
	cut := s.cut(of)
	if len(cut) < minChars {
		return
	}
	if s.secrets[of].asText {
		s.needles.put(plainHead(cut), of, formPlain)
	}
	for form := formBase64; form <= lastForm; form++ {
		if coreLen(len(cut), int(form)) >= shortCore {
			s.needles.put(base64Head(cut, int(form)), of, form)
		}
	}
}

// oneWord reports whether a note is a single word: a role, a kind, a state. It is part
// of many identifiers that have nothing to do with it (`Customer` of `CustomerID`). In
// scripts without spaces between words, or with endings that are words, it can't be told.
func oneWord(text string) bool {
	return len(text) < longWord && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) || r >= firstUnspaced && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
			unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	})
}

// firstUnspaced is the first letter of Thai: no script before it goes without spaces.
const firstUnspaced = '\u0e01'

// cut is what is searched of a secret.
func (s *Sweep) cut(of int32) string { return cutText(s.secrets[of].text) }

// cutText cuts a text between two characters.
func cutText(text string) string {
	if len(text) <= maxNeedle {
		return text
	}
	n := maxNeedle
	for n > maxNeedle-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// plainHead is the key of a text: its first bytes, folded.
func plainHead(text string) uint64 {
	// A letter that begins within the head can be three bytes longer.
	var space [headLen + utf8.UTFMax - 1]byte
	return uint64(binary.LittleEndian.Uint32(fold(space[:0], text[:min(len(text), len(space))])))
}

// base64Folded is base64's alphabet as fold leaves it.
const base64Folded = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789 /"

// base64Head is the key of encoded(text, before): its first characters that
// don't depend on what stands before the text.
func base64Head(text string, before int) uint64 {
	v := binary.BigEndian.Uint32([]byte(text[:headLen]))
	v <<= [...]uint{0, 4, 2}[before]
	head := uint64(0)
	for i := range headLen {
		head |= uint64(base64Folded[v>>26]) << (8 * i)
		v <<= 6
	}
	return head
}

// coreLen is the length of encoded(text, before).
func coreLen(n, before int) int { return (before+n)*8/6 - (before*8+5)/6 }

// encoded is what base64 makes of text wherever that many bytes stand before
// it, without the characters that depend on its neighbours.
func encoded(text string, before int) string {
	var plain [maxNeedle + 2]byte
	n := before + copy(plain[before:], text)
	var b64 [(maxNeedle + 4) / 3 * 4]byte
	base64.RawStdEncoding.Encode(b64[:], plain[:n])
	return string(b64[(before*8+5)/6 : n*8/6])
}

// bunch returns what is known of the needles that begin with the head.
func (s *Sweep) bunch(head uint64) *bunch {
	if b, ok := s.bunches[head]; ok {
		return b
	}
	if s.bunches == nil {
		s.bunches, s.exact, s.seed = map[uint64]*bunch{}, newIndex(len(s.secrets)), maphash.MakeSeed()
	}
	b := &bunch{}
	for i := s.needles.first(head); i >= 0; i = s.needles.after(i) {
		s.bundle(b, &s.needles.things[i])
	}
	s.bunches[head] = b
	return b
}

// bundle puts a needle into a bunch, unless one that can stand for it is there.
func (s *Sweep) bundle(b *bunch, th *thing) {
	if s.secrets[th.of].open {
		return
	}
	n := s.needle(th)
	key := maphash.Bytes(s.seed, n.text)
	for i := s.exact.first(key); i >= 0; i = s.exact.after(i) {
		if known := &s.exact.things[i]; s.secrets[known.of].cat == s.secrets[th.of].cat && known.form == th.form {
			return
		}
	}
	b.lengths[len(n.text)/64] |= 1 << (len(n.text) % 64)
	s.exact.put(key, th.of, th.form)
}

// needle makes the needle of a thing. Its text lives until the next one is made.
func (s *Sweep) needle(th *thing) needle {
	secret, cut := &s.secrets[th.of], s.cut(th.of)
	n := needle{of: th.of, whole: true}
	if th.form != formPlain {
		s.trial = fold(s.trial[:0], encoded(cut, int(th.form)))
	} else {
		s.trial = fold(s.trial[:0], cut)
		n.whole = len(cut) < len(secret.text)
		n.word = secret.cat == access.Name && len(cut) < longName || secret.cat == access.FreeText && oneWord(cut)
	}
	n.text = s.trial
	return n
}
