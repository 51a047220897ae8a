package detect

import "strings"

// plate tests the licence plates of Germany, Austria and Switzerland where a
// word names them.
func (sc *scan) plate(i, j int) bool {
	if j-i > 4 || sc.before(i) == '-' {
		return false
	}
	end := sc.plateEnd(i, j)
	if end == 0 || !sc.ends(end) || sc.goesOn(end) && sc.s[end] == '-' || !sc.beside(i, end).suggests(ofPlate) {
		return false
	}
	return sc.hit(Plate, i, end)
}

// plateEnd returns where a plate ends that begins with the word [i, j): B-AB
// 1234E, W-12345A, ZH 123456. 0 for none.
func (sc *scan) plateEnd(i, j int) int {
	sep := byte(0)
	if j < len(sc.s) {
		sep = sc.s[j]
	}
	if sep != ' ' && sep != '-' || !sc.plateLetters(i, j, sep == '-') {
		return 0
	}
	k := j + 1
	for k < len(sc.s) && isLetter(sc.s[k]) && k-j <= 3 {
		k++
	}
	switch letters := k - j - 1; {
	case letters == 0:
		if _, end := sc.upTo(k, 6); end > k {
			return sc.neighbourEnd(i, j, end)
		}
	case letters <= 2 && sc.plateLetters(j+1, k, sep == '-'):
		return sc.germanEnd(k)
	}
	return 0
}

// germanEnd returns where a German plate ends whose letters end at k.
func (sc *scan) germanEnd(k int) int {
	if k < len(sc.s) && (sc.s[k] == ' ' || sc.s[k] == '-') {
		k++
	}
	_, end := sc.upTo(k, 4)
	switch {
	case end == k:
		return 0
	case end < len(sc.s) && (sc.s[end]&^0x20 == 'E' || sc.s[end]&^0x20 == 'H'):
		return end + 1 // electric, historic
	}
	return end
}

// neighbourEnd returns where an Austrian or Swiss plate ends whose digits end
// at end.
func (sc *scan) neighbourEnd(i, j, end int) int {
	k := sc.space(end)
	from := k
	for k < len(sc.s) && isUpper(sc.s[k]) && k-from < 3 {
		k++
	}
	if k > from && sc.ends(k) {
		return k
	}
	const cantons = "ZH BE LU UR SZ OW NW GL ZG FR SO BS BL SH AR AI SG GR AG TG TI VD VS NE GE JU"
	if j-i == 2 && strings.Contains(cantons, sc.s[i:j]) {
		return end
	}
	return 0
}

// plateLetters reports whether letters are a plate's: capitals, or small ones in
// a form with hyphens.
func (sc *scan) plateLetters(i, j int, small bool) bool {
	for k := i; k < j; k++ {
		c := sc.s[k]
		if !isUpper(c) && c < 0x80 && (!small || !isLetter(c)) {
			return false
		}
	}
	return j > i
}
