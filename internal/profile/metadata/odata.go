package metadata

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// Options say how a draft is called, and what stands around a service.
type Options struct {
	// Name is the profile's: `catalog/1`.
	Name string
	// Path is the root of a service of OData on its host: `/odata/v4/catalog`.
	Path string
}

type document struct {
	XMLName xml.Name `xml:"Edmx"`
	Version string   `xml:"Version,attr"`
	Schemas []schema `xml:"DataServices>Schema"`
}

type schema struct {
	Namespace string       `xml:"Namespace,attr"`
	Alias     string       `xml:"Alias,attr"`
	Entities  []structType `xml:"EntityType"`
	Complex   []structType `xml:"ComplexType"`
	Annotated []struct {
		Target string       `xml:"Target,attr"`
		List   []annotation `xml:"Annotation"`
	} `xml:"Annotations"`
	Sets []struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"EntityType,attr"`
	} `xml:"EntityContainer>EntitySet"`
}

// structType is an entity type or a complex one.
type structType struct {
	Name string     `xml:"Name,attr"`
	Base string     `xml:"BaseType,attr"`
	Key  []property `xml:"Key>PropertyRef"`
	// Properties and Links are its own, without those of its base.
	Properties []property `xml:"Property"`
	Links      []property `xml:"NavigationProperty"`
}

type property struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
	// Keys are, of a navigation property, properties with the key of the record that it
	// leads to.
	Keys []struct {
		Property   string `xml:"Property,attr"`
		Referenced string `xml:"ReferencedProperty,attr"`
	} `xml:"ReferentialConstraint"`
	Annotations []annotation `xml:"Annotation"`
	said        field        // what annotations say of it
}

// annotation is one that stands in a property, or with others at a target.
type annotation struct {
	Term   string `xml:"Term,attr"`
	Bool   string `xml:"Bool,attr"`
	String string `xml:"String,attr"`
	Text   string `xml:"String"`
}

// say notes what an annotation says: a label, or a mark of SAP's vocabulary of
// personal data. The mark alone is true.
func (f *field) say(a annotation) {
	term := a.Term[strings.LastIndexByte(a.Term, '.')+1:]
	vocabulary := strings.TrimSuffix(a.Term, "."+term)
	switch {
	case term == "Label" && strings.Contains(vocabulary, "Common"):
		f.label = cmp.Or(a.String, a.Text, f.label)
	case a.Bool == "false" || !strings.Contains(vocabulary, "PersonalData"):
	case term == "IsPotentiallySensitive":
		f.marked, f.sensitive = "PersonalData."+term, true
	case term == "IsPotentiallyPersonal" && f.marked == "":
		f.marked = "PersonalData." + term
	}
}

// plain is what a name has to be: the codec reads no other.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// plainType is what a type's full name has to be: in a profile it is a pattern.
var plainType = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,255}$`)

// model is what the metadata says, by full names.
type model struct {
	entities map[string]*structType
	nested   map[string]*structType
	sets     map[string][]string // full name of the type → sets
	order    []string
}

// isXML reports whether a document is one of XML.
func isXML(src []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("<"))
}

