// Package vocabulary knows the words by which CRMs call things, in English and in
// German: what a field can hold, which members stand around records, which
// parameters sort. It is general: no CRM is named in it.
package vocabulary

import (
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
)

// Words divides a name into its words, in lower case and without umlauts:
// emailAddress1 is email and address, tax_ID tax and id, Straße strasse.
func Words(name string) []string {
	var list []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			list = append(list, fold(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			end()
		}
		word = append(word, r)
	}
	end()
	return list
}

func fold(word string) string {
	word = strings.ToLower(word)
	plain := func(r rune) bool { return r < unicode.MaxLatin1 && r > unicode.MaxASCII }
	if !strings.ContainsFunc(word, plain) {
		return word
	}
	return strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(word)
}

// maxRun is how many words a term has at most: date of birth.
const maxRun = 4

// Vocabulary is the words in a form in which they are found fast. It is immutable
// and safe for concurrent use.
type Vocabulary struct {
	rules []compiled
	words map[string]bool
}

type compiled struct {
	category access.Category
	terms    map[string]bool
	ends     []string
}

// New returns the vocabulary.
func New() *Vocabulary {
	v := &Vocabulary{words: map[string]bool{}}
	for _, r := range rules() {
		c := compiled{category: r.category, terms: map[string]bool{}, ends: strings.Fields(r.ends)}
		for term := range strings.SplitSeq(r.terms, ",") {
			parts := strings.Fields(term)
			c.terms[strings.Join(parts, "")] = true
			v.learn(parts...)
			v.learn(strings.Join(parts, ""))
		}
		v.rules = append(v.rules, c)
	}
	for _, list := range []string{Flags, Stamps, Counts, Envelope, Types, Employees, States, Shapes, technical, things, verbs, parameters, Changes, Persons, Objects, Sorts, Directions, Selects, Searches, Paging, IDs} {
		v.learn(strings.Fields(list)...)
	}
	for pair := range strings.FieldsSeq(plurals) {
		many, one, _ := strings.Cut(pair, "=")
		v.learn(one, many)
	}
	return v
}

func (v *Vocabulary) learn(words ...string) {
	for _, w := range words {
		v.words[w] = true
	}
}

// Knows reports whether every word of a name is in the vocabulary.
func (v *Vocabulary) Knows(name string) bool {
	words := Words(name)
	unknown := func(w string) bool { return !v.words[w] && !v.words[Singular(w)] }
	return len(words) > 0 && (v.words[strings.Join(words, "")] || !slices.ContainsFunc(words, unknown))
}

// runs lists a name's words and what neighbours make together.
func runs(name string) []string {
	words := Words(name)
	var list []string
	for i := range words {
		for n := 1; n <= maxRun && i+n <= len(words); n++ {
			list = append(list, strings.Join(words[i:i+n], ""))
		}
	}
	return list
}

// Category tells from a field's name what it can hold; "" where the name doesn't
// tell.
func (v *Vocabulary) Category(name string) access.Category {
	in := runs(name)
	for i := range v.rules {
		r := &v.rules[i]
		if slices.ContainsFunc(in, func(s string) bool { return r.terms[s] || r.terms[Singular(s)] }) {
			return r.category
		}
	}
	for i := range v.rules {
		r := &v.rules[i]
		ends := func(s string) bool {
			return slices.ContainsFunc(r.ends, func(end string) bool { return strings.HasSuffix(s, end) })
		}
		if slices.ContainsFunc(in, ends) {
			return r.category
		}
	}
	return ""
}

// Has reports whether a list of words, as the constants of this package, has one
// of a name's, or what neighbours of them make together.
func Has(list, name string) bool {
	words := strings.Fields(list)
	return slices.ContainsFunc(runs(name), func(s string) bool { return slices.Contains(words, s) })
}

// All reports whether every word of a name is in a list.
func All(list, name string) bool {
	words, in := strings.Fields(list), Words(name)
	return len(in) > 0 && !slices.ContainsFunc(in, func(s string) bool { return !slices.Contains(words, s) })
}

// Singular is the word for one of what a word names several of; a word that is
// no plural stays.
func Singular(word string) string {
	if _, after, ok := strings.Cut(plurals, " "+word+"="); ok {
		one, _, _ := strings.Cut(after, " ")
		return one
	}
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"), len(word) < 4:
		return word
	case strings.HasSuffix(word, "s"):
		return word[:len(word)-1]
	}
	return word
}

// IsVerb reports whether a step of an address says what is done with records.
func IsVerb(step string) bool { return All(verbs, step) }

// Is reports whether a name as a whole is one of a list's words.
func Is(list, name string) bool {
	return slices.Contains(strings.Fields(list), strings.Join(Words(name), ""))
}
