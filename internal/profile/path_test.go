package profile

import (
	"strconv"
	"strings"
	"testing"
)

func TestPathReachesWhatItSays(t *testing.T) {
	const src = `{"a":{"b":[1,{"c":2},{"c":3}],"a.b":4},"x":{"c":5},"y":[[6],[7,8]],"s":"t"}`
	for _, c := range []struct{ path, want string }{
		{"", "{}"},
		{".a.b[0]", "1"},
		{".a.b[9]", ""},
		{".a.b[*].c", "2 3"},
		{".a['a.b']", "4"},
		{".(a|x).(b|c)", "[] 5"},
		{".*.c", "5"},
		{".y[*][*]", "6 7 8"},
		{".**.c", "2 3 5"},
		{".y.**", "[] [] 6 [] 7 8"},
		{".s.t", ""},
		{".s[0]", ""},
		{".a[0]", ""},
		{".missing.b", ""},
	} {
		p, err := parsePath(c.path)
		if err != nil {
			t.Errorf("parsePath(%q) = %v", c.path, err)
			continue
		}
		tree := parse(t, src)
		var got []string
		p.each(tree, 0, func(n int) {
			switch s := text(tree, n); {
			case strings.HasPrefix(s, "{"):
				got = append(got, "{}")
			case strings.HasPrefix(s, "["):
				got = append(got, "[]")
			default:
				got = append(got, s)
			}
		})
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q reaches %q, want %q", c.path, s, c.want)
		}
		if first := p.first(tree, 0); (first < 0) != (len(got) == 0) {
			t.Errorf("%q: first = %d of %d", c.path, first, len(got))
		}
	}
}

func TestMalformedPathsAreRefused(t *testing.T) {
	for _, s := range []string{"a", ".", "..a", ".a.", "[", "[x]", "[-1]", "['a]", "['']", ".(a|b", ".a[0]b"} {
		if _, err := parsePath(s); err == nil {
			t.Errorf("parsePath(%q) took it", s)
		}
	}
}

func TestExpressionsStartWhereTheySay(t *testing.T) {
	for _, c := range []struct {
		in     string
		origin origin
		name   string
	}{
		{"body.a", fromBody, ""},
		{"query.q", fromQuery, "q"},
		{"query", fromQuery, ""},
		{"{id}", fromVar, "id"},
		{"ids[0]", fromArg, "ids"},
		{"$.a", fromResponse, ""},
		{"@[*]", fromResult, ""},
		{"word", fromConst, "word"},
	} {
		e, err := parseExpr(c.in, []string{"ids"})
		if err != nil || e.origin != c.origin || e.name != c.name {
			t.Errorf("parseExpr(%q) = %v %q, %v; want %v %q", c.in, e.origin, e.name, err, c.origin, c.name)
		}
	}
	for _, in := range []string{"", "{id", "{id}.x", "other.a", "$a", "body.a["} {
		if _, err := parseExpr(in, []string{"ids"}); err == nil {
			t.Errorf("parseExpr(%q) took it", in)
		}
	}
}

