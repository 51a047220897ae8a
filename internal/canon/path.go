package canon

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxPath is the longest path in bytes, as sent.
const maxPath = 8 << 10

const upperHex = "0123456789ABCDEF"

// requestPath returns the decoded and the canonical path of r.
func requestPath(r *http.Request) (path, canonical string, reason Reason) {
	u := r.URL
	if u.Opaque != "" || u.User != nil || (u.Host == "") != (u.Scheme == "") {
		return "", "", TargetForm
	}
	if u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return "", "", TargetForm
	}
	if u.Fragment != "" || u.RawFragment != "" {
		return "", "", Fragment
	}
	if u.Path == "*" && r.Method == http.MethodOptions {
		return "*", "*", ""
	}
	raw := u.RawPath
	if raw == "" {
		raw = u.EscapedPath()
	}
	if raw == "" && u.Host != "" {
		raw = "/" // http://host names the root
	}
	path, canonical, reason = canonicalPath(raw)
	if reason == "" && u.RawPath != "" && path != u.Path {
		return "", "", PathMismatch
	}
	return path, canonical, reason
}

// canonicalPath decodes raw once and encodes it again: letters, digits and
// `-._~!$&'()*,:=@/` stand as they are, every other byte is a percent sign and two
// upper-case digits. All readers agree on such a path: it has no `+`, `;`,
// `\`, `#`, encoded slash, NUL, dot or empty segment, and nothing in it changes
// when it is decoded again.
func canonicalPath(raw string) (path, canonical string, reason Reason) {
	switch {
	case len(raw) > maxPath:
		return "", "", TooLong
	case raw == "" || raw[0] != '/':
		return "", "", TargetForm
	}
	path = raw
	if strings.IndexByte(raw, '%') >= 0 {
		if reason := judgeEscapes(raw); reason != "" {
			return "", "", reason
		}
		var err error
		if path, err = url.PathUnescape(raw); err != nil {
			return "", "", BadEscape
		}
	}
	if reason := judgePath(path); reason != "" {
		return "", "", reason
	}
	return path, escapePath(path), ""
}

// judgeEscapes refuses what decoding would hide: an encoded slash is a slash to
// some readers and a letter to others.
func judgeEscapes(raw string) Reason {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			continue
		}
		if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
			return BadEscape
		}
		if raw[i+1] == '2' && raw[i+2]|0x20 == 'f' {
			return EncodedSlash
		}
		i += 2
	}
	return ""
}

// judgePath judges a decoded path.
func judgePath(path string) Reason {
	if !utf8.ValidString(path) {
		return BadUTF8
	}
	for i, r := range path {
		switch {
		case isControl(r):
			return ControlChar
		case r == '\\':
			return Backslash
		case r == ';': // a matrix parameter to some, a letter to others
			return Semicolon
		case r == '#':
			return Fragment
		case r == '%' && decodesAgain(path[i+1:]):
			return DoubleEncoding
		}
	}
	return judgeSegments(path)
}

func judgeSegments(path string) Reason {
	if strings.Contains(path, "//") {
		return EmptySegment
	}
	for segment := range strings.SplitSeq(path, "/") {
		// Windows takes dots and spaces off the end of a name, so `.. ` and `...`
		// are dot segments there.
		if segment != "" && strings.Trim(segment, ". ") == "" {
			return DotSegment
		}
	}
	return ""
}

// decodesAgain reports whether what follows a percent sign in a decoded path
// would be decoded by someone who decodes twice, or knows IIS's `%uXXXX`.
func decodesAgain(rest string) bool {
	if len(rest) >= 2 && isHex(rest[0]) && isHex(rest[1]) {
		return true
	}
	return len(rest) >= 5 && rest[0]|0x20 == 'u' &&
		isHex(rest[1]) && isHex(rest[2]) && isHex(rest[3]) && isHex(rest[4])
}

func escapePath(path string) string {
	n := 0
	for i := range len(path) {
		if !plainInPath(path[i]) {
			n++
		}
	}
	if n == 0 {
		return path
	}
	out := make([]byte, 0, len(path)+2*n)
	for i := range len(path) {
		if c := path[i]; plainInPath(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(out)
}

func plainInPath(c byte) bool {
	switch c {
	case '-', '.', '_', '~', '!', '$', '&', '\'', '(', ')', '*', ',', ':', '=', '@', '/':
		return true
	}
	return isAlnum(c)
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// isControl covers C0, DEL and C1.
func isControl(r rune) bool { return r < 0x20 || 0x7f <= r && r <= 0x9f }
