package mask

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// latinPercent writes a text into an address as programs do that know of no UTF-8:
// a byte for each character of Latin-1, a longer number for those beyond it.
func latinPercent(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.') {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "%%%02x", r)
		}
	}
	return b.String()
}

// TestLinksOfOtherCharsetsAreSearched: pages of UTF-8 hold links whose values are
// percent-encoded in Latin-1, with numbers of more digits for what isn't in it.
func TestLinksOfOtherCharsetsAreSearched(t *testing.T) {
	for _, name := range []string{"Käthe Größling", "Elif Yılmaz", "Zeynep Öztürkmen", "Jan Łęcki", "Ayşe Çiğdemoğlu", "Pat O’Brien", "Weiß & Söhne", "Ива́н Петров", "Nguyễn Phượng", "Ðorđe Kovačević", "Yıldızstraße 13"} {
		for _, encode := range []func(string) string{latinPercent, url.QueryEscape, url.PathEscape, func(s string) string { return strings.ToUpper(latinPercent(s)) }} {
			src := fmt.Sprintf(`{"name":"%s","link":"contact.pl?entity_id=6&description=%s&class_id=1"}`, name, encode(name))
			got, _ := apply(t, src, plan(map[access.Category]access.Treatment{access.Name: access.Hidden}), Options{SecondPass: true})
			if strings.Contains(got, encode(name)) {
				t.Errorf("%s stays: %s", name, got)
			}
		}
	}
}

// TestNumbersBehindPercentAreRead: where a number of more digits can't be meant, two
// belong to the escape.
func TestNumbersBehindPercentAreRead(t *testing.T) {
	for in, want := range map[string]string{
		"Y%131lmaz": "Yılmaz", "K%e4the%20Gr%f6%dfling": "Käthe Größling", "Haupt%2013": "Haupt–", "Haupt%20139": "Haupt–9", "Weg%207": "Weg 7",
		"50%": "50%", "%zz%2": "%zz%2", "%2b49%20221": "+49 221", "a%1e9eb": "aẞb", "K%C3%A4the": "Käthe", "%41bc": "\u041bc", "%09x": "\tx",
	} {
		signs := strings.ContainsRune(want, '–')
		if got := fromLatin(percentWide(in, signs)); got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}
