package link

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// in calls visit for what a person, or the program that shows a text, takes for web
// addresses in it; also where it is HTML whose letters are written as references. It
// looks at no more than are left.
func in(text string, left *int, visit func(raw string)) {
	find(text, left, visit)
	if !strings.Contains(text, "&") {
		return
	}
	if plain := html.UnescapeString(text); plain != text {
		find(plain, left, visit)
	}
}

func find(text string, left *int, visit func(raw string)) {
	for i := 0; i < len(text) && *left > 0; i++ {
		begin := -1
		switch text[i] {
		case ':':
			begin = schemeAt(text, i)
		case 'w', 'W':
			begin = nameAt(text, i)
		}
		if begin < 0 {
			continue
		}
		end := i + length(text[i:])
		visit(address(text[begin:end]))
		i = end
		*left--
	}
}

// schemeAt is where the scheme begins that ends at a colon with a slash behind it, -1
// where there is none.
func schemeAt(text string, colon int) int {
	if colon+1 >= len(text) || text[colon+1] != '/' && text[colon+1] != '\\' {
		return -1
	}
	for _, name := range [...]string{"https", "http"} {
		if at := colon - len(name); at >= 0 && strings.EqualFold(text[at:colon], name) {
			return at
		}
	}
	return -1
}

// nameAt reports where `www.` stands at the beginning of a word.
func nameAt(text string, at int) int {
	const www = "www."
	if len(text)-at < len(www) || !strings.EqualFold(text[at:at+len(www)], www) {
		return -1
	}
	if before, _ := utf8.DecodeLastRuneInString(text[:at]); unicode.IsLetter(before) || unicode.IsDigit(before) || before == '.' || before == '/' || before == '\\' {
		return -1
	}
	return at
}

// length is how far an address reaches.
func length(text string) int {
	for i, r := range text {
		switch {
		case r == '<' || r == '>' || r == '"' || r == '\'' || r == '`', unicode.IsSpace(r):
			return i
		}
	}
	return len(text)
}

// address takes away what ends a sentence behind an address, and gives it the scheme
// that programs give it.
func address(raw string) string {
	raw = strings.TrimRight(raw, ".,;:!?)]}»“”")
	if len(raw) >= 4 && strings.EqualFold(raw[:4], "www.") {
		return "http://" + raw
	}
	return raw
}
