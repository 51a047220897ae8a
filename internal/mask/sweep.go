package mask

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// Sweep finds masked values wherever else they occur. It is immutable and safe
// for concurrent use. A nil Sweep finds nothing.
//
// The needles are sorted; at each place of a text whose next four bytes begin
// some needle, the longest needle that the text goes on with lies on the chain
// of prefixes of the needle that sorts just before the text. So a text costs
// its length and, where needles may begin, the logarithm of their number,
// however alike they are.
type Sweep struct {
	secrets []secret
	needles []needle
	filter  filter
	numbers numbers
}

// needle is one form in which a secret occurs.
type needle struct {
	text string // folded
	// head is its first eight bytes as a number that sorts like them.
	head uint64
	of   int32 // index of the secret
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

// filter says of a hash that it may be there, or that it isn't.
type filter [256]uint64

func (f *filter) put(h uint32)      { f[h>>6&255] |= 1 << (h & 63) }
func (f *filter) has(h uint32) bool { return f[h>>6&255]&(1<<(h&63)) != 0 }

// hash4 hashes the first four bytes.
func hash4(b []byte) uint32 { return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> 18 }

const (
	// longName is the length in bytes from which a name is searched within words.
	longName = 8
	// shortCore is the least length of base64 that is searched.
	shortCore = 6
)

// newSweep indexes the secrets. It keeps them.
func newSweep(secrets []secret) *Sweep {
	s := &Sweep{secrets: secrets}
	b := needleBuilder{texts: make([]byte, 0, 128*len(secrets)), ends: make([]int, 0, 4*len(secrets))}
	s.needles = make([]needle, 0, 4*len(secrets))
	for i := range secrets {
		asText, asDigits, _ := searchable(secrets[i].cat, secrets[i].text)
		if asDigits {
			s.numbers.add(secrets[i].text, int32(i))
		}
		if asText {
			s.needles = b.add(s.needles, &secrets[i], int32(i))
		}
	}
	b.settle(s.needles)
	s.numbers.settle()
	slices.SortFunc(s.needles, func(a, b needle) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.of, b.of))
	})
	s.needles = slices.CompactFunc(s.needles, func(a, b needle) bool {
		return a.text == b.text && secrets[a.of].cat == secrets[b.of].cat
	})
	for i := range s.needles {
		s.link(i)
	}
	return s
}

func (s *Sweep) link(i int) {
	n := &s.needles[i]
	n.prefix = int32(i) - 1
	for n.prefix >= 0 && !strings.HasPrefix(n.text, s.needles[n.prefix].text) {
		n.prefix = s.needles[n.prefix].prefix
	}
	var first [4]byte
	copy(first[:], n.text)
	s.filter.put(hash4(first[:]))
}

// needleBuilder gathers all needles' texts in one piece of memory.
type needleBuilder struct {
	texts []byte
	ends  []int
}

// add appends the forms of a secret.
func (b *needleBuilder) add(needles []needle, v *secret, of int32) []needle {
	cut := v.text
	if len(cut) > maxNeedle {
		cut = strings.ToValidUTF8(cut[:maxNeedle], "")
	}
	if len(cut) < minChars {
		return needles
	}
	b.texts = fold(b.texts, cut)
	b.ends = append(b.ends, len(b.texts))
	needles = append(needles, needle{
		of: of, whole: len(cut) < len(v.text), word: v.cat == access.Name && len(cut) < longName,
	})
	for before := range 3 {
		if core := encoded(cut, before); len(core) >= shortCore {
			b.texts = fold(b.texts, core)
			b.ends = append(b.ends, len(b.texts))
			needles = append(needles, needle{of: of, whole: true})
		}
	}
	return needles
}

func (b *needleBuilder) settle(needles []needle) {
	all, from := string(b.texts), 0
	for i, end := range b.ends {
		needles[i].text, needles[i].head = all[from:end], head(b.texts[from:end])
		from = end
	}
}

// head is the first eight bytes, filled up with zeros.
func head(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var first [8]byte
	copy(first[:], b)
	return binary.BigEndian.Uint64(first[:])
}

// encoded is what base64 makes of text wherever that many bytes stand before
// it, without the characters that depend on its neighbours.
func encoded(text string, before int) string {
	var plain [maxNeedle + 2]byte
	n := before + copy(plain[before:], text)
	var b64 [(maxNeedle + 4) / 3 * 4]byte
	base64.RawStdEncoding.Encode(b64[:], plain[:n])
	return string(b64[(before*8+5)/6 : n*8/6])
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
	if with := s.encodedIn(text, skip); with != "" {
		return with, true
	}
	out, hit := text, false
	if len(s.needles) > 0 {
		out, hit = s.replaceTexts(text, skip)
	}
	if masked, ok := s.replaceNumbers(out, skip); ok {
		out, hit = masked, true
	}
	return out, hit
}

func (s *Sweep) replaceTexts(text string, skip []access.Category) (string, bool) {
	var space [512]byte
	f := fold(space[:0], text)
	var b strings.Builder
	from := 0
	for i := 0; i+minChars <= len(f); {
		if !s.filter.has(hash4(f[i:])) {
			i++
			continue
		}
		n := s.at(f, i, skip)
		if n == nil {
			i++
			continue
		}
		with := s.secrets[n.of].with
		if n.whole {
			return with, true
		}
		b.WriteString(text[from:i])
		b.WriteString(with)
		i += len(n.text)
		from = i
	}
	if from == 0 {
		return text, false
	}
	b.WriteString(text[from:])
	return b.String(), true
}

// first returns what stands for a secret that occurs in the text, "" for none.
func (s *Sweep) first(text string, skip []access.Category) string {
	f := fold(nil, text)
	for i := 0; i+minChars <= len(f); i++ {
		if !s.filter.has(hash4(f[i:])) {
			continue
		}
		if n := s.at(f, i, skip); n != nil {
			return s.secrets[n.of].with
		}
	}
	for i := 0; i < len(text); {
		r := s.nextNumber(text, i, skip)
		if r.of >= 0 {
			return s.secrets[r.of].with
		}
		i = r.end
	}
	return ""
}

// at returns the longest needle that the folded text goes on with at i.
func (s *Sweep) at(f []byte, i int, skip []access.Category) *needle {
	rest := f[i:]
	first := head(rest)
	low, high := 0, len(s.needles)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if n := &s.needles[mid]; n.head < first || n.head == first && n.text <= string(rest) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for k := int32(low) - 1; k >= 0; k = s.needles[k].prefix {
		n := &s.needles[k]
		if len(n.text) > len(rest) || string(rest[:len(n.text)]) != n.text || slices.Contains(skip, s.secrets[n.of].cat) {
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
		j += n
		after, _ = utf8.DecodeRune(f[j:])
	}
	return j == len(f) || !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
