package xmlrpc

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xml"
)

// builder makes the tree of a message out of its XML. The first fault stays.
type builder struct {
	x     *doc.Tree
	lim   doc.Limits
	nodes []doc.Node
	about []about
	fault string
	at    int32
}

func (b *builder) fail(x int, what string) {
	if b.fault == "" {
		b.at, b.fault = b.x.Nodes[x].Start, what
	}
}

// add appends a node, and returns its place.
func (b *builder) add(n doc.Node, a about) int {
	if len(b.nodes) >= b.lim.Nodes && b.fault == "" {
		b.at, b.fault = n.Start, "too many values"
	}
	b.nodes, b.about = append(b.nodes, n), append(b.about, a)
	return len(b.nodes) - 1
}

// ended settles where the subtree of a node ends.
func (b *builder) ended(node int) { b.nodes[node].Next = int32(len(b.nodes)) }

// only returns the one element below an element; -1, and a fault, where there are
// none, others or text.
func (b *builder) only(x int, what string) int {
	first := b.x.First(x)
	if b.x.Nodes[x].Kind != doc.Object || first < 0 || b.x.After(first) >= 0 || !isElement(b.x.Key(first)) {
		b.fail(x, what)
		return -1
	}
	return first
}

// isElement reports whether a key of XML is an element's.
func isElement(key string) bool { return key != "" && key[0] != '@' && key[0] != '#' }

// isLeaf reports whether an element holds text alone, or nothing.
func (b *builder) isLeaf(x int) bool {
	return x >= 0 && b.x.Nodes[x].Kind == doc.String && b.x.Nodes[x].Flags&xml.FlagLeaf != 0
}

// isBare reports whether an element holds nothing but white space.
func (b *builder) isBare(x int) bool {
	return b.isLeaf(x) && strings.Trim(b.x.Text(x), " \t\r\n") == ""
}

// span is where an element stands, with its tags.
func (b *builder) span(x int) (start, end int32) {
	n := &b.x.Nodes[x]
	if !b.isLeaf(x) || n.Flags&xml.FlagEmpty != 0 {
		return n.Start, n.End
	}
	// A leaf has no attributes: its tags hold a name and white space.
	start = int32(bytes.LastIndexByte(b.x.Src[:n.Start], '<'))
	return start, n.KeyEnd + int32(bytes.IndexByte(b.x.Src[n.KeyEnd:], '>')) + 1
}

// document reads the message.
func (b *builder) document() {
	root := b.add(doc.Node{Kind: doc.Object, Parent: -1, End: int32(len(b.x.Src))}, about{text: -1, name: -1})
	message := b.only(doc.Root, "something beside the message")
	switch {
	case message < 0:
	case b.x.Key(message) == "methodCall":
		b.call(message)
	case b.x.Key(message) == "methodResponse":
		b.answer(message)
	default:
		b.fail(message, "neither a call nor an answer")
	}
	b.ended(root)
}

// member adds a member of the message. Its key spans it: so it isn't taken for one
// that could be cut out.
func (b *builder) member(k doc.Kind, x int, key string) int {
	start, end := b.span(x)
	n := b.add(doc.Node{Kind: k, Start: start, End: end, KeyStart: start, KeyEnd: end, Parent: doc.Root}, about{text: -1, name: -1, key: key})
	b.ended(n)
	return n
}

