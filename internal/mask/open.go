package mask

import (
	"hash/maphash"
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
	if b.longest(len(cut)) != len(cut) || o.s.exact.first(maphash.Bytes(o.s.seed, cut)) < 0 {
		return
	}
	if o.texts == nil {
		o.texts = map[string]bool{}
	}
	o.texts[string(fold(nil, text))] = true
}

// end makes the sweep anew without what is open.
func (o *opening) end() {
	if len(o.texts) > 0 {
		var folded []byte
		for i := range o.s.secrets {
			secret := &o.s.secrets[i]
			folded = fold(folded[:0], secret.text)
			if secret.asText && o.texts[string(folded)] {
				secret.open, o.opened = true, true
			}
		}
	}
	if len(o.numbers) > 0 {
		for i := range o.s.secrets {
			secret := &o.s.secrets[i]
			if secret.asDigits && !isText(secret.text) && o.numbers[digitsOf(secret.text)] {
				secret.open, o.opened = true, true
			}
		}
	}
	if o.opened {
		o.s.bunches = nil
		o.s.indexNumbers()
	}
}
