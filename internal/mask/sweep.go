package mask

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// Sweep finds masked values wherever else they occur. It is for one goroutine at
// a time. A nil Sweep finds nothing.
//
// Only the heads of what is searched are made beforehand: of a thousand masked
// values hardly one occurs elsewhere.
type Sweep struct {
	secrets []secret
	needles index             // by their heads
	bunches map[uint64]*bunch // by head
	exact   index             // the bunches' needles by their whole texts
	seed    maphash.Seed      // of the texts' hashes
	numbers numbers
	folded  []byte // the text at hand
	trial   []byte // for a needle that is compared
	masked  []byte // for a text that is replaced
	// lengths has bits for the lengths in bytes of the texts that are searched.
	lengths [16]uint64
	// also are searched by Mask, too: values of earlier units.
	also []*Sweep
}

// forms is how many needles a secret has at most.
const forms = 1 + int(lastForm-formPlain)

// newSweep indexes the secrets. It keeps them.
func newSweep(secrets []secret) *Sweep {
	s := &Sweep{secrets: secrets}
	texts := 0
	for i := range secrets {
		if secrets[i].asText || secrets[i].asDigits {
			texts++
		}
	}
	if texts > 0 {
		s.needles = newIndex(texts * forms)
	}
	for i := range secrets {
		s.indexText(int32(i))
	}
	s.indexNumbers()
	return s
}

// growingSweep has room for n secrets, which grow puts in.
func growingSweep(n int) *Sweep {
	return &Sweep{
		secrets: make([]secret, 0, n),
		needles: newIndex(n * forms), numbers: numbers{tails: newIndex(n)},
	}
}

func (s *Sweep) grow(one secret) {
	of := int32(len(s.secrets))
	s.secrets = append(s.secrets, one)
	known := len(s.needles.things)
	s.indexText(of)
	for i := known; i < len(s.needles.things); i++ {
		if b := s.bunches[s.needles.things[i].key]; b != nil {
			s.bundle(b, &s.needles.things[i])
		}
	}
	if one.asDigits {
		s.addNumber(&s.secrets[of], of)
	}
}

func (s *Sweep) indexText(of int32) {
	s.putNeedles(of)
	if !s.secrets[of].asText {
		return
	}
	n := len(s.secrets[of].text) % 1024
	s.lengths[n/64] |= 1 << (n % 64)
}

// hasLength reports whether a text of so many bytes is searched, perhaps.
func (s *Sweep) hasLength(n int) bool { return s.lengths[n%1024/64]&(1<<(n%64)) != 0 }

// Mask returns the text with the masked values in it replaced, and whether
// there were any.
func (s *Sweep) Mask(text string) (string, bool) {
	if s == nil {
		return text, false
	}
	masked, hit := maskAll(s.also, text, nil)
	masked, own := s.mask(masked, nil)
	return masked, hit || own
}

// mask leaves values of the skipped categories alone.
func (s *Sweep) mask(text string, skip []access.Category) (string, bool) {
	if len(text) < minChars {
		return text, false
	}
	l := lookAt(text)
	if with := s.encodedIn(text, l, skip); with != "" {
		return with, true
	}
	out, hit := text, false
	if len(s.needles.things) > 0 {
		out, hit = s.replaceTexts(text, skip)
	}
	if l.digits >= minDigits {
		if masked, ok := s.replaceNumbers(out, skip); ok {
			out, hit = masked, true
		}
	}
	return out, hit
}

func (s *Sweep) replaceTexts(text string, skip []access.Category) (string, bool) {
	s.folded = fold(s.folded[:0], text)
	s.masked = s.masked[:0]
	from := 0
	for i := 0; ; {
		var n needle
		if i, n = s.next(i, skip); n.text == nil {
			break
		}
		with := s.secrets[n.of].with
		if n.whole {
			return with, true
		}
		s.masked = append(append(s.masked, text[from:i]...), with...)
		i += len(n.text)
		from = i
	}
	if from == 0 {
		return text, false
	}
	return string(append(s.masked, text[from:]...)), true
}

// next returns the first place from i on where a needle stands in the folded
// text, and the longest one there; one without a text for none.
func (s *Sweep) next(i int, skip []access.Category) (int, needle) {
	f := s.folded
	if i+headLen > len(f) {
		return len(f), needle{}
	}
	head := binary.LittleEndian.Uint32(f[i:])
	for {
		if s.needles.may(uint64(head)) {
			if n := s.at(f, i, uint64(head), skip); n.text != nil {
				return i, n
			}
		}
		i++
		if i+headLen > len(f) {
			return len(f), needle{}
		}
		head = head>>8 | uint32(f[i+headLen-1])<<24
	}
}

// first returns what stands for a secret that occurs in the text, "" for none.
func (s *Sweep) first(text string, skip []access.Category) string {
	if len(s.needles.things) > 0 {
		s.folded = fold(s.folded[:0], text)
		if _, n := s.next(0, skip); n.text != nil {
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

// at returns the longest needle that the folded text goes on with at i, where it
// has this head.
func (s *Sweep) at(f []byte, i int, head uint64, skip []access.Category) needle {
	if s.needles.first(head) < 0 {
		return needle{}
	}
	b := s.bunch(head)
	for n := b.longest(len(f) - i); n > 0; n = b.longest(n - 1) {
		text := f[i : i+n]
		key := maphash.Bytes(s.seed, text)
		if !s.exact.may(key) {
			continue
		}
		for k := s.exact.first(key); k >= 0; k = s.exact.after(k) {
			th := &s.exact.things[k]
			if slices.Contains(skip, s.secrets[th.of].cat) {
				continue
			}
			if n := s.needle(th); bytes.Equal(n.text, text) && (!n.word || isWord(f, i, i+len(text))) {
				n.text = text
				return n
			}
		}
	}
	return needle{}
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
