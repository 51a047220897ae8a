package profile

import (
	"net/url"
	"strings"
)

// parameter is a query parameter of an address, wherever in it the query stands;
// the text itself without a parameter's name.
func parameter(text, name string) string {
	if name == "" {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '?' || r == '&' || r == '#' }) {
		if v, ok := strings.CutPrefix(part, name+"="); ok {
			return v
		}
	}
	return ""
}
