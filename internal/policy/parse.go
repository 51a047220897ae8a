package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// parsed is what the files say, once every line and every link has been
// checked.
type parsed struct {
	rules  []*rule
	links  []*link
	graphs map[string]*graph // by ptype: g, g2, g3
}

// roles lists every role that a line names, sorted.
func (p *parsed) roles() []string {
	names := p.graphs["g"].names()
	for _, r := range p.rules {
		names = append(names, r.role())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// source is one line that says something.
type source struct {
	file  string
	line  int
	text  string
	cells []string
}

// fault puts file and line before each of the errors.
func (s *source) fault(errs ...error) error {
	var placed []error
	for _, err := range errs {
		if err != nil {
			placed = append(placed, fmt.Errorf("%s:%d: %w", s.file, s.line, err))
		}
	}
	return errors.Join(placed...)
}

// parse reads the files in two passes: links first, since the groups they make
// are words of the p lines.
func parse(files []File, vocab Vocabulary) (*parsed, error) {
	sources, errs := split(files)
	p := &parsed{graphs: map[string]*graph{"g": newGraph(), "g2": newGraph(), "g3": newGraph()}}
	c := newChecker(vocab)
	for _, s := range sources {
		if s.cells[0] == "p" {
			continue
		}
		l, err := c.link(s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.links = append(p.links, l)
		p.graphs[l.ptype].add(l)
	}
	errs = append(errs, c.groups(p.links))
	for _, s := range sources {
		if s.cells[0] != "p" {
			continue
		}
		r, err := c.rule(s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.rules = append(p.rules, r)
	}
	for _, ptype := range []string{"g", "g2", "g3"} {
		errs = append(errs, p.graphs[ptype].check())
	}
	// The checks of the whole only mean something where each line stands.
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, errors.Join(p.whole()...)
}

// split cuts files into lines and lines into cells, exactly as Casbin's own
// file adapter would: what it would read otherwise than a person does (quotes,
// a space behind a word, a byte order mark) is refused.
func split(files []File) ([]*source, []error) {
	var sources []*source
	var errs []error
	seen := make(map[string]*source)
	for _, f := range files {
		n := 0
		for raw := range bytes.Lines(f.Bytes) {
			n++
			text := string(bytes.TrimSpace(raw))
			if text == "" || text[0] == '#' {
				continue
			}
			s := &source{file: f.Name, line: n, text: brief(text)}
			if err := s.cut(text); err != nil {
				errs = append(errs, s.fault(err))
				continue
			}
			if first := seen[key(s.cells)]; first != nil {
				errs = append(errs, s.fault(fmt.Errorf("the line stands already at %s:%d; take one out", first.file, first.line)))
				continue
			}
			seen[key(s.cells)] = s
			sources = append(sources, s)
		}
	}
	return sources, errs
}

func (s *source) cut(text string) error {
	switch {
	case strings.HasPrefix(text, "\ufeff"):
		return errors.New("a byte order mark stands before the first word; save the file as UTF-8 without one")
	case strings.ContainsRune(text, '"'):
		return errors.New("quotes aren't part of a policy; write the plain word")
	case strings.ContainsRune(text, '\r'):
		return errors.New("a carriage return stands inside the line; end lines with a line feed")
	}
	s.cells = strings.Split(text, ",")
	for i, cell := range s.cells {
		cell = strings.TrimLeft(cell, " \t")
		if trimmed := strings.TrimRight(cell, " \t"); trimmed != cell {
			return fmt.Errorf("cell %d, %q, ends in a space, which Casbin takes as part of the word; move it behind the comma", i+1, brief(trimmed))
		}
		s.cells[i] = cell
	}
	want := map[string]int{"p": cellCount + 1, "g": 3, "g2": 3, "g3": 3}[s.cells[0]]
	if want == 0 {
		return newList("line type", "p", "g", "g2", "g3").check(s.cells[0])
	}
	if len(s.cells) != want {
		return fmt.Errorf("the line has %d cells, %s takes %d: %s", len(s.cells), s.cells[0], want, form(s.cells[0]))
	}
	return nil
}

func form(ptype string) string {
	switch ptype {
	case "p":
		return "p, role, entity, category, action, treatment, when, eft"
	case "g":
		return "g, role, inherited role"
	case "g2":
		return "g2, category, group"
	}
	return "g3, entity, group"
}
