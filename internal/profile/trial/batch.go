package trial

import (
	"bytes"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc/batch"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// askParts classifies the requests of a batch, each as if it had come alone. One
// that is refused refuses the batch.
func (t *trial) askParts(host string) error {
	b := t.x.Batch()
	for i := range b.Requests.Messages {
		req, refused := t.part(i, host)
		if refused != "" {
			t.Refused = refused
			return nil
		}
		req.Body, req.Batch, req.Part = b.Requests.Messages[i].Body, b, i
		x, err := t.ask(req)
		if err != nil || t.Refused != "" {
			return err
		}
		if x.Batch() != nil || x.Stream != "" || x.Type != "json" {
			t.Refused = "an address of the batch has to be asked by itself"
			return nil
		}
		t.parts = append(t.parts, x)
	}
	return nil
}

// part is the i-th request of the batch as the profile sees it, or why the gate
// refuses it before the profile does.
func (t *trial) part(i int, host string) (req profile.Request, refused string) {
	r, err := t.x.Batch().Request(i, host)
	if err != nil {
		return req, err.Error()
	}
	return canonical(r, t.p)
}

// exchanges are those of the batch, or the one that is tried.
func (t *trial) exchanges() []*profile.Exchange {
	if t.parts != nil {
		return t.parts
	}
	return []*profile.Exchange{t.x}
}

func (t *trial) accesses() []access.Access {
	var list []access.Access
	for _, x := range t.exchanges() {
		list = append(list, x.Accesses...)
	}
	return list
}

// passes reports whether there is no personal data in anything that is asked.
func (t *trial) passes() bool {
	for _, x := range t.exchanges() {
		if !x.Pass {
			return false
		}
	}
	return true
}

// judgeParts judges the answers to a batch. Marks lead into the answer where that is
// JSON, or where they name lines, else into a list of its messages in the order of the
// requests; null is one without a body.
func (t *trial) judgeParts(body []byte) error {
	answers, of, err := t.x.Batch().Answers(t.c.Response.ContentType, body)
	if err != nil {
		return err
	}
	whole := t.x.Batch().IsAnswer("application/json") || slices.ContainsFunc(t.c.Personal, func(m Mark) bool { return strings.HasPrefix(m.At, "line ") })
	bodies := make([][]byte, len(t.parts))
	docs := make([]*document, len(t.parts))
	for i, x := range t.parts {
		if of[i] < 0 || len(answers.Messages[of[i]].Body) == 0 {
			continue
		}
		m := &answers.Messages[of[i]]
		if docs[i], err = read(x, m.Header.Get("Content-Type"), m.Status, m.Body); err != nil {
			return err
		}
		bodies[i] = m.Body
	}
	known := &masker{m: mask.New(mask.Config{})}
	swept := &masker{m: known.m, second: true, seen: mask.Gather()}
	if _, err := swept.documents(docs); err != nil {
		return err
	}
	swept.seen.Search()
	swept.records = nil
	first, err := known.documents(docs)
	if err != nil {
		return err
	}
	second, err := swept.documents(docs)
	if err != nil {
		return err
	}
	t.found(swept.records)
	if !whole {
		t.compare(list(bodies), list(first), list(second))
		return nil
	}
	t.lines = partLines(body, answers, of, docs)
	before, err := answers.Build(changes(answers, of, bodies))
	if err != nil {
		return err
	}
	masked, err := answers.Build(changes(answers, of, first))
	if err != nil {
		return err
	}
	again, err := answers.Build(changes(answers, of, second))
	if err != nil {
		return err
	}
	t.compare(before, masked, again)
	return nil
}

// partLines are the categories of the fields that were found, by line of the answer.
func partLines(body []byte, answers *batch.Batch, of []int, docs []*document) map[int][]access.Category {
	lines := map[int][]access.Category{}
	starts, at := make([]int, len(answers.Messages)), 0
	for a := range starts {
		at += max(bytes.Index(body[at:], answers.Messages[a].Body), 0)
		starts[a] = at
		at += len(answers.Messages[a].Body)
	}
	for i, d := range docs {
		if d == nil {
			continue
		}
		first := bytes.Count(body[:starts[of[i]]], []byte{'\n'})
		for n, cats := range fieldLines(d.tree, &d.found.Found) {
			lines[first+n] = append(lines[first+n], cats...)
		}
	}
	return lines
}

// changes put bodies in the places of the requests' answers.
func changes(answers *batch.Batch, of []int, bodies [][]byte) []batch.Change {
	list := make([]batch.Change, len(answers.Messages))
	for a := range list {
		list[a] = batch.Change{Header: answers.Messages[a].Header}
	}
	for i, a := range of {
		if a >= 0 {
			list[a].Body = bodies[i]
		}
	}
	return list
}

// documents masks them, nil for none.
func (m *masker) documents(docs []*document) ([][]byte, error) {
	bodies := make([][]byte, len(docs))
	for i, d := range docs {
		if d == nil {
			continue
		}
		var err error
		if bodies[i], err = m.document(d); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

func list(bodies [][]byte) []byte {
	for i := range bodies {
		if bodies[i] == nil {
			bodies[i] = []byte("null")
		}
	}
	return append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
}
