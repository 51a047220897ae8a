package mask

import "unicode/utf8"

// What an ASCII character is to the first look.
const (
	lookDigit uint8 = 1 << iota
	// lookSpace may stand between the digits of a number.
	lookSpace
	// lookMore begins what can be read otherwise than it is written.
	lookMore
)

var looks = [utf8.RuneSelf]uint8{
	'0': lookDigit, '1': lookDigit, '2': lookDigit, '3': lookDigit, '4': lookDigit,
	'5': lookDigit, '6': lookDigit, '7': lookDigit, '8': lookDigit, '9': lookDigit,
	' ': lookSpace, '-': lookSpace, '/': lookSpace, '(': lookSpace, ')': lookSpace, '.': lookSpace, '+': lookSpace,
	'%': lookMore, '&': lookMore, '\\': lookMore,
}

// clean takes a first look at a text: true says that no secret is in it, in any
// form; false says nothing. Most texts are clean.
func (s *Sweep) clean(text []byte) bool {
	texts, numbers := len(s.needles.things) > 0, len(s.numbers.tails.things) > 0
	head, digits, gap, last := uint32(0), 0, 0, byte(0)
	for i, c := range text {
		folded, look := c, uint8(0)
		switch {
		case c < utf8.RuneSelf:
			folded, look = foldASCII[c], looks[c]
		case last == latin:
			folded = lowerLatin(c)
		case last == latinA || last == latinB:
			var ok bool
			if folded, ok = lowerBeyond(last, c); !ok {
				return false
			}
		case c > 0xbf && (c < latin || c > latinB):
			return false // a letter whose folding takes more
		}
		last = c
		head = head>>8 | uint32(folded)<<24
		if texts && i >= headLen-1 && s.needles.may(uint64(head)) && s.needles.first(uint64(head)) >= 0 {
			return false
		}
		switch {
		case look&lookDigit != 0:
			gap = 0
			if digits++; digits >= minDigits && numbers {
				return false
			}
		case look&lookMore != 0:
			return false
		case look&lookSpace != 0 && gap < maxGap:
			gap++
		default:
			digits, gap = 0, 0
		}
	}
	return true
}
