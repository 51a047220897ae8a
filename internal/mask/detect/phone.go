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
	for k := sc.oneNumber(n); k > 0; k-- {
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

// oneNumber returns how many groups there are before one that begins another
// number: 0171 2345678 / 030 23125017.
func (sc *scan) oneNumber(n *number) int {
	const few, whole = 6, 10
	for k := 1; k < n.n; k++ {
		g, count := n.groups[k], n.count[k-1]
		wide := g[0]-n.groups[k-1][1] > 1
		if sc.s[g[0]] == '0' && g[1]-g[0] > 2 && sc.before(g[0]) != '-' &&
			(count >= whole || wide && count >= few) && n.count[n.n-1]-count >= fewestDigits {
			return k
		}
	}
	return n.n
}

// dials reports whether the first k groups can be dialled.
func (sc *scan) dials(n *number, k int, plus, named bool) bool {
	count := n.count[k-1]
	if named && !plus && (n.digits[0] != '0' || count < fewestDigits) {
		return count <= 13 // a number in one's own town, or an extension
	}
	var space [mostDigits]byte
	d := append(space[:0], n.digits[:count]...)
	trunk := sc.trunk(n, k)
	switch {
	case plus:
	case d[1] == '0':
		d, trunk = d[2:], trunk-2
	default:
		for _, country := range [...]int32{49, 43, 41} {
			if possible(country, d[1:], !named) {
				return true
			}
		}
		return false
	}
	code := countryCode(d)
	if trunk >= code {
		d = append(d[:trunk], d[trunk+1:]...)
	}
	if code == 0 || code >= len(d) {
		return false
	}
	country := int32(0)
	for _, c := range d[:code] {
		country = country*10 + int32(c-'0')
	}
	neighbour := country == 49 || country == 43 || country == 41
	return possible(country, d[code:], !plus && !named && !neighbour)
}

// trunk returns the place among the digits of the bracketed zero of +49 (0)30,
// -1 for none in the first groups.
func (sc *scan) trunk(n *number, groups int) int {
	for k := 1; k < min(groups, 3); k++ {
		g := n.groups[k]
		if g[1]-g[0] == 1 && sc.s[g[0]] == '0' && sc.before(g[0]) == '(' {
			return n.count[k] - 1
		}
	}
	return -1
}

// countryCode returns the length of the country code that digits begin with, 0
// for none.
func countryCode(d []byte) int {
	code := 0
	for k, c := range d[:min(len(d), 3)] {
		code = code*10 + int(c-'0')
		if phonenumbers.GetRegionCodeForCountryCode(code) != phonenumbers.UNKNOWN_REGION {
			return k + 1
		}
	}
	return 0
}

// possible asks the numbering plans: whether a number has a possible length, or,
// strictly, lies in a range that is in use.
func possible(country int32, national []byte, strict bool) bool {
	var p phonenumbers.PhoneNumber
	value := uint64(0)
	for _, c := range national {
		value = value*10 + uint64(c-'0')
	}
	p.CountryCode, p.NationalNumber = &country, &value
	if strict {
		return phonenumbers.IsValidNumber(&p)
	}
	return phonenumbers.IsPossibleNumber(&p)
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
