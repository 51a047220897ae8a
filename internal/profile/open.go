package profile

import "strings"

// Opens judges a path that is to be let through without sign-in: whether GET
// requests for it, or with below for what lies under it, reach routes without
// personal data alone. masked are the names of the routes that stand in the way;
// found is false where no route is reached at all.
func (p *Profile) Opens(path string, below bool) (masked []string, found bool) {
	all := pattern{methods: []string{"GET"}}
	for s := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if path == "" {
			break // below it lies everything
		}
		all.segments = append(all.segments, segment{literal: []string{s}})
	}
	if below {
		all.segments = append(all.segments, segment{rest: true})
	}
	for _, tr := range p.transports {
		if tr.pattern.meets(&all) {
			masked = append(masked, tr.pattern.text)
		}
	}
	for _, rt := range p.routes {
		if !rt.pattern.meets(&all) {
			continue
		}
		found = true
		if !rt.pass && rt.deny == "" {
			masked = append(masked, rt.name)
		}
		if rt.pattern.covers(&all) {
			break // what follows is never reached: the first match decides
		}
	}
	return masked, found
}

// meets reports whether some request can fit both p and q, which has literals
// and perhaps a `**` alone.
func (p *pattern) meets(q *pattern) bool {
	if p.methods != nil && !contains(p.methods, q.methods[0]) {
		return false
	}
	for i := range q.segments {
		switch {
		case i < len(p.segments) && p.segments[i].rest:
			return true
		case q.segments[i].rest:
			return i < len(p.segments)
		case i >= len(p.segments) || !p.segments[i].fits(q.segments[i].literal[0], map[string]string{}):
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}
