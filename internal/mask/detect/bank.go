package detect

// compact reads up to limit letters and digits from i on, in capitals; a single
// space, hyphen or dot may stand between any two. It returns where the text goes
// on behind the last one.
func (sc *scan) compact(dst []byte, i, limit int) (chars []byte, end int) {
	end = i
	sc.steps += limit
	for k := i; k < len(sc.s) && len(dst) < limit; {
		c := sc.s[k]
		switch {
		case isDigit(c):
		case isLetter(c):
			c &^= 0x20
		case (c == ' ' || c == '-' || c == '.' || c == '/') && k == end && k > i:
			k++
			continue
		default:
			return dst, end
		}
		dst = append(dst, c)
		k++
		end = k
	}
	return dst, end
}

// iban tests an IBAN. Its length is its country's. One with a wrong check digit
// is taken where a word names it.
func (sc *scan) iban(i int) bool {
	var space [34]byte
	head, _ := sc.compact(space[:0], i, 4)
	if len(head) < 4 || !isUpper(head[0]) || !isUpper(head[1]) || !isDigit(head[2]) || !isDigit(head[3]) {
		return false
	}
	length := ibanLength(head[0], head[1])
	if length == 0 || isDigit(sc.s[i+1]) {
		return false
	}
	chars, end := sc.compact(space[:0], i, length)
	whole := len(chars) == length && sc.ends(end) && (!digitsOnly(chars[:2]) || allDigits(chars[2:]))
	if whole && mod97(chars) {
		return sc.hit(IBAN, i, end)
	}
	if sc.mistyped(i, chars) {
		return sc.hit(IBAN, i, sc.mistypedEnd(i, min(length+2, len(space))))
	}
	if whole {
		sc.free = end // its groups are no phone number
	}
	return false
}

// mistyped reports whether an IBAN with a mistake begins at i: mostly digits,
// and a word that names it.
func (sc *scan) mistyped(i int, chars []byte) bool {
	const fewest = 12
	count := 0
	for _, c := range chars[2:] {
		if isDigit(c) {
			count++
		}
	}
	return count >= fewest && sc.beside(i, i).says(ofIBAN)
}

// mistypedEnd returns where so many characters end, without the letters of the
// next word.
func (sc *scan) mistypedEnd(i, most int) int {
	var space [34]byte
	chars, end := sc.compact(space[:0], i, most)
	for n := len(chars); n > 0 && !isDigit(chars[n-1]); n-- {
		for end--; end > i && !isWordByte(sc.s[end-1]); {
			end--
		}
	}
	return end
}

// digitsOnly reports whether a country's accounts have no letters: "at 0171 925
// 76 56 or write" isn't one.
func digitsOnly(country []byte) bool { return string(country) == "DE" || string(country) == "AT" }

// bic tests a BIC: its form is that of many words in capitals, so something has
// to name it, or an IBAN stands before it.
func (sc *scan) bic(i, j int) bool {
	if j-i != 8 && j-i != 11 {
		return false
	}
	for k := i; k < j; k++ {
		if c := sc.s[k]; !isUpper(c) && (!isDigit(c) || k-i < 6) {
			return false
		}
	}
	if !bicCountry(sc.s[i+4], sc.s[i+5]) {
		return false
	}
	const close = 40
	last := len(sc.hits) - 1
	if last >= 0 && sc.hits[last].Kind == IBAN && i-sc.hits[last].End < close || sc.beside(i, j).says(ofBIC) {
		return sc.hit(BIC, i, j)
	}
	return false
}

// bicCountry reports whether a country has banks with a BIC that people here
// meet: those with IBANs, and some more.
func bicCountry(a, b byte) bool {
	if ibanLength(a, b) > 0 {
		return true
	}
	switch string([]byte{a, b}) {
	case "US", "CA", "AU", "NZ", "JP", "CN", "HK", "SG", "IN", "KR", "ZA", "TH", "TW", "MX", "MY", "ID", "PH", "VN", "AR", "MA":
		return true
	}
	return false
}

// card tests the numbers of payment cards. Four groups of four with the right
// check digit stand by themselves, a row of digits does if it begins like the
// cards that most people have, and any other one needs a word.
func (sc *scan) card(n *number) bool {
	for k := n.n; k > 0; k-- {
		count := n.count[k-1]
		if count < 12 || count > 19 || n.upTo(count) == 0 {
			continue
		}
		d := n.digits[:count]
		strength := issuer(d)
		if !sc.alone(n.start()) || !sc.ends(n.end(k)) {
			continue
		}
		b := sc.beside(n.start(), n.end(k))
		switch {
		case b.says(ofCard) && (strength > 0 || count == 16):
		case strength == 0 || !luhn(d) || b.thing(ofCard):
			continue
		case b.suggests(ofCard):
		case strength < common || k == 1 && count != 16 && count != 15:
			continue
		}
		return sc.hit(Card, n.start(), n.end(k))
	}
	return false
}

// What an issuer's number says.
const (
	rare   = 1
	common = 2
)

// issuer says how the number of a card begins (ISO/IEC 7812-1), 0 for none.
func issuer(d []byte) int {
	n := len(d)
	two, four := int(d[0]-'0')*10+int(d[1]-'0'), 0
	for _, c := range d[:4] {
		four = four*10 + int(c-'0')
	}
	switch {
	case n == 16 && (two/10 == 4 || 51 <= two && two <= 55 || 2221 <= four && four <= 2720):
		return common
	case n == 15 && (two == 34 || two == 37):
		return common
	case n == 16 && (four == 6011 || two == 65 || 644 <= four/10 && four/10 <= 649 || 3528 <= four && four <= 3589):
		return rare
	case n == 14 && (two == 36 || two == 38 || 300 <= four/10 && four/10 <= 305):
		return rare
	case two == 50, 56 <= two && two <= 58, two/10 == 6, two/10 == 4 && (n == 13 || n == 19):
		return rare
	}
	return 0
}

// alone reports whether a number that begins at i isn't part of a longer one, of
// a path or of a name with hyphens.
func (sc *scan) alone(i int) bool {
	switch c := sc.before(i); c {
	case '-', '/', '_', '#', '.', ',', '+':
		return false
	default:
		return !isWordByte(c)
	}
}