// odataProfile writes the profile of a service of OData v4.
func odataProfile(f File, o Options) ([]byte, error) {
	m, err := read(f.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	path := strings.TrimSuffix(o.Path, "/")
	if path != "" && (path[0] != '/' || strings.ContainsAny(path, "{}*()|? \"")) {
		return nil, fmt.Errorf("the path %q is no plain path; write it as /odata/v4/catalog", o.Path)
	}
	w := &writer{m: m, path: path, name: cmp.Or(o.Name, "odata/4"), judge: judge{vocabulary.New()}}
	w.head()
	for _, name := range m.order {
		w.entity(name)
	}
	if w.written == 0 {
		return nil, fmt.Errorf("%s: the metadata has no set of entities with one plain key", f.Name)
	}
	w.routes()
	return []byte(w.b.String()), nil
}

// maxXMLDepth is how deep elements may stand in each other: CSDL needs ten.
const maxXMLDepth = 40

// wellNested refuses what is nested too deeply, before it is read into types.
func wellNested(src []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(src))
	for depth := 0; ; {
		t, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", lineOf(dec), err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return fmt.Errorf("line %d: elements stand more than %d deep in each other", lineOf(dec), maxXMLDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func lineOf(dec *xml.Decoder) int {
	line, _ := dec.InputPos()
	return line
}

func read(src []byte) (*model, error) {
	var d document
	err := wellNested(src)
	if err == nil {
		err = xml.Unmarshal(src, &d)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the metadata: %w; give the XML that GET …/$metadata answers with", err)
	}
	if !strings.HasPrefix(d.Version, "4.") {
		return nil, fmt.Errorf("the metadata is of version %q; OData 4.0 and 4.01 are served", d.Version)
	}
	m := &model{entities: map[string]*structType{}, nested: map[string]*structType{}, sets: map[string][]string{}}
	aliases := map[string]string{}
	for _, s := range d.Schemas {
		if s.Alias != "" {
			aliases[s.Alias] = s.Namespace
		}
	}
	full := func(name string) string {
		if i := strings.LastIndexByte(name, '.'); i > 0 && aliases[name[:i]] != "" {
			return aliases[name[:i]] + name[i:]
		}
		return name
	}
	for i := range d.Schemas {
		m.learn(&d.Schemas[i], full)
	}
	for _, s := range d.Schemas {
		for _, at := range s.Annotated {
			typ, name, _ := strings.Cut(at.Target, "/")
			m.annotate(full(typ), name, at.List)
		}
	}
	return m, nil
}

// learn notes a schema's types and sets.
func (m *model) learn(s *schema, full func(string) string) {
	for i := range s.Entities {
		name := s.Namespace + "." + s.Entities[i].Name
		m.entities[name] = s.Entities[i].named(full)
		m.order = append(m.order, name)
	}
	for i := range s.Complex {
		m.nested[s.Namespace+"."+s.Complex[i].Name] = s.Complex[i].named(full)
	}
	for _, set := range s.Sets {
		if plain.MatchString(set.Name) {
			m.sets[full(set.Type)] = append(m.sets[full(set.Type)], set.Name)
		}
	}
}

// annotate notes what annotations say of a type's property.
func (m *model) annotate(typ, name string, list []annotation) {
	t := m.entities[typ]
	if t == nil {
		t = m.nested[typ]
	}
	if t == nil {
		return
	}
	for i := range t.Properties {
		if t.Properties[i].Name == name {
			for _, a := range list {
				t.Properties[i].said.say(a)
			}
		}
	}
}

// named gives the types that it speaks of their full names.
func (t *structType) named(full func(string) string) *structType {
	t.Base = full(t.Base)
	for _, list := range [][]property{t.Properties, t.Links} {
		for i := range list {
			if in, ok := strings.CutPrefix(list[i].Type, "Collection("); ok {
				list[i].Type = strings.TrimSuffix(in, ")")
			}
			list[i].Type = full(list[i].Type)
			for _, a := range list[i].Annotations {
				list[i].said.say(a)
			}
		}
	}
	return t
}

// maxBases is how many types may be derived from each other.
const maxBases = 16

// all lists a type with those that it is derived from.
func all(types map[string]*structType, name string) []*structType {
	var list []*structType
	for t := types[name]; t != nil && len(list) < maxBases; t = types[t.Base] {
		list = append(list, t)
	}
	return list
}

// key is the one property that names a record; "" where there are several.
func (m *model) key(name string) string {
	for _, t := range all(m.entities, name) {
		if len(t.Key) == 1 && plain.MatchString(t.Key[0].Name) {
			return t.Key[0].Name
		}
		if len(t.Key) > 0 {
			return ""
		}
	}
	return ""
}

// typeOf is the word for a type's records: its first set, or its full name.
func (m *model) typeOf(name string) string {
	if sets := m.sets[name]; len(sets) > 0 {
		return sets[0]
	}
	return name
}
