// Package batch reads requests that carry several requests, and the answers to
// them: multipart/mixed of application/http with change sets (OData), and lists in
// JSON whose members a profile names.
//
// It reads strictly, for what is judged one by one has to be what the server finds.
// Nothing is written anew: a batch is spliced, message by message.
package batch

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// MaxMessages is the largest number of messages in a batch, whatever a profile says.
const MaxMessages = 1000

// ErrMismatch says that answers don't correspond to the requests: nobody can say
// which of them is whose.
var ErrMismatch = errors.New("the answers do not correspond to the requests")

// Message is one request, or one answer, of a batch.
type Message struct {
	// Method and Target are a request's. The target is as it was written: absolute,
	// relative to the host, or relative to the batch's own address.
	Method, Target string
	// Status is an answer's.
	Status int
	// ID is what the batch calls the message, "" for nothing.
	ID string
	// Group numbers the change sets from 1; 0 is none.
	Group int
	// Header is without Content-Length. Each name stands once.
	Header http.Header
	Body   []byte

	target, body, length, phrase span
	lines                        []line
	open                         bool // there is no blank line behind the headers
	// In JSON: the message's node, its headers' and its body's, -1.
	object, headers, bodyNode int
	group                     string // what the list calls the group of the message
}

type span struct{ from, to int }

func (s span) edit(with []byte) doc.Edit {
	return doc.Edit{Start: int32(s.from), End: int32(s.to), With: with}
}

// line is one header, with its line end.
type line struct {
	name         string
	whole, value span
}

// Batch is a body with several messages.
type Batch struct {
	Messages []Message

	src   []byte
	units []unit
	fixed []doc.Edit // what goes on in one form alone, or not at all
	words []string
	tree  *doc.Tree // of a JSON batch
	list  *List
}

// unit is a message by itself, or a change set.
type unit struct {
	first, count int
	group        bool
}

// Change is what becomes of a message.
type Change struct {
	// Target replaces a request's; "" leaves it.
	Target string
	// Header are the headers that stay, with their values. What the message hasn't
	// got isn't added.
	Header http.Header
	// Body replaces the message's.
	Body []byte
}

// Build returns the body with its messages changed, one change each.
func (b *Batch) Build(changes []Change) ([]byte, error) {
	if len(changes) != len(b.Messages) {
		return nil, ErrMismatch
	}
	edits := slices.Clone(b.fixed)
	for i := range b.Messages {
		if b.tree != nil {
			edits = append(edits, b.objectEdits(&b.Messages[i], &changes[i])...)
		} else {
			edits = append(edits, b.Messages[i].edits(&changes[i])...)
		}
	}
	return doc.Splice(nil, b.src, edits)
}

// edits are those of a message in a part.
func (m *Message) edits(c *Change) []doc.Edit {
	var edits []doc.Edit
	if c.Target != "" && c.Target != m.Target {
		edits = append(edits, m.target.edit([]byte(c.Target)))
	}
	if m.Status != 0 {
		edits = append(edits, m.phrase.edit([]byte(" "+http.StatusText(m.Status))))
	}
	for _, l := range m.lines {
		switch with := c.Header.Get(l.name); {
		case len(c.Header.Values(l.name)) == 0:
			edits = append(edits, l.whole.edit(nil))
		case with != m.Header.Get(l.name):
			edits = append(edits, l.value.edit([]byte(oneLine(with))))
		}
	}
	if m.length.to > 0 {
		edits = append(edits, m.length.edit(strconv.AppendInt(nil, int64(len(c.Body)), 10)))
	}
	if m.open && len(c.Body) > 0 {
		return append(edits, m.body.edit(slices.Concat([]byte("\r\n"), c.Body)))
	}
	return append(edits, m.body.edit(c.Body))
}

