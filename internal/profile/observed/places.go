package observed

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// place is where records stand in an answer.
type place struct {
	// at is the expression for it.
	at     string
	record *field
	// list says that records stand there, and not one.
	list bool
	// around is the name of the nearest member around it that isn't one of those
	// which stand around records everywhere; "" for none.
	around string
	// table is the name of a member whose keys are values: it is no record, but a
	// field as a whole.
	table  string
	entity *entity
	// id is the member with the record's id; "" for none.
	id string
}

// finding looks for records in an answer, by structure.
type finding struct {
	d *draft
	// about is what the address calls its records.
	about  string
	places []place
}

// maxPlaces bounds the places of one answer.
const maxPlaces = 12

// find looks for records at and below a place; one that has its own id ends the
// search.
func (s *finding) find(f *field, p place) {
	switch {
	case f == nil || len(s.places) >= maxPlaces:
	case f.Kinds["array"] > 0 && f.Elements != nil:
		p.at += "[*]"
		p.list = true
		s.find(f.Elements, p)
	case f.Kinds["object"] > 0:
		s.object(f, p)
	}
}

func (s *finding) object(f *field, p place) {
	id := f.idFor(s.about)
	if id != "" && f.scalars() > 1 && !s.surrounds(f) || s.d.isPersons(f) && (p.list || !s.lists(f)) {
		p.record, p.id = f, id
		s.places = append(s.places, p)
		return
	}
	before := len(s.places)
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		m := f.Members[name]
		in := place{at: p.at + step(name), list: p.list, around: p.around}
		if name == anyName {
			if m.personalKeys() {
				s.places = append(s.places, place{at: p.at, record: f, table: cmp.Or(p.around, "table")})
				continue
			}
			in.list = true
		} else if !vocabulary.All(vocabulary.Envelope, name) {
			in.around = name
		}
		s.find(m, in)
	}
	if len(s.places) == before && s.d.recordLike(f) {
		p.record = f
		s.places = append(s.places, p)
	}
}

// isPersons reports whether an object without an id of its own is somebody's record: it
// holds several values that are.
func (d *draft) isPersons(f *field) bool {
	strong := []access.Category{access.Name, access.Email, access.Phone, access.Address, access.Birthdate, access.Bank, access.TaxID}
	const least, scalars = 2, 3
	n := 0
	for name, m := range f.Members {
		if m.object() == nil && m.texts() > 0 && slices.ContainsFunc(d.guess(&entity{}, name, m, "").categories, func(c access.Category) bool { return slices.Contains(strong, c) }) {
			n++
		}
	}
	return n >= least && f.scalars() >= scalars
}

// lists reports whether a list of records stands in an object.
func (s *finding) lists(f *field) bool {
	for _, m := range f.Members {
		if in := m.Elements; in != nil && in.Kinds["object"] > 0 && s.d.isPersons(in) {
			return true
		}
	}
	return false
}

// surrounds reports whether an object with an id stands around records: nothing of
// its own is more than what stands around records everywhere.
func (s *finding) surrounds(f *field) bool {
	lists := false
	for name, m := range f.Members {
		list := m.Elements != nil && m.Elements.idMember() != ""
		lists = lists || list && vocabulary.All(vocabulary.Envelope, name)
		own := !list && !vocabulary.All(vocabulary.Envelope, name) && !vocabulary.All(vocabulary.Counts, name) && !vocabulary.Is(vocabulary.IDs, name)
		if own {
			return false
		}
	}
	return lists
}

// recordLike reports whether an object without an id holds what a record does: a
// value that is somebody's.
func (d *draft) recordLike(f *field) bool {
	around := true
	for name := range f.Members {
		around = around && vocabulary.All(vocabulary.Envelope+" "+vocabulary.Counts+" "+vocabulary.Paging, name)
	}
	if around {
		return false
	}
	for name, m := range f.Members {
		if m.object() == nil && m.texts() > 0 && (len(m.flat().Found) > 0 || len(d.guess(&entity{}, name, m, "").categories) > 0) {
			return true
		}
	}
	return false
}

// step is a member's step in an expression.
func step(name string) string {
	if strings.ContainsAny(name, ". ") {
		return "['" + name + "']"
	}
	return "." + name
}

// idMember is the member that holds a record's id; "" for none. One in which
// detection finds something is none: ids are shown, and stand in the log.
func (f *field) idMember() string {
	best, rank := "", len(vocabulary.IDs)
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		r := slices.Index(strings.Fields(vocabulary.IDs), strings.Join(vocabulary.Words(name), ""))
		if r >= 0 && r < rank && f.Members[name].isID() {
			best, rank = name, r
		}
	}
	return best
}

// idFor is the member that holds a record's id, be it named as the record is:
// CONTACT_ID of a contact. A name that is made like an id is one, where there is
// nothing else.
func (f *field) idFor(about string) string {
	if id := f.idMember(); id != "" {
		return id
	}
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		words := vocabulary.Words(name)
		last := len(words) - 1
		if last > 0 && words[last] == "id" && strings.Join(words[:last], "_") == about && f.Members[name].isID() {
			return name
		}
	}
	if m := f.Members["name"]; m != nil && m.isID() && m.Shapes[shapeInteger]+m.Shapes[shapeLong] == 0 {
		return "name"
	}
	return ""
}

// isID reports whether all values at a place can be ids.
func (f *field) isID() bool {
	if len(f.Found) > 0 || f.Kinds["object"]+f.Kinds["array"]+f.Kinds["boolean"] > 0 {
		return false
	}
	ids := f.Shapes[shapeInteger] + f.Shapes[shapeLong] + f.Shapes[shapeUUID] + f.Shapes[shapeID]
	return ids > 0 && ids+f.Kinds["null"]+f.Shapes[shapeEmpty] >= f.Seen
}

// scalars is the number of members that aren't objects or lists.
func (f *field) scalars() int {
	n := 0
	for _, m := range f.Members {
		if m.Kinds["object"]+m.Kinds["array"] == 0 {
			n++
		} else if m.Members != nil {
			n++ // an object of the record's own fields
		}
	}
	return n
}

// flat is what was seen at a place and in the lists there.
func (f *field) flat() *field {
	if f.Elements == nil {
		return f
	}
	all := &field{}
	all.absorb(&field{Seen: f.Seen - f.Kinds["array"], Kinds: f.Kinds, Shapes: f.Shapes, Found: f.Found})
	in := f.Elements.flat()
	all.absorb(&field{Seen: in.Seen, Kinds: in.Kinds, Shapes: in.Shapes, Found: in.Found, Members: in.Members})
	return all
}

// texts is the number of values that hold something and are no numbers of lists.
func (f *field) texts() int {
	v := f.flat()
	return v.Kinds["string"] - v.Shapes[shapeEmpty]
}

// personalKeys reports whether the names of members could be somebody's.
func (f *field) personalKeys() bool {
	for k := range f.Keys {
		if k != shapeInteger && k != shapeUUID && k != shapeID {
			return true
		}
	}
	return false
}
