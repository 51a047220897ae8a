package json

import (
	"bytes"
	"regexp"
)

// Wrapper is what may stand around a JSON document in a body that is none by
// itself. The zero value is nothing.
type Wrapper struct {
	// Prefix is a text before it that keeps scripts from running it: `)]}'`.
	Prefix string
	// Callback is the function that gets it as its argument (JSONP).
	Callback string
}

var callback = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*)*$`)

// ValidCallback reports whether a function's name is one and nothing else: what it
// says runs in a page.
func ValidCallback(name string) bool {
	const most = 128
	return len(name) <= most && callback.MatchString(name)
}

// Cut divides a body into what stands before the document, the document, and what
// stands behind it. A body that doesn't begin as the Wrapper says is a document as
// a whole: the parser judges it.
func (w Wrapper) Cut(body []byte) (before, document, behind []byte) {
	if w.Prefix != "" && bytes.HasPrefix(body, []byte(w.Prefix)) {
		n := len(w.Prefix)
		return body[:n:n], body[n:], nil
	}
	if w.Callback == "" {
		return nil, body, nil
	}
	from := spaces(body, 0)
	if bytes.HasPrefix(body[from:], []byte("/**/")) {
		from = spaces(body, from+len("/**/"))
	}
	if !bytes.HasPrefix(body[from:], []byte(w.Callback)) {
		return nil, body, nil
	}
	from = spaces(body, from+len(w.Callback))
	to := len(bytes.TrimRight(body, " \t\r\n"))
	if to > from && body[to-1] == ';' {
		to = len(bytes.TrimRight(body[:to-1], " \t\r\n"))
	}
	if to < from+2 || body[from] != '(' || body[to-1] != ')' {
		return nil, body, nil
	}
	return body[: from+1 : from+1], body[from+1 : to-1], body[to-1:]
}

// spaces passes over white space.
func spaces(b []byte, from int) int {
	return len(b) - len(bytes.TrimLeft(b[from:], " \t\r\n"))
}
