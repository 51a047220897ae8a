package detect

import "strings"

// Bounds of an e-mail address (RFC 5321).
const (
	maxLocal  = 64
	maxDomain = 253
)

// isAt returns the length of "at" and a closing bracket, 0 for something else.
func isAt(s string) int {
	s = s[:min(len(s), 8)]
	rest := strings.TrimLeft(s, " ")
	for _, at := range [...]string{"at", "AT", "At", "ät", "@"} {
		if after, ok := strings.CutPrefix(rest, at); ok {
			after = strings.TrimLeft(after, " ")
			if after != "" && (after[0] == ')' || after[0] == ']' || after[0] == '}' || after[0] == '>') {
				return len(s) - len(after) + 1
			}
		}
	}
	return 0
}

// email tests the address around an @, or what stands for one, at [at, after),
// and returns where to go on.
func (sc *scan) email(at, after int) int {
	to, from := at, after
	plain := after == at+1
	for to > 0 && sc.s[to-1] == ' ' && at-to < 2 {
		to--
	}
	for from < len(sc.s) && sc.s[from] == ' ' && from-after < 2 {
		from++
	}
	if plain && (to == at) != (from == after) {
		to, from = at, after // a space on one side ends the address
	}
	start := sc.local(to)
	end, known := sc.domain(from)
	sc.steps += to - start + end - from
	if start == to || end == from || !known && (to != at || from != after) {
		return after
	}
	for n := len(sc.hits); n > 0 && sc.hits[n-1].End > start; n-- {
		sc.hits = sc.hits[:n-1] // digits of the local part
	}
	sc.hit(Email, start, end)
	sc.free = end
	return end
}

// local returns where the local part begins that ends at i.
func (sc *scan) local(i int) int {
	limit := max(0, i-maxLocal)
	if k := len(sc.hits); k > 0 && sc.hits[k-1].Kind == Email {
		limit = max(limit, sc.hits[k-1].End)
	}
	if i > limit && sc.s[i-1] == '"' {
		if k := strings.LastIndexByte(sc.s[limit:i-1], '"'); k >= 0 {
			return limit + k
		}
		return i
	}
	k := i
	for k > limit && isLocal(sc.s[k-1]) {
		k--
	}
	if k > limit && sc.s[k-1] == '=' {
		k = sc.returnPath(k, limit)
	}
	for k < i && strings.IndexByte(".-'*~#!", sc.s[k]) >= 0 {
		k++
	}
	return k
}

// returnPath returns where bounces+erika=web.de begins, whose part behind the =
// begins at k: it names the person before it. Without a + it is k.
func (sc *scan) returnPath(k, limit int) int {
	from, plus := k-1, false
	for from > limit && isLocal(sc.s[from-1]) {
		from--
		plus = plus || sc.s[from] == '+'
	}
	if plus {
		return from
	}
	return k
}

func isLocal(c byte) bool { return isWordByte(c) || strings.IndexByte("._%+-'!#$*~^", c) >= 0 }

// domain returns where the domain ends that begins at i, and whether its end is
// one that domains often have.
func (sc *scan) domain(i int) (end int, known bool) {
	limit := min(len(sc.s), i+maxDomain)
	end, labels := i, 0
	top := ""
	for k := i; k < limit; {
		from := k
		for k < limit && (isWordByte(sc.s[k]) || sc.s[k] == '-' && k > from) {
			k++
		}
		if k == from {
			break
		}
		label := strings.TrimRight(sc.s[from:k], "-")
		labels++
		if labels > 1 && isTop(label) {
			end, top = from+len(label), label
		}
		dot := sc.dot(k)
		if dot == 0 || len(label) != k-from {
			break
		}
		k = dot
	}
	if end == i || fileEnding(top) {
		return i, false
	}
	return end, commonTop(top)
}

// dot returns where a domain goes on behind a dot, or what stands for one, at i;
// 0 for nowhere.
func (sc *scan) dot(i int) int {
	if i < len(sc.s) && sc.s[i] == '.' {
		return i + 1
	}
	rest := sc.s[i:min(len(sc.s), i+12)]
	trimmed := strings.TrimLeft(rest, " ")
	for _, dot := range [...]string{"(dot)", "[dot]", "{dot}", "(punkt)", "[punkt]", "(.)", "[.]"} {
		if len(trimmed) > len(dot) && strings.EqualFold(trimmed[:len(dot)], dot) {
			after := trimmed[len(dot):]
			return i + len(rest) - len(strings.TrimLeft(after, " "))
		}
	}
	return 0
}

// isTop reports whether a label can be a top-level domain.
func isTop(label string) bool {
	if len(label) < 2 || len(label) > 24 {
		return false
	}
	if strings.HasPrefix(strings.ToLower(label), "xn--") {
		return true
	}
	for i := range len(label) {
		if !isLetter(label[i]) && label[i] < 0x80 {
			return false
		}
	}
	return true
}

// fileEnding reports whether a name like icon@2x.png is a file's.
func fileEnding(top string) bool {
	switch strings.ToLower(top) {
	case "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "pdf":
		return true
	}
	return false
}

// commonTop reports whether a top-level domain is one that people write without
// thinking: an address with spaces in it has to end in one.
func commonTop(top string) bool {
	switch strings.ToLower(top) {
	case "de", "at", "ch", "com", "net", "org", "eu", "info", "li", "lu", "fr", "it", "nl", "pl", "uk", "io", "biz", "example":
		return true
	}
	return false
}
