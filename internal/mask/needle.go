package mask

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
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
	// shortCore is the least length of base64 that is searched.
	shortCore = 6
)

// bunch are the needles that begin with the same bytes. It is made when a text
// holds those bytes for the first time: most never are.
//
// Its needles are sorted; the longest needle that a text goes on with lies on the
// chain of prefixes of the needle that sorts just before the text. So a place in
// a text costs the logarithm of their number, however alike they are.
type bunch struct {
	needles []needle
	// all are the needles with those that are equal within a category.
	all []needle
}

// needle is one form in which a secret occurs.
type needle struct {
	text string // folded
	of   int32  // index of the secret
	// prefix is the needle that is the longest proper prefix of this one, or
	// equal to it; -1 for none.
	prefix int32
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

// bunch returns the needles that begin with the head, nil for none.
func (s *Sweep) bunch(head uint64) *bunch {
	first := s.needles.first(head)
	if first < 0 {
		return nil
	}
	if b, ok := s.bunches[head]; ok {
		return b
	}
	b := &bunch{}
	for i := first; i >= 0; i = s.needles.after(i) {
		if th := &s.needles.things[i]; !s.secrets[th.of].open {
			b.all = append(b.all, s.needle(th))
		}
	}
	slices.SortFunc(b.all, func(a, b needle) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.of, b.of))
	})
	b.needles = b.all
	for i := 1; i < len(b.all); i++ {
		if s.same(b.all[i-1], b.all[i]) {
			b.needles = slices.CompactFunc(slices.Clone(b.all), s.same)
			break
		}
	}
	for i := range b.needles {
		b.link(i)
	}
	if s.bunches == nil {
		s.bunches = map[uint64]*bunch{}
	}
	s.bunches[head] = b
	return b
}

// same reports whether one of two needles can stand for both.
func (s *Sweep) same(a, b needle) bool {
	return a.text == b.text && s.secrets[a.of].cat == s.secrets[b.of].cat
}

func (s *Sweep) needle(th *thing) needle {
	secret, cut := &s.secrets[th.of], s.cut(th.of)
	var space [(maxNeedle + 4) / 3 * 4]byte
	if th.form != formPlain {
		return needle{text: string(fold(space[:0], encoded(cut, int(th.form)))), of: th.of, whole: true}
	}
	return needle{
		text: string(fold(space[:0], cut)), of: th.of, whole: len(cut) < len(secret.text),
		word: secret.cat == access.Name && len(cut) < longName,
	}
}

func (b *bunch) link(i int) {
	n := &b.needles[i]
	n.prefix = int32(i) - 1
	for n.prefix >= 0 && !strings.HasPrefix(n.text, b.needles[n.prefix].text) {
		n.prefix = b.needles[n.prefix].prefix
	}
}

// before returns the last needle that doesn't sort behind the text, -1 for none.
func (b *bunch) before(rest []byte) int32 {
	low, high := 0, len(b.needles)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if b.needles[mid].text <= string(rest) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return int32(low) - 1
}
