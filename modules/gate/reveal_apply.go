package gate

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
	"github.com/crmgate/crmgate/internal/reveal"
)

// revealing are the wishes by which a request shows fields. It is read once.
type revealing struct {
	wishes []reveal.Wish
	may    rights
	// said are the fields that are shown, for the disclosure.
	said []string
}

// site is what wishes are about: the CRM behind this address.
func (q *request) site() string { return q.h.profile.Name + " " + strings.ToLower(q.c.Host) }

func (q *request) who() reveal.Who {
	id := q.employee.session.Identity
	return q.o.revealer.Who(q.site(), id.Issuer, id.Subject)
}

// revealed are the wishes by which this employee sees fields right now, nil for none.
// What can't be read shows nothing.
func (q *request) revealed() *revealing {
	if q.o.revealer == nil || q.employee == nil || q.employee.machine != "" {
		return nil
	}
	if q.shows != nil {
		return q.shows
	}
	q.shows = &revealing{}
	may, err := q.h.mayReveal(q.employee.roles())
	if err != nil || !may.anything() {
		return q.shows
	}
	book, err := q.o.revealer.Book(q.r.Context(), q.who())
	if err != nil {
		q.h.logger.Error("reading what is revealed", zap.String("request", q.id), zap.Error(err))
		return q.shows
	}
	q.shows.may = may
	q.shows.wishes = book.Showing(q.employee.session.Ref(), q.o.revealer.Now(), &q.o.revealer.rules)
	return q.shows
}

// find returns the wish that shows a field with a value of these categories.
func (s *revealing) find(r access.Record, facts access.Facts, field string, cats []access.Category) *reveal.Wish {
	for i := range s.wishes {
		w := &s.wishes[i]
		known := func(c access.Category) bool { return slices.Contains(w.Categories, c) }
		if w.Of(r, field) && w.Record.Entity == r.Entity && len(cats) > 0 && !slices.ContainsFunc(cats, func(c access.Category) bool { return !known(c) }) &&
			s.may.of(r.Entity, cats, facts) {
			return w
		}
	}
	return nil
}

// reads reports whether a request only reads records: nothing else shows what is
// revealed, no export and no stream of records either.
func (q *request) reads() bool {
	return q.x != nil && q.x.Stream == "" && len(q.x.Accesses) > 0 && !slices.ContainsFunc(q.x.Accesses, func(a access.Access) bool {
		return a.Action != access.Read && a.Action != access.Search
	})
}

// revealLearner marks the fields of an answer that are revealed.
type revealLearner struct{}

func (revealLearner) learn(q *request, _ *doc.Tree, found *profile.Located) error {
	if q.x != nil && q.x.Stream == "" {
		q.o.revealer.names.take(q.h.profile, &found.Found)
	}
	if !q.reads() {
		return nil
	}
	s := q.revealed()
	if s == nil || len(s.wishes) == 0 {
		return nil
	}
	for i := range found.Fields {
		f := &found.Fields[i]
		f.Revealed = false
		if f.Record < 0 {
			continue
		}
		r := &found.Records[f.Record]
		f.Revealed = f.Entity == r.Entity && s.find(r.Record, r.Facts, f.Name, f.Categories) != nil
	}
	return nil
}

// sayRevealed keeps for the disclosure which fields are shown, and by which entry.
func (q *request) sayRevealed(found *profile.Located, res *mask.Result) {
	for _, i := range res.Revealed {
		f := &found.Fields[i]
		r := &found.Records[f.Record]
		if w := q.shows.find(r.Record, r.Facts, f.Name, f.Categories); w != nil {
			said := "revealed by entry " + w.Entry + ": " + r.String() + " " + f.Name
			if !slices.Contains(q.shows.said, said) {
				q.shows.said = append(q.shows.said, said)
			}
		}
	}
}

// revealedDetail is what a disclosure says of them.
func (q *request) revealedDetail() string {
	if q.shows == nil {
		return ""
	}
	return strings.Join(q.shows.said, "; ")
}

// savesRevealed lets a save repeat what its author sees for the time being.
func (q *request) savesRevealed(w *profile.Write, p restore.Plans) restore.Plans {
	s := q.revealed()
	if s == nil || len(s.wishes) == 0 {
		return p
	}
	p.Revealed = func(id, field string, cats []access.Category) bool {
		return s.find(access.Record{Entity: w.Entity, Type: w.Type, ID: id}, nil, field, cats) != nil
	}
	return p
}