func TestPatternMatchesExactly(t *testing.T) {
	for _, c := range []struct {
		pattern, method, path string
		want                  bool
		vars                  string
	}{
		{"GET /a/{id}", "GET", "/a/7", true, "id=7"},
		{"GET /a/{id}", "HEAD", "/a/7", true, "id=7"},
		{"GET /a/{id}", "POST", "/a/7", false, ""},
		{"GET|PUT /a/{id}", "PUT", "/a/7", true, "id=7"},
		{"* /a", "BREW", "/a", true, ""},
		{"GET /a/{id}", "GET", "/a/", false, ""},
		{"GET /a/{id}", "GET", "/a/7/", false, ""},
		{"GET /a/{id}", "GET", "/A/7", false, ""},
		{"GET /a", "GET", "/a/", false, ""},
		{"POST /{db}/", "POST", "/crm/", true, "db=crm"},
		{"POST /{db}/", "POST", "/crm", false, ""},
		{"POST /{db}/", "POST", "//", false, ""},
		{"GET /(a|b).js", "GET", "/a.js", false, ""},
		{"GET /(a.js|b.js)", "GET", "/b.js", true, ""},
		{"GET /export.{type}.csv", "GET", "/export.x.csv", true, "type=x"},
		{"GET /export.{type}.csv", "GET", "/export..csv", false, ""},
		{"GET /d/**", "GET", "/d/", true, ""},
		{"GET /d/**", "GET", "/d/a/b", true, ""},
		{"GET /d/**", "GET", "/d", false, ""},
		{"GET /d/{rest**}", "GET", "/d/a/b", true, "rest=a/b"},
		{"GET /d/{rest**}", "GET", "/d/", false, ""},
		{"GET /", "GET", "/", true, ""},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		vars := map[string]string{}
		got := p.match(c.method, strings.Split(strings.TrimPrefix(c.path, "/"), "/"), vars)
		if got != c.want {
			t.Errorf("%q matches %s %s: %v", c.pattern, c.method, c.path, got)
		}
		if name, value, _ := strings.Cut(c.vars, "="); c.vars != "" && vars[name] != value {
			t.Errorf("%q binds %v, want %s", c.pattern, vars, c.vars)
		}
	}
	for _, s := range []string{"/a", "GET a", "GET /{", "GET /{}", "GET /{a}{b}", "GET /**/a", "GET /}{"} {
		if _, err := parsePattern(s); err == nil {
			t.Errorf("parsePattern(%q) took it", s)
		}
	}
}

// TestCoveringPatternMatchesAllThatTheOtherDoes: a pattern that is said to
// cover another one matches every path that the other one matches.
func TestCoveringPatternMatchesAllThatTheOtherDoes(t *testing.T) {
	patterns := []string{
		"GET /a", "GET /{x}", "* /{x}", "GET|POST /{x}", "GET /a/{x}", "GET /{x}/{y}", "GET /a/**", "GET /a/{r**}",
		"GET /**", "GET /{r**}", "GET /(a|b)", "GET /a/b", "GET /a{x}", "GET /", "POST /a", "GET /a/",
	}
	paths := []string{"", "a", "b", "ab", "a/", "a/b", "a/b/c", "c/d", "/", "c"}
	for _, one := range patterns {
		p, err := parsePattern(one)
		if err != nil {
			t.Fatal(err)
		}
		if !p.covers(&p) {
			t.Errorf("%q doesn't cover itself", one)
		}
		for _, other := range patterns {
			q, err := parsePattern(other)
			if err != nil {
				t.Fatal(err)
			}
			all := true
			for _, path := range paths {
				for _, m := range []string{"GET", "POST", "DELETE"} {
					segments := strings.Split(path, "/")
					if q.match(m, segments, map[string]string{}) && !p.match(m, segments, map[string]string{}) {
						all = false
					}
				}
			}
			if got := p.covers(&q); got && !all {
				t.Errorf("%q is said to cover %q", one, other)
			}
		}
	}
}

func TestGlobMatchesTheWhole(t *testing.T) {
	for _, c := range []struct {
		glob, in string
		want     bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"a*", "a", true},
		{"*_at", "created_at", true},
		{"*_at", "created_at2", false},
		{"model.*.read", "model.a.b.read", true},
		{"model.*.read", "model.read", false},
		{"model.*.read", "model.a.read ", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false},
		{"**", "x", true},
	} {
		if got := glob(c.glob).match(c.in); got != c.want {
			t.Errorf("%q matches %q: %v", c.glob, c.in, got)
		}
	}
}

func TestIntegersHaveOneSpelling(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "7": true, "-7": true, "120": true,
		"": false, "-": false, "-0": false, "07": false, "+7": false, "7.0": false, "7e1": false, "1_0": false, " 7": false, "７": false,
		strings.Repeat("9", 18): true, strings.Repeat("9", 19): false,
	} {
		if got := isInteger(s); got != want {
			t.Errorf("isInteger(%s) = %v", strconv.Quote(s), got)
		}
	}
}

func TestReferencesAreTypeAndNumber(t *testing.T) {
	for s, want := range map[string]bool{
		"party.party,47": true, "bank,-1": true,
		"Weber,47": false, "party.party,": false, ",47": false, "party.party": false, "party.party,4x": false,
		"müller,4": false, "a,b,4": false, "a b,4": false, "x,-": false,
	} {
		if got := isReference(s); got != want {
			t.Errorf("isReference(%q) = %v", s, got)
		}
	}
}
