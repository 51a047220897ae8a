package gate

import (
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
)

// learner adds what the gateway itself knows of the records of an answer, before
// the plan is applied: facts (access.FoundRecord.Facts; the map is shared between
// records, so it is replaced, never written to).
//
// It is called for every document of an answer: a body, a row of a stream, a document
// within a document, and again when an answer is masked a second time. Of all
// records of a document it asks the store once. What it can't find out stays unknown;
// an error withholds the answer, so it is for what must not be passed over.
type learner interface {
	learn(q *request, t *doc.Tree, found *profile.Located) error
}

// learn lets all learners of this gate see what was found.
func (q *request) learn(t *doc.Tree, found *profile.Located) error {
	for _, l := range q.o.learners {
		if err := l.learn(q, t, found); err != nil {
			return err
		}
	}
	return nil
}