func (b *builder) call(x int) {
	if b.isLeaf(x) {
		b.fail(x, "a call without a method")
		return
	}
	name := b.x.First(x)
	params := b.x.After(name)
	if b.x.Key(name) != "methodName" || !b.isLeaf(name) || !isMethod(b.x.Text(name)) || b.x.Nodes[name].Flags&xml.FlagEscaped != 0 {
		b.fail(name, "a call without a method, or with a name that no method has")
		return
	}
	method := b.member(doc.String, name, KeyMethod)
	b.nodes[method].Start, b.nodes[method].End = b.x.Nodes[name].Start, b.x.Nodes[name].End
	b.about[method].text = int32(name)
	if params < 0 {
		// A call without parameters may leave their element out.
		_, end := b.span(name)
		n := b.add(doc.Node{Kind: doc.Array, Start: end, End: end, KeyStart: end - 1, KeyEnd: end + 1, Parent: doc.Root}, about{text: -1, name: -1, key: KeyParams})
		b.ended(n)
		return
	}
	if b.x.Key(params) != "params" || b.x.After(params) >= 0 {
		b.fail(params, "a call with something beside its method and its parameters")
		return
	}
	list := b.member(doc.Array, params, KeyParams)
	b.params(params, list)
	b.ended(list)
}

// isMethod reports whether a text has only characters that the specification lets
// methods' names have.
func isMethod(name string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-"
	return name != "" && strings.Trim(name, letters) == ""
}

func (b *builder) params(x, list int) {
	if b.isBare(x) {
		return
	}
	if b.isLeaf(x) {
		b.fail(x, "text in the place of parameters")
		return
	}
	for c := range b.x.Children(x) {
		if b.x.Key(c) != "param" {
			b.fail(c, "something beside the parameters")
			return
		}
		b.param(c, list, "")
	}
}

func (b *builder) param(x, parent int, key string) {
	if v := b.only(x, "a parameter that is not one value"); v >= 0 {
		start, end := b.span(v)
		n := doc.Node{Start: start, End: end, Parent: int32(parent)}
		if key != "" {
			n.KeyStart, n.KeyEnd = start, end
		}
		b.value(v, n, about{text: -1, name: -1, key: key}, 1)
	}
}

func (b *builder) answer(x int) {
	part := b.only(x, "an answer that is not one result or one fault")
	switch {
	case part < 0:
	case b.x.Key(part) == "params":
		if p := b.only(part, "an answer with another number of results than one"); p >= 0 {
			if b.x.Key(p) != "param" {
				b.fail(p, "something beside the result")
				return
			}
			b.param(p, doc.Root, KeyResult)
		}
	case b.x.Key(part) == "fault":
		b.param(part, doc.Root, KeyFault)
		if b.fault == "" && b.nodes[len(b.nodes)-1].Parent <= doc.Root {
			b.fail(part, "a fault that is no struct")
		}
	default:
		b.fail(part, "an answer that is not one result or one fault")
	}
}

// value reads a value element. n has its place, and a what is known of its key.
func (b *builder) value(x int, n doc.Node, a about, depth int) {
	if b.fault != "" {
		return
	}
	if b.x.Key(x) != "value" {
		b.fail(x, "something else where a value is due")
		return
	}
	if depth > b.lim.Depth {
		b.fail(x, "nested too deeply")
		return
	}
	if b.isLeaf(x) {
		n.Kind, a.kind, a.text = doc.String, untyped, int32(x)
		b.ended(b.add(n, a))
		return
	}
	typed := b.only(x, "a value that is not one type")
	if typed < 0 {
		return
	}
	var known bool
	if a.kind, known = kindOf(b.x.Key(typed)); !known {
		b.fail(typed, "a type that XML-RPC does not have")
		return
	}
	switch a.kind {
	case structure:
		n.Kind = doc.Object
		b.structure(typed, b.add(n, a), depth)
	case array:
		n.Kind = doc.Array
		b.array(typed, b.add(n, a), depth)
	default:
		if !b.isLeaf(typed) {
			b.fail(typed, "a value with elements where a text is due")
			return
		}
		n.Kind, a.text = b.scalar(typed, a.kind), int32(typed)
		b.ended(b.add(n, a))
	}
}

