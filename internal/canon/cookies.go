package canon

import (
	"net/http"
	"strings"
)

// StripCookies takes the cookies whose name is the gateway's own out of every
// Cookie header. All other bytes stay as they were, malformed or not: the CRM
// reads its cookies as if ours weren't there. Servers end a cookie at each `;`,
// quoted or not, and so does this: a quote in a neighbour hides nothing.
func StripCookies(h http.Header, own func(name string) bool) {
	for name, lines := range h {
		if !strings.EqualFold(name, "Cookie") {
			continue
		}
		kept := lines[:0:0]
		for _, line := range lines {
			if line = stripLine(line, own); line != "" {
				kept = append(kept, line)
			}
		}
		if len(kept) == 0 {
			delete(h, name)
			continue
		}
		h[name] = kept
	}
}

func stripLine(line string, own func(string) bool) string {
	var out strings.Builder
	dropped, first := false, true
	for rest, more := line, true; more; {
		var piece string
		start := len(line) - len(rest)
		piece, rest, more = strings.Cut(rest, ";")
		if own(cookieName(piece)) {
			if !dropped {
				out.Grow(len(line))
				out.WriteString(strings.TrimSuffix(line[:start], ";"))
				dropped, first = true, start == 0
			}
			continue
		}
		switch {
		case !dropped:
		case first:
			out.WriteString(strings.TrimLeft(piece, " \t"))
			first = false
		default:
			out.WriteByte(';')
			out.WriteString(piece)
		}
	}
	if !dropped {
		return line
	}
	return out.String()
}

// cookieName is what stands before the first `=`; of a cookie without name, what
// its value would be taken for.
func cookieName(piece string) string {
	piece = strings.TrimLeft(piece, space+"=")
	name, _, _ := strings.Cut(piece, "=")
	return strings.TrimRight(name, space)
}

// space is what some parser or other takes for white space.
const space = " \t\r\n\v\f\x00"

// StripSetCookies takes out of the CRM's answer every Set-Cookie that a browser
// could store under one of the gateway's names: a CRM (or who broke into it)
// that sets our session cookie would choose whose session the employee is in. A
// cookie without name whose value begins with our name and `=` comes back as
// ours, and a line with control characters is cut where the browser likes.
func StripSetCookies(h http.Header, own func(name string) bool) {
	for name, lines := range h {
		if !strings.EqualFold(name, "Set-Cookie") && !strings.EqualFold(name, "Set-Cookie2") {
			continue
		}
		kept := lines[:0:0]
		for _, line := range lines {
			pair, _, _ := strings.Cut(line, ";")
			if strings.ContainsFunc(line, isControlInCookie) || own(cookieName(pair)) {
				continue
			}
			kept = append(kept, line)
		}
		if len(kept) == 0 {
			delete(h, name)
			continue
		}
		h[name] = kept
	}
}

func isControlInCookie(r rune) bool { return r != '\t' && (r < 0x20 || r == 0x7f) }
