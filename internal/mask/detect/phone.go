package detect

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Bounds of phone numbers, in digits (ITU-T E.164 and what is dialled before it).
const (
	fewestDigits = 7
	mostDigits   = 17
	fewestNamed  = 5
)

// phone tests a phone number: with its country's code, with a leading zero, or
// any where a word names it. The numbering plans say which are possible.
func (sc *scan) phone(n *number) bool {
	if n.n == 0 {
		return false
	}
	start, plus := sc.phoneStart(n)
	// The words behind it are read where its first group ends: good enough, and
	// the same for each length that is tried.
	b := sc.beside(start, n.end(n.n))
	named := b.says(ofPhone) || b.says(ofCall) && n.digits[0] == '0'
	switch {
	case !plus && !named && (n.digits[0] != '0' || b.thing(ofPhone) || !sc.alone(start)):
		return false
	case plus && n.digits[0] == '0', isWordByte(sc.before(start)):
		return false
	case !plus && !sc.dialled(n, named):
		return false
	}
	for k := n.n; k > 0; k-- {
		count := n.count[k-1]
		if count > mostDigits || !sc.ends(n.end(k)) {
			continue
		}
		if count < fewestNamed || count < fewestDigits && !named {
			break
		}
		if sc.dials(n, k, plus, named) {
			return sc.hit(Phone, start, sc.closed(start, n.end(k)))
		}
	}
	return false
}

// dials reports whether the first k groups can be dialled.
func (sc *scan) dials(n *number, k int, plus, named bool) bool {
	count := n.count[k-1]
	if named && !plus && (n.digits[0] != '0' || count < fewestDigits) {
		return count <= 13 // a number in one's own town, or an extension
	}
	var space [mostDigits + 1]byte
	digits := space[:0]
	switch {
	case plus:
		digits = append(append(digits, '+'), n.digits[:count]...)
	case n.digits[1] == '0':
		digits = append(append(digits, '+'), n.digits[2:count]...)
	default:
		digits = append(digits, n.digits[:count]...)
	}
	digits = sc.withoutTrunk(n, digits)
	if digits[0] == '+' {
		return possible(string(digits), "ZZ", !plus && !named)
	}
	for _, region := range sc.d.regions {
		if possible(string(digits), region, !named) {
			return true
		}
	}
	return false
}

// withoutTrunk takes out the zero of +49 (0)30.
func (sc *scan) withoutTrunk(n *number, digits []byte) []byte {
	for k := 1; k < min(n.n, 3); k++ {
		g := n.groups[k]
		if g[1]-g[0] == 1 && sc.s[g[0]] == '0' && sc.before(g[0]) == '(' && digits[0] == '+' {
			at := n.count[k] // behind the +
			if n.digits[0] == '0' {
				at -= 2
			}
			if at+1 > len(digits) {
				break
			}
			return append(digits[:at], digits[at+1:]...)
		}
	}
	return digits
}

// possible asks the numbering plans: whether the number has a possible length,
// or, strictly, lies in a range that is in use.
func possible(digits, region string, strict bool) bool {
	p, err := phonenumbers.Parse(digits, region)
	if err != nil {
		return false
	}
	if strict {
		return phonenumbers.IsValidNumber(p)
	}
	return phonenumbers.IsPossibleNumber(p)
}

// phoneStart takes the + or the bracket in before the digits.
func (sc *scan) phoneStart(n *number) (start int, plus bool) {
	start = n.start()
	if sc.before(start) == '+' {
		start, plus = start-1, true
	}
	if sc.before(start) == '(' {
		for k := n.start(); k < n.end(n.n); k++ {
			if sc.s[k] == ')' {
				return start - 1, plus
			}
			if sc.s[k] == '(' {
				break
			}
		}
	}
	return start, plus
}

// closed takes the bracket in behind the digits where one is open.
func (sc *scan) closed(start, end int) int {
	open := 0
	for k := start; k < end; k++ {
		switch sc.s[k] {
		case '(':
			open++
		case ')':
			open--
		}
	}
	if open > 0 && end < len(sc.s) && sc.s[end] == ')' {
		return end + 1
	}
	return end
}

// dialled reports whether a number is written as phone numbers are: not as a
// time, an amount or a date without a year.
func (sc *scan) dialled(n *number, named bool) bool {
	const area = 3
	first, end := n.groups[0], n.end(n.n)
	if n.n > 1 && first[1]-first[0] < area && (!named || sc.s[first[1]] == '.') {
		return false
	}
	rest := sc.s[end:min(len(sc.s), end+5)]
	if len(rest) > 1 && rest[0] == ',' && isDigit(rest[1]) {
		return false
	}
	rest = strings.TrimLeft(rest, " ")
	for _, unit := range [...]string{"%", "Eur", "EUR", "Uhr", "kg", "km", "St"} {
		if strings.HasPrefix(rest, unit) {
			return false
		}
	}
	return true
}
