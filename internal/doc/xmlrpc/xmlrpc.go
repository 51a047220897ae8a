// Package xmlrpc reads the messages of XML-RPC as trees of values: what a method
// gets, and what it answers, in the shape in which JSON would hold it.
//
// A call is an Object of its `methodName`, a String, and its `params`, an Array. An
// answer is an Object of its `result`, or of its `fault`. A struct is an Object, an
// array an Array; the other types are scalars. The span of a value is its element
// with all its tags, the end of its member included, and that of a member's key is
// the member's beginning and its name: a value can be replaced by one of another
// type, and a member be taken out, as in JSON.
package xmlrpc

import (
	"errors"
	"math"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xml"
)

// Name is the format's name.
const Name = "xmlrpc"

// The members of a message.
const (
	KeyMethod = "methodName"
	KeyParams = "params"
	KeyResult = "result"
	KeyFault  = "fault"
)

// Parse reads exactly one call or answer. charset is the one that the Content-Type
// names, "" for none.
//
// It is stricter than the specification where readers differ. Refused with a
// doc.SyntaxError: what xml.Parse refuses, attributes and namespaces (extensions of
// the types), comments and instructions, text beside elements, elements that are
// missing, misspelt or in another order, members of a struct that share a name or
// whose name begins or ends with white space, numbers and booleans that aren't
// written plainly (`+7`, `007`, ` 7`, `true`), bytes that aren't base64, and what
// exceeds lim.
func Parse(src []byte, charset string, lim doc.Limits) (*doc.Tree, error) {
	const perValue, perLevel, around = 5, 4, 8 // elements: member, name, value, array, data
	x, err := xml.Parse(src, xml.Options{Charset: charset}, doc.Limits{
		Depth: min(lim.Depth, math.MaxInt16)*perLevel + around, Nodes: min(lim.Nodes, math.MaxInt32/perValue-around)*perValue + around,
	})
	if err != nil {
		if bad, ok := errors.AsType[*doc.SyntaxError](err); ok {
			return nil, &doc.SyntaxError{Format: Name, Offset: bad.Offset, What: bad.What}
		}
		return nil, err
	}
	b := &builder{x: x, lim: lim, nodes: make([]doc.Node, 0, len(x.Nodes)/2+1), about: make([]about, 0, len(x.Nodes)/2+1)}
	b.document()
	if b.fault != "" {
		return nil, &doc.SyntaxError{Format: Name, Offset: int(b.at), What: b.fault}
	}
	return &doc.Tree{Src: src, Nodes: b.nodes, Format: &format{x: x, about: b.about}, ASCII: x.ASCII}, nil
}

// kind is the type of a value as its element names it.
type kind uint8

const (
	// own is what is no value: the message itself, its method's name, the list of
	// its parameters.
	own kind = iota
	untyped
	text
	i4
	integer
	i8
	double
	boolean
	dateTime
	base64Bytes
	null
	structure
	array
)

// tags are the elements' names, by kind.
func tags() [array + 1]string {
	return [...]string{
		text: "string", i4: "i4", integer: "int", i8: "i8", double: "double", boolean: "boolean",
		dateTime: "dateTime.iso8601", base64Bytes: "base64", null: "nil", structure: "struct", array: "array",
	}
}

func kindOf(tag string) (kind, bool) {
	for k, name := range tags() {
		if name == tag && name != "" {
			return kind(k), true
		}
	}
	return own, false
}

// about is what a node is beside its value.
type about struct {
	kind kind
	// text is the node of the XML that holds the scalar's text, and name the one
	// that holds the member's; -1 for none.
	text, name int32
	// key is the name of what is no member of a struct.
	key string
}
