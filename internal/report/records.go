package report

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// recordKey stands for a record's name: half a SHA-256.
type recordKey [16]byte

func keyOf(r access.Record) recordKey {
	sum := sha256.Sum256([]byte(string(r.Entity) + "\x00" + r.Type + "\x00" + r.ID))
	return recordKey(sum[:16])
}

// recordSet tells records apart, in bounded memory: all by a hash, and those that
// are listed by name.
type recordSet struct {
	bounds   Bounds
	all      map[recordKey]*marks
	listed   map[recordKey]*BreachRecord
	entities map[string]int // their numbers
	atLeast  bool
}

// marks are a record's categories as bits, and its entity's number.
type marks struct {
	clear, masked uint32
	entity        int32
}

func newRecordSet(b Bounds) *recordSet {
	return &recordSet{bounds: b, all: map[recordKey]*marks{}, listed: map[recordKey]*BreachRecord{}, entities: map[string]int{}}
}

// take takes a record that was shown, and reports whether something of it was clear.
func (s *recordSet) take(r *access.DisclosedRecord, at time.Time) bool {
	clear, masked := bits(r.Treated)
	key := keyOf(r.Record)
	one := s.all[key]
	if one == nil {
		if len(s.all) >= s.bounds.Distinct {
			s.atLeast = true
			return clear != 0
		}
		n, ok := s.entities[string(r.Entity)]
		if !ok {
			n = len(s.entities)
			s.entities[string(r.Entity)] = n
		}
		one = &marks{entity: int32(n)}
		s.all[key] = one
		if len(s.listed) < s.bounds.Rows {
			s.listed[key] = &BreachRecord{Record: r.String(), Entity: string(r.Entity), First: at, Last: at}
		}
	}
	one.clear, one.masked = one.clear|clear, one.masked|masked
	if l := s.listed[key]; l != nil {
		l.Answers++
		if at.Before(l.First) {
			l.First = at
		}
		if at.After(l.Last) {
			l.Last = at
		}
	}
	return clear != 0
}

func bits(treated map[access.Category]access.Treatment) (clear, masked uint32) {
	for i, c := range access.Categories() {
		how, ok := treated[c]
		switch {
		case !ok || c == access.Public:
		case how == access.Clear:
			clear |= 1 << i
		default:
			masked |= 1 << i
		}
	}
	return clear, masked
}

func (s *recordSet) settle(b *Breach) {
	b.Distinct, b.AtLeast = len(s.all), s.atLeast
	categories := access.Categories()
	byCategory, byEntity := make([]Concerned, len(categories)), make([]Concerned, len(s.entities))
	for name, n := range s.entities {
		byEntity[n].Name = name
	}
	for _, m := range s.all {
		if m.clear != 0 {
			b.Clear++
			byEntity[m.entity].Clear++
		} else {
			byEntity[m.entity].Masked++
		}
		for i := range categories {
			switch {
			case m.clear&(1<<i) != 0:
				byCategory[i].Clear++
			case m.masked&(1<<i) != 0:
				byCategory[i].Masked++
			}
		}
	}
	b.Entities, b.Categories, b.Records = []Concerned{}, []Concerned{}, []BreachRecord{}
	b.Entities = append(b.Entities, byEntity...)
	for i, c := range byCategory {
		if c.Clear+c.Masked > 0 {
			c.Name = string(categories[i])
			b.Categories = append(b.Categories, c)
		}
	}
	for key, r := range s.listed {
		r.Clear, r.Masked = names(s.all[key].clear), names(s.all[key].masked&^s.all[key].clear)
		b.Records = append(b.Records, *r)
	}
	b.Unlisted = b.Distinct - len(b.Records)
	byWeight := func(x, y Concerned) int {
		return cmp.Or(cmp.Compare(y.Clear, x.Clear), cmp.Compare(y.Masked, x.Masked), cmp.Compare(x.Name, y.Name))
	}
	slices.SortFunc(b.Entities, byWeight)
	slices.SortFunc(b.Categories, byWeight)
	slices.SortFunc(b.Records, func(x, y BreachRecord) int {
		return cmp.Or(cmp.Compare(len(y.Clear), len(x.Clear)), strings.Compare(x.Record, y.Record))
	})
}

func names(bits uint32) []access.Category {
	all := []access.Category{}
	for i, c := range access.Categories() {
		if bits&(1<<i) != 0 {
			all = append(all, c)
		}
	}
	return all
}
