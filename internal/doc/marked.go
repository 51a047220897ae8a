package doc

// Marked is what a Format is, too, where an object's members may share a name,
// and where a value can carry marks: the attributes of an XML element, the
// parameters of a vCard's property. A value without marks is a String. One with
// marks is an Object of them (keys "@name") and of its text (key "#text"). Other
// texts have keys with a `#` as well: "#comment", "#pi".
type Marked interface {
	// Markup reports whether a text says how the document is read and holds no
	// value: a namespace, a type, an encoding.
	Markup(t *Tree, node int) bool
	// Binary reports whether a text is bytes in base64.
	Binary(t *Tree, node int) bool
}

// Leaf returns the node that holds a value's text: in a Marked document the one
// text of an element that has no elements below it but such a one (XML-RPC's
// <value><int>7</int></value>). Every other node is its own leaf.
func Leaf(t *Tree, node int) int {
	if node < 0 || t.Nodes[node].Kind != Object {
		return node
	}
	if _, marked := t.Format.(Marked); !marked {
		return node
	}
	only := -1
	for c := t.First(node); c >= 0; c = t.After(c) {
		if key := t.Key(c); key != "" && (key[0] == '@' || key[0] == '#' && key != "#text") {
			continue
		}
		if only >= 0 {
			return node
		}
		only = c
	}
	if only < 0 {
		return node
	}
	if leaf := Leaf(t, only); t.Nodes[leaf].Kind == String {
		return leaf
	}
	return node
}
