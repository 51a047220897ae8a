package rules

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Sheet is the quiz as one person sees it in one session. Its answers have names that
// only who holds the key can make, and stand in the order of these: neither says which
// are right, and those of another session or version are nothing here.
type Sheet struct {
	rules *Rules
	key   [32]byte
	who   string
}

// Sheet returns the quiz for a session.
func (r *Rules) Sheet(key [32]byte, session string) *Sheet {
	return &Sheet{rules: r, key: key, who: session}
}

// named is an answer under its name.
type named struct {
	answer
	name string
}

// answers are those of a question, in their order.
func (s *Sheet) answers(question int) []named {
	var all []named
	for i, a := range s.rules.quiz[question].answers {
		mac := hmac.New(sha256.New, s.key[:])
		_, _ = fmt.Fprintf(mac, "%q %q %d %d", s.rules.version, s.who, question, i) // a hash takes all
		all = append(all, named{a, hex.EncodeToString(mac.Sum(nil)[:10])})
	}
	slices.SortFunc(all, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return all
}

// field is the name of a question's answers in a form.
func field(question int) string { return "q" + strconv.Itoa(question+1) }

// Verdict is what is right of the answers of a form.
type Verdict struct {
	sheet *Sheet
	// given are the names that were chosen of each question; wrong and open are the
	// questions that were answered wrongly, or not at all.
	given       map[int][]string
	wrong, open []int
}

// Judge looks at the answers of a form. What isn't an answer of this sheet is none.
func (s *Sheet) Judge(form url.Values) *Verdict {
	v := &Verdict{sheet: s, given: map[int][]string{}}
	for i := range s.rules.quiz {
		chosen := form[field(i)]
		good := true
		for _, a := range s.answers(i) {
			has := slices.Contains(chosen, a.name)
			if has {
				v.given[i] = append(v.given[i], a.name)
			}
			good = good && has == a.right
		}
		switch {
		case len(v.given[i]) == 0:
			v.open = append(v.open, i)
		case !good:
			v.wrong = append(v.wrong, i)
		}
	}
	return v
}

// AllRight reports whether every question was answered rightly.
func (v *Verdict) AllRight() bool { return len(v.wrong)+len(v.open) == 0 }

// again are the questions to ask once more, in their order.
func (v *Verdict) again() []int {
	all := append(slices.Clone(v.wrong), v.open...)
	slices.Sort(all)
	return all
}
