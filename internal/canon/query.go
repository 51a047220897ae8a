package canon

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxQuery is the longest query in bytes, as sent.
	maxQuery = 32 << 10
	// maxParams is PHP's max_input_vars: PHP drops what comes after it without a
	// word, so the CRM would act on less than was judged.
	maxParams = 1000
)

// parseQuery judges a raw query and returns its parameters in their order.
func parseQuery(raw string, opts *Options) ([]Param, Reason) {
	if raw == "" {
		return nil, ""
	}
	if len(raw) > maxQuery {
		return nil, TooLong
	}
	if reason := judgeQueryBytes(raw, opts.SemicolonLiteral); reason != "" {
		return nil, reason
	}
	n := strings.Count(raw, "&") + 1
	if n > maxParams {
		return nil, TooManyParams
	}
	params := make([]Param, 0, n)
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		p, reason := decodeParam(name, value)
		if reason != "" {
			return nil, reason
		}
		params = append(params, p)
	}
	return params, judgeNames(params, opts)
}

// judgeQueryBytes refuses the bytes that no browser sends raw, and the ones that
// divide readers.
func judgeQueryBytes(raw string, semicolonLiteral bool) Reason {
	for i := range len(raw) {
		switch c := raw[i]; {
		case c < 0x20 || c == 0x7f:
			return ControlChar
		case c == '#':
			return Fragment
		case c == ';' && !semicolonLiteral: // a separator to some, a letter to others
			return Semicolon
		case c >= 0x80 || c == ' ' || c == '"' || c == '<' || c == '>':
			return BadCharacter
		}
	}
	return ""
}

func decodeParam(name, value string) (p Param, reason Reason) {
	var err error
	if p.Name, err = url.QueryUnescape(name); err != nil {
		return p, BadEscape
	}
	if p.Value, err = url.QueryUnescape(value); err != nil {
		return p, BadEscape
	}
	if !utf8.ValidString(p.Name) || !utf8.ValidString(p.Value) {
		return p, BadUTF8
	}
	if strings.ContainsFunc(p.Name, isControl) || strings.ContainsFunc(p.Value, isControlInValue) {
		return p, ControlChar
	}
	return p, ""
}

// isControlInValue leaves tabs and line ends: questions in SOQL or from a
// textarea hold them. NUL ends a string for some readers.
func isControlInValue(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && (r < 0x20 || r == 0x7f)
}

// methodParams are the query parameters that some framework takes for the
// method, folded.
func methodParams() []string {
	return []string{"-method", "-httpmethod", "-http-method", "x-http-method-override", "x-http-method", "x-method-override"}
}

// judgeNames refuses names that readers disagree about: two names that are one
// to a CRM that ignores case or mangles names the way PHP does, a name that is a
// single value and a list, and a list that nobody declared.
func judgeNames(params []Param, opts *Options) Reason {
	overrides := methodParams()
	first := make(map[string]string, len(params)) // as the CRM may read it → as sent
	lists := make(map[string]bool, len(params))
	for _, p := range params {
		base, keys := phpName(p.Name)
		full := base + keys
		if !opts.LiteralNames && full != p.Name {
			return ParamName
		}
		if slices.Contains(overrides, fold(base)) && !slices.Contains(opts.MethodParams, p.Name) {
			return MethodOverride
		}
		base, full = strings.ToLower(base), strings.ToLower(full)
		if isList, ok := lists[base]; ok && isList != (keys != "") {
			return MixedParam
		}
		lists[base] = keys != ""
		if sent, ok := first[full]; ok && (sent != p.Name || !declared(opts.Lists, p.Name)) {
			return RepeatedParam
		}
		first[full] = p.Name
	}
	return ""
}

// phpName splits a parameter's name the way PHP reads it: leading spaces fall
// away, a space, a dot and an unmatched bracket in the variable's name become `_`,
// and what follows the last bracket is dropped.
func phpName(name string) (base, keys string) {
	name = strings.TrimLeft(name, " ")
	open := strings.IndexByte(name, '[')
	if open > 0 && strings.IndexByte(name[open:], ']') > 0 {
		base, keys = name[:open], phpKeys(name[open:])
	} else {
		base = name
	}
	mangle := func(r rune) rune {
		if r == ' ' || r == '.' || r == '[' {
			return '_'
		}
		return r
	}
	if strings.ContainsAny(base, " .[") {
		base = strings.Map(mangle, base)
	}
	return base, keys
}

func phpKeys(s string) string {
	end := 0
	for end < len(s) && s[end] == '[' {
		n := strings.IndexByte(s[end:], ']')
		if n < 0 {
			break
		}
		end += n + 1
	}
	return s[:end]
}

// declared reports whether a pattern names the parameter. `*` is the only
// special character: brackets are part of PHP's names.
func declared(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, name) })
}

func glob(pattern, name string) bool {
	prefix, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, prefix) {
		return false
	}
	name = name[len(prefix):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], after
	}
}
