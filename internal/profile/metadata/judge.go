package metadata

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// verdict is what a field can hold, and what that rests on.
type verdict struct {
	categories []access.Category
	why        []string
	bytes      string // what a profile says besides of a file's bytes
	// check says that somebody has to look: it is public, or a guess.
	check bool
}

func (v *verdict) add(c access.Category, why string) {
	if !slices.Contains(v.categories, c) {
		v.categories = append(v.categories, c)
	}
	v.why = append(v.why, why)
}

// personal reports whether anything told what personal data it is.
func (v *verdict) personal() bool {
	return len(v.categories) > 0 && v.categories[0] != access.Public && v.categories[0] != access.Unclassified
}

// spec is what a profile says of the field.
func (v *verdict) spec() string {
	if len(v.categories) == 0 {
		v.categories = []access.Category{access.Unclassified}
	}
	var list []string
	for _, c := range v.categories {
		list = append(list, string(c))
	}
	switch {
	case v.bytes != "" && len(list) == 1:
		return "{category: " + list[0] + ", " + v.bytes + "}"
	case v.bytes != "":
		return "{categories: [" + strings.Join(list, ", ") + "], " + v.bytes + "}"
	case len(list) == 1:
		return list[0]
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// judge tells what fields can hold.
type judge struct{ words *vocabulary.Vocabulary }

// of tells what a field of an entity can hold, by its type, its name, its label and
// the CRM's own mark. What nothing tells is unclassified.
func (j judge) of(e *entity, f *field) verdict {
	v := verdict{}
	if c := byType(f.kind); c != "" {
		v.add(c, "by its type")
	}
	v.bytes = f.bytes
	if c, why := j.byName(e, f); c != "" && fits(c, f.kind) {
		v.add(c, why)
	}
	switch {
	case v.personal():
	case f.sensitive:
		v.add(access.Special, "nothing else tells what it is")
	case f.marked != "":
		v.check = true
		v.add(access.Unclassified, "nothing tells what it is")
	case technical(f):
		v.check = true
		v.add(access.Public, technicalWhy(f.kind))
	default:
		v.add(access.Unclassified, "nothing tells what it is")
	}
	if f.marked != "" {
		v.why = slices.Insert(v.why, 0, "the CRM says "+f.marked)
	}
	return v
}

// byType is the category that a type alone tells.
func byType(k kind) access.Category {
	switch k {
	case email:
		return access.Email
	case phone:
		return access.Phone
	case webAddress:
		return access.Online
	case personName:
		return access.Name
	case address:
		return access.Address
	case credential:
		return access.Credential
	case picture:
		return access.Identity
	case longText:
		return access.FreeText
	}
	return ""
}

// byName is the category that a field's name tells, or its label.
func (j judge) byName(e *entity, f *field) (access.Category, string) {
	if c := j.words.Category(f.name); c != "" {
		return c, "by its name"
	}
	if f.label != "" {
		if c := j.words.Category(f.label); c != "" {
			return c, "by its label"
		}
	}
	if f.kind != text || !vocabulary.Has("name names bezeichnung", f.name+" "+f.label) {
		return "", ""
	}
	if vocabulary.Has(vocabulary.Objects, f.name+" "+f.label) || vocabulary.Has("file datei event type", f.name+" "+f.label) {
		return "", ""
	}
	if e.persons {
		return access.Name, "by its name"
	}
	return access.FreeText, "what a record is called; public where no person is called so"
}

// fits reports whether a value of that type can hold what the field's name tells: a
// number of e-mails is none, a date of a call no number.
func fits(c access.Category, k kind) bool {
	switch k {
	case boolean:
		return slices.Contains([]access.Category{access.Special, access.Identity}, c)
	case date, moment:
		return slices.Contains([]access.Category{access.Special, access.Birthdate}, c)
	case number:
		return !slices.Contains([]access.Category{access.FreeText, access.Email, access.Online, access.Name}, c)
	case choice:
		return !slices.Contains([]access.Category{access.FreeText, access.Email, access.Phone, access.Online}, c)
	case email, phone:
		return c != access.Name && c != access.FreeText && c != access.Address && c != access.Online
	case address, identifier, personName, webAddress:
		return slices.Contains([]access.Category{access.Special, access.Credential}, c)
	}
	return true
}

// technical reports whether a field says something of the record alone.
func technical(f *field) bool {
	name := f.name
	if f.custom {
		name = ownWords(name)
	}
	switch f.kind {
	case boolean:
		return vocabulary.All(vocabulary.Flags, name)
	case date, moment:
		return vocabulary.Has(vocabulary.Changes, name) && vocabulary.All(vocabulary.Stamps, name)
	case identifier:
		return true
	case number:
		return vocabulary.All(vocabulary.Counts+" "+vocabulary.Sums, name)
	case text, choice:
		return vocabulary.All(vocabulary.Measures, name) && !vocabulary.All("code iso version", name)
	}
	return false
}

func technicalWhy(k kind) string {
	switch k {
	case boolean:
		return "says something of the record, not of a person"
	case identifier:
		return "an id"
	case number:
		return "a count or a sum"
	case text, choice:
		return "what something is measured or written in"
	}
	return "when the record was changed"
}

// ofPersons reports whether a type is called as people are.
func ofPersons(name string) bool {
	var one []string
	for _, w := range vocabulary.Words(name) {
		one = append(one, vocabulary.Singular(w))
	}
	all := strings.Join(one, " ")
	return vocabulary.Has(vocabulary.Persons, all) && !vocabulary.Has(vocabulary.Objects, all)
}

// marks are what CRMs put before and behind the names of things that companies make:
// CHobby, cHobby, x_hobby, p_hobby, new_hobby, hobby__c, hobby_c.
var marks = regexp.MustCompile(`^(?:[cC]([A-Z])|(?:x_studio|x|p|new|cr[0-9a-z]{1,5})_)|(?:__c|__r|_c)$`)

// ownWords is a name without such marks.
func ownWords(name string) string { return marks.ReplaceAllString(name, "$1") }
