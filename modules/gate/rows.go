package gate

import (
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
)

// rows makes the response feed a splitter of CSV. The rows that the CRM's bytes
// complete are masked together: most of the work is per document, not per row.
func (l *release) rows() error {
	var whole []byte
	sp, err := csv.NewSplitter(l.q.x.Dialect(), maxUnit, func(row []byte) error {
		whole = append(whole, row...)
		return nil
	})
	if err != nil {
		return err
	}
	flush := func(err error) error {
		if err != nil || len(whole) == 0 {
			return err
		}
		err = l.maskRows(whole, sp.Dialect())
		whole = whole[:0]
		return err
	}
	l.s.feed = func(p []byte) error { return flush(sp.Feed(p)) }
	l.s.close = func() error { return flush(sp.Close()) }
	return nil
}

func (l *release) maskRows(src []byte, d csv.Dialect) error {
	l.s.says = true
	t, err := csv.Parse(src, d, doc.DefaultLimits())
	if err != nil {
		return err
	}
	found, err := l.q.x.LocateRows(t)
	if err != nil {
		return err
	}
	defer found.Release()
	res, err := l.mask(t, found, l.s.seen)
	if err != nil {
		return err
	}
	if l.s.out, err = res.Body(l.s.out); err != nil {
		return err
	}
	add(&l.s.pending, &res.Disclosure)
	return nil
}
