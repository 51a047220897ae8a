package canon

import (
	"net/http"
	"strings"
)

// CookieValues returns the values of the cookies that a CRM could take for the
// one of that name, as they stand in the header. other reports that one of them
// has another spelling of the name (PHP reads `a.b` as `a_b`): nobody's client
// sends that by itself. Cookies are taken apart as StripCookies does.
func CookieValues(h http.Header, name string) (values []string, other bool) {
	folded := fold(name)
	for header, lines := range h {
		if !strings.EqualFold(header, "Cookie") {
			continue
		}
		for _, line := range lines {
			for piece := range strings.SplitSeq(line, ";") {
				got := cookieName(piece)
				if fold(got) != folded {
					continue
				}
				_, value, _ := strings.Cut(piece, "=")
				values = append(values, strings.Trim(value, space))
				other = other || got != name
			}
		}
	}
	return values, other
}

// SameCookie returns a test for the names that CookieValues takes for name.
func SameCookie(name string) func(string) bool {
	folded := fold(name)
	return func(other string) bool { return fold(other) == folded }
}
