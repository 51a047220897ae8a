package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// path is a compiled way through a document: `.key`, `['a.b']`, `[n]`, `[*]`
// (elements), `.*` (members), `.**` (any depth, the node itself included) and
// `.(a|b)`. Alternatives of whole paths are written `p|q` and held as several
// paths by the caller.
type path []step

type stepKind uint8

const (
	stepKey stepKind = iota
	stepIndex
	stepElements
	stepMembers
	stepDeep
)

type step struct {
	kind stepKind
	keys []string // stepKey: any of them
	n    int      // stepIndex
}

// parsePath compiles the part of an expression behind its root.
func parsePath(s string) (path, error) {
	var p path
	for len(s) > 0 {
		st, rest, err := nextStep(s)
		if err != nil {
			return nil, err
		}
		p, s = append(p, st), rest
	}
	return p, nil
}

func nextStep(s string) (step, string, error) {
	switch s[0] {
	case '[':
		end := strings.IndexByte(s, ']')
		if strings.HasPrefix(s, "['") {
			end = strings.Index(s, "']") + 1 // brackets in a key: ['emails[]']
		}
		if end <= 0 {
			return step{}, "", fmt.Errorf("path %q: missing ]", s)
		}
		st, err := bracketStep(s[1:end])
		return st, s[end+1:], err
	case '.':
		return dotStep(s[1:])
	}
	return step{}, "", fmt.Errorf("path %q: expected . or [", s)
}

func bracketStep(in string) (step, error) {
	if in == "*" {
		return step{kind: stepElements}, nil
	}
	if len(in) > 2 && in[0] == '\'' && in[len(in)-1] == '\'' {
		return step{kind: stepKey, keys: []string{in[1 : len(in)-1]}}, nil
	}
	n, err := strconv.Atoi(in)
	if err != nil || n < 0 {
		return step{}, fmt.Errorf("path: [%s] is neither [n], [*] nor ['key']", in)
	}
	return step{kind: stepIndex, n: n}, nil
}

func dotStep(s string) (step, string, error) {
	if strings.HasPrefix(s, "(") {
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return step{}, "", fmt.Errorf("path %q: missing )", s)
		}
		return step{kind: stepKey, keys: strings.Split(s[1:end], "|")}, s[end+1:], nil
	}
	end := strings.IndexAny(s, ".[")
	if end < 0 {
		end = len(s)
	}
	word, rest := s[:end], s[end:]
	switch word {
	case "":
		return step{}, "", fmt.Errorf("path: empty step before %q", s)
	case "*":
		return step{kind: stepMembers}, rest, nil
	case "**":
		return step{kind: stepDeep}, rest, nil
	}
	return step{kind: stepKey, keys: []string{word}}, rest, nil
}

// each calls yield for every node that p reaches from node.
func (p path) each(t *doc.Tree, node int, yield func(int)) {
	if node < 0 {
		return
	}
	if len(p) == 0 {
		yield(node)
		return
	}
	if _, marked := t.Format.(doc.Marked); marked {
		p.eachMarked(t, node, yield)
		return
	}
	st, rest := p[0], p[1:]
	switch st.kind {
	case stepKey:
		for _, k := range st.keys {
			rest.eachNamed(t, node, k, yield)
		}
	case stepIndex:
		rest.each(t, t.Element(node, st.n), yield)
	case stepElements:
		if t.Nodes[node].Kind == doc.Array {
			for c := range t.Children(node) {
				rest.each(t, c, yield)
			}
		}
	case stepMembers:
		if t.Nodes[node].Kind == doc.Object {
			for c := range t.Children(node) {
				rest.each(t, c, yield)
			}
		}
	case stepDeep:
		for n := node; n < int(t.Nodes[node].Next); n++ {
			rest.each(t, n, yield)
		}
	}
}

// hasPlace reports whether the place that p leads to is there: for elements the
// list that would hold them, be it empty or null.
func (p path) hasPlace(t *doc.Tree, node int) bool {
	if len(p) == 0 || p[len(p)-1].kind != stepElements {
		return p.first(t, node) >= 0
	}
	list := p[:len(p)-1].first(t, node)
	return list >= 0 && (t.Nodes[list].Kind == doc.Array || t.Nodes[list].Kind == doc.Null)
}

// first returns the first node that p reaches, or -1.
func (p path) first(t *doc.Tree, node int) int {
	found := -1
	p.each(t, node, func(n int) {
		if found < 0 {
			found = n
		}
	})
	return found
}

// origin is where an expression starts.
type origin uint8

const (
	fromBody     origin = iota // body…: the request's document
	fromQuery                  // query.name: a query parameter
	fromVar                    // {name}: a variable of the route's pattern
	fromArg                    // name…: a named argument of the call
	fromResponse               // $…: the response's document
	fromResult                 // @…: the call's result in the response
	fromConst                  // a literal word
)

// expr is a compiled expression: an origin, the name behind it and a path.
type expr struct {
	origin origin
	name   string
	path   path
	text   string // as written, for errors
	quoted bool   // the name is a parameter's as it is
}

// parseExpr compiles an expression. args are the names of the call's arguments.
func parseExpr(s string, args []string) (expr, error) {
	e := expr{text: s}
	rest := ""
	switch {
	case s == "":
		return e, fmt.Errorf("empty expression")
	case s[0] == '$':
		e.origin, rest = fromResponse, s[1:]
	case s[0] == '@':
		e.origin, rest = fromResult, s[1:]
	case s[0] == '{':
		end := strings.IndexByte(s, '}')
		if end < 0 || end != len(s)-1 {
			return e, fmt.Errorf("expression %q: a variable is written {name}", s)
		}
		e.origin, e.name = fromVar, s[1:end]
		return e, nil
	default:
		end := strings.IndexAny(s, ".[")
		if end < 0 {
			end = len(s)
		}
		word := s[:end]
		rest = s[end:]
		switch {
		case word == "body":
			e.origin = fromBody
		case word == "query":
			e.origin, e.name = fromQuery, strings.TrimPrefix(rest, ".")
			if strings.HasPrefix(rest, "[") {
				return e, e.quote(rest)
			}
			return e, nil
		case contains(args, word):
			e.origin, e.name = fromArg, word
		case rest == "":
			e.origin, e.name = fromConst, word
			return e, nil
		default:
			return e, fmt.Errorf("expression %q: %q is neither body, query, $, @ nor an argument of the call (%s)",
				s, word, strings.Join(args, ", "))
		}
	}
	p, err := parsePath(rest)
	e.path = p
	return e, err
}

// quote takes a parameter whose name isn't to be read as the way into one:
// query['entity.id'].
func (e *expr) quote(rest string) error {
	p, err := parsePath(rest)
	if err == nil && (p[0].kind != stepKey || len(p[0].keys) != 1) {
		err = fmt.Errorf("expression %q: a query parameter is written query.name, or query['a.b'] where its name has dots or brackets", e.text)
	}
	if err != nil {
		return err
	}
	e.name, e.path, e.quoted = p[0].keys[0], p[1:], true
	return nil
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}
