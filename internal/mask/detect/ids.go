package detect

// taxID tests a Steuer-ID. The check digit is right by chance every eleventh
// time, so a word has to be near.
func (sc *scan) taxID(n *number) bool {
	const length = 11
	k := n.upTo(length)
	if k == 0 || !sc.ends(n.end(k)) || n.digits[0] == '0' {
		return false
	}
	d := n.digits[:length]
	b := sc.beside(n.start(), n.end(k))
	if b.says(ofTaxID) || b.suggests(ofTaxID) && mod1110(d) && taxIDRepeats(d) {
		return sc.hit(TaxID, n.start(), n.end(k))
	}
	return false
}

// vat tests VAT numbers. Those of three countries have check digits that are
// known here; others need a word.
func (sc *scan) vat(i int) bool {
	var space [14]byte
	c, _ := sc.compact(space[:0], i, 3)
	if len(c) < 3 || !isUpper(c[0]) || !isUpper(c[1]) || isDigit(sc.s[i+1]) {
		return false
	}
	length, head, check := 0, 2, mod1110
	switch {
	case c[0] == 'D' && c[1] == 'E':
		length = 11
	case c[0] == 'A' && c[1] == 'T' && c[2] == 'U':
		length, head, check = 11, 3, austrianVAT
	case c[0] == 'C' && c[1] == 'H' && c[2] == 'E':
		length, head, check = 12, 3, swissVAT
	default:
		return sc.otherVAT(i)
	}
	c, end := sc.compact(space[:0], i, length)
	if len(c) != length || !sc.ends(end) || !allDigits(c[head:]) || sc.goesOn(end) {
		return false
	}
	if check(c[head:]) && !sc.beside(i, end).thing(ofVATID) || sc.beside(i, end).says(ofVATID) {
		return sc.hit(VATID, i, end)
	}
	return false
}

// goesOn reports whether more digits of one number follow behind end.
func (sc *scan) goesOn(end int) bool {
	return end+1 < len(sc.s) && (sc.s[end] == ' ' || sc.s[end] == '-') && isDigit(sc.s[end+1])
}

// otherVAT takes what has the form of another country's VAT number where a word
// names it.
func (sc *scan) otherVAT(i int) bool {
	j := i
	digits := 0
	for j < len(sc.s) && isWordByte(sc.s[j]) {
		if isDigit(sc.s[j]) {
			digits++
		}
		j++
	}
	if j-i < 10 || j-i > 14 || digits < 7 || !isUpper(sc.s[i]) || !isUpper(sc.s[i+1]) || !sc.beside(i, j).says(ofVATID) {
		return false
	}
	return sc.hit(VATID, i, j)
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// pension tests a Rentenversicherungsnummer: area, date of birth, initial, serial
// number, check digit. Together they are hardly ever right by chance.
func (sc *scan) pension(i int) bool {
	const length = 12
	var space [length]byte
	c, end := sc.compact(space[:0], i, length)
	if len(c) != length || !isUpper(c[8]) || !allDigits(c[:8]) || !allDigits(c[9:]) || !sc.ends(end) {
		return false
	}
	right := pensionCheck(c) && number2(c[2:]) <= 31+50 && number2(c[2:]) > 0 && number2(c[4:]) <= 12 && number2(c[:]) >= 2
	b := sc.beside(i, end)
	if right && !b.thing(ofPension) || b.says(ofPension|social) {
		return sc.hit(Pension, i, end)
	}
	return false
}

// number2 is the number of the first two digits.
func number2(d []byte) int { return int(d[0]-'0')*10 + int(d[1]-'0') }

// health tests a Krankenversichertennummer: a letter and nine digits, the last
// of which is right by chance every tenth time.
func (sc *scan) health(i int) bool {
	const length = 10
	var space [length]byte
	c, end := sc.compact(space[:0], i, length)
	if len(c) != length || !isUpper(c[0]) || !allDigits(c[1:]) || !sc.ends(end) {
		return false
	}
	b := sc.beside(i, end)
	if b.says(ofHealth) || b.suggests(ofHealth) && healthCheck(c) {
		return sc.hit(Health, i, end)
	}
	return false
}

// swissNumber tests a Swiss AHV number: 756 and an EAN's check digit.
func (sc *scan) swissNumber(n *number) bool {
	const length = 13
	k := n.upTo(length)
	if k == 0 || string(n.digits[:3]) != "756" || !sc.ends(n.end(k)) || !sc.alone(n.start()) {
		return false
	}
	b := sc.beside(n.start(), n.end(k))
	if b.says(ofSocialCH) || ean(n.digits[:length]) && !b.thing(ofSocialCH) {
		return sc.hit(SocialCH, n.start(), n.end(k))
	}
	return false
}

// austrianNumber tests an Austrian Sozialversicherungsnummer: four digits and a
// date of birth.
func (sc *scan) austrianNumber(n *number) bool {
	const length = 10
	k := n.upTo(length)
	if k == 0 || !sc.ends(n.end(k)) {
		return false
	}
	d := n.digits[:length]
	if day, month := number2(d[4:]), number2(d[6:]); day == 0 || day > 31 || month == 0 || month > 15 {
		return false // children without a known date have months beyond 12
	}
	b := sc.beside(n.start(), n.end(k))
	if b.says(ofSocialAT) || b.suggests(ofSocialAT) && austrianCheck(d) {
		return sc.hit(SocialAT, n.start(), n.end(k))
	}
	return false
}

// document tests what stands on identity cards, passports and driving licences:
// nine to eleven letters and digits that only a word tells from an order number.
func (sc *scan) document(i, j int) bool {
	n := j - i
	if n < 9 || n > 11 {
		return false
	}
	digits := 0
	for k := i; k < j; k++ {
		if isDigit(sc.s[k]) {
			digits++
		} else if !isLetter(sc.s[k]) {
			return false
		}
	}
	const fewest = 3
	if digits < fewest {
		return false
	}
	b := sc.beside(i, j)
	switch {
	case n <= 10 && b.says(ofIDCard):
		return sc.hit(IDCard, i, j)
	case n <= 10 && b.says(ofPassport):
		return sc.hit(Passport, i, j)
	case n == 11 && b.says(ofLicence):
		return sc.hit(Licence, i, j)
	}
	var space [11]byte
	c, _ := sc.compact(space[:0], i, n)
	switch {
	case n != 10 || !icao(c):
	case b.suggests(ofIDCard):
		return sc.hit(IDCard, i, j)
	case b.suggests(ofPassport):
		return sc.hit(Passport, i, j)
	}
	return false
}

// oldCard tests the ten digits of identity cards from before 2010, and passports
// that are digits alone.
func (sc *scan) oldCard(n *number) bool {
	if len := n.count[0]; n.n == 0 || len < 9 || len > 10 || !sc.ends(n.end(1)) {
		return false
	}
	b := sc.beside(n.start(), n.end(1))
	switch {
	case b.says(ofIDCard):
		return sc.hit(IDCard, n.start(), n.end(1))
	case b.says(ofPassport):
		return sc.hit(Passport, n.start(), n.end(1))
	}
	return false
}
