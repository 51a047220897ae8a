package mask

import (
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/crmgate/crmgate/internal/access"
)

// look is what a first look at a text finds of the characters that make it
// readable otherwise than it is written.
type look struct {
	// marks has the bit of each of these characters that is there.
	marks uint8
	// strange says that the text has unusual characters.
	strange bool
	// digits counts the digits.
	digits int
}

const (
	markPercent uint8 = 1 << iota
	markAmpersand
	markBackslash
)

func lookAt(text string) look {
	l := look{}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			n := usual(text, i)
			l.strange = l.strange || n == 0
			i += max(n, 1) - 1
		case isDigit(c):
			l.digits++
		case looks[c]&lookMore == 0:
		case c == '%':
			l.marks |= markPercent
		case c == '&':
			l.marks |= markAmpersand
		case c == '\\':
			l.marks |= markBackslash
		}
	}
	return l
}

// encodedIn returns what stands for a secret that the text holds encoded, "" for
// none. Base64 isn't decoded here; its forms are needles.
func (s *Sweep) encodedIn(text string, l look, skip []access.Category) string {
	with := ""
	if l.marks&markPercent != 0 {
		with = s.percentIn(text, skip)
	}
	if with == "" && l.marks&markAmpersand != 0 {
		with = s.firstBeyond(text, html.UnescapeString(text), skip)
	}
	if with == "" && l.strange {
		with = s.firstBeyond(text, plainly(text), skip)
	}
	if with == "" && l.marks&markBackslash != 0 {
		with = s.firstBeyond(text, escapesDecoded(text), skip)
	}
	return with
}

// firstBeyond returns what stands for a secret that only the decoded text holds.
func (s *Sweep) firstBeyond(text, decoded string, skip []access.Category) string {
	if decoded == text {
		return ""
	}
	with := s.first(decoded, skip)
	if with == "" && unusual(decoded) {
		with = s.first(plainly(decoded), skip)
	}
	return with
}

// percentIn returns what stands for a secret that the text holds percent-encoded: in
// UTF-8, in Windows-1252 (links of pages that are UTF-8 themselves), or with the
// numbers of characters beyond that, as in `Y%131lmaz`.
func (s *Sweep) percentIn(text string, skip []access.Category) string {
	decoded := percentDecoded(text)
	with := ""
	if utf8.ValidString(decoded) {
		with = s.firstBeyond(text, decoded, skip)
	} else {
		with = s.firstBeyond(text, fromLatin(decoded), skip)
	}
	for _, signs := range [...]bool{false, true} {
		if with != "" {
			break
		}
		if wide := fromLatin(percentWide(text, signs)); wide != decoded {
			with = s.firstBeyond(text, wide, skip)
		}
	}
	return with
}

// fromLatin reads the bytes that are no UTF-8 as Windows-1252.
func fromLatin(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(s[i])
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// percentWide is percentDecoded for what writes a character beyond a byte as its
// number: `%131` is ı there. Where two digits are a control character, a letter or a
// digit, which nothing escapes, the number goes on. With signs, `%2019` is an
// apostrophe; else it is a space and a number.
func percentWide(s string, signs bool) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		n := 0
		for s[i] == '%' && n < 4 && i+1+n < len(s) && isHexDigit(s[i+1+n]) {
			n++
		}
		if n = wideDigits(s[i+1:], n, signs); n == 0 {
			b = append(b, s[i])
			continue
		}
		c, _ := strconv.ParseUint(s[i+1:i+1+n], 16, 32) // hexadecimal digits
		if n == 2 {
			b = append(b, byte(c))
		} else {
			b = utf8.AppendRune(b, rune(c))
		}
		i += n
	}
	return string(b)
}

// wideDigits is how many of the n hexadecimal digits behind a percent sign belong to
// the number; 0 where it is none.
func wideDigits(s string, n int, signs bool) int {
	if n < 2 {
		return 0
	}
	value := func(n int) rune {
		c, _ := strconv.ParseUint(s[:n], 16, 32) // hexadecimal digits
		return rune(c)
	}
	const firstSign, lastSign, euro = 0x2010, 0x203a, 0x20ac
	const firstAdditional, lastAdditional = 0x1e00, 0x1eff // Latin letters
	if n == 4 {
		if c := value(4); signs && (c >= firstSign && c <= lastSign || c == euro) || c >= firstAdditional && c <= lastAdditional {
			return 4
		}
	}
	if c := value(2); n > 2 && (c < ' ' || unicode.IsLetter(c) && c < utf8.RuneSelf || unicode.IsDigit(c)) && value(3) > 0xff {
		return 3
	}
	return 2
}

func isHexDigit(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// percentDecoded decodes each %XX and leaves all else.
func percentDecoded(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// escapesDecoded decodes backslash escapes as JSON and JavaScript write them:
// documents hold other documents in their strings.
func escapesDecoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'u' && i+5 <= len(s) {
			if r, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
				b.WriteRune(rune(r))
				i += 4
				continue
			}
		}
		if s[i] == 'n' || s[i] == 't' || s[i] == 'r' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
