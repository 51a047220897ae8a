package canon

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRequest holds that what was judged is what every reader reads: Request →
// Apply → the wire → Request is a fixpoint, and readers that decode in other
// ways find the same path and the same parameters.
func FuzzRequest(f *testing.F) {
	for _, line := range corpus(f) {
		f.Add(line.method, line.target)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		if strings.ContainsAny(method+target, "\r\n") {
			return
		}
		r, err := wire(method, target)
		if err != nil {
			return
		}
		r.Host = "crm.example"
		opts := corpusOptions()
		c, err := Request(r, opts)
		if err != nil {
			return
		}
		c.Apply(r)
		again, err := wire(r.Method, r.URL.RequestURI())
		if err != nil {
			t.Fatalf("%q is forwarded as %q, which net/http refuses: %v", target, r.URL.RequestURI(), err)
		}
		again.Host = c.Host
		second, err := Request(again, opts)
		if err != nil {
			t.Fatalf("%q is forwarded as %q, which is refused: %v", target, c.Target(), err)
		}
		if !reflect.DeepEqual(c, second) {
			t.Fatalf("not a fixpoint: %+v, then %+v", c, second)
		}
		if again.URL.Path != c.Path || r.URL.Path != c.Path || again.URL.EscapedPath() != c.RawPath {
			t.Fatalf("net/url reads %q, judged %q", again.URL.Path, c.Path)
		}
		samePath(t, c)
		sameQuery(t, c)
	})
}

func samePath(t *testing.T, c *Canonical) {
	t.Helper()
	if c.Path == "*" {
		return
	}
	once := decodeLenient(c.RawPath, false)
	readers := map[string]string{
		"rawurldecode (PHP), unquote (Python)": once,
		"urldecode (PHP), unquote_plus":        decodeLenient(c.RawPath, true),
		"decoding twice":                       decodeLenient(once, false),
	}
	for reader, path := range readers {
		if path != c.Path {
			t.Fatalf("%s reads %q, judged %q", reader, path, c.Path)
		}
	}
	if !utf8.ValidString(c.Path) || strings.ContainsAny(c.Path, "\\;#\x00") || strings.Contains(c.Path, "//") ||
		strings.Contains(c.Path+"/", "/../") || strings.Contains(c.Path+"/", "/./") || c.Path[0] != '/' ||
		strings.ContainsAny(c.RawPath, " \"<>+?[]{}|^`") || strings.Contains(strings.ToLower(c.RawPath), "%2f") {
		t.Fatalf("judged an ambiguous path %q (%q)", c.Path, c.RawPath)
	}
}

func sameQuery(t *testing.T, c *Canonical) {
	t.Helper()
	values, err := url.ParseQuery(c.RawQuery)
	if err != nil {
		t.Fatalf("net/url refuses the query %q: %v", c.RawQuery, err)
	}
	mine := url.Values{}
	for _, p := range c.Query {
		mine.Add(p.Name, p.Value)
	}
	if !reflect.DeepEqual(mine, values) {
		t.Fatalf("net/url reads %q, judged %q", values, mine)
	}
	var pairs []Param // parse_qsl (Python) and, by its names, parse_str (PHP)
	for piece := range strings.SplitSeq(c.RawQuery, "&") {
		if piece != "" {
			name, value, _ := strings.Cut(piece, "=")
			pairs = append(pairs, Param{decodeLenient(name, true), decodeLenient(value, true)})
		}
	}
	if len(pairs)+len(c.Query) > 0 && !reflect.DeepEqual(pairs, c.Query) {
		t.Fatalf("Python and PHP read %q, judged %q", pairs, c.Query)
	}
	for _, p := range c.Query {
		if base, keys := phpName(p.Name); base+keys != p.Name {
			t.Fatalf("PHP reads the name %q as %q", p.Name, base+keys)
		}
	}
}

// decodeLenient decodes as PHP and Python do: what is no escape stays.
func decodeLenient(s string, plus bool) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			one, _ := url.PathUnescape(s[i : i+3])
			out = append(out, one...)
			i += 2
		case s[i] == '+' && plus:
			out = append(out, ' ')
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

// FuzzLocalTarget holds that a return target is a path of this host for whoever
// reads it the way browsers do.
func FuzzLocalTarget(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "/a?b=c", "/%2f%2fx", "/\t/x", "https://x", "/a%0d%0a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, err := LocalTarget(target)
		if err != nil {
			return
		}
		browser := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(got)
		if !strings.HasPrefix(browser, "/") || strings.HasPrefix(browser, "//") || strings.ContainsAny(got, "\r\n\t \x00#") {
			t.Fatalf("LocalTarget(%q) = %q leaves the host", target, got)
		}
		u, err := url.Parse(got)
		if err != nil || u.Host != "" || u.Scheme != "" {
			t.Fatalf("LocalTarget(%q) = %q parses as %+v, %v", target, got, u, err)
		}
		if again, err := LocalTarget(got); err != nil || again != got {
			t.Fatalf("not a fixpoint: %q, then %q, %v", got, again, err)
		}
	})
}

// FuzzCookies holds that no reader finds an own cookie in what is left, and that
// the CRM's cookies keep their bytes and order.
func FuzzCookies(f *testing.F) {
	for _, s := range []string{
		"a=1; __Host-crmgate=x; b=2", `a="x; __Host-crmgate=y"; b`, "__Host-crmgate=1", ";;=;", "=__Host-crmgate=1; a=1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := stripLine(line, ownCookie)
		for piece := range strings.SplitSeq(got, ";") {
			if name, _, _ := strings.Cut(piece, "="); strings.TrimSpace(name) == "__Host-crmgate" {
				t.Fatalf("stripLine(%q) = %q keeps our cookie", line, got)
			}
		}
		if got == line {
			return
		}
		var kept []string
		for piece := range strings.SplitSeq(line, ";") {
			if !ownCookie(cookieName(piece)) {
				kept = append(kept, piece)
			}
		}
		if want := strings.TrimLeft(strings.Join(kept, ";"), " \t"); strings.TrimLeft(got, " \t") != want {
			t.Fatalf("stripLine(%q) = %q, want %q", line, got, want)
		}
	})
}
