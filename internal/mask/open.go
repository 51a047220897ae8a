package mask

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

// opening takes out of a sweep the secrets that the document shows this role
// somewhere else, by the plan.
type opening struct {
	// s holds the document's own secrets alone: what an earlier unit masked
	// stays a secret.
	s      *Sweep
	opened bool
	// texts and numbers are those that may be a secret.
	texts, numbers map[string]bool
}

// isText reports whether a value is compared as a text: what has no letters but
// digits is compared by its digits.
func isText(text string) bool {
	return strings.IndexFunc(text, unicode.IsLetter) >= 0 || digitsOf(text) == ""
}

// show says that the document shows this text.
func (o *opening) show(text string) {
	text = strings.TrimSpace(text)
	if isText(text) {
		o.showText(text)
		return
	}
	digits := digitsOf(text)
	n, value := tailOf(digits)
	if tails := &o.s.numbers.tails; n < minDigits || len(tails.things) == 0 || !tails.may(tailKey(n, value)) {
		return
	}
	if o.numbers == nil {
		o.numbers = map[string]bool{}
	}
	o.numbers[digits] = true
}

func (o *opening) showText(text string) {
	// Folding keeps the length: only what is as long can be equal.
	if len(text) < minChars || len(o.s.needles.things) == 0 || !o.s.hasLength(len(text)) {
		return
	}
	head := plainHead(text)
	if !o.s.needles.may(head) {
		return
	}
	if o.s.needles.first(head) < 0 {
		return
	}
	b := o.s.bunch(head)
	var space [maxNeedle]byte
	cut := fold(space[:0], cutText(text))
	at, found := slices.BinarySearchFunc(b.all, cut, func(n needle, text []byte) int { return bytes.Compare(n.text, text) })
	if !found {
		return
	}
	folded := string(fold(nil, text))
	if o.texts[folded] {
		return
	}
	if o.texts == nil {
		o.texts = map[string]bool{}
	}
	o.texts[folded] = true
	for ; at < len(b.all) && bytes.Equal(b.all[at].text, cut); at++ {
		n := &b.all[at]
		if !o.s.secrets[n.of].open && string(fold(nil, o.s.secrets[n.of].text)) == folded {
			o.s.secrets[n.of].open, o.opened = true, true
		}
	}
}

// end makes the sweep anew without what is open.
func (o *opening) end() {
	if len(o.numbers) > 0 {
		for i := range o.s.secrets {
			secret := &o.s.secrets[i]
			if secret.asDigits && !isText(secret.text) && o.numbers[digitsOf(secret.text)] {
				secret.open, o.opened = true, true
			}
		}
	}
	if o.opened {
		o.s.bunches, o.s.room = nil, nil
		o.s.indexNumbers()
	}
}
