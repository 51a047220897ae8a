package mask

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// needle is one form in which a secret occurs.
type needle struct {
	text string // folded
	cat  access.Category
	with string
	// whole says that the string that holds the needle is replaced as a whole:
	// the needle is only a part of the value, or an encoded form of it.
	whole bool
	// word says that the needle counts as a whole word only: a short name is
	// part of many words.
	word bool
}

// Sweep finds masked values wherever else they occur. It is immutable and safe
// for concurrent use. A nil Sweep finds nothing.
//
// The needles are sorted; at each place of a text whose next four bytes begin
// some needle, the longest needle that the text goes on with lies on the chain
// of prefixes of the needle that sorts just before the text. So a text costs
// its length and, where needles may begin, the logarithm of their number,
// however alike they are.
type Sweep struct {
	needles []needle
	// prefix is, by needle, the needle that is its longest proper prefix (or
	// equal to it), or -1.
	prefix  []int32
	filter  [256]uint64
	numbers numbers
}

// longName is the length in bytes from which a name is searched within words.
const longName = 8

func newSweep(secrets []secret) *Sweep {
	s := &Sweep{needles: make([]needle, 0, 4*len(secrets))}
	for i := range secrets {
		s.add(&secrets[i])
	}
	slices.SortFunc(s.needles, func(a, b needle) int { return strings.Compare(a.text, b.text) })
	s.needles = slices.CompactFunc(s.needles, func(a, b needle) bool { return a.text == b.text && a.cat == b.cat })
	s.prefix = make([]int32, len(s.needles))
	for i := range s.needles {
		s.prefix[i] = -1
		text := s.needles[i].text
		for p := int32(i) - 1; p >= 0; p = s.prefix[p] {
			if strings.HasPrefix(text, s.needles[p].text) {
				s.prefix[i] = p
				break
			}
		}
		h := start(text)
		s.filter[h>>6] |= 1 << (h & 63)
	}
	return s
}

func (s *Sweep) add(v *secret) {
	asText, asDigits, _ := searchable(v.cat, v.text)
	if asDigits {
		s.numbers.add(v)
	}
	if !asText {
		return
	}
	cut := v.text
	if len(cut) > maxNeedle {
		cut = cut[:maxNeedle]
		for !utf8.ValidString(cut) && utf8.ValidString(v.text) {
			cut = cut[:len(cut)-1]
		}
	}
	n := needle{
		text: string(fold(nil, cut)), cat: v.cat, with: v.with, whole: len(cut) < len(v.text),
		word: v.cat == access.Name && len(cut) < longName,
	}
	if len(n.text) < minChars {
		return
	}
	s.needles = append(s.needles, n)
	n.whole, n.word = true, false
	for skip := range 3 {
		if core := encoded(cut, skip); len(core) >= 6 {
			n.text = string(fold(nil, core))
			s.needles = append(s.needles, n)
		}
	}
}

// encoded is what base64 makes of text wherever that many bytes stand before
// it, without the characters that depend on its neighbours.
func encoded(text string, before int) string {
	b := append(make([]byte, before, before+len(text)), text...)
	full := len(b) * 8 / 6
	return base64.RawStdEncoding.EncodeToString(b)[(before*8+5)/6 : full]
}

// start is a hash of the first four bytes.
func start[T string | []byte](b T) uint32 {
	w := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return w * 0x9e3779b1 >> 18
}

// Mask returns the text with the masked values in it replaced, and whether
// there were any.
func (s *Sweep) Mask(text string) (string, bool) {
	if s == nil {
		return text, false
	}
	return s.mask(text, nil)
}

// mask leaves values of the skipped categories alone.
func (s *Sweep) mask(text string, skip []access.Category) (string, bool) {
	if len(text) < minChars {
		return text, false
	}
	out, hit := s.plain(text, skip)
	if n := s.encodedIn(text, skip); n != nil {
		return n.with, true
	}
	return out, hit
}

// plain replaces the values that stand in the text as they are.
func (s *Sweep) plain(text string, skip []access.Category) (string, bool) {
	out, hit := text, false
	if len(s.needles) > 0 {
		out, hit = s.replaceTexts(text, skip)
	}
	if s.numbers.lengths != 0 {
		if masked, ok := s.numbers.replace(out, skip); ok {
			out, hit = masked, true
		}
	}
	return out, hit
}

func (s *Sweep) replaceTexts(text string, skip []access.Category) (string, bool) {
	var space [256]byte
	f := fold(space[:0], text)
	var b strings.Builder
	from := 0
	for i := 0; i+minChars <= len(f); {
		n := s.at(f, i, skip)
		if n == nil {
			i++
			continue
		}
		if n.whole {
			return n.with, true
		}
		b.WriteString(text[from:i])
		b.WriteString(n.with)
		i += len(n.text)
		from = i
	}
	if from == 0 {
		return text, false
	}
	b.WriteString(text[from:])
	return b.String(), true
}

// first returns a needle of any kind that occurs in the text.
func (s *Sweep) first(text string, skip []access.Category) *needle {
	f := fold(nil, text)
	for i := 0; i+minChars <= len(f); i++ {
		if n := s.at(f, i, skip); n != nil {
			return n
		}
	}
	if s.numbers.lengths != 0 {
		return s.numbers.first(text, skip)
	}
	return nil
}

// at returns the longest needle that the folded text goes on with at i.
func (s *Sweep) at(f []byte, i int, skip []access.Category) *needle {
	h := binary.LittleEndian.Uint32(f[i:]) * 0x9e3779b1 >> 18
	if s.filter[h>>6]&(1<<(h&63)) == 0 {
		return nil
	}
	rest := f[i:]
	low, high := 0, len(s.needles)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if s.needles[mid].text <= string(rest) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for k := int32(low) - 1; k >= 0; k = s.prefix[k] {
		n := &s.needles[k]
		if len(n.text) > len(rest) || string(rest[:len(n.text)]) != n.text || slices.Contains(skip, n.cat) {
			continue
		}
		if !n.word || isWord(f, i, i+len(n.text)) {
			return n
		}
	}
	return nil
}

// isWord reports whether [i, j) is a word by itself, a genitive's s aside.
func isWord(f []byte, i, j int) bool {
	before, _ := utf8.DecodeLastRune(f[:i])
	if i > 0 && inWord(before) {
		return false
	}
	after, n := utf8.DecodeRune(f[j:])
	if after == 's' {
		after, _ = utf8.DecodeRune(f[j+n:])
		j += n
	}
	return j == len(f) || !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
