// Package metadata draws profiles from what CRMs say of themselves: lists of their
// kinds of records and fields, with types, labels and marks of personal data. Of a CRM
// whose profile ships, it draws what a company's own system has beside that profile;
// of a service of OData v4, a whole one.
//
// Each is a draft: what a field can hold is told by its type, its name and its label,
// and what nothing tells is unclassified, so that it is hidden until somebody has
// looked at it.
package metadata

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// kind is what a field's type tells of its values.
type kind string

const (
	text       kind = "text"
	longText   kind = "long text"
	number     kind = "number"
	boolean    kind = "yes or no"
	date       kind = "date"
	moment     kind = "moment"
	choice     kind = "choice"
	email      kind = "email"
	phone      kind = "phone"
	webAddress kind = "url"
	address    kind = "address"
	personName kind = "person's name"
	credential kind = "credential"
	file       kind = "file"
	picture    kind = "picture"
	identifier kind = "id"
	link       kind = "link"     // holds the ids of records
	relation   kind = "relation" // holds records, or stands for them in requests
	fixed      kind = "fixed"    // spec says what it is
	other      kind = "other"
)

// field is what a CRM says of one field, under the name that answers give it.
type field struct {
	name, label string
	// typ is the CRM's own word for its type.
	typ  string
	kind kind
	// custom says that the company made it.
	custom bool
	// marked is the CRM's own mark of personal data, in its words; sensitive that it is
	// one of those that need more protection than a name.
	marked    string
	sensitive bool
	// bytes is what a profile says of a field whose value is a file's bytes.
	bytes string
	// target is the type of the records that a link or a relation leads to.
	target string
	// of names the composite that the field is a part of.
	of string
	// spec is what a profile says of a fixed field, and why.
	spec, why string
}

// entity is what a CRM says of one kind of record.
type entity struct {
	// types are the CRM's words for it; the first is the one that others refer to.
	types []string
	label string
	// custom says that the company made it.
	custom bool
	// chosen says that the administrator saved its fields by themselves.
	chosen bool
	// persons says that its records are people.
	persons bool
	// id and display are fields, where the CRM names them.
	id, display string
	// prefix is what its ids begin with.
	prefix string
	// searches are its composites, each with the fields that it looks into.
	searches map[string][]string
	fields   []field
}

func (e *entity) typ() string { return e.types[0] }

func (e *entity) field(name string) *field {
	for i := range e.fields {
		if e.fields[i].name == name {
			return &e.fields[i]
		}
	}
	return nil
}

// Schema is what a CRM says of its kinds of records and their fields.
type Schema struct {
	// crm is the profile that ships for it.
	crm      string
	sources  []string // what the documents are, for the head of a draft
	entities []*entity
	// notes are lines for the head: what is missing in the documents.
	notes []string
	marks map[string]string // type.field → the CRM's mark, from a document of its own
	like  [2]string         // the entities that people and things are like
	odata *File
}

// add puts an entity to the schema: fields of one that is there already are added.
func (s *Schema) add(e *entity) {
	var types []string
	for _, t := range e.types {
		if isType(t) && !slices.ContainsFunc(types, func(have string) bool { return strings.EqualFold(have, t) }) {
			types = append(types, t)
		}
	}
	if e.types = types; len(types) == 0 {
		return
	}
	for _, have := range s.entities {
		if have.typ() != e.typ() {
			continue
		}
		for _, f := range e.fields {
			if have.field(f.name) == nil {
				have.fields = append(have.fields, f)
			}
		}
		have.label, have.id, have.display, have.prefix = cmp.Or(have.label, e.label), cmp.Or(have.id, e.id), cmp.Or(have.display, e.display), cmp.Or(have.prefix, e.prefix)
		have.custom, have.persons = have.custom || e.custom, have.persons || e.persons
		return
	}
	s.entities = append(s.entities, e)
}

func (s *Schema) note(format string, args ...any) {
	if n := oneLine(fmt.Sprintf(format, args...)); !slices.Contains(s.notes, n) {
		s.notes = append(s.notes, n)
	}
}

// format is one form in which a CRM says what it holds.
type format struct {
	crm, source string
	like        [2]string // the entities of the profile that people and things are like
	is          func(node) bool
	read        func(*Schema, File, node) error
}

