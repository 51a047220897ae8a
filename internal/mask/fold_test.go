package mask

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestFoldLeavesCaseOutAndKeepsLengths(t *testing.T) {
	for r := rune(0x80); r < 0x3000; r++ {
		want := string(r)
		if l := unicode.ToLower(r); utf8.RuneLen(l) == len(want) {
			want = string(l)
		}
		if got := string(fold(nil, string(r))); got != want {
			t.Errorf("fold(%q) = %q, want %q", r, got, want)
		}
	}
	for _, text := range []string{"A\xc3", "\xc3\xc3B", "\xc3(x", strings.Repeat("Ä", 9) + "\xff"} {
		if got := fold(nil, text); len(got) != len(text) {
			t.Errorf("fold(%q) has %d bytes", text, len(got))
		}
	}
}

func TestHeadIsThatOfTheNeedle(t *testing.T) {
	for _, text := range []string{"Erika", "ÄÖÜß", "aäÖ€x", "日本語", "x?~ÿ@é", "++//--__", "\xff\xfe\x00\x01"} {
		if got, want := plainHead(text), fold(nil, text)[:headLen]; string(headBytes(got)) != string(want) {
			t.Errorf("plainHead(%q) = %q, want %q", text, headBytes(got), want)
		}
		for before := range 3 {
			core := fold(nil, encoded(text, before))
			if n := coreLen(len(text), before); n != len(core) {
				t.Errorf("coreLen(%q, %d) = %d, want %d", text, before, n, len(core))
			}
			if got := base64Head(text, before); string(headBytes(got)) != string(core[:headLen]) {
				t.Errorf("base64Head(%q, %d) = %q, want %q", text, before, headBytes(got), core[:headLen])
			}
		}
	}
}

func headBytes(head uint64) []byte {
	return []byte{byte(head), byte(head >> 8), byte(head >> 16), byte(head >> 24)}
}

// The first look may not take for usual what can be written otherwise, nor fold
// a letter otherwise than the search does.
func TestFirstLookFoldsAsTheSearchDoes(t *testing.T) {
	for r := rune(0x80); r < 0x3000; r++ {
		if text := string(r); !unusual(text) && plainly(text) != text {
			t.Errorf("%q counts as usual and is %q plainly", text, plainly(text))
		}
		lower := strings.ToLower("Mąka" + string(r) + "ŁAŻ")
		s := newSweep([]secret{{text: lower, with: HiddenText, asText: true}})
		for _, text := range []string{lower, "Mąka" + string(r) + "ŁAŻ", strings.ToUpper(lower)} {
			if _, found := s.mask("x "+text+" y", nil); found && s.clean([]byte("x "+text+" y")) {
				t.Errorf("the first look takes no notice of %q in %q", lower, text)
			}
		}
	}
	for _, joined := range []string{"Ĳ", "ĳ", "Ŀ", "ŀ", "ŉ", "ſ", "Ÿ"} {
		if s := newSweep([]secret{{text: "anna", asText: true}}); s.clean([]byte("x " + joined)) {
			t.Errorf("%q passes the first look", joined)
		}
	}
}
