package detect

// luhn checks a number of decimal digits by the formula of Luhn (ISO/IEC 7812).
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// mod97 checks an IBAN in capitals without spaces (ISO 13616).
func mod97(iban []byte) bool {
	rest := 0
	for i := range iban {
		c := iban[(i+4)%len(iban)]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// mod1110 checks a number whose last digit is ISO 7064's MOD 11,10.
func mod1110(digits []byte) bool {
	product := 10
	last := len(digits) - 1
	for _, c := range digits[:last] {
		sum := (int(c-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return (11-product)%10 == int(digits[last]-'0')
}

// taxIDRepeats checks that one digit of a Steuer-ID's first ten, and only one,
// stands there twice or three times.
func taxIDRepeats(digits []byte) bool {
	var count [10]int
	for _, c := range digits[:10] {
		count[c-'0']++
	}
	repeated := 0
	for _, n := range count {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	return repeated == 1
}

// ean checks a number by the check digit of trade items (GS1), which the AHV
// number has.
func ean(digits []byte) bool {
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			n *= 3
		}
		sum += n
	}
	return sum%10 == 0
}

// weighted is the sum of digits times weights.
func weighted(digits []byte, weights string) int {
	sum := 0
	for i := range len(weights) {
		sum += int(digits[i]-'0') * int(weights[i]-'0')
	}
	return sum
}

// crossWeighted is the sum of the cross sums of digits times weights.
func crossWeighted(digits []byte, weights string) int {
	sum := 0
	for i := range len(weights) {
		n := int(digits[i]-'0') * int(weights[i]-'0')
		sum += n/10 + n%10
	}
	return sum
}

// letterDigits appends a letter as its place in the alphabet, two digits.
func letterDigits(dst []byte, letter byte) []byte {
	n := letter - 'A' + 1
	return append(dst, '0'+n/10, '0'+n%10)
}

// pensionCheck checks a Rentenversicherungsnummer of twelve characters.
func pensionCheck(id []byte) bool {
	var space [16]byte
	d := letterDigits(append(space[:0], id[:8]...), id[8])
	d = append(d, id[9:11]...)
	return crossWeighted(d, "212571212121")%10 == int(id[11]-'0')
}

// healthCheck checks a Krankenversichertennummer of ten characters.
func healthCheck(id []byte) bool {
	var space [16]byte
	d := append(letterDigits(space[:0], id[0]), id[1:9]...)
	return crossWeighted(d, "1212121212")%10 == int(id[9]-'0')
}

// austrianCheck checks an Austrian Sozialversicherungsnummer of ten digits.
func austrianCheck(d []byte) bool {
	return d[0] != '0' && weighted(d, "3790584216")%11 == int(d[3]-'0')
}

// austrianVAT checks the eight digits of an Austrian UID.
func austrianVAT(d []byte) bool {
	return (96-crossWeighted(d, "1212121"))%10 == int(d[7]-'0')
}

// swissVAT checks the nine digits of a Swiss UID.
func swissVAT(d []byte) bool {
	return (11-weighted(d, "54327654")%11)%11 == int(d[8]-'0')
}

// icao checks what the last digit checks in a travel document (ICAO 9303).
func icao(id []byte) bool {
	sum := 0
	last := len(id) - 1
	for i, c := range id[:last] {
		n := int(c - '0')
		if !isDigit(c) {
			n = int(c-'A') + 10
		}
		sum += n * int("731"[i%3]-'0')
	}
	return isDigit(id[last]) && sum%10 == int(id[last]-'0')
}

// ibanLengths are the countries' lengths (SWIFT's registry).
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18" +
	"FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19" +
	"MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24" +
	"TR26UA29VA22VG24XK20YE30"

// ibanLength returns the length of a country's IBANs, 0 for none.
func ibanLength(a, b byte) int {
	for i := 0; i < len(ibanLengths); i += 4 {
		if ibanLengths[i] == a && ibanLengths[i+1] == b {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isUpper(c byte) bool { return c-'A' < 26 }

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// isWordByte reports whether a byte of a view belongs to a word: what isn't
// ASCII there is a letter.
func isWordByte(c byte) bool { return isDigit(c) || isLetter(c) || c >= 0x80 }
