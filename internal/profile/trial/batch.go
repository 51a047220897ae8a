package trial

import (
	"bytes"

	"github.com/crmgate/crmgate/internal/access"
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

// judgeParts judges the answers to a batch. Marks lead into a list of them, in the
// order of the requests; null is an answer without a body.
func (t *trial) judgeParts(body []byte) error {
	answers, of, err := t.x.Batch().Answers(t.c.Response.ContentType, body)
	if err != nil {
		return err
	}
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
	whole := &masker{m: known.m, second: true, seen: mask.Gather()}
	if _, err := whole.list(docs); err != nil {
		return err
	}
	whole.seen.Search()
	whole.records = nil
	first, err := known.list(docs)
	if err != nil {
		return err
	}
	second, err := whole.list(docs)
	if err != nil {
		return err
	}
	t.found(whole.records)
	t.compare(list(bodies), first, second)
	return nil
}

// list masks documents and makes one list of them.
func (m *masker) list(docs []*document) ([]byte, error) {
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
	return list(bodies), nil
}

func list(bodies [][]byte) []byte {
	for i := range bodies {
		if bodies[i] == nil {
			bodies[i] = []byte("null")
		}
	}
	return append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
}
