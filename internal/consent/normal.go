package consent

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxAddress is the longest e-mail address (RFC 5321, erratum 1690).
const maxAddress = 254

// normalEmail is the form in which spellings of one e-mail address are equal: without
// space around it, in small letters, the domain as DNS has it. Dots and `+tags` stay:
// whether they mean the same mailbox only its own server knows, and a consent must not
// pass to another one. False is no address.
func normalEmail(s string) (string, bool) {
	s = strings.TrimSpace(norm.NFC.String(s))
	at := strings.LastIndexByte(s, '@')
	if at < 1 || len(s) > maxAddress || !utf8.ValidString(s) {
		return "", false
	}
	local, domain := s[:at], strings.TrimSuffix(s[at+1:], ".")
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil || !isDomain(domain) || len(local) > 64 || !isLocal(local) {
		return "", false
	}
	local, domain = strings.ToLower(local), strings.ToLower(domain)
	if again, err := idna.Lookup.ToASCII(domain); err != nil || again != domain || !isLocal(local) {
		return "", false
	}
	return local + "@" + domain, true
}

// isDomain reports whether that has two labels or more, none of them empty.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	return len(labels) > 1 && !slices.Contains(labels, "")
}

// isLocal reports whether that can stand before the @: an atom with dots (RFC 5322), of
// letters of any language. Quoted forms are refused; nobody has one, and they can carry
// anything.
func isLocal(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for _, c := range part {
			switch {
			case unicode.IsLetter(c), unicode.IsDigit(c), unicode.IsMark(c):
			case c < unicode.MaxASCII && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c):
			default:
				return false
			}
		}
	}
	return true
}

// mailable reports whether a normal address can be written to: without SMTPUTF8, which
// few servers speak, it is of ASCII.
func mailable(address string) bool {
	for i := range len(address) {
		if address[i] >= 0x7f || address[i] <= ' ' {
			return false
		}
	}
	return address != ""
}

// normalPhone is the form in which spellings of one phone number are equal: that of
// E.164 where it can be read, else its digits. A number without a country code is of
// the region. False is no number.
func normalPhone(s, region string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 60 {
		return "", false
	}
	if n, err := phonenumbers.Parse(s, region); err == nil && phonenumbers.IsPossibleNumber(n) {
		return phonenumbers.Format(n, phonenumbers.E164), true
	}
	var digits strings.Builder
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits.WriteRune(c)
		}
	}
	if digits.Len() < 5 {
		return "", false
	}
	return digits.String(), true
}
