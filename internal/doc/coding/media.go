package coding

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMediaType says that a Content-Type can't be read, or says two things.
var ErrMediaType = errors.New("media type")

// Media is a Content-Type.
type Media struct {
	// Type is the type in lower case: "text/html".
	Type string
	// Charsets are the values of all charset parameters, as they were sent.
	Charsets []string
	// Boundary is the boundary parameter, "" for none.
	Boundary string
	// Header is the header parameter in lower case, which text/csv has: "present"
	// or "absent".
	Header string
	// Further says that there are parameters beside these.
	Further bool
}

// ParseMedia reads a Content-Type. Parameters may be repeated, for some programs
// send a charset of their own behind the one that was meant; Charset judges that.
// What isn't a media type, an unquoted value with strange characters, an extended
// parameter (`charset*`) and a repeated boundary are an ErrMediaType.
func ParseMedia(contentType string) (Media, error) {
	full, rest, _ := strings.Cut(contentType, ";")
	full = strings.ToLower(strings.Trim(full, " \t"))
	main, sub, ok := strings.Cut(full, "/")
	if !ok || !isToken(main) || !isToken(sub) {
		return Media{}, fmt.Errorf("%w: expected type/subtype", ErrMediaType)
	}
	m := Media{Type: full}
	for rest = strings.Trim(rest, " \t"); rest != ""; rest = strings.Trim(rest, " \t") {
		if rest[0] == ';' {
			rest = rest[1:]
			continue
		}
		key, value, after, err := parameter(rest)
		if err != nil {
			return Media{}, err
		}
		if err := m.set(key, value); err != nil {
			return Media{}, err
		}
		rest = after
	}
	return m, nil
}

func (m *Media) set(key, value string) error {
	switch key {
	case "charset":
		m.Charsets = append(m.Charsets, value)
	case "boundary":
		if m.Boundary != "" || value == "" {
			return fmt.Errorf("%w: a boundary that is empty or given twice", ErrMediaType)
		}
		m.Boundary = value
	case "header":
		m.Header = strings.ToLower(value)
	default:
		m.Further = true
	}
	return nil
}

// parameter reads `key=value` or `key="value"` up to the next semicolon.
func parameter(s string) (key, value, rest string, err error) {
	key, value, ok := strings.Cut(s, "=")
	key = strings.ToLower(key)
	if !ok || !isToken(key) || strings.Contains(key, "*") {
		return "", "", "", fmt.Errorf("%w: expected parameter=value", ErrMediaType)
	}
	if strings.HasPrefix(value, `"`) {
		value, rest, ok = strings.Cut(value[1:], `"`)
		if rest = strings.Trim(rest, " \t"); !ok || strings.ContainsAny(value, "\\\x00\r\n") || rest != "" && rest[0] != ';' {
			return "", "", "", fmt.Errorf("%w: a quoted value without its end, or with an escape", ErrMediaType)
		}
		return key, value, rest, nil
	}
	i := strings.IndexByte(value, ';')
	if i < 0 {
		i = len(value)
	}
	value, rest = strings.TrimRight(value[:i], " \t"), value[i:]
	if !isToken(value) {
		return "", "", "", fmt.Errorf("%w: a value with characters that need quotes", ErrMediaType)
	}
	return key, value, rest, nil
}

// isToken is RFC 9110's token.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alnum && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// ErrConflict says that a Content-Type names two charsets. Whoever knows the
// program that sent it may look at Media.Charsets and choose.
var ErrConflict = errors.New("two charsets")

// Charset returns the charset of a text: UTF-8 where there is none. Two different
// ones are an ErrConflict; one outside the closed list (utf-8, us-ascii,
// iso-8859-1, iso-8859-15, windows-1252, windows-1250) is an ErrCharset.
func (m Media) Charset() (Charset, error) {
	var first Charset
	for i, name := range m.Charsets {
		cs, err := allowed(name)
		if err != nil {
			return Charset{}, err
		}
		if i > 0 && cs.name != first.name {
			return Charset{}, fmt.Errorf("%w: in one Content-Type", ErrConflict)
		}
		first = cs
	}
	if len(m.Charsets) == 0 {
		return LookupCharset("")
	}
	return first, nil
}

func allowed(name string) (Charset, error) {
	cs, err := LookupCharset(name)
	if err != nil || name == "" {
		return Charset{}, unsupported()
	}
	list := []string{nameUTF8, nameASCII, "iso-8859-1", "iso-8859-15", "windows-1252", "windows-1250"}
	if !slices.Contains(list, cs.name) {
		return Charset{}, fmt.Errorf("%w: %s is not in the closed list", ErrCharset, cs.name)
	}
	return cs, nil
}
