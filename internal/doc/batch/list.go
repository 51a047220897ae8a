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
	// Groups is the member of the document that holds a list of groups, and GroupID the
	// member by which a group is known. At and Beside are members of a group then.
	Groups, GroupID string
	// At is the member of the document that holds the list; dots lead through objects.
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
	r.most = min(most, MaxMessages)
	if list.Groups == "" {
		err = r.messages(doc.Root)
	} else {
		err = r.groups()
	}
	if err != nil {
		return nil, err
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
	most int
	// group is the id of the group that is being read, and first its first message.
	group string
	first int
}

// groups reads the messages of each group.
func (r *listReader) groups() error {
	at := r.t.Member(doc.Root, r.list.Groups)
	if at < 0 || r.t.Nodes[at].Kind != doc.Array {
		return syntax(0, "no list of groups")
	}
	if err := r.beside(doc.Root, at); err != nil {
		return err
	}
	seen := map[string]bool{}
	for c := range r.t.Children(at) {
		id := -1
		if r.t.Nodes[c].Kind == doc.Object {
			id = r.t.Member(c, r.list.GroupID)
		}
		if id < 0 || r.t.Nodes[id].Kind != doc.String || !plainID(r.t.Text(id)) || seen[r.t.Text(id)] {
			return syntax(int(r.t.Nodes[c].Start), "a group without an id of its own")
		}
		r.group, r.first = r.t.Text(id), len(r.b.Messages)
		seen[r.group] = true
		if err := r.messages(c, id); err != nil {
			return err
		}
	}
	return nil
}

// messages reads the list in an object: its members at known, and those beside the
// list, have been looked at.
func (r *listReader) messages(in int, known ...int) error {
	for name := range strings.SplitSeq(r.list.At, ".") {
		if r.t.Nodes[in].Kind != doc.Object {
			return syntax(int(r.t.Nodes[in].Start), "no list of messages")
		}
		next := r.t.Member(in, name)
		if next < 0 {
			return syntax(int(r.t.Nodes[in].Start), "no list of messages")
		}
		if err := r.beside(in, append(known, next)...); err != nil {
			return err
		}
		in = next
	}
	if r.t.Nodes[in].Kind != doc.Array {
		return syntax(int(r.t.Nodes[in].Start), "no list of messages")
	}
	for c := range r.t.Children(in) {
		if len(r.b.Messages) >= r.most {
			return syntax(int(r.t.Nodes[c].Start), "too many messages")
		}
		if err := r.message(c); err != nil {
			return err
		}
	}
	return nil
}

// beside looks at what stands in an object beside the members that are known.
func (r *listReader) beside(in int, known ...int) error {
	for c := range r.t.Children(in) {
		if !slices.Contains(known, c) && (!slices.Contains(r.list.Beside, r.t.Key(c)) || !r.word(c)) {
			return syntax(int(r.t.Nodes[c].KeyStart), "a member beside the list that is not known")
		}
	}
	return nil
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
	m := Message{Header: http.Header{}, object: node, headers: -1, bodyNode: -1, group: r.group}
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
			m.bodyNode = c
			ok = kind == doc.Object || kind == doc.Array || kind == doc.Null
		default:
			ok = slices.Contains(r.list.Members, key) && r.word(c)
		}
		if !ok {
			return syntax(at, "a message with a member that is not known, or of another kind")
		}
	}
	if m.bodyNode >= 0 {
		m.body = r.span(m.bodyNode)
		if r.t.Nodes[m.bodyNode].Kind != doc.Null {
			m.Body = r.t.Raw(m.bodyNode)
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
	case r.list.ID != "" && (m.ID == "" || r.b.find(unit{r.first, len(r.b.Messages) - r.first, false}, m.ID) >= 0):
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
// address: in a name or a value. Values in its body for which but answers true don't
// count.
func (b *Batch) Holds(i int, text string, but func(value string) bool) bool {
	if b.tree == nil {
		return false
	}
	m := &b.Messages[i]
	in := func(object, n int) bool { return object >= 0 && n > object && n < int(b.tree.Nodes[object].Next) }
	for n := m.object; n < int(b.tree.Nodes[m.object].Next); n++ {
		value := b.tree.Text(n)
		switch {
		case strings.Contains(b.tree.Key(n), text):
			return true
		case b.tree.Nodes[n].Kind != doc.String || !strings.Contains(value, text), int(b.tree.Nodes[n].Start) == m.target.from:
		case !in(m.bodyNode, n) || !but(value):
			return true
		}
	}
	return false
}

// Before returns the message with an id that comes before the i-th, in the same group
// where there are groups; -1 for none.
func (b *Batch) Before(i int, id string) int {
	k := b.find(unit{0, i, false}, id)
	for k >= 0 && b.Messages[k].group != b.Messages[i].group {
		k = b.find(unit{k + 1, i - k - 1, false}, id)
	}
	return k
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
