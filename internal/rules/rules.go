// Package rules is what employees have to know before the CRM opens: the company's
// rules as text in German and English, a few questions about them, and who has
// acknowledged which version, and when.
//
// The rules are: a version is the hash of both texts and the questions, so that a
// change of any of them asks again; what is kept of a person is that they acknowledged
// a version, when, and in which language; wrong answers are kept nowhere.
package rules

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"unicode/utf8"
)

//go:embed builtin
var builtin embed.FS

// Source is what rules are made of.
type Source struct{ DE, EN, Quiz File }

// File is one file of it. Name is what errors say.
type File struct {
	Name string
	Raw  []byte
}

// Builtin names the files that ship.
const (
	BuiltinDE   = "builtin/rules.de.md"
	BuiltinEN   = "builtin/rules.md"
	BuiltinQuiz = "builtin/quiz.yaml"
)

// Builtin returns a file that ships.
func Builtin(name string) (File, error) {
	raw, err := builtin.ReadFile(name)
	if err != nil {
		return File{}, fmt.Errorf("reading the shipped rules: %w", err)
	}
	return File{Name: name, Raw: raw}, nil
}

// fileLimit is the largest file in bytes.
const fileLimit = 256 << 10

// The languages.
const (
	German  = "de"
	English = "en"
)

// Rules are rules that were read and found good.
type Rules struct {
	version string
	texts   map[string]rendered
	quiz    []question
}

// rendered is the rules in one language.
type rendered struct {
	title string
	body  template.HTML
}

// Load reads rules strictly. Errors name file and line.
func Load(s Source) (*Rules, error) {
	r := &Rules{version: version(s), texts: map[string]rendered{}}
	for lang, f := range map[string]File{German: s.DE, English: s.EN} {
		if err := readable(f); err != nil {
			return nil, err
		}
		t, err := markdown(f.Raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		r.texts[lang] = t
	}
	if err := readable(s.Quiz); err != nil {
		return nil, err
	}
	var err error
	if r.quiz, err = readQuiz(s.Quiz.Raw); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Quiz.Name, err)
	}
	return r, nil
}

func readable(f File) error {
	switch {
	case len(f.Raw) > fileLimit:
		return fmt.Errorf("%s: it has %d bytes, and at most %d are taken", f.Name, len(f.Raw), fileLimit)
	case !utf8.Valid(f.Raw):
		return fmt.Errorf("%s: it isn't UTF-8; save it as UTF-8", f.Name)
	}
	return nil
}

// version is the SHA-256 of a line for each file, as sha256sum writes it: whoever has
// the files can check it with that command.
func version(s Source) string {
	sum := sha256.New()
	for _, f := range []struct {
		name string
		raw  []byte
	}{{"de", s.DE.Raw}, {"en", s.EN.Raw}, {"quiz", s.Quiz.Raw}} {
		_, _ = fmt.Fprintf(sum, "%x  %s\n", sha256.Sum256(f.raw), f.name) // a hash takes all
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Version names these rules: 64 hexadecimal digits.
func (r *Rules) Version() string { return r.version }

// ShortVersion is Version as people compare it.
func (r *Rules) ShortVersion() string { return Short(r.version) }

// Short is the beginning of a version.
func Short(version string) string { return version[:min(len(version), 12)] }

// Title is what the text in a language is called.
func (r *Rules) Title(lang string) string { return r.in(lang).title }

// Questions is how many there are.
func (r *Rules) Questions() int { return len(r.quiz) }

func (r *Rules) in(lang string) rendered {
	if lang != German {
		lang = English
	}
	return r.texts[lang]
}
