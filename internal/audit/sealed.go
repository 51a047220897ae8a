package audit

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/crmgate/crmgate/internal/access"
)

// sealedEntry is an entry as it is sealed: its own JSON, but for the disclosure,
// whose records are grouped. A list view discloses fifty records of one type
// with the same treatments: they are said once.
type sealedEntry struct {
	*Entry
	Disclosure *sealedDisclosure `json:"disclosure,omitempty"`
}

type sealedDisclosure struct {
	Records  []sealedRecords `json:"records,omitempty"`
	Rows     int             `json:"rows,omitempty"`
	Withheld int             `json:"withheld,omitempty"`
	Unread   bool            `json:"unread,omitempty"`
}

type sealedRecords struct {
	Entity  access.Entity `json:"entity"`
	Type    string        `json:"type"`
	IDs     []string      `json:"ids"`
	Treated treatments    `json:"treated,omitempty"`
}

// treatments are written by name: the order of the constants is not part of the
// format.
type treatments map[access.Category]string

// Groups that are looked through for each record.
const nearGroups = 16

func groupRecords(d *access.Disclosure) *sealedDisclosure {
	if d == nil {
		return nil
	}
	s := &sealedDisclosure{Rows: d.Rows, Withheld: d.Withheld, Unread: d.Unread}
	var treated []map[access.Category]access.Treatment
	for i := range d.Records {
		r := &d.Records[i]
		at := s.near(treated, r)
		if at < 0 {
			at = len(s.Records)
			s.Records = append(s.Records, sealedRecords{Entity: r.Entity, Type: r.Type, Treated: named(r.Treated)})
			treated = append(treated, r.Treated)
		}
		s.Records[at].IDs = append(s.Records[at].IDs, r.ID)
	}
	return s
}

// near returns the group of a record among the last ones, or -1. Records that
// were treated alike share a map as a rule: to see that costs less than to compare.
func (s *sealedDisclosure) near(treated []map[access.Category]access.Treatment, r *access.DisclosedRecord) int {
	from := max(0, len(s.Records)-nearGroups)
	own := reflect.ValueOf(r.Treated).Pointer()
	for i := len(s.Records) - 1; i >= from; i-- {
		if g := &s.Records[i]; reflect.ValueOf(treated[i]).Pointer() == own && g.Type == r.Type && g.Entity == r.Entity {
			return i
		}
	}
	for i := len(s.Records) - 1; i >= from; i-- {
		if g := &s.Records[i]; g.Type == r.Type && g.Entity == r.Entity && maps.Equal(treated[i], r.Treated) {
			return i
		}
	}
	return -1
}

func named(treated map[access.Category]access.Treatment) treatments {
	if len(treated) == 0 {
		return nil
	}
	t := make(treatments, len(treated))
	for c, how := range treated {
		t[c] = how.String()
	}
	return t
}

// records is the reverse of groupRecords.
func (s *sealedDisclosure) records() (*access.Disclosure, error) {
	if s == nil {
		return nil, nil
	}
	d := &access.Disclosure{Rows: s.Rows, Withheld: s.Withheld, Unread: s.Unread}
	for _, g := range s.Records {
		var treated map[access.Category]access.Treatment
		if len(g.Treated) > 0 {
			treated = make(map[access.Category]access.Treatment, len(g.Treated))
		}
		for c, name := range g.Treated {
			how, ok := access.ParseTreatment(name)
			if !ok {
				return nil, fmt.Errorf("%w: treatment %q is of a later version", ErrSealed, name)
			}
			treated[c] = how
		}
		for _, id := range g.IDs {
			d.Records = append(d.Records, access.DisclosedRecord{
				Record:  access.Record{Entity: g.Entity, Type: g.Type, ID: id},
				Treated: treated,
			})
		}
	}
	return d, nil
}
