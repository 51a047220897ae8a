package link

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// skeleton is a word as it looks: words that people take for one another have the same.
// It follows UTS 39 in idea, for what can stand in names of hosts; i, l and 1 are one
// here, since fonts of address lines draw them alike.
func skeleton(word string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(word)) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		if like := looksLike(r); like != "" {
			b.WriteString(like)
			continue
		}
		b.WriteRune(r)
	}
	return joined(b.String())
}

// joined makes one letter of those that look like one side by side.
func joined(s string) string {
	return strings.NewReplacer("rn", "m", "vv", "w", "cl", "d", "0", "o", "1", "l", "i", "l", "5", "s").Replace(s)
}

// looksLike is what a letter looks like, in ASCII; "" for itself.
func looksLike(r rune) string {
	if r < 0x80 {
		return ""
	}
	for _, t := range alike() {
		if i := strings.IndexRune(t.letters, r); i >= 0 {
			return t.like
		}
	}
	return ""
}

type likeness struct{ like, letters string }

// alike are letters of other scripts, and of Latin itself, that are drawn like one of
// ASCII. What Unicode's compatibility forms (full width, mathematical letters) and
// accents make of a letter is taken off before.
func alike() []likeness {
	return []likeness{
		{"a", "аαаɑⱥ"},
		{"b", "ЬьвƅɓƀᏏᖯ"},
		{"c", "сϲᴄⲥƈ"},
		{"d", "ԁɗđꓒᏧ"},
		{"e", "еєҽ℮ɛεɇ"},
		{"f", "ғſƒꞙք"},
		{"g", "ɡցǥɠ"},
		{"h", "һհнħᏂ"},
		{"i", "іιıɩӏᎥɨ"},
		{"j", "јϳʝɉ"},
		{"k", "кκƙĸⲕ"},
		{"l", "ⅼłƚɭӀƖ|ǀاߊ"},
		{"m", "мⅿɱṃ"},
		{"n", "пηոռɲŋƞ"},
		{"o", "оοօσøɵଠഠ๐໐оჿⲟʘө০୦௦"},
		{"p", "рρƿⲣþ"},
		{"q", "ԛզգɋʠ"},
		{"r", "гᴦⲅɾɍг"},
		{"s", "ѕꜱʂƽ"},
		{"t", "тτţŧƭ"},
		{"u", "υսᴜʋцʉ"},
		{"v", "ѵνᴠѴ"},
		{"w", "ԝաωшɯѡ"},
		{"x", "хχ×ҳⅹ"},
		{"y", "уүγყʏɏү"},
		{"z", "ᴢʐƶʑ"},
		{"ss", "ß"},
		{"ae", "æӕ"},
		{"oe", "œ"},
	}
}

// scripts are those of a word's letters, without what belongs to all.
func scripts(word string) map[string]bool {
	found := map[string]bool{}
	for _, r := range word {
		if r < 0x80 {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				found["Latin"] = true
			}
			continue
		}
		if unicode.Is(unicode.Common, r) || unicode.Is(unicode.Inherited, r) {
			continue
		}
		for name, table := range unicode.Scripts {
			if unicode.Is(table, r) {
				found[name] = true
				break
			}
		}
	}
	return found
}

// mixes reports whether scripts stand in one word that no language mixes. Japanese,
// Chinese and Korean write Latin letters among their own (UTS 39, highly restrictive).
func mixes(found map[string]bool) bool {
	if len(found) < 2 {
		return false
	}
	for _, allowed := range [][]string{
		{"Latin", "Han", "Hiragana", "Katakana"}, {"Latin", "Han", "Bopomofo"}, {"Latin", "Han", "Hangul"},
	} {
		n := 0
		for _, s := range allowed {
			if found[s] {
				n++
			}
		}
		if n == len(found) {
			return false
		}
	}
	return true
}

// marks look like what ends a host in an address, or parts it.
const marks = "⁄∕╱⧸⟋〳᜵ㅤ․‥ꓸ܂܁⁇‽ꜝ⌗⋕﹟﹫"

// disguised reports whether a word has letters of another script than Latin, all of
// which look like letters of ASCII.
func disguised(word string) bool {
	found := scripts(word)
	delete(found, "Latin")
	if len(found) == 0 {
		return false
	}
	for _, r := range skeleton(word) {
		if r >= 0x80 {
			return false
		}
	}
	return true
}

// near reports whether one slip of a finger leads from one word to the other: a letter
// in another's place, two exchanged, one too many or too few. ends says that the last
// may be at either end, where plurals and other words differ.
func near(a, b string, ends bool) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	first := 0
	for first < len(x) && x[first] == y[first] {
		first++
	}
	last := 0
	for last < len(x)-first && x[len(x)-1-last] == y[len(y)-1-last] {
		last++
	}
	switch len(y) - len(x) {
	case 0:
		middle := len(x) - first - last
		return middle == 1 || middle == 2 && x[first] == y[first+1] && x[first+1] == y[first]
	case 1:
		if first+last < len(x) {
			return false
		}
		return ends || first > 0 && first < len(x)
	}
	return false
}
