// Package metadata draws a profile from the metadata that a service of OData v4, or
// v2, gives of itself ($metadata, CSDL in XML).
//
// It is a draft: what a property can hold is told by its name and its type alone,
// and what neither tells is unclassified, so that it is hidden until somebody has
// looked at it.
package metadata

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Options say what stands around the service.
type Options struct {
	// Name is the profile's: `catalog/1`.
	Name string
	// Path is the service's root on its host: `/odata/v4/catalog`.
	Path string
}

type document struct {
	XMLName  xml.Name `xml:"Edmx"`
	Version  string   `xml:"Version,attr"`
	Services struct {
		// Version is that of the protocol, where Edmx has none for each.
		Version string   `xml:"DataServiceVersion,attr"`
		Schemas []schema `xml:"Schema"`
	} `xml:"DataServices"`
}

type schema struct {
	Namespace string       `xml:"Namespace,attr"`
	Alias     string       `xml:"Alias,attr"`
	Entities  []structType `xml:"EntityType"`
	Complex   []structType `xml:"ComplexType"`
	// Relations are v2's: a link there names one of them, and an end.
	Relations []struct {
		Name string `xml:"Name,attr"`
		Ends []struct {
			Role string `xml:"Role,attr"`
			Type string `xml:"Type,attr"`
		} `xml:"End"`
	} `xml:"Association"`
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
	// Relation and Role say in v2 where a link leads.
	Relation string `xml:"Relationship,attr"`
	Role     string `xml:"ToRole,attr"`
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
	// two: the service is one of v2.
	two bool
}

// Profile writes the profile of the service whose metadata is src, as YAML.
func Profile(src []byte, o Options) ([]byte, error) {
	m, err := read(src)
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(o.Path, "/")
	if path != "" && (path[0] != '/' || strings.ContainsAny(path, "{}*()|? \"")) {
		return nil, fmt.Errorf("the path %q is no plain path; write it as /odata/v4/catalog", o.Path)
	}
	w := &writer{m: m, path: path, name: o.Name}
	w.head()
	for _, name := range m.order {
		w.entity(name)
	}
	if w.written == 0 {
		return nil, errors.New("the metadata has no set of entities with one plain key")
	}
	w.routes()
	return []byte(w.b.String()), nil
}

func read(src []byte) (*model, error) {
	var d document
	if err := xml.Unmarshal(src, &d); err != nil {
		return nil, fmt.Errorf("reading the metadata: %w; give the XML that GET …/$metadata answers with", err)
	}
	two := d.two()
	if !strings.HasPrefix(d.Version, "4.") && !two {
		return nil, fmt.Errorf("the metadata is of version %q; OData 4.0 and 4.01 are served, and 2.0", d.Version)
	}
	m := &model{two: two, entities: map[string]*structType{}, nested: map[string]*structType{}, sets: map[string][]string{}}
	aliases := map[string]string{}
	for _, s := range d.Services.Schemas {
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
	ends := d.ends()
	for _, s := range d.Services.Schemas {
		for i := range s.Entities {
			s.Entities[i].lead(func(l property) string { return ends[full(l.Relation)+" "+l.Role] })
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
	return m, nil
}

// two reports whether the metadata is that of a service of OData v2.
func (d *document) two() bool {
	return d.Version == "1.0" && (d.Services.Version == "1.0" || d.Services.Version == "2.0")
}

// ends are the types at the ends of v2's relations, by their names.
func (d *document) ends() map[string]string {
	ends := map[string]string{}
	for _, s := range d.Services.Schemas {
		for _, r := range s.Relations {
			for _, e := range r.Ends {
				ends[s.Namespace+"."+r.Name+" "+e.Role] = e.Type
			}
		}
	}
	return ends
}

// lead gives v2's links the types that they lead to.
func (t *structType) lead(to func(property) string) {
	for i := range t.Links {
		if t.Links[i].Relation != "" {
			t.Links[i].Type = to(t.Links[i])
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
