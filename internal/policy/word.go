package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

var (
	plainWord = regexp.MustCompile(`^[a-z0-9_.-]+$`)
	// factWord is the closed form of `when`. A purpose and a channel are words
	// of the company's own.
	factWord = regexp.MustCompile(`^(own|reason|consent:[a-z0-9_.-]+(:[a-z0-9_.-]+)?)$`)
)

// list is a closed list of words.
type list struct {
	// of says what the words are, for messages.
	of    string
	known map[string]bool
}

func newList(of string, words ...string) list {
	l := list{of: of, known: make(map[string]bool, len(words))}
	for _, w := range words {
		l.known[w] = true
	}
	return l
}

func (l list) with(words ...string) list {
	more := newList(l.of, words...)
	for w := range l.known {
		more.known[w] = true
	}
	return more
}

// check refuses a word that isn't in the list, naming the nearest that is.
func (l list) check(word string) error {
	if l.known[word] {
		return nil
	}
	words := make([]string, 0, len(l.known))
	for w := range l.known {
		words = append(words, w)
	}
	slices.Sort(words)
	if near := nearest(word, words); near != "" {
		return fmt.Errorf("%s %q is unknown; did you mean %q?", l.of, brief(word), near)
	}
	return fmt.Errorf("%s %q is unknown; it is one of: %s", l.of, brief(word), brief(strings.Join(words, ", ")))
}

func actionList() list {
	l := newList("action", anyWord)
	for _, a := range access.Actions() {
		l.known[string(a)] = true
	}
	return l
}

func categoryList() list {
	l := newList("category")
	for _, c := range access.Categories() {
		l.known[string(c)] = true
	}
	return l
}

func treatmentList() list {
	l := newList("treatment")
	for _, t := range access.Treatments() {
		l.known[t.String()] = true
	}
	return l
}

// brief keeps a message short whatever stands in a file.
func brief(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// nearest returns the word with the fewest edits to s, or "" when none is near
// enough to be what was meant.
func nearest(s string, words []string) string {
	if len(s) > 64 {
		return ""
	}
	best, least := "", max(1, min((len(s)+1)/2, 3))+1
	for _, w := range words {
		if d := edits(s, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(corner+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
