package mask

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

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
		with = s.firstBeyond(text, percentDecoded(text), skip)
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
