package observed

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// maxName is how long a name is at most, in bytes.
const maxName = 80

// plainName is what a name looks like, by its letters.
var plainName = regexp.MustCompile(`^[\p{L}_$@][\p{L}0-9_$@.:-]*$`)

// custom are names of fields that carry a number, because the CRM's customer made
// them.
var custom = regexp.MustCompile(`^(?i:cf|uf|udf|custom|custom_?field|field|feld|attribute|property)[_.-]?(?:[A-Za-z]{1,12}[_.-])?[0-9]{1,6}$`)

// versions are steps of an address that name a version: v3, v60.0, 2026-03.
var versions = regexp.MustCompile(`^(?:v[0-9]{1,3}(?:\.[0-9]{1,2}){0,2}|20[0-9]{2}-[01][0-9]|[0-9]\.[0-9])$`)

// isName reports whether a text is a name that an interface uses, and not a value
// that stands in a name's place. said are the texts of the exchange: what is said
// there as a value, too, is a name only where everybody calls things so.
func (c *Collector) isName(s string, said map[string]bool) bool {
	n := c.looksLike(s)
	return n.plain && (n.known || !said[strings.ToLower(s)] && !c.wordsSaid(s, said))
}

// knows reports whether a name is one that everybody uses.
func (c *Collector) knows(s string) bool {
	n := c.looksLike(s)
	return n.plain && n.known
}

// likeness is what a text looks like, whatever else is said: a name, one that
// everybody uses, one of a member that says of which type a record is.
type likeness struct{ plain, known, typ bool }

// maxLikenesses bounds those that are remembered.
const maxLikenesses = 20_000

// looksLike says what a text looks like. That of names is remembered, that of values
// isn't.
func (c *Collector) looksLike(s string) likeness {
	if have, ok := c.seen.Load(s); ok {
		n, _ := have.(likeness)
		return n
	}
	n := c.judge(s)
	if n.plain && c.names.Load() < maxLikenesses {
		c.names.Add(1)
		c.seen.Store(strings.Clone(s), n)
	}
	return n
}

func (c *Collector) judge(s string) likeness {
	switch {
	case s == "" || len(s) > maxName || !utf8.ValidString(s):
		return likeness{}
	case !plainName.MatchString(s):
		known := spaced(s) && c.words.Knows(s)
		return likeness{plain: known, known: known}
	case idLike(s):
		is := custom.MatchString(s)
		return likeness{plain: is, known: is}
	case c.words.Knows(s):
		return likeness{plain: true, known: true, typ: vocabulary.Has(vocabulary.Types, s)}
	}
	return likeness{plain: len(c.detector.Find(s)) == 0, typ: vocabulary.Has(vocabulary.Types, s)}
}

// wordsSaid reports whether a name is put together of words that the exchange's
// texts say: meier_anna.
func (c *Collector) wordsSaid(s string, said map[string]bool) bool {
	for part := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(part) > 3 && said[part] && !c.knows(part) {
			return true
		}
	}
	return false
}

// spaced reports whether a text is made of letters and single spaces.
func spaced(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && r != ' ' && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// idLike reports whether a text looks like an id: numbers, uuids, hashes, and what
// machines make of letters and digits.
func idLike(s string) bool {
	const fewDigits, shortHash, token, shortWords = 2, 8, 10, 3
	name := strings.TrimRight(s, "0123456789")
	digits := len(s) - len(name)
	within := strings.ContainsAny(name, "0123456789")
	one := within && digits == 0 && strings.Count(strings.Map(digitsAlone, name), "0") == 1
	hexadecimal := len(s) >= shortHash && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
	switch {
	case name == "" || digits > fewDigits || within && !one:
		return true
	case hexadecimal && (within || digits > 0):
		return true
	case len(s) < token:
		return false
	}
	words := vocabulary.Words(s)
	letters := 0
	for _, w := range words {
		letters += len(w)
	}
	return letters < shortWords*len(words)
}

func digitsAlone(r rune) rune {
	if r >= '0' && r <= '9' {
		return '0'
	}
	return -1
}

// maxSaid bounds the words that are noted of an exchange, and maxSaidText the
// length of a text that is looked at.
const (
	maxSaid     = 50_000
	maxSaidText = 4096
)

// texts are the words that stand in the texts of documents, and whole texts, in
// lower case. They are held while an exchange is looked at, not longer.
func texts(trees ...*doc.Tree) map[string]bool {
	said := map[string]bool{}
	for _, t := range trees {
		if t == nil {
			continue
		}
		for n := range t.Nodes {
			if t.Nodes[n].Kind != doc.String || len(said) >= maxSaid {
				continue
			}
			text := strings.ToLower(t.Text(n))
			if len(text) > maxSaidText {
				text = text[:maxSaidText]
			}
			if addressForm.MatchString(text) {
				continue // it says the names of the interface
			}
			said[text] = true
			for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				said[word] = true
			}
		}
	}
	return said
}

// typed are the words that members say which name types of records, in lower case.
// In an address they are names: the step `Contact`, of which the answer's records
// say that it is their type.
func (c *Collector) typed(trees ...*doc.Tree) map[string]bool {
	types := map[string]bool{}
	for _, t := range trees {
		if t == nil {
			continue
		}
		for n := range t.Nodes {
			if t.Nodes[n].Kind == doc.String && len(types) < maxSaid && c.types(t.Key(n)) {
				types[strings.ToLower(t.Text(n))] = true
			}
		}
	}
	return types
}

// types reports whether a member's name says that it holds a type.
func (c *Collector) types(key string) bool {
	return key != "" && c.looksLike(key).typ
}
