// Package doc is a document as a tree of values with offsets into its bytes.
// Each format (json, form, csv, html) parses foreign bytes strictly into a Tree
// and encodes single values for splicing; nothing is ever parsed and rendered
// again, so bytes outside a replaced value stay as they came.
package doc

import (
	"errors"
	"fmt"
)

// Kind is the kind of a node's value.
type Kind uint8

// The kinds. Formats without types (form, csv, html) use Object, Array and
// String alone.
const (
	Invalid Kind = iota
	Object
	Array
	String
	Number
	Bool
	Null
)

// Node is one value of a document. Children of a container follow it directly;
// Next skips over a whole subtree.
type Node struct {
	Kind Kind
	// Flags are the format's own (for a JSON string: has escapes).
	Flags uint8
	// Start and End are the raw bytes of the value: a JSON string with its
	// quotes, a CSV cell with its quotes, an HTML attribute's value without.
	Start, End int32
	// KeyStart and KeyEnd are the raw bytes of the member's key in the same
	// manner; equal where there is none (array elements, the root).
	KeyStart, KeyEnd int32
	// Parent is the index of the container, -1 for the root.
	Parent int32
	// Next is the index of the first node behind this node's subtree.
	Next int32
}

// Format is the part of a format that a Tree needs to read and replace values.
type Format interface {
	// Name is the format's short name: json, form, csv, html.
	Name() string
	// Text decodes the raw bytes of a scalar node.
	Text(t *Tree, node int) string
	// Key decodes the raw bytes of a node's key.
	Key(t *Tree, node int) string
	// Encode appends the raw bytes that stand for v in node's place, in the
	// style of the document (charset, escapes, quotes).
	Encode(dst []byte, t *Tree, node int, v Value) []byte
	// EncodeKey does the same for the node's key.
	EncodeKey(dst []byte, t *Tree, node int, key string) []byte
}

// Verbatim is what a Format is, too, where texts can stand in the document as
// they are.
type Verbatim interface {
	// Verbatim returns the bytes of a node's text where they are the
	// document's own, and false otherwise.
	Verbatim(t *Tree, node int) ([]byte, bool)
}

// Picky is what a Format is, too, that can't hold every text.
type Picky interface {
	// Takes reports whether Encode writes a text so that it is read as it was.
	Takes(text string) bool
}

// Takes reports whether a text can be written in the document without a change.
func (t *Tree) Takes(text string) bool {
	f, picky := t.Format.(Picky)
	return !picky || f.Takes(text)
}

// Parted is what a Format is, too, whose members are more than a key and a value.
type Parted interface {
	// MemberSpan is what goes when a member is removed.
	MemberSpan(t *Tree, node int) (start, end int32)
	// AppendMember appends the bytes of a new member, and says where they belong.
	AppendMember(dst []byte, t *Tree, key, text string) (out []byte, at int32)
}

// Grafter is what a Format is, too, whose values can't be copied from another
// document of the format as they stand there.
type Grafter interface {
	// Graft appends the bytes that stand for a value of the other document in the
	// node's place, or in that of a new value where node is -1.
	Graft(dst []byte, t *Tree, node int, from *Tree, value int) []byte
}

// Growing is what a Format is, too, whose objects say themselves where members can be
// added.
type Growing interface {
	// Grow returns the edit that adds members at the end of an object.
	Grow(t *Tree, object int, add []Member) Edit
}

// Keyed is what a Format is, too, where keys can be compared as they stand in the
// document.
type Keyed interface {
	// HasKey reports whether a node's key is that name.
	HasKey(t *Tree, node int, name string) bool
}

// Value is a replacement.
type Value struct {
	Kind Kind // String, Number, Bool or Null
	Text string
}

// Tree is a parsed document. Src is never changed. A tree is for one goroutine at
// a time: it keeps what Slice has made.
type Tree struct {
	Src    []byte
	Nodes  []Node
	Format Format
	// ASCII says that the document escapes what is not ASCII, so that
	// replacements do too.
	ASCII bool

	text string
}

// Root is the index of the document's value.
const Root = 0

// Text decodes a scalar; containers are "".
func (t *Tree) Text(node int) string {
	switch t.Nodes[node].Kind {
	case Object, Array, Null, Invalid:
		return ""
	}
	return t.Format.Text(t, node)
}

// Key decodes a member's key, "" for an array element.
func (t *Tree) Key(node int) string {
	n := t.Nodes[node]
	if n.KeyStart == n.KeyEnd {
		return ""
	}
	return t.Format.Key(t, node)
}

// Slice returns the bytes [from, to) of the document as a string. All of them
// share one copy of the document: a copy for each value would cost more than
// parsing it.
func (t *Tree) Slice(from, to int32) string {
	if len(t.text) != len(t.Src) {
		t.text = string(t.Src)
	}
	return t.text[from:to]
}

// Raw returns the bytes of a value.
func (t *Tree) Raw(node int) []byte { return t.Src[t.Nodes[node].Start:t.Nodes[node].End] }

// First returns the first child, or -1.
func (t *Tree) First(node int) int {
	if int(t.Nodes[node].Next) > node+1 {
		return node + 1
	}
	return -1
}

// After returns the next sibling, or -1.
func (t *Tree) After(node int) int {
	n := t.Nodes[node]
	if n.Parent >= 0 && n.Next < t.Nodes[n.Parent].Next {
		return int(n.Next)
	}
	return -1
}

// Member returns an object's member of that name, or -1.
func (t *Tree) Member(node int, name string) int {
	if node < 0 || t.Nodes[node].Kind != Object {
		return -1
	}
	keyed, _ := t.Format.(Keyed)
	for c := t.First(node); c >= 0; c = t.After(c) {
		if keyed != nil && keyed.HasKey(t, c, name) || keyed == nil && t.Key(c) == name {
			return c
		}
	}
	return -1
}

// Element returns an array's i-th element, or -1.
func (t *Tree) Element(node, i int) int {
	if node < 0 || t.Nodes[node].Kind != Array {
		return -1
	}
	c := t.First(node)
	for ; c >= 0 && i > 0; i-- {
		c = t.After(c)
	}
	return c
}

// Children iterates over a container's children.
func (t *Tree) Children(node int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		if node < 0 {
			return
		}
		for c := t.First(node); c >= 0; c = t.After(c) {
			if !yield(c) {
				return
			}
		}
	}
}

// Limits bound what a parser accepts.
type Limits struct {
	// Depth is the deepest nesting, Nodes the largest number of values.
	Depth, Nodes int
}

// DefaultLimits are what the gate uses.
func DefaultLimits() Limits { return Limits{Depth: 48, Nodes: 2_000_000} }

// ErrMalformed is what every parser's error wraps: the bytes are not a strict
// document of the format.
var ErrMalformed = errors.New("malformed document")

// SyntaxError says what is wrong, and where. It quotes no bytes of the
// document: they may be personal data.
type SyntaxError struct {
	Format string
	Offset int
	What   string
}

// Error names the format, the offset in bytes and the fault.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("malformed %s at byte %d: %s", e.Format, e.Offset, e.What)
}

// Unwrap makes every SyntaxError an ErrMalformed.
func (e *SyntaxError) Unwrap() error { return ErrMalformed }
