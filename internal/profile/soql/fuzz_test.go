package soql

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzQuery: nothing makes the readers panic, what they refuse is a SyntaxError, and
// no name of a query that is let through is lost: every word outside of texts is a
// word of the language, a value, or in what was noted.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"SELECT Id, Account.Name, (SELECT Id FROM Contacts WHERE a = 'x') FROM Contact c, c.Account a WHERE NOT (Email LIKE 'a%' OR b IN (1, 2))",
		"SELECT Name n, MAX(Amount), FORMAT(MIN(b)) f FROM Opportunity GROUP BY ROLLUP(Name) HAVING COUNT(Id) > 1 ORDER BY Name DESC NULLS LAST LIMIT 5",
		"SELECT TYPEOF What WHEN Account THEN Phone ELSE Name END FROM Event USING SCOPE mine WITH SECURITY_ENFORCED FOR VIEW",
		"SELECT Id FROM a WHERE Id IN (SELECT b FROM c WHERE d = LAST_N_DAYS:3 AND e < 2026-01-01T00:00:00Z)",
		`SELECT Id FROM a WHERE b = 'O\'Dwyer \\ \u00e9' AND DISTANCE(c, GEOLOCATION(1,2), 'km') < 3 AND d INCLUDES ('x')`,
		"FIND {a} IN NAME FIELDS RETURNING Contact(Id WHERE a = 1 ORDER BY b), Lead WITH HIGHLIGHT", "SELECT FIELDS(ALL) FROM a", "a = 1 OR b = USD5.5",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := ParseSearch(s)
		syntaxError(t, err)
		q := Searching()
		syntaxError(t, ParseOrder(q, "o", s))
		syntaxError(t, ParseFields(q, "o", s))
		q = Searching()
		if err = ParseFilter(q, "o", s); err == nil {
			noNameLost(t, s, q)
		}
		syntaxError(t, err)
		if q, err = ParseQuery(s); err == nil {
			noNameLost(t, s, q)
		}
		syntaxError(t, err)
	})
}

// FuzzText: a text in quotes changes nothing of what is asked about, or the query is
// refused, as long as the text itself ends nowhere.
func FuzzText(f *testing.F) {
	for _, s := range []string{`O\'Dwyer`, `\\\'`, `\u0027`, `a' OR Phone = 'b`, "\x00", "’", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if regexp.MustCompile(`(?s)^(?:[^\\]|\\.)*?'`).MatchString(strings.ReplaceAll(strings.ReplaceAll(s, `\\`, ""), `\'`, "")) {
			return
		}
		q, err := ParseQuery("SELECT Id FROM Contact WHERE LastName = '" + s + "' AND Email = 'x'")
		syntaxError(t, err)
		if err == nil && asks(q) != "filter Contact.LastName, filter Contact.Email, select Contact.Id" {
			t.Fatalf("%q shifts the parse: %s", s, asks(q))
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
	s = regexp.MustCompile(`'(?:[^'\\]|\\.)*'`).ReplaceAllString(strings.ReplaceAll(s, "\n", " "), " ")
	s = regexp.MustCompile(`[A-Za-z0-9_][A-Za-z0-9_:.+-]*`).ReplaceAllStringFunc(s, func(at string) string {
		if dateForm.FindString(at) == at || numberForm.FindString(at) == at {
			return " "
		}
		return at
	})
	noted := slices.Clone(q.Objects)
	for _, r := range q.Refs {
		noted = append(append(noted, r.From), r.Path...)
	}
	for _, n := range q.Names {
		noted = append(noted, n.Name)
	}
	for _, l := range q.Rows {
		noted = append(noted, names(l)...)
	}
	for i := range noted {
		noted[i] = strings.ToLower(noted[i])
	}
	for _, word := range regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*`).FindAllString(s, -1) {
		word = strings.ToLower(word)
		if !slices.Contains(noted, word) && !isReserved(word) && !isFlatWord(word) && !isFunction(word) && !slices.Contains(ownWords(), word) &&
			!dateWord.MatchString(word) && !dateCount.MatchString(word) && !amountWord.MatchString(word) {
			t.Fatalf("%q: the name %s is lost", s, word)
		}
	}
}

// names are those that a query made up, and its relationships.
func names(l *Level) []string {
	var out []string
	for name := range l.Columns {
		out = append(out, name)
	}
	for name, sub := range l.Subs {
		out = append(append(out, name), names(sub)...)
	}
	return out
}

// ownWords are words of the language that can stand for names as well.
func ownWords() []string {
	return []string{
		"typeof", "when", "then", "else", "end", "fields", "all", "standard", "custom", "order", "by", "offset", "for", "view", "reference", "update",
		"rollup", "cube", "rows", "scope", "true", "false", "geolocation", "security_enforced", "user_mode", "system_mode", "tracking", "viewstat",
		"delegated", "everything", "mine", "mineandmygroups", "mine_and_my_groups", "my_territory", "my_team_territory", "team", "allprivate",
	}
}
