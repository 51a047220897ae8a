package metadata

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// File is a document that an administrator saved.
type File struct {
	// Name is the file's: it says whose fields stand in it where the document doesn't.
	Name  string
	Bytes []byte
}

// subject is the file's name without folder and extension, and without what counts
// the pages of one subject: contacts of a/contacts-2.json.
func (f File) subject() string {
	name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	if at := strings.LastIndexByte(name, '-'); at > 0 && strings.Trim(name[at+1:], "0123456789") == "" {
		name = name[:at]
	}
	return name
}

// limits of a document: those of CRMs with some thousand fields are well below.
func limits() doc.Limits { return doc.Limits{Depth: 48, Nodes: 3_000_000} }

// node is a value of a JSON document. The zero value is none.
type node struct {
	t  *doc.Tree
	at int
}

func parse(f File) (node, error) {
	t, err := json.Parse(f.Bytes, limits())
	if err != nil {
		return node{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return node{t: t, at: doc.Root}, nil
}

func (n node) is(k doc.Kind) bool { return n.t != nil && n.t.Nodes[n.at].Kind == k }

// get follows members by their names.
func (n node) get(names ...string) node {
	for _, name := range names {
		if !n.is(doc.Object) {
			return node{}
		}
		if n.at = n.t.Member(n.at, name); n.at < 0 {
			return node{}
		}
	}
	return n
}

// text is a text's, a number's or a boolean's; "" of anything else.
func (n node) text(names ...string) string {
	n = n.get(names...)
	if n.t == nil {
		return ""
	}
	return n.t.Text(n.at)
}

// yes reports whether a member is true, or the number 1.
func (n node) yes(names ...string) bool {
	n = n.get(names...)
	return n.is(doc.Bool) && string(n.t.Raw(n.at)) == "true" || n.is(doc.Number) && string(n.t.Raw(n.at)) == "1"
}

// each goes through the members of an object or the elements of a list.
func (n node) each(names ...string) func(yield func(key string, v node) bool) {
	n = n.get(names...)
	return func(yield func(key string, v node) bool) {
		if !n.is(doc.Object) && !n.is(doc.Array) {
			return
		}
		for c := range n.t.Children(n.at) {
			if !yield(n.t.Key(c), node{t: n.t, at: c}) {
				return
			}
		}
	}
}

// first is the first element of a list, or the first member of an object.
func (n node) first() node {
	for _, v := range n.each() {
		return v
	}
	return node{}
}

// has reports whether an object has all members of these names.
func (n node) has(names ...string) bool {
	return n.is(doc.Object) && !slices.ContainsFunc(names, func(name string) bool { return n.get(name).t == nil })
}

// isName reports whether a text can stand for a field's or a type's name in a
// profile: there `|` and `*` mean something, and a dot in a request.
func isName(s string) bool {
	const most = 128
	if s == "" || len(s) > most {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' && r != '-' && r != '@' {
			return false
		}
	}
	return true
}

// isType is isName for types, which may be divided by dots.
func isType(s string) bool { return isName(strings.ReplaceAll(s, ".", "_")) }

// plainText makes a name fit for a comment: on one line, and not too long.
func plainText(s string) string {
	const most = 60
	s = oneLine(s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// oneLine takes out what could end a comment.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
}