// oneLine keeps a header's value from being more than a value.
func oneLine(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// Match tells for every request which answer is its own: -1 for none, which is
// possible only where an error ended the batch. All requests of a change set that
// failed as a whole have the same answer.
func (b *Batch) Match(answers *Batch) ([]int, error) {
	of := make([]int, len(b.Messages))
	for i := range of {
		of[i] = -1
	}
	if (b.tree == nil) != (answers.tree == nil) {
		return nil, ErrMismatch
	}
	if b.tree != nil {
		return of, b.matchList(answers, of)
	}
	if len(answers.units) > len(b.units) {
		return nil, ErrMismatch
	}
	for i, a := range answers.units {
		if err := b.matchUnit(b.units[i], answers, a, of); err != nil {
			return nil, err
		}
	}
	// A server that isn't told to go on stops at the first error.
	last := answers.units[len(answers.units)-1]
	if len(answers.units) < len(b.units) && (last.group || answers.Messages[last.first].Status < http.StatusBadRequest) {
		return nil, ErrMismatch
	}
	return of, nil
}

func (b *Batch) matchUnit(r unit, answers *Batch, a unit, of []int) error {
	first := &answers.Messages[a.first]
	switch {
	case !r.group && !a.group && first.ID == "" || !r.group && !a.group && first.ID == b.Messages[r.first].ID:
		of[r.first] = a.first
		return nil
	case r.group && !a.group && first.Status >= http.StatusBadRequest && first.ID == "":
		for i := range r.count {
			of[r.first+i] = a.first
		}
		return nil
	case !r.group || !a.group || r.count != a.count:
		return ErrMismatch
	}
	for i := range a.count {
		at := r.first + i
		if first.ID != "" {
			at = b.find(r, answers.Messages[a.first+i].ID)
		} else if answers.Messages[a.first+i].ID != "" {
			at = -1
		}
		if at < 0 || of[at] >= 0 {
			return ErrMismatch
		}
		of[at] = a.first + i
	}
	return nil
}

// find returns the message of a unit that has an id, -1 for none.
func (b *Batch) find(u unit, id string) int {
	for i := u.first; i < u.first+u.count; i++ {
		if id != "" && b.Messages[i].ID == id {
			return i
		}
	}
	return -1
}

func (b *Batch) matchList(answers *Batch, of []int) error {
	if answers.list.ID == "" {
		if len(answers.Messages) != len(b.Messages) {
			return ErrMismatch
		}
		for i := range of {
			of[i] = i
		}
		return nil
	}
	failed := false
	for i := range answers.Messages {
		at := b.inGroup(answers.Messages[i].group, answers.Messages[i].ID)
		if at < 0 || of[at] >= 0 {
			return ErrMismatch
		}
		of[at] = i
		failed = failed || answers.Messages[i].Status >= http.StatusBadRequest
	}
	if len(answers.Messages) < len(b.Messages) && !failed {
		return ErrMismatch
	}
	return nil
}

// inGroup returns the message of a group that has an id, -1 for none.
func (b *Batch) inGroup(group, id string) int {
	return slices.IndexFunc(b.Messages, func(m Message) bool { return id != "" && m.ID == id && m.group == group })
}

// Refers reports whether a path has a step that stands for another message's
// record: `$` and its id.
func (b *Batch) Refers(segment string) bool {
	if len(segment) < 2 || segment[0] != '$' {
		return false
	}
	if _, err := strconv.Atoi(segment[1:]); err == nil {
		return true
	}
	return b.find(unit{0, len(b.Messages), false}, segment[1:]) >= 0
}

// Made are the ids of the new records to which the i-th request may link: those that
// requests before it in the same change set make.
func (b *Batch) Made(i int) []string {
	var ids []string
	for k := range i {
		m := &b.Messages[k]
		if m.Group > 0 && m.Group == b.Messages[i].Group && m.ID != "" && m.Method == http.MethodPost {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Words are what the batch says beside its messages, in the sender's own words:
// boundaries, and texts of further members.
func (b *Batch) Words() []string { return b.words }

func syntax(at int, what string) error {
	return &doc.SyntaxError{Format: "batch", Offset: at, What: what}
}
