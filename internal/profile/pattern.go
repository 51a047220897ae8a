package profile

import (
	"fmt"
	"slices"
	"strings"
)

// pattern matches a method and a canonical path: `GET|POST /api/{entity}/{id}`.
// `{x}` binds one segment, `{x**}` the non-empty rest, `**` any rest. Matching
// is exact in case and in the trailing slash: canon has seen to both.
type pattern struct {
	methods  []string
	segments []segment
	params   []paramMatch
	text     string
}

// paramMatch is a query parameter that has to be there.
type paramMatch struct{ name, value, bind string }

type segment struct {
	literal []string // any of them; nil for a variable
	name    string   // variable's name, may be empty
	prefix  string   // literal text before the variable ("export.")
	suffix  string
	rest    bool
	isID    bool // the variable takes ids in Salesforce's form alone
}

// parsePattern compiles `METHOD|METHOD /path`. `*` stands for every method.
func parsePattern(s string) (pattern, error) {
	methods, pth, ok := strings.Cut(s, " ")
	if !ok || !strings.HasPrefix(pth, "/") {
		return pattern{}, fmt.Errorf("match %q: write METHOD /path, for example `GET /api/{entity}/{id}`", s)
	}
	p := pattern{text: s}
	pth, query, _ := strings.Cut(pth, "?")
	for param := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(param, "=")
		if param == "" && query == "" {
			break
		}
		if !ok || name == "" || strings.HasPrefix(value, "{") != strings.HasSuffix(value, "}") {
			return pattern{}, fmt.Errorf("match %q: a parameter is name=value or name={variable}", s)
		}
		m := paramMatch{name: name, value: value}
		if strings.HasPrefix(value, "{") {
			m = paramMatch{name: name, bind: strings.Trim(value, "{}")}
		}
		p.params = append(p.params, m)
	}
	if methods != "*" {
		p.methods = strings.Split(methods, "|")
	}
	parts := strings.Split(pth[1:], "/")
	for i, part := range parts {
		seg, err := parseSegment(part)
		if err != nil {
			return pattern{}, fmt.Errorf("match %q: %w", s, err)
		}
		if seg.rest && i != len(parts)-1 {
			return pattern{}, fmt.Errorf("match %q: ** stands at the end only", s)
		}
		p.segments = append(p.segments, seg)
	}
	return p, nil
}

func parseSegment(s string) (segment, error) {
	if s == "**" {
		return segment{rest: true}, nil
	}
	open := strings.IndexByte(s, '{')
	if open < 0 {
		if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
			return segment{literal: strings.Split(s[1:len(s)-1], "|")}, nil
		}
		return segment{literal: []string{s}}, nil
	}
	end := strings.IndexByte(s, '}')
	if end < open {
		return segment{}, fmt.Errorf("segment %q: missing }", s)
	}
	seg := segment{prefix: s[:open], suffix: s[end+1:], name: s[open+1 : end]}
	if name, ok := strings.CutSuffix(seg.name, "**"); ok {
		seg.name, seg.rest = name, true
	}
	if seg.name == "" || strings.ContainsAny(seg.suffix, "{}") {
		return segment{}, fmt.Errorf("segment %q: one named variable a segment", s)
	}
	return seg, nil
}

// match reports whether the pattern fits and binds its variables.
func (p *pattern) match(method string, segments []string, vars map[string]string) bool {
	if method == "HEAD" {
		method = "GET" // the same answer without its body; it is judged the same
	}
	if p.methods != nil && !contains(p.methods, method) {
		return false
	}
	for i, seg := range p.segments {
		if seg.rest {
			if i >= len(segments) || (seg.name != "" && segments[i] == "") {
				return false
			}
			if seg.name != "" {
				vars[seg.name] = strings.Join(segments[i:], "/")
			}
			return true
		}
		if i >= len(segments) || !seg.fits(segments[i], vars) {
			return false
		}
	}
	return len(segments) == len(p.segments)
}

// path is a path that the pattern fits with its variables filled in.
func (p *pattern) path(vars map[string]string) string {
	parts := make([]string, 0, len(p.segments))
	for i := range p.segments {
		seg := &p.segments[i]
		if seg.literal != nil {
			parts = append(parts, seg.literal[0])
			continue
		}
		parts = append(parts, seg.prefix+vars[seg.name]+seg.suffix)
	}
	return "/" + strings.Join(parts, "/")
}

// matchQuery reports whether the query has the parameters that the pattern wants.
func (p *pattern) matchQuery(query []Param, vars map[string]string) bool {
	for _, m := range p.params {
		i := slices.IndexFunc(query, func(q Param) bool { return q.Name == m.name })
		if i < 0 || m.bind == "" && query[i].Value != m.value {
			return false
		}
		if m.bind != "" {
			vars[m.bind] = query[i].Value
		}
	}
	return true
}

// namesParam reports whether a parameter is one of the pattern's.
func (p *pattern) namesParam(name string) bool {
	return slices.ContainsFunc(p.params, func(m paramMatch) bool { return m.name == name })
}

// covers reports whether every request that fits q fits p too.
func (p *pattern) covers(q *pattern) bool {
	for _, m := range p.params {
		if !slices.ContainsFunc(q.params, func(n paramMatch) bool {
			return n.name == m.name && (m.bind != "" || n.bind == "" && n.value == m.value)
		}) {
			return false
		}
	}
	for _, m := range q.methods {
		if p.methods != nil && !contains(p.methods, m) {
			return false
		}
	}
	if q.methods == nil && p.methods != nil {
		return false
	}
	for i := range p.segments {
		seg := &p.segments[i]
		if seg.rest {
			return seg.coversRest(q.segments[min(i, len(q.segments)):])
		}
		if i >= len(q.segments) || !seg.covers(&q.segments[i]) {
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}

// covers reports whether every segment that fits q fits s too.
func (s *segment) covers(q *segment) bool {
	if q.rest {
		return false
	}
	if q.literal == nil {
		return s.literal == nil && (!s.isID || q.isID) && strings.HasPrefix(q.prefix, s.prefix) && strings.HasSuffix(q.suffix, s.suffix)
	}
	for _, l := range q.literal {
		if !s.fits(l, map[string]string{}) {
			return false
		}
	}
	return true
}

// coversRest reports whether `**`, or `{x**}` which wants something, fits all
// that the other segments fit.
func (s *segment) coversRest(q []segment) bool {
	if len(q) == 0 {
		return false
	}
	return s.name == "" || q[0].literal == nil && (!q[0].rest || q[0].name != "") || len(q[0].literal) > 0 && !contains(q[0].literal, "")
}

func (s *segment) fits(in string, vars map[string]string) bool {
	if s.literal != nil {
		return contains(s.literal, in)
	}
	if len(in) <= len(s.prefix)+len(s.suffix) || !strings.HasPrefix(in, s.prefix) || !strings.HasSuffix(in, s.suffix) {
		return false
	}
	text := in[len(s.prefix) : len(in)-len(s.suffix)]
	if s.isID && !isSalesforceID(text) {
		return false
	}
	vars[s.name] = text
	return true
}

// glob is a pattern for names: `*` stands for any run of characters. Several
// are written `a|b*`.
type glob string

// match reports whether the whole of s fits.
func (g glob) match(s string) bool {
	parts := strings.Split(string(g), "*")
	if len(parts) == 1 {
		return string(g) == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[last])
}

// plain reports whether the glob is a literal name.
func (g glob) plain() bool { return !strings.Contains(string(g), "*") }

func matchAny(globs []glob, s string) bool {
	for _, g := range globs {
		if g.match(s) {
			return true
		}
	}
	return false
}
