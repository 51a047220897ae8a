package doc_test

import (
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
	"github.com/crmgate/crmgate/internal/doc/json"
)

func tree(t testing.TB, src string, isForm bool) *doc.Tree {
	t.Helper()
	parse := json.Parse
	if isForm {
		parse = form.Parse
	}
	out, err := parse([]byte(src), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return out
}

func splice(t testing.TB, src string, edits []doc.Edit) string {
	t.Helper()
	out, err := doc.Splice(nil, []byte(src), edits)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return string(out)
}

// TestRemovedMembersGoWithTheirSeparators, wherever they stand; what stays keeps
// its bytes.
func TestRemovedMembersGoWithTheirSeparators(t *testing.T) {
	for _, c := range []struct {
		src    string
		form   bool
		remove []string
		want   string
	}{
		{`{"a":1,"b":2,"c":3}`, false, nil, `{"a":1,"b":2,"c":3}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"a"}, `{"b":2,"c":3}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"b"}, `{"a":1,"c":3}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"c"}, `{"a":1,"b":2}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"a", "b"}, `{"c":3}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"b", "c"}, `{"a":1}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"a", "c"}, `{"b":2}`},
		{`{"a":1,"b":2,"c":3}`, false, []string{"a", "b", "c"}, `{}`},
		{`{ "a" : 1 , "b" : [2, {"c":3}] , "d":4 }`, false, []string{"b"}, `{ "a" : 1 , "d":4 }`},
		{`{ "a" : 1 , "b" : 2 }`, false, []string{"b"}, `{ "a" : 1 }`},
		{`{"a":1}`, false, []string{"a"}, `{}`},
		{`a=1&b=2&c=3`, true, []string{"a"}, `b=2&c=3`},
		{`a=1&b=2&c=3`, true, []string{"b"}, `a=1&c=3`},
		{`a=1&b=2&c=3`, true, []string{"c"}, `a=1&b=2`},
		{`a=1&b=2&c=3`, true, []string{"a", "b", "c"}, ``},
	} {
		tr := tree(t, c.src, c.form)
		var nodes []int
		for n := range tr.Children(doc.Root) {
			if slices.Contains(c.remove, tr.Key(n)) {
				nodes = append(nodes, n)
			}
		}
		got := splice(t, c.src, doc.RemoveMembers(tr, doc.Root, nodes))
		if got != c.want {
			t.Errorf("%s without %v = %s, want %s", c.src, c.remove, got, c.want)
		}
	}
}

// TestAppendedMembersStandAtTheEnd, in the document's own notation.
func TestAppendedMembersStandAtTheEnd(t *testing.T) {
	add := []doc.Member{{Key: `a"b`, Raw: []byte(`{"x":[1]}`)}, {Key: "c d", Text: "ä & \"b\""}}
	for _, c := range []struct {
		src  string
		form bool
		add  []doc.Member
		want string
	}{
		{`{}`, false, nil, `{}`},
		{`{}`, false, add, `{"a\"b":{"x":[1]},"c d":"\u00e4 & \"b\""}`},
		{`{"ü":1}`, false, add, `{"ü":1,"a\"b":{"x":[1]},"c d":"ä & \"b\""}`},
		{`{"y":"\u00fc" }`, false, add[1:], `{"y":"\u00fc" ,"c d":"\u00e4 & \"b\""}`},
		{``, true, add[1:], `c+d=%C3%A4+%26+%22b%22`},
		{`y=1`, true, add[1:], `y=1&c+d=%C3%A4+%26+%22b%22`},
	} {
		tr := tree(t, c.src, c.form)
		if got := splice(t, c.src, doc.AppendMembers(tr, doc.Root, c.add)); got != c.want {
			t.Errorf("%s and more = %s, want %s", c.src, got, c.want)
		}
	}
}

// TestMembersOfANestedObjectAreItsOwn.
func TestMembersOfANestedObjectAreItsOwn(t *testing.T) {
	const src = `{"a":{"b":1,"c":2},"d":{}}`
	tr := tree(t, src, false)
	a, d := tr.Member(doc.Root, "a"), tr.Member(doc.Root, "d")
	edits := doc.RemoveMembers(tr, a, []int{tr.Member(a, "b"), tr.Member(a, "c")})
	edits = append(edits, doc.AppendMembers(tr, d, []doc.Member{{Key: "e", Raw: []byte("3")}})...)
	if got := splice(t, src, edits); got != `{"a":{},"d":{"e":3}}` {
		t.Errorf("got %s", got)
	}
}

func TestRemovingAndAppendingTogetherLeavesOneObject(t *testing.T) {
	const src = `{"a":1,"b":2}`
	tr := tree(t, src, false)
	edits := doc.RemoveMembers(tr, doc.Root, []int{tr.Member(doc.Root, "b")})
	edits = append(edits, doc.AppendMembers(tr, doc.Root, []doc.Member{{Key: "c", Raw: []byte("3")}})...)
	if got := splice(t, src, edits); got != `{"a":1,"c":3}` {
		t.Errorf("got %s", got)
	}
}

// FuzzRemoveMembers: what is left is the same object without the members.
func FuzzRemoveMembers(f *testing.F) {
	f.Add(`{"a":1,"b":[2],"c":{"d":3}}`, uint16(5), false)
	f.Add(`{ "a" : 1 , "b":2 }`, uint16(2), false)
	f.Add(`a=1&b=2&&c`, uint16(3), true)
	f.Fuzz(func(t *testing.T, src string, mask uint16, isForm bool) {
		parse := json.Parse
		if isForm {
			parse = form.Parse
		}
		tr, err := parse([]byte(src), doc.DefaultLimits())
		if err != nil || tr.Nodes[doc.Root].Kind != doc.Object {
			return
		}
		var out []int
		var want []string
		i := 0
		for n := range tr.Children(doc.Root) {
			if mask&(1<<(i%16)) != 0 {
				out = append(out, n)
			} else {
				want = append(want, tr.Key(n)+"="+string(tr.Raw(n)))
			}
			i++
		}
		left := splice(t, src, doc.RemoveMembers(tr, doc.Root, out))
		again, err := parse([]byte(left), doc.DefaultLimits())
		if err != nil {
			t.Fatalf("%q without members is %q: %v", src, left, err)
		}
		var got []string
		for n := range again.Children(doc.Root) {
			got = append(got, again.Key(n)+"="+string(again.Raw(n)))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q becomes %q: %q, want %q", src, left, got, want)
		}
	})
}
