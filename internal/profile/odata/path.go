package odata

import "strings"

// Segment is a step of a resource path: a set, a navigation property or a
// property, and the key behind it.
type Segment struct {
	Name string
	Key  *Key
}

// Key names one record: by its id, or by values of other fields.
type Key struct {
	// ID is the one value without a name, as its text; "" where there are Fields.
	ID     string
	Fields []KeyField
}

// KeyField is a part of a key with a name.
type KeyField struct{ Name, Value string }

// Resource is a resource path.
type Resource struct {
	Segments []Segment
	// End is `$ref`, `$value` or `$count` behind them, or "".
	End string
}

// maxSegments bounds a resource path.
const maxSegments = 16

// ParsePath reads a resource path without the service's root, decoded:
// `contacts(…)/parentcustomerid_account`. aliases are the values of parameters.
func ParsePath(path string, aliases map[string]string) (*Resource, error) {
	return parsePath(path, aliases, false)
}

func parsePath(path string, aliases map[string]string, two bool) (*Resource, error) {
	if path == "" {
		return nil, fail("The address names no resource.")
	}
	parts, err := split(path, '/')
	if err != nil {
		return nil, err
	}
	if len(parts) > maxSegments {
		return nil, fail("The address has too many steps.")
	}
	r := &Resource{}
	for i, part := range parts {
		if i > 0 && i == len(parts)-1 && (part == "$ref" || part == "$value" || part == "$count") {
			r.End = part
			break
		}
		s, err := parseSegment(part, aliases, two)
		if err != nil {
			return nil, err
		}
		r.Segments = append(r.Segments, s)
	}
	return r, nil
}

func parseSegment(s string, aliases map[string]string, two bool) (Segment, error) {
	if isName(s) {
		return Segment{Name: s}, nil
	}
	name, inside, ok := call(s)
	// Some services divide the address before they look at quotes.
	if !ok || !isName(name) || strings.Contains(inside, "/") {
		return Segment{}, fail("A step of the address is neither a name nor a name with a key.")
	}
	key, err := parseKey(inside, aliases, two)
	return Segment{Name: name, Key: key}, err
}

// parseKey reads what stands in a key's brackets.
func parseKey(s string, aliases map[string]string, two bool) (*Key, error) {
	parts, err := split(s, ',')
	if err != nil {
		return nil, err
	}
	k := &Key{}
	for _, part := range parts {
		name, text, named := strings.Cut(part, "=")
		if !named || !isName(name) {
			name, text, named = "", part, false
		}
		if named == (k.ID != "") && (k.ID != "" || len(k.Fields) > 0) || !named && len(parts) > 1 {
			return nil, fail("A key is one value, or values with names.")
		}
		value, err := literal(text, aliases, two)
		if err != nil {
			return nil, err
		}
		if !named {
			k.ID = value
			continue
		}
		k.Fields = append(k.Fields, KeyField{name, value})
	}
	return k, nil
}

// literal reads a text that is one value and nothing else.
func literal(s string, aliases map[string]string, two bool) (string, error) {
	if strings.HasPrefix(s, "@") {
		value, ok := aliases[s]
		if !ok || strings.HasPrefix(value, "@") {
			return "", fail("A parameter has no value.")
		}
		s = value
	}
	p := &parser{s: s, q: &Query{}, values: true, two: two}
	if err := p.primary(); err != nil {
		return "", err
	}
	if p.i != len(s) || s == "" {
		return "", fail("A value is expected, and something else stands behind it.")
	}
	if id, ok := typedID(s); ok && two {
		return id, nil
	}
	if s[0] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'"), nil
	}
	if s[0] == '[' || s == "null" {
		return "", fail("A single value is expected.")
	}
	return s, nil
}

// ParseTarget reads the record that a parameter of a function names:
// `Target=@t` with `@t={'@odata.id':'contacts(…)'}`.
func ParseTarget(args, name string, aliases map[string]string) (*Resource, error) {
	value, ok := strings.CutPrefix(args, name+"=")
	if !ok {
		return nil, fail("The function has other parameters than the profile says.")
	}
	if strings.HasPrefix(value, "@") {
		if value, ok = aliases[value]; !ok {
			return nil, fail("A parameter has no value.")
		}
	}
	inside, ok := strings.CutPrefix(value, "{")
	inside, closed := strings.CutSuffix(inside, "}")
	key, id, colon := strings.Cut(inside, ":")
	key, id = strings.Trim(key, " "), strings.Trim(id, " ")
	if !ok || !closed || !colon || len(id) < 2 || key != `'@odata.id'` && key != `"@odata.id"` {
		return nil, fail("A record is named as {'@odata.id':'set(id)'}.")
	}
	quote, last := id[0], id[len(id)-1]
	path := id[1 : len(id)-1]
	if quote != last || quote != '\'' && quote != '"' || strings.ContainsAny(path, `'"\`) {
		return nil, fail("A record is named as {'@odata.id':'set(id)'}.")
	}
	r, err := ParsePath(strings.TrimPrefix(path, "/"), nil)
	if err == nil && (len(r.Segments) != 1 || r.Segments[0].Key == nil || r.End != "") {
		err = fail("A record is named as {'@odata.id':'set(id)'}.")
	}
	return r, err
}