// structure reads a struct's members into its node.
func (b *builder) structure(x, node, depth int) {
	defer b.ended(node)
	if b.isBare(x) {
		return
	}
	if b.isLeaf(x) {
		b.fail(x, "text beside the members of a struct")
		return
	}
	seen := map[string]bool{}
	for m := range b.x.Children(x) {
		name := b.x.First(m)
		if b.x.Key(m) != "member" || b.x.Nodes[m].Kind != doc.Object || name < 0 || !b.isLeaf(name) || b.x.Key(name) != "name" {
			b.fail(m, "something in a struct that is not a member with a name and a value")
			return
		}
		value := b.x.After(name)
		if value < 0 || b.x.After(value) >= 0 {
			b.fail(m, "a member that is not a name and a value")
			return
		}
		key := b.x.Text(name)
		switch {
		case seen[key]:
			b.fail(m, "a struct in which a name stands twice")
			return
		case strings.TrimSpace(key) != key:
			b.fail(m, "a name with white space around it")
			return
		}
		seen[key] = true
		b.structMember(node, m, name, value, depth)
	}
}

func (b *builder) structMember(node, m, name, value, depth int) {
	start, end := b.span(m)
	_, named := b.span(name)
	from, _ := b.span(value)
	b.value(value, doc.Node{Start: from, End: end, KeyStart: start, KeyEnd: named, Parent: int32(node)}, about{text: -1, name: int32(name)}, depth+1)
}

// array reads an array's values into its node.
func (b *builder) array(x, node, depth int) {
	defer b.ended(node)
	data := b.only(x, "an array without its data")
	switch {
	case data < 0:
		return
	case b.x.Key(data) != "data" || b.isLeaf(data) && !b.isBare(data):
		b.fail(data, "an array with something else than its data")
		return
	case b.isLeaf(data):
		return
	}
	for c := range b.x.Children(data) {
		start, end := b.span(c)
		b.value(c, doc.Node{Start: start, End: end, Parent: int32(node)}, about{text: -1, name: -1}, depth+1)
		if b.fault != "" {
			return
		}
	}
}

// scalar judges how a scalar is written, and returns what kind of value it is.
func (b *builder) scalar(x int, k kind) doc.Kind {
	s := b.x.Text(x)
	switch k {
	case i4, integer, i8:
		if !isInteger(s) {
			b.fail(x, "an integer that is not written plainly")
		}
		return doc.Number
	case double:
		if !isDouble(s) {
			b.fail(x, "a number that is not written plainly")
		}
		return doc.Number
	case boolean:
		if s != "0" && s != "1" {
			b.fail(x, "a boolean that is neither 0 nor 1")
		}
		return doc.Bool
	case null:
		if s != "" {
			b.fail(x, "a nil that holds something")
		}
		return doc.Null
	case dateTime:
		if len(s) > longestDate || strings.Trim(s, dateChars) != "" {
			b.fail(x, "a date that holds something else")
		}
	case base64Bytes:
		if _, ok := decode(s); !ok {
			b.fail(x, "bytes that are not base64")
		}
	case own, untyped, text, structure, array:
	}
	return doc.String
}

// What dates are written with, and how long they are at most.
const (
	dateChars   = "0123456789-:T.+Z"
	longestDate = 40
)

// isInteger reports whether a text is an integer of at most 64 bits, without zeros
// or a plus in front of it: other ways to write it would be other ids to us.
func isInteger(s string) bool {
	const most = 19
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && len(digits) <= most && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || s == "0")
}

// isDouble reports whether a text is a decimal number, with an exponent as some
// servers write it.
func isDouble(s string) bool {
	const most = 400
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, parted := strings.Cut(mantissa, ".")
	whole = strings.TrimPrefix(whole, "-")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if len(s) > most || !digits(whole) || parted && !digits(fraction) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !scientific || digits(strings.TrimPrefix(strings.TrimPrefix(exponent, "-"), "+"))
}

// decode returns the bytes that base64 stands for, with the line ends in it that
// some programs write.
func decode(s string) ([]byte, bool) {
	s = strings.NewReplacer("\n", "", "\r", "", "\t", "", " ", "").Replace(s)
	out, err := base64.StdEncoding.Strict().DecodeString(s)
	return out, err == nil
}
