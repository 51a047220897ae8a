package gate

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// logs are the logs of all nodes.
type logs func(ctx context.Context) ([]*crmgate.NodeLog, error)

// What an employee can ask for is what they have just seen masked: so long ago at
// most, of so many of their answers. alone is in how large an answer a record counts
// as looked at by itself.
const (
	seenWithin  = time.Hour
	seenAnswers = 500
	alone       = 3
)

// seen is a record that an employee saw masked.
type seen struct {
	access.Record

	at time.Time
	// masked says how each category was treated that wasn't in clear.
	masked map[access.Category]access.Treatment
	// few says that the answer held few records beside it.
	few bool
}

// saw lists the records of this site that an employee has just seen masked: those
// that they opened before those of lists, and the newest first.
func (r *revealer) saw(ctx context.Context, gate, employee string) ([]seen, error) {
	all, err := r.logs(ctx)
	if err != nil {
		return nil, err
	}
	var list []seen
	since := time.Now().Add(-seenWithin)
	for _, log := range all {
		of, err := sawIn(ctx, log, audit.Query{Employee: employee, Kind: audit.Disclosure, Since: since}, gate)
		if err != nil && log.Own {
			return nil, err
		}
		list = append(list, of...) // of another node's log, what could be read
	}
	slices.SortStableFunc(list, func(a, b seen) int { return b.at.Compare(a.at) })
	return newest(list), nil
}

// sawIn reads them out of one node's log.
func sawIn(ctx context.Context, log *crmgate.NodeLog, q audit.Query, gate string) (list []seen, err error) {
	if _, err := log.Size(ctx); err != nil {
		return nil, err
	}
	n := 0
	for s, err := range log.Newest(ctx, q, 0) {
		if err != nil {
			return list, err
		}
		if n++; n > seenAnswers {
			break
		}
		if s.Entry.Gate == gate {
			list = append(list, seenIn(&s.Entry)...)
		}
	}
	return list, nil
}

// seenIn are the masked records of one answer.
func seenIn(e *audit.Entry) []seen {
	if e.Disclosure == nil {
		return nil
	}
	var list []seen
	for _, r := range e.Disclosure.Records {
		one := seen{Record: r.Record, at: e.Time, masked: map[access.Category]access.Treatment{}, few: len(e.Disclosure.Records) <= alone}
		for c, tr := range r.Treated {
			if tr != access.Clear && tr != access.Drop {
				one.masked[c] = tr
			}
		}
		list = append(list, one)
	}
	return list
}

// newest keeps the newest look at each record, with what is masked in any of them: a
// list shows fewer fields than a page.
func newest(list []seen) []seen {
	at := map[access.Record]int{}
	var out []seen
	for _, s := range list {
		i, ok := at[s.Record]
		if !ok {
			at[s.Record] = len(out)
			out = append(out, s)
			continue
		}
		for c, tr := range s.masked {
			if _, known := out[i].masked[c]; !known {
				out[i].masked[c] = tr
			}
		}
		out[i].few = out[i].few || s.few
	}
	out = slices.DeleteFunc(out, func(s seen) bool { return len(s.masked) == 0 })
	slices.SortStableFunc(out, func(a, b seen) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Or(cmp.Compare(rank[a.few], rank[b.few]), b.at.Compare(a.at))
	})
	return out
}

// inAddress are the records whose ids stand in an address that was pasted.
func inAddress(list []seen, address string) []seen {
	if plain, err := url.PathUnescape(address); err == nil {
		address += " " + plain
	}
	var out []seen
	for _, s := range list {
		if standsIn(address, s.ID) {
			out = append(out, s)
		}
	}
	return out
}

// standsIn reports whether an id stands in a text by itself.
func standsIn(text, id string) bool {
	if id == "" {
		return false
	}
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(text[from:], id)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(id):])
		if (i == 0 || !inWord(before)) && (i+len(id) == len(text) || !inWord(after)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		from = i + size
	}
}

// askable are the fields of a record that an employee may ask for: the profile knows
// them, they were masked, and the policy reveals them.
func (q *request) askable(may rights, s *seen) []askableField {
	var list []askableField
	for _, f := range q.o.revealer.names.fields(q.h.profile, s.Type) {
		var cats []access.Category
		for _, c := range f.Categories {
			if _, masked := s.masked[c]; masked && may.perhaps(s.Entity, c) {
				cats = append(cats, c)
			}
		}
		if len(cats) > 0 {
			list = append(list, askableField{f.Name, cats})
		}
	}
	return list
}

// askableField is a field, with the categories that are masked of it.
type askableField struct {
	name string
	cats []access.Category
}
