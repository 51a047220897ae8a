package graphql

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// given are variables as a request's body holds them.
func given(vars map[string]string) Variables {
	return func(name string) ([]byte, int, bool) {
		raw, ok := vars[name]
		return []byte(raw), 100, ok
	}
}

// shown renders fields: `key=Name(arguments)|On{below}`.
func shown(op *Operation, fields []*Field) string {
	var all []json.RawMessage
	if err := json.Unmarshal(op.Arguments.JSON, &all); err != nil {
		return err.Error()
	}
	parts := make([]string, 0, len(fields))
	for _, f := range fields {
		s := f.Name
		if f.Key != f.Name {
			s = f.Key + "=" + s
		}
		if f.Args >= 0 {
			s += "(" + string(all[f.Args]) + ")"
		}
		if len(f.On) > 0 {
			s += "|" + strings.Join(f.On, ",")
		}
		if len(f.Fields) > 0 {
			s += "{" + shown(op, f.Fields) + "}"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func TestDocumentIsReadAsAServiceExecutesIt(t *testing.T) {
	vars := given(map[string]string{"f": `{"email": {"eq":"x"}}`, "nothing": "null"})
	for _, c := range []struct{ text, operation, want string }{
		{"{ a }", "", "a"},
		{"query A { a } query B { b }", "B", "b"},
		{"query A { a } mutation B { b }", "A", "a"},
		{`{ x: people(first: 1, last: -2.5e3, by: [A, "b\u00e4\n", true, null]) { y: email } }`, "", `x=people({"first":1,"last":-2.5e3,"by":["A","bä\n",true,null]}){y=email}`},
		{"query($f: F, $n: F, $d: Int = 7, $nothing: Int = 8) { a(f: $f, n: $n, d: $d, z: $nothing, o: {n: $n, l: [$n, $d]}) }", "", `a({"f":{"email": {"eq":"x"}},"d":7,"z":null,"o":{"l":[null,7]}})`},
		{`{ a(s: """x "y" z""") }`, "", `a({"s":"x \"y\" z"})`},
		{"{ ...F ... on B { b ... { c } } ... @include(if: false) { d @skip(if: true) } } fragment F on A { a ... on C { e } }", "", "a|A e|A,C b|B c|B d"},
		{"# {\n{ a #}\r b, c }", "", "a b c"},
	} {
		op, err := Parse(c.text, c.operation, vars)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := shown(op, op.Fields); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestWhatCouldBeReadOtherwiseIsRefused: by name, and without a value.
func TestWhatCouldBeReadOtherwiseIsRefused(t *testing.T) {
	deep := "{" + strings.Repeat("a{", maxDepth+1) + "a" + strings.Repeat("}", maxDepth+2)
	wide := strings.Builder{}
	for i := range 20 {
		wide.WriteString(" fragment F" + string(rune('a'+i)) + " on T { ...F" + string(rune('b'+i)) + " ...F" + string(rune('b'+i)) + " }")
	}
	for _, c := range []struct{ text, operation, says string }{
		{"", "", "no operation"},
		{"{", "", "no GraphQL"},
		{"{}", "", "no GraphQL"},
		{"{ a('secret') }", "", "no GraphQL"},
		{"query A { a } query B { b }", "", "operationName"},
		{"query A { a } query B { b }", "C", "no operation"},
		{"query A { a } query A { b }", "A", "share a name"},
		{"{ a } { b }", "", "share a name"},
		{"subscription { a }", "", "Subscriptions"},
		{"{ ...F }", "", "F isn't there"},
		{"{ ...F } fragment F on A { ...F }", "", "holds itself"},
		{"{ ...F } fragment F on A { ...G } fragment G on A { ...F }", "", "holds itself"},
		{"{ ...F } fragment F on A { a } fragment F on A { b }", "", "F stands twice"},
		{"{ ...F } fragment F($x: Int) on A { a }", "", "has variables"},
		{"{ ...F @defer } fragment F on A { a }", "", "@defer"},
		{"{ a @stream(initialCount: 1) }", "", "@stream"},
		{"query @live { a }", "", "@live"},
		{"{ a(b: 1, b: 2) }", "", "argument b of a"},
		{`{ a(b: {c: "secret", c: 2}) }`, "", "member c"},
		{"{ a(b: $c) }", "", "$c isn't declared"},
		{"query($c: Int, $c: Int) { a }", "", "$c is declared twice"},
		{"type A { b: Int }", "", "no GraphQL"},
		{deep, "", "too deeply"},
		{"{ ...Fa } fragment Fu on T { a }" + wide.String(), "", "too many fields"},
		{"{ a" + strings.Repeat(" a", maxTokens) + " }", "", "no GraphQL"},
	} {
		_, err := Parse(c.text, c.operation, given(nil))
		if _, ok := errors.AsType[*SyntaxError](err); !ok || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.80s: %v, want %q", c.text, err, c.says)
		}
	}
}

// TestRepeatedVariablesDontFillTheMemory, though each is short in the request.
func TestRepeatedVariablesDontFillTheMemory(t *testing.T) {
	big := `"` + strings.Repeat("x", 1<<20) + `"`
	_, err := Parse("query($v: String) { a(b: ["+strings.Repeat("$v ", 100)+"]) }", "", given(map[string]string{"v": big}))
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: nothing makes the reader panic, what it refuses is a SyntaxError, and
// what it takes are names, and arguments that are JSON.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"{ a(b: $v, c: {d: [1, E, \"\\u00e4\"]}) { ...F ... on T @skip(if: $v) { x: y } } } fragment F on T { z }",
		"query A($v: [T!]! = {a: 1}) { a } mutation B { b(i: \"\"\"x\"\"\") }", "subscription { a }", "{ __typename }",
	} {
		f.Add(s, "A", `{"x":1}`)
	}
	f.Fuzz(func(t *testing.T, text, operation, variable string) {
		vars := given(nil)
		if json.Valid([]byte(variable)) {
			vars = given(map[string]string{"v": variable})
		}
		op, err := Parse(text, operation, vars)
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Fatalf("%v is no SyntaxError", err)
			}
			return
		}
		var args []map[string]any
		if err := json.Unmarshal(op.Arguments.JSON, &args); err != nil {
			t.Fatalf("%q: %v", op.Arguments.JSON, err)
		}
		for _, c := range op.Arguments.Copies {
			if got := string(op.Arguments.JSON[c.At : c.At+c.Len]); got != variable {
				t.Fatalf("a copy is %q, want %q", got, variable)
			}
		}
		checkFields(t, op.Fields, len(args))
	})
}

func checkFields(t *testing.T, fields []*Field, args int) {
	t.Helper()
	for _, f := range fields {
		if f.Name == "" || strings.Trim(f.Name+f.Key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" || f.Args >= args {
			t.Fatalf("field %+v", f)
		}
		checkFields(t, f.Fields, args)
	}
}
