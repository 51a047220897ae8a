package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/crmgate/crmgate/internal/page"
)

// question is one of the quiz.
type question struct {
	ask, why page.Text
	answers  []answer
}

// several reports whether more than one answer is right.
func (q *question) several() bool {
	n := 0
	for _, a := range q.answers {
		if a.right {
			n++
		}
	}
	return n > 1
}

type answer struct {
	text  page.Text
	right bool
}

// The bounds of a quiz.
const (
	questionsLimit = 20
	answersLimit   = 8
	sentenceLimit  = 1000 // letters
)

// readQuiz reads the questions strictly: an unknown or repeated word, a text that is
// missing in one language, a question without a right or a wrong answer are errors
// with their line.
func readQuiz(src []byte) ([]question, error) {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var root yaml.Node
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return nil, errors.New("the quiz is empty")
	} else if err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a quiz is one YAML document; there is a second one")
	}
	top, err := words(root.Content[0], "questions")
	if err != nil {
		return nil, err
	}
	list, err := items(root.Content[0], top["questions"], "questions", 1, questionsLimit)
	if err != nil {
		return nil, err
	}
	var quiz []question
	for _, n := range list {
		q, err := readQuestion(n)
		if err != nil {
			return nil, err
		}
		quiz = append(quiz, q)
	}
	return quiz, nil
}

func readQuestion(n *yaml.Node) (q question, err error) {
	w, err := words(n, "ask", "answers", "why")
	if err != nil {
		return q, err
	}
	if q.ask, err = sentence(n, w["ask"], "ask"); err != nil {
		return q, err
	}
	if q.why, err = sentence(n, w["why"], "why"); err != nil {
		return q, err
	}
	list, err := items(n, w["answers"], "answers", 2, answersLimit)
	if err != nil {
		return q, err
	}
	right := 0
	for _, n := range list {
		a, err := readAnswer(n)
		if err != nil {
			return q, err
		}
		if slices.ContainsFunc(q.answers, func(b answer) bool { return b.text.DE == a.text.DE || b.text.EN == a.text.EN }) {
			return q, fmt.Errorf("line %d: this answer stands there twice", n.Line)
		}
		if a.right {
			right++
		}
		q.answers = append(q.answers, a)
	}
	switch right {
	case 0:
		return q, fmt.Errorf("line %d: none of the answers is right: write right: true below one", n.Line)
	case len(q.answers):
		return q, fmt.Errorf("line %d: all of the answers are right: nobody could go wrong", n.Line)
	}
	return q, nil
}

func readAnswer(n *yaml.Node) (a answer, err error) {
	w, err := words(n, "de", "en", "right")
	if err != nil {
		return a, err
	}
	if a.text, err = inBoth(n, w); err != nil {
		return a, err
	}
	if r := w["right"]; r != nil {
		if r.Tag != "!!bool" {
			return a, fmt.Errorf("line %d: right is true or false", r.Line)
		}
		if err := r.Decode(&a.right); err != nil {
			return a, fmt.Errorf("line %d: right is true or false", r.Line)
		}
	}
	return a, nil
}

// words reads a mapping, each of whose keys is one of those and stands there once.
func words(n *yaml.Node, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: here stand %s", n.Line, strings.Join(known, ", "))
	}
	found := map[string]*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, k.Value):
			return nil, fmt.Errorf("line %d: unknown word %q (there are: %s)", k.Line, k.Value, strings.Join(known, ", "))
		case found[k.Value] != nil:
			return nil, fmt.Errorf("line %d: %s stands there twice", k.Line, k.Value)
		case v.Kind == yaml.AliasNode || v.Anchor != "":
			return nil, fmt.Errorf("line %d: anchors and aliases aren't taken: write it out", v.Line)
		}
		found[k.Value] = v
	}
	return found, nil
}

// items reads a list of least to most things.
func items(around, n *yaml.Node, word string, least, most int) ([]*yaml.Node, error) {
	if n == nil {
		return nil, fmt.Errorf("line %d: %s is missing", around.Line, word)
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) < least || len(n.Content) > most {
		return nil, fmt.Errorf("line %d: %s is a list of %d to %d", n.Line, word, least, most)
	}
	return n.Content, nil
}

// sentence reads a text in both languages.
func sentence(around, n *yaml.Node, word string) (page.Text, error) {
	if n == nil {
		return page.Text{}, fmt.Errorf("line %d: %s is missing", around.Line, word)
	}
	w, err := words(n, "de", "en")
	if err != nil {
		return page.Text{}, err
	}
	return inBoth(n, w)
}

func inBoth(n *yaml.Node, w map[string]*yaml.Node) (t page.Text, err error) {
	for _, l := range []struct {
		lang string
		into *string
	}{{German, &t.DE}, {English, &t.EN}} {
		v := w[l.lang]
		if v == nil || strings.TrimSpace(v.Value) == "" {
			return t, fmt.Errorf("line %d: the text in %q is missing: everything stands there in de and en", n.Line, l.lang)
		}
		if v.Kind != yaml.ScalarNode || utf8.RuneCountInString(v.Value) > sentenceLimit {
			return t, fmt.Errorf("line %d: here stands a text of at most %d letters", v.Line, sentenceLimit)
		}
		*l.into = strings.TrimSpace(v.Value)
	}
	return t, nil
}
