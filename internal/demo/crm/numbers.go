package crm

import (
	"fmt"
	"strings"
)

// iban returns the German IBAN of a bank code and an account number.
func iban(bankCode string, account int) string {
	bban := fmt.Sprintf("%s%010d", bankCode, account)
	return fmt.Sprintf("DE%02d%s", 98-mod97(bban+"131400"), bban)
}

// validIBAN checks the form and ISO 7064 MOD 97-10 of any country's IBAN.
func validIBAN(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	var digits strings.Builder
	for _, c := range s[4:] + s[:4] {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			fmt.Fprintf(&digits, "%d", c-'A'+10)
		default:
			return false
		}
	}
	return mod97(digits.String()) == 1
}

func mod97(digits string) int {
	rest := 0
	for _, c := range digits {
		rest = (rest*10 + int(c-'0')) % 97
	}
	return rest
}

// taxID returns the German tax id with these ten digits: ISO 7064 MOD 11,10.
func taxID(ten string) string {
	product := 10
	for _, c := range ten {
		sum := (int(c-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return fmt.Sprintf("%s%d", ten, (11-product)%10)
}

// validTaxID checks the form and the check digit.
func validTaxID(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) != 11 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	return taxID(s[:10]) == s
}

// dialled turns a German or international phone number, as people write it,
// into the form of a tel: link.
func dialled(s string) string {
	s = strings.ReplaceAll(s, "(0)", "")
	var b strings.Builder
	for i, c := range s {
		if c >= '0' && c <= '9' || c == '+' && i == 0 {
			b.WriteRune(c)
		}
	}
	switch n := b.String(); {
	case strings.HasPrefix(n, "00"):
		return "+" + n[2:]
	case strings.HasPrefix(n, "0"):
		return "+49" + n[1:]
	default:
		return n
	}
}
