package detect

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Hits are in order, apart from each other, inside the text, on boundaries of
// characters, and found again in the text alone. What is added far away changes
// none of them.
func FuzzHitsAreWellFormed(f *testing.F) {
	for _, seed := range []string{
		"Tel. +49 (0)30 / 23125-017, erika@web.de", "IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX", "geb. 15. Februar 1971",
		"65 170839 J 003", "756.9217.0769.85", "B-AB 1234E", "fe80::1ff:fe23:4567:890a", "4111 1111 1111 1111", "eri\u200bka＠web.de",
		"٠٣٠ ٢٣١٢٥٠١٧ Tel", "00(0)0", "+0(0", "\xff@\xff.de", "\"@a.de", "=@a.de", "+=@a.de", "a@[1.2.3.4]", "1(2(3)4)5@x.de", "\xc3", "1\xc3",
		"IBAN DE1", "Kennzeichen Ä-Ö 1", "(at)(at)a@b.de", "0049(0)", "DE 12 3456 7890 1234 5678 90 zz",
	} {
		f.Add(seed)
	}
	d := New(Options{})
	f.Fuzz(func(t *testing.T, text string) {
		hits := d.Find(text)
		last := 0
		for _, h := range hits {
			if h.Start < last || h.End <= h.Start || h.End > len(text) {
				t.Fatalf("hit %v of %d bytes behind %d", h, len(text), last)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[h.Start:h.End]) {
				t.Fatalf("hit %v cuts a character", h)
			}
			if h.Category != h.Kind.Category() || !h.Category.Valid() {
				t.Fatalf("hit %v has no category", h)
			}
			last = h.End
		}
		far := d.Find(text + strings.Repeat("\n", 300) + "Ende")
		if len(far) != len(hits) {
			t.Fatalf("%d hits, %d with blank lines behind", len(hits), len(far))
		}
	})
}

// Twice the text takes about twice the steps: counted are the bytes that are
// read beside candidates, the only look that isn't bounded by the scan itself.
func TestWorkGrowsWithTheText(t *testing.T) {
	d := New(Options{})
	for _, unit := range []string{
		"1", "1 ", "a@", "@", "a.", "DE89 ", "DE89", "(0", "+49 ", "0301 ", "*1.1.71 ", "1-", "a-", "(at)", "::", "1:", "A1", "\"@", "+=", "ä", "０", "\u200b1",
		"geb 1.1.1971 ", "Tel 030 23125017 ", "4111 1111 ", "1.", "AB ", "M-", "Januar 1 ",
	} {
		short, long := strings.Repeat(unit, 1<<14/len(unit)), strings.Repeat(unit, 1<<17/len(unit))
		if a, b := effort(d, short), effort(d, long); b > 16*a+1<<16 {
			t.Errorf("%q: %d steps for %d bytes, %d for %d", unit, a, len(short), b, len(long))
		}
	}
}

// effort counts the candidates and the words that are read for them.
func effort(d *Detector, text string) int {
	v := foldView(text)
	sc := scan{d: d, s: v.s, labelAt: -1}
	sc.run()
	return sc.steps
}
