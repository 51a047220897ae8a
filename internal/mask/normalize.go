package mask

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// Normalize returns the form in which two spellings of one value of a category
// are equal: e-mail addresses in lower case, phone numbers as digits (without
// the international prefix 00 and a bracketed trunk zero), account numbers as
// capital letters and digits, all else without surrounding space.
func Normalize(c access.Category, text string) string {
	text = strings.TrimSpace(text)
	switch c {
	case access.Email:
		return strings.ToLower(text)
	case access.Phone:
		if d := digitsOf(strings.Replace(text, "(0)", "", 1)); d != "" {
			return strings.TrimPrefix(d, "00")
		}
	case access.Bank:
		if a := strings.Map(alnum, text); a != "" {
			return a
		}
	}
	return text
}

func alnum(r rune) rune {
	switch {
	case '0' <= r && r <= '9', 'A' <= r && r <= 'Z':
		return r
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	}
	return -1
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// Echo holds the values that a client sent, normalised, by category. A nil Echo
// is empty.
type Echo map[access.Category]map[string]bool

// Add puts a value in. Blank values aren't kept.
func (e Echo) Add(c access.Category, text string) {
	text = Normalize(c, text)
	if text == "" {
		return
	}
	if e[c] == nil {
		e[c] = map[string]bool{}
	}
	e[c][text] = true
}

// Has reports whether the client sent this value as one of these categories.
func (e Echo) Has(cats []access.Category, text string) bool {
	for _, c := range cats {
		if e[c][Normalize(c, text)] {
			return true
		}
	}
	return false
}
