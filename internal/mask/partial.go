package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// minHidden is how many letters or digits stay hidden at least. What is too
// short for that is hidden as a whole.
const minHidden = 4

// partial shows the part of a value that doesn't identify, "" for none.
func partial(c access.Category, text string, n *names) string {
	text = strings.TrimSpace(text)
	switch c {
	case access.Name:
		return initials(text)
	case access.Email:
		return partialEmail(text, n)
	case access.Phone:
		return partialPhone(text, 2, n)
	case access.Bank:
		return partialIBAN(text, 4)
	case access.Address:
		return postalRegion(text)
	}
	return ""
}

// generalise makes a value coarser, "" for no way to. A city can't be told from
// a street by its text, so an address is a postal region or hidden.
func generalise(c access.Category, text string, n *names) string {
	text = strings.TrimSpace(text)
	switch c {
	case access.Phone:
		return partialPhone(text, 0, n)
	case access.Bank:
		return partialIBAN(text, 0)
	case access.Address:
		return postalRegion(text)
	}
	return ""
}

// initials are the first letters of the words that have three letters or more.
func initials(text string) string {
	var b strings.Builder
	letters, shown := 0, 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		n := utf8.RuneCountInString(word)
		letters += n
		if n < 3 || shown == 3 {
			continue
		}
		if shown > 0 {
			b.WriteByte(' ')
		}
		first, _ := utf8.DecodeRuneInString(word)
		b.WriteRune(unicode.ToUpper(first))
		b.WriteByte('.')
		shown++
	}
	if letters-shown < minHidden {
		return ""
	}
	return b.String()
}

// partialEmail shows the first letter, and the domain where everybody can have
// an address: a company's or a family's own domain names its owner.
func partialEmail(text string, n *names) string {
	local, domain, ok := strings.Cut(strings.ToLower(text), "@")
	if !ok || local == "" || strings.ContainsAny(text, " <>,;\"") || strings.Contains(domain, "@") {
		return ""
	}
	first := ""
	if c := local[0]; len(local) > minHidden && ('a' <= c && c <= 'z' || '0' <= c && c <= '9') {
		first = local[:1]
	}
	if publicMail(domain) {
		return n.join(first, hiddenLocal, "@", domain, ".", maskedDomain)
	}
	return n.join(first, hiddenLocal, "@", maskedDomain)
}

// publicMail reports whether a domain is a mail provider's for everybody.
func publicMail(domain string) bool {
	switch domain {
	case "gmail.com", "googlemail.com", "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com",
		"live.de", "msn.com", "yahoo.com", "yahoo.de", "ymail.com", "aol.com", "icloud.com", "me.com", "mac.com",
		"gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de", "arcor.de",
		"1und1.de", "mail.de", "email.de", "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "tutanota.com",
		"tutanota.de", "tuta.io", "vodafone.de", "bluewin.ch", "aon.at", "chello.at", "orange.fr", "free.fr",
		"laposte.net", "wanadoo.fr", "libero.it", "zoho.com", "mail.com", "fastmail.com":
		return true
	}
	return false
}

// partialPhone shows the country code, or that there is a trunk zero, and the
// last digits.
func partialPhone(text string, tail int, n *names) string {
	for _, r := range text {
		if ('0' > r || r > '9') && !strings.ContainsRune("+ -/().\u00a0", r) {
			return ""
		}
	}
	digits := n.digits(text)
	plus, code, space := "", "", ""
	switch {
	case strings.HasPrefix(text, "+"):
		plus, space, code = "+", " ", digits[:countryCodeLen(digits)]
	case strings.HasPrefix(digits, "00"):
		space, code = " ", digits[:2+countryCodeLen(digits[2:])]
	case strings.HasPrefix(digits, "0"):
		code = "0"
	}
	if digits = digits[len(code):]; len(digits)-tail < minHidden {
		return ""
	}
	return n.join(plus, code, space, HiddenText, digits[len(digits)-tail:])
}

// countryCodeLen is the length of the country code (ITU-T E.164) that digits
// start with.
func countryCodeLen(digits string) int {
	if len(digits) < 4 {
		return 0
	}
	switch digits[0] {
	case '1', '7':
		return 1
	}
	switch digits[:2] {
	case "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
		"51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
		"86", "90", "91", "92", "93", "94", "95", "98":
		return 2
	}
	return 3
}

// partialIBAN shows an IBAN's country and its last characters. Other account
// numbers are too short and too different to show a part of.
func partialIBAN(text string, tail int) string {
	iban := Normalize(access.Bank, text)
	if len(iban) < 15 || len(iban) > 34 || digitsOf(iban[:2]) != "" || digitsOf(iban[2:4]) != iban[2:4] {
		return ""
	}
	return iban[:2] + HiddenText + iban[len(iban)-tail:]
}

// postalRegion shows the first two of five digits, or the first of four.
func postalRegion(text string) string {
	if digitsOf(text) != text {
		return ""
	}
	switch len(text) {
	case 4:
		return text[:1] + bulletRun
	case 5:
		return text[:2] + bulletRun
	}
	return ""
}
