package detect

import "strings"

// aDate is a date that a text holds.
type aDate struct{ start, end int }

// birthdate tests a date of birth: a date, and a word that says so.
func (sc *scan) birthdate(d aDate) bool {
	b := sc.beside(d.start, d.end)
	born := b.nearest&ofBirth != 0 && b.distance <= nearUnits+1 && (b.other&ofEvent == 0 || b.otherDistance > b.distance)
	switch {
	case born, sc.star(d.start):
	case b.other&ofEvent != 0 && b.otherDistance <= 2, sc.after(d.end)&ofBirth == 0:
		return false
	}
	return sc.hit(Birthdate, d.start, d.end)
}

// star reports whether the sign for born stands before a date.
func (sc *scan) star(i int) bool {
	for i > 0 && sc.s[i-1] == ' ' {
		i--
	}
	if i == 0 || sc.s[i-1] != '*' {
		return false
	}
	before := sc.before(i - 1)
	return before == ' ' || before == '(' || before == ',' || before == '\n' || before == '\t'
}

// dateAt returns the date that begins with the digit at i; its end is 0 for none.
func (sc *scan) dateAt(i int) aDate {
	if isWordByte(sc.before(i)) {
		return aDate{}
	}
	first, k := sc.upTo(i, 4)
	if k == i || k >= len(sc.s) {
		return aDate{}
	}
	if k-i == 4 {
		return sc.isoDate(i, first, k)
	}
	if k-i > 2 || first == 0 || first > 31 {
		return aDate{}
	}
	if end := sc.numericDate(first, k); end > 0 {
		return aDate{i, end}
	}
	return sc.wordDate(i, k)
}

// upTo reads a number of at most so many digits.
func (sc *scan) upTo(i, most int) (n, end int) {
	for end = i; end < len(sc.s) && end-i < most && isDigit(sc.s[end]); end++ {
		n = n*10 + int(sc.s[end]-'0')
	}
	return n, end
}

// isoDate reads what follows the year of 1971-02-15.
func (sc *scan) isoDate(i, year, k int) aDate {
	if !aYear(year) || sc.s[k] != '-' && sc.s[k] != '/' && sc.s[k] != '.' {
		return aDate{}
	}
	month, m := sc.upTo(k+1, 2)
	if m != k+3 || month == 0 || month > 12 || m >= len(sc.s) || sc.s[m] != sc.s[k] {
		return aDate{}
	}
	day, d := sc.upTo(m+1, 2)
	if d != m+3 || day == 0 || day > 31 || !sc.dateEnds(d) {
		return aDate{}
	}
	return aDate{i, d}
}

// numericDate reads what follows the day of 15.02.1971, 15. 2. 71, 15/02/1971 or
// 15-02-1971, or the month of 02/15/1971.
func (sc *scan) numericDate(first, k int) int {
	sep := sc.s[k]
	if sep != '.' && sep != '/' && sep != '-' {
		return 0
	}
	second, m := sc.upTo(sc.space(k+1), 2)
	if m >= len(sc.s) || sc.s[m] != sep || second == 0 || second > 31 || first > 12 && second > 12 || sep != '/' && second > 12 {
		return 0
	}
	from := sc.space(m + 1)
	year, end := sc.upTo(from, 5)
	if n := end - from; n == 4 && aYear(year) || n == 2 {
		if sc.dateEnds(end) {
			return end
		}
	}
	return 0
}

// space skips one space.
func (sc *scan) space(i int) int {
	if i < len(sc.s) && sc.s[i] == ' ' {
		return i + 1
	}
	return i
}

// dateEnds reports whether a date can end at i.
func (sc *scan) dateEnds(i int) bool {
	if i+1 < len(sc.s) && (sc.s[i] == '.' || sc.s[i] == '-' || sc.s[i] == '/') && isDigit(sc.s[i+1]) {
		return false
	}
	return sc.ends(i) || sc.s[i] == 'T'
}

func aYear(y int) bool { return 1880 <= y && y <= 2100 }

// wordDate reads what stands around the day of 15. Februar 1971 or of February
// 15, 1971.
func (sc *scan) wordDate(i, k int) aDate {
	for _, ordinal := range [...]string{"st", "nd", "rd", "th", "."} {
		if strings.HasPrefix(sc.s[k:], ordinal) {
			k += len(ordinal)
			break
		}
	}
	from := sc.space(k)
	to := from
	for to < len(sc.s) && to-from < 12 && isWordByte(sc.s[to]) {
		to++
	}
	if isMonth(sc.s[from:to]) {
		at := to
		for at < len(sc.s) && at-to < 2 && (sc.s[at] == '.' || sc.s[at] == ' ' || sc.s[at] == ',') {
			at++
		}
		if year, end := sc.upTo(at, 5); end-at == 4 && aYear(year) && sc.ends(end) {
			return aDate{i, end}
		}
		return aDate{}
	}
	start, end := sc.wordBefore(i, i-14)
	if start == end || !isMonth(sc.s[start:end]) {
		return aDate{}
	}
	at := k
	for at < len(sc.s) && at-k < 2 && (sc.s[at] == ' ' || sc.s[at] == ',') {
		at++
	}
	if year, end := sc.upTo(at, 5); at > k && end-at == 4 && aYear(year) && sc.ends(end) {
		return aDate{start, end}
	}
	return aDate{}
}

// isMonth reports whether a word is a month's name or the beginning of one, in
// German or English.
func isMonth(word string) bool {
	var space [16]byte
	w := foldWord(space[:0:16], word)
	const fewest = 3
	if len(w) < fewest {
		return false
	}
	for _, month := range [...]string{
		"januar", "january", "janner", "februar", "february", "feber", "marz", "maerz", "march", "april", "mai", "may",
		"juni", "june", "juli", "july", "august", "september", "oktober", "october", "november", "dezember", "december",
	} {
		if len(w) <= len(month) && string(w) == month[:len(w)] {
			return true
		}
	}
	return string(w) == "mrz"
}