func formats() []format {
	return []format{
		{"espocrm", "Metadata", [2]string{"contact", "opportunity"}, isEspo, readEspo},
		{"hubspot", "schemas", [2]string{"contact", "opportunity"}, isHubSpotSchemas, readHubSpotSchemas},
		{"hubspot", "properties", [2]string{"contact", "opportunity"}, isHubSpotProperties, readHubSpotProperties},
		{"hubspot", "properties", [2]string{"contact", "opportunity"}, isHubSpotNothing, readNothing},
		{"salesforce", "describe", [2]string{"contact", "opportunity"}, isDescribe, readDescribe},
		{"salesforce", "FieldDefinition", [2]string{"contact", "opportunity"}, isFieldDefinitions, readFieldDefinitions},
		{"dynamics", "EntityDefinitions", [2]string{"contact", "opportunity"}, isDataverse, readDataverse},
		{"twenty", "objects", [2]string{"contact", "opportunity"}, isTwenty, readTwenty},
		{"pipedrive", "fields", [2]string{"contact", "opportunity"}, isPipedrive, readPipedrive},
		{"suitecrm", "meta/fields", [2]string{"contact", "opportunity"}, isSuite, readSuite},
		{"odoo", "ir.model.fields", [2]string{"contact", "document"}, isModelFields, readModelFields},
		{"odoo", "fields_get", [2]string{"contact", "document"}, isFieldsGet, readFieldsGet},
	}
}

// known says what is read, for errors.
const known = "EspoCRM: /api/v1/Metadata; Odoo: fields_get or ir.model.fields; HubSpot: properties or schemas; Salesforce: describe; " +
	"Dynamics: EntityDefinitions with Attributes; Pipedrive: personFields and the like; SuiteCRM: meta/fields; Twenty: metadata/objects; OData v4: $metadata"

// Is reports whether a document is one that Read knows.
func Is(src []byte) bool {
	if isXML(src) {
		return true
	}
	n, err := parse(File{Bytes: src})
	return err == nil && slices.ContainsFunc(formats(), func(f format) bool { return f.is(n) })
}

// Read reads documents of one CRM. Errors name the file and the place.
func Read(files []File) (*Schema, error) {
	s := &Schema{marks: map[string]string{}}
	for _, f := range files {
		if err := s.read(f); err != nil {
			return nil, err
		}
	}
	switch {
	case len(files) == 0:
		return nil, errors.New("there is no document; give what one of these answers with: " + known)
	case s.odata == nil && len(s.entities) == 0:
		return nil, fmt.Errorf("no kind of record stands in %s", names(files))
	}
	for _, e := range s.entities {
		slices.SortFunc(e.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
		for i := range e.fields {
			if m := s.marks[e.typ()+"."+e.fields[i].name]; m != "" {
				e.fields[i].marked = m
			}
		}
	}
	slices.SortFunc(s.entities, func(a, b *entity) int { return strings.Compare(a.typ(), b.typ()) })
	return s, nil
}

func names(files []File) string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.Name
	}
	return strings.Join(list, ", ")
}

func (s *Schema) read(f File) error {
	if isXML(f.Bytes) {
		if s.crm != "" || s.odata != nil {
			return fmt.Errorf("%s: a service of OData is drawn from one document, its $metadata", f.Name)
		}
		s.odata = &f
		return nil
	}
	n, err := parse(f)
	if err != nil {
		return fmt.Errorf("%w; give what one of these answers with: %s", err, known)
	}
	for _, k := range formats() {
		if !k.is(n) {
			continue
		}
		if s.crm != "" && s.crm != k.crm || s.odata != nil {
			return fmt.Errorf("%s is of %s, and a document before it of another CRM; give those of one", f.Name, k.crm)
		}
		s.crm, s.like = k.crm, k.like
		if !slices.Contains(s.sources, k.source) {
			s.sources = append(s.sources, k.source)
		}
		return k.read(s, f, n)
	}
	if n.has("sobjects") {
		return fmt.Errorf("%s lists kinds of records without their fields; save …/sobjects/NAME/describe of each that matters", f.Name)
	}
	return fmt.Errorf("%s: nobody knows this document; give what one of these answers with: %s", f.Name, known)
}
