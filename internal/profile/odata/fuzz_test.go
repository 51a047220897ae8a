package odata

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzQuery: nothing makes the readers panic, what they refuse is a SyntaxError, and
// no name of a filter that is let through is lost: every word outside of texts is
// an operator, a value, a function, a variable or a field that was noted.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"contains(a,'x') and b/any(e:e/c eq 1)", "a in (1,2) or not (b eq null)", "a eq 9c9f62b3-bf21-5db4-8017-d792f7db7f0a",
		"Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['x'])", "a add -b mul c", "$it/a/$count gt 5", "a eq duration'PT1H'",
		`<fetch><entity name="a"><attribute name="b" alias="c"/></entity></fetch>`, "a($select=b;$expand=c($filter=d eq 'x;'))",
		"filter(a eq 1)/groupby((b),aggregate(c with max as d))", "contacts(a='x')/b/$ref", "replace(a,'x','y') eq 'z' and b lt datetime'2026-01-01T00:00:00'", "c(guid'9c9f62b3-bf21-5db4-8017-d792f7db7f0a')/d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"$select", "$orderby", "$expand", "$apply", "$skiptoken"} {
			_, err := ParseQuery([]Param{{name, s}})
			syntaxError(t, err)
		}
		_, err := ParsePathV2(s)
		syntaxError(t, err)
		if q, err := ParseQueryV2([]Param{{"$filter", s}}); err == nil {
			noNameLost(t, s, q)
		} else {
			syntaxError(t, err)
		}
		_, err = ParsePath(s, nil)
		syntaxError(t, err)
		_, err = ParseTarget(s, "Target", nil)
		syntaxError(t, err)
		_, err = ParseFetch(s)
		syntaxError(t, err)
		q, err := ParseQuery([]Param{{"$filter", s}})
		syntaxError(t, err)
		if err == nil && !strings.Contains(s, "Microsoft.Dynamics") {
			noNameLost(t, s, q)
		}
	})
}

func syntaxError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*SyntaxError](err); err != nil && !ok {
		t.Fatalf("%v is no SyntaxError", err)
	}
}

func noNameLost(t *testing.T, s string, q *Query) {
	t.Helper()
	s = regexp.MustCompile(`[A-Za-z0-9_.]*'(?:[^']|'')*'`).ReplaceAllString(s, " ")
	s = regexp.MustCompile(`[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`).ReplaceAllString(s, " ")
	var noted []string
	for _, r := range q.Refs {
		noted = append(noted, r.Path...)
	}
	for _, v := range regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*) *:`).FindAllStringSubmatch(s, -1) {
		noted = append(noted, v[1])
	}
	known := []string{"not", "null", "true", "false", "INF", "NaN", "any", "all", "count", "it", "replace"}
	for _, at := range regexp.MustCompile(`[A-Za-z0-9_$.:+-]+`).FindAllString(s, -1) {
		for _, word := range strings.FieldsFunc(at, func(r rune) bool { return strings.ContainsRune("$:-+", r) }) {
			if isName(word) && !slices.Contains(noted, word) && !slices.Contains(known, word) && precedence(word) == 0 && !isFunction(word) &&
				!dateForm.MatchString(at) && !numberForm.MatchString(at) {
				t.Fatalf("%q: the name %s is lost", s, word)
			}
		}
	}
}
