package metadata

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crmgate/crmgate/internal/profile"
)

// Diff lists what a CRM says differently of itself: kinds of records and fields that
// came or went, and fields whose type or mark changed.
func Diff(older, newer *Schema) ([]profile.Difference, error) {
	a, err := older.said()
	if err != nil {
		return nil, err
	}
	b, err := newer.said()
	if err != nil {
		return nil, err
	}
	var list []profile.Difference
	types := maps.Clone(a)
	maps.Copy(types, b)
	for _, typ := range slices.Sorted(maps.Keys(types)) {
		switch {
		case a[typ] == nil:
			list = append(list, profile.Difference{Kind: "entity", Name: typ, New: fmt.Sprintf("%d fields", len(b[typ]))})
			continue
		case b[typ] == nil:
			list = append(list, profile.Difference{Kind: "entity", Name: typ, Old: fmt.Sprintf("%d fields", len(a[typ]))})
			continue
		}
		names := maps.Clone(a[typ])
		maps.Copy(names, b[typ])
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if a[typ][n] != b[typ][n] {
				list = append(list, profile.Difference{Kind: "field", Name: typ + "." + n, Old: a[typ][n], New: b[typ][n]})
			}
		}
	}
	return list, nil
}

// said is what is said of each field of each type, in a word or two.
func (s *Schema) said() (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	if s.odata != nil {
		m, err := read(s.odata.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.odata.Name, err)
		}
		for _, typ := range m.order {
			fields := map[string]string{}
			for _, t := range all(m.entities, typ) {
				for _, p := range slices.Concat(t.Properties, t.Links) {
					fields[p.Name] = p.Type
				}
			}
			out[m.typeOf(typ)] = fields
		}
		return out, nil
	}
	for _, e := range s.entities {
		fields := map[string]string{}
		for i := range e.fields {
			fields[e.fields[i].name] = e.fields[i].said()
		}
		out[e.typ()] = fields
	}
	return out, nil
}

func (f *field) said() string {
	s := plainText(f.typ)
	if s == "" {
		s = string(f.kind)
	}
	if f.target != "" {
		s += " of " + plainText(f.target)
	}
	if f.marked != "" {
		s += ", " + f.marked
	}
	return s
}

// Beside lists what the documents have that a profile doesn't describe, as a draft
// would say it: kinds of records, fields, and fields that the CRM marks as personal
// data and the profile calls public.
func (s *Schema) Beside(p *profile.Profile) ([]profile.Difference, error) {
	if s.odata != nil {
		return s.besideOData(p)
	}
	var list []profile.Difference
	for _, sec := range s.extend(p).sections {
		if len(sec.head) > 0 {
			list = append(list, profile.Difference{Kind: "entity", Name: sec.name, New: sec.comment})
			continue
		}
		for i, rows := range sec.rows {
			for _, r := range rows {
				d := profile.Difference{Kind: "field", Name: sec.name + "." + r.name, New: r.spec, Old: r.old}
				switch i {
				case inRelations:
					d.New = "relation to " + r.spec
				case inSearch:
					d.Kind, d.New = "search", "looks into "+words(r.parts)
				}
				list = append(list, d)
			}
		}
	}
	return list, nil
}

// besideOData compares with a draft: the addresses of services differ, and categories
// that somebody decided are right.
func (s *Schema) besideOData(p *profile.Profile) ([]profile.Difference, error) {
	src, err := odataProfile(*s.odata, Options{})
	if err != nil {
		return nil, err
	}
	drawn, err := profile.Load(src)
	if err != nil {
		return nil, fmt.Errorf("%s: the profile that it makes can't be loaded: %w", s.odata.Name, err)
	}
	return slices.DeleteFunc(profile.Diff(p, drawn), func(d profile.Difference) bool {
		return d.Kind == "route" || d.Old != "" && d.New != ""
	}), nil
}
