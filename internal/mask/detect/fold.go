package detect

import (
	"unicode"
	"unicode/utf8"
)

// What a byte can begin, for the first look at a text.
const (
	// sign bytes are in every candidate: digits and @.
	sign uint8 = iota + 1
	// capital letters: a BIC has no digit.
	capital
	// opening brackets: (at) stands for @.
	opening
	// disguise bytes begin characters that may stand for digits or @. Those that
	// begin letters of Latin script, spaces, dashes and quotes don't.
	disguise
)

var looks = [256]uint8{
	'0': sign, '1': sign, '2': sign, '3': sign, '4': sign, '5': sign, '6': sign, '7': sign, '8': sign, '9': sign, '@': sign,
	'A': capital, 'B': capital, 'C': capital, 'D': capital, 'E': capital, 'F': capital, 'G': capital, 'H': capital,
	'I': capital, 'J': capital, 'K': capital, 'L': capital, 'M': capital, 'N': capital, 'O': capital, 'P': capital,
	'Q': capital, 'R': capital, 'S': capital, 'T': capital, 'U': capital, 'V': capital, 'W': capital, 'X': capital,
	'Y': capital, 'Z': capital,
	'(': opening, '[': opening, '{': opening, '<': opening,
	0xd9: disguise, 0xdb: disguise, 0xdf: disguise, 0xe0: disguise, 0xe1: disguise, 0xea: disguise, 0xef: disguise, 0xf0: disguise,
}

// worthwhile takes a first look at a text: false says that nothing can be in
// it.
func worthwhile(text string) bool {
	capitals := 0
	for i := 0; i < len(text); i++ {
		switch looks[text[i]] {
		case 0:
			capitals = 0
		case capital:
			if capitals++; capitals == len("DEUTDEFF") {
				return true
			}
		case opening:
			if capitals = 0; i+3 < len(text) && isAt(text[i+1:]) > 0 {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// view is a text as it is searched, in which every character that isn't ASCII
// is a letter: digits and signs in other scripts are ASCII, invisible characters
// are left out, everything else is a space.
type view struct {
	s string
	// at are the places of s's bytes in the text, nil where they are the same.
	at []int32
}

func foldView(text string) view {
	i := 0
	for i < len(text) && (text[i] < utf8.RuneSelf || 0xc3 <= text[i] && text[i] <= 0xc9 && i+1 < len(text)) {
		if text[i] >= utf8.RuneSelf {
			if text[i] == 0xc3 && (text[i+1] == 0x97 || text[i+1] == 0xb7) || text[i+1]&0xc0 != 0x80 {
				break // × and ÷ are no letters
			}
			i++
		}
		i++
	}
	if i >= len(text) {
		return view{s: text}
	}
	out := make([]byte, 0, len(text)+utf8.UTFMax)
	at := make([]int32, 0, len(text)+utf8.UTFMax)
	out = append(out, text[:i]...)
	for k := range i {
		at = append(at, int32(k))
	}
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		from := len(out)
		if f := foldRune(r); f >= 0 {
			out = utf8.AppendRune(out, f)
		}
		for range len(out) - from {
			at = append(at, int32(i))
		}
		i += n
	}
	return view{s: string(out), at: append(at, int32(len(text)))}
}

// places returns where [start, end) of the view stands in the text.
func (v *view) places(start, end int) (from, to int) {
	if v.at == nil {
		return start, end
	}
	return int(v.at[start]), int(v.at[end])
}

// foldRune returns what a character counts as, -1 for nothing.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case 0xff01 <= r && r <= 0xff5e: // full width
		return r - 0xff01 + '!'
	case r == 0xfe6b: // small commercial at
		return '@'
	case r == 0xff0b, r == 0xfe62, r == 0x207a:
		return '+'
	case 0x2010 <= r && r <= 0x2015, r == 0x2212, r == 0xfe58, r == 0xfe63:
		return '-'
	case r == 0x2024, r == 0x3002, r == 0xff61:
		return '.'
	case r == 0xa0, r == 0x2028, r == 0x2029:
		return ' '
	case r == 0xad, r == 0x34f, r == 0x115f, r == 0x1160, r == 0x3164, unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r):
		return -1 // soft hyphen, joiners, marks of direction, combining marks
	case unicode.IsDigit(r):
		return digit(r)
	case unicode.IsLetter(r) && r != utf8.RuneError:
		return r
	}
	return ' '
}

// digit returns a decimal digit of any script as the ASCII one. Each script has
// its ten in a row, the mathematical ones five times.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return ' '
}
