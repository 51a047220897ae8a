package batch

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// List says where messages stand in JSON, by names of members; "" is none.
type List struct {
	// At is the member of the document that holds the list.
	At string
	// ID, Method, URL, Status, Headers and Body are members of a message.
	ID, Method, URL, Status, Headers, Body string
	// Members are further members of a message, and Beside those beside the list:
	// words, numbers, booleans, or lists of them.
	Members, Beside []string
}

// ParseList reads a batch in JSON: requests, or answers where list has a Status.
// Refused with a doc.SyntaxError: a member that list doesn't name or that has
// another kind than it says, a missing method, address, status or id, an id that is
// given twice, a header that is no name with a value on one line, a body that is
// neither an object nor a list, and more than most messages.
func ParseList(src []byte, list *List, most int) (*Batch, error) {
	t, err := json.Parse(src, doc.DefaultLimits())
	if err != nil {
		return nil, err
	}
	r := &listReader{t: t, list: list, b: &Batch{src: src, tree: t, list: list}}
	at := t.Member(doc.Root, list.At)
	if at < 0 || t.Nodes[at].Kind != doc.Array {
		return nil, syntax(0, "no list of messages")
	}
	for c := range t.Children(doc.Root) {
		if c != at && (!slices.Contains(list.Beside, t.Key(c)) || !r.word(c)) {
			return nil, syntax(int(t.Nodes[c].KeyStart), "a member beside the list that is not known")
		}
	}
	for c := range t.Children(at) {
		if len(r.b.Messages) >= min(most, MaxMessages) {
			return nil, syntax(int(t.Nodes[c].Start), "too many messages")
		}
		if err := r.message(c); err != nil {
			return nil, err
		}
	}
	if len(r.b.Messages) == 0 {
		return nil, syntax(0, "a batch without messages")
	}
	return r.b, nil
}

type listReader struct {
	t    *doc.Tree
	list *List
	b    *Batch
}

// word reports whether a node is a word, a number, a boolean or nothing, or a list
// of such.
func (r *listReader) word(node int) bool {
	switch r.t.Nodes[node].Kind {
	case doc.Number:
		r.b.words = append(r.b.words, string(r.t.Raw(node)))
	case doc.String:
		r.b.words = append(r.b.words, r.t.Text(node))
		return r.t.Text(node) == "" || plainID(r.t.Text(node))
	case doc.Object:
		return false
	case doc.Array:
		for c := range r.t.Children(node) {
			if r.t.Nodes[c].Kind == doc.Array || !r.word(c) {
				return false
			}
		}
	}
	return true
}

func (r *listReader) message(node int) error {
	at := int(r.t.Nodes[node].Start)
	if r.t.Nodes[node].Kind != doc.Object {
		return syntax(at, "a message that is no object")
	}
	m := Message{Header: http.Header{}, object: node, headers: -1}
	body := -1
	for c := range r.t.Children(node) {
		key, kind := r.t.Key(c), r.t.Nodes[c].Kind
		ok := false
		switch key {
		case "":
		case r.list.ID:
			m.ID = r.t.Text(c)
			ok = kind == doc.String && plainID(m.ID)
		case r.list.Method:
			m.Method = strings.ToUpper(r.t.Text(c))
			ok = kind == doc.String && isMethod(m.Method)
		case r.list.URL:
			m.Target, m.target = r.t.Text(c), r.span(c)
			ok = kind == doc.String && m.Target != ""
		case r.list.Status:
			n, err := strconv.Atoi(string(r.t.Raw(c)))
			m.Status = n
			ok = kind == doc.Number && err == nil && n >= 200 && n <= 599
		case r.list.Headers:
			ok = kind == doc.Null || r.headers(&m, c)
		case r.list.Body:
			body = c
			ok = kind == doc.Object || kind == doc.Array || kind == doc.Null
		default:
			ok = slices.Contains(r.list.Members, key) && r.word(c)
		}
		if !ok {
			return syntax(at, "a message with a member that is not known, or of another kind")
		}
	}
	if body >= 0 {
		m.body = r.span(body)
		if r.t.Nodes[body].Kind != doc.Null {
			m.Body = r.t.Raw(body)
		}
	}
	return r.add(m, at)
}

func (r *listReader) span(node int) span {
	return span{int(r.t.Nodes[node].Start), int(r.t.Nodes[node].End)}
}

// add judges a message as a whole.
func (r *listReader) add(m Message, at int) error {
	switch {
	case r.list.Status != "" && m.Status == 0:
		return syntax(at, "an answer without its status")
	case r.list.Status == "" && (m.Method == "" || m.Target == ""):
		return syntax(at, "a request without its method or address")
	case r.list.ID != "" && (m.ID == "" || r.b.find(unit{0, len(r.b.Messages), false}, m.ID) >= 0):
		return syntax(at, "a message without an id of its own")
	}
	if m.Body != nil && m.Header.Get("Content-Type") == "" {
		m.Header.Set("Content-Type", "application/json")
	}
	r.b.Messages = append(r.b.Messages, m)
	return nil
}

func (r *listReader) headers(m *Message, node int) bool {
	if r.t.Nodes[node].Kind != doc.Object {
		return false
	}
	m.headers = node
	for c := range r.t.Children(node) {
		key, value := r.t.Key(c), r.t.Text(c)
		name := textproto.CanonicalMIMEHeaderKey(key)
		framing := slices.Contains([]string{"Content-Length", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "Expect", "Keep-Alive"}, name)
		if r.t.Nodes[c].Kind != doc.String || !isToken([]byte(key)) || len(m.Header.Values(name)) > 0 || framing && r.list.Status == "" ||
			strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) || strings.TrimSpace(value) != value {
			return false
		}
		m.Header.Set(name, value)
	}
	return true
}

// Holds reports whether a text stands in what a message of JSON says beside its
// address: in a name or a value of its headers or its body.
func (b *Batch) Holds(i int, text string) bool {
	if b.tree == nil {
		return false
	}
	node := b.Messages[i].object
	for n := node; n < int(b.tree.Nodes[node].Next); n++ {
		if strings.Contains(b.tree.Key(n), text) || strings.Contains(b.tree.Text(n), text) {
			return true
		}
	}
	return false
}

// objectEdits are those of a message in JSON.
func (b *Batch) objectEdits(m *Message, c *Change) []doc.Edit {
	t := b.tree
	var edits []doc.Edit
	if c.Target != "" && c.Target != m.Target {
		edits = append(edits, m.target.edit(t.Format.Encode(nil, t, m.object, doc.Value{Kind: doc.String, Text: c.Target})))
	}
	if m.headers >= 0 {
		var out []int
		for n := range t.Children(m.headers) {
			name := t.Key(n)
			switch with := c.Header.Get(name); {
			case len(c.Header.Values(name)) == 0:
				out = append(out, n)
			case with != m.Header.Get(name):
				edits = append(edits, span{int(t.Nodes[n].Start), int(t.Nodes[n].End)}.edit(
					t.Format.Encode(nil, t, n, doc.Value{Kind: doc.String, Text: oneLine(with)})))
			}
		}
		edits = append(edits, doc.RemoveMembers(t, m.headers, out)...)
	}
	switch {
	case m.Body == nil:
	case len(c.Body) == 0:
		edits = append(edits, m.body.edit([]byte("null")))
	default:
		edits = append(edits, m.body.edit(c.Body))
	}
	return edits
}
