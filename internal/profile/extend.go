package profile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// extend puts what a profile says before what the one that it extends says.
func extend(own *spec) (*spec, error) {
	if own.Extends == "" {
		return own, nil
	}
	src, err := Builtin(own.Extends)
	if err != nil {
		return nil, fmt.Errorf("extends: %w", err)
	}
	base, err := decodeSpec(src)
	if err != nil {
		return nil, fmt.Errorf("extends %s: %w", own.Extends, err)
	}
	if err := own.onlyExtends(); err != nil {
		return nil, err
	}
	out := *base
	out.Profile, out.Evidence = own.Profile, own.Evidence
	if own.Withheld != "" {
		out.Withheld = own.Withheld
	}
	out.Normalize.Prefixes = joined(base.Normalize.Prefixes, own.Normalize.Prefixes)
	out.Relations.Any = joined(base.Relations.Any, own.Relations.Any)
	out.Routes = slices.Concat(own.Routes, base.Routes)
	m := merger{base: base.Entities, folded: base.Normalize.Names == "folded"}
	out.Entities = m.entities(own.Entities)
	return &out, errors.Join(m.errs...)
}

// onlyExtends refuses what a profile that extends another can't say.
func (s *spec) onlyExtends() error {
	rest := *s
	rest.Profile, rest.Extends, rest.Evidence, rest.Withheld, rest.Blocks = "", "", "", "", yaml.Node{}
	rest.Entities, rest.Routes, rest.Normalize.Prefixes, rest.Relations.Any = nil, nil, nil, nil
	var errs []error
	v := reflect.ValueOf(rest)
	for f := range fields(v.Type()) {
		if !v.FieldByIndex(f.Index).IsZero() {
			word, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			errs = append(errs, fmt.Errorf("%s: a profile that extends another has entities, routes, normalize.prefixes, relations.any and withheld; "+
				"for anything else copy the profile %s and change the copy", word, s.Extends))
		}
	}
	return errors.Join(errs...)
}

func joined(base, own map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, base)
	maps.Copy(out, own)
	return out
}

// merger puts entities before those of the profile that is extended.
type merger struct {
	base   ordered
	folded bool
	errs   []error
}

func (m *merger) fail(pr *pair, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("entity %s (line %d): %s", pr.key, pr.line, fmt.Sprintf(format, args...)))
}

func (m *merger) entities(own ordered) ordered {
	out := slices.Clone(m.base)
	for _, pr := range own {
		at := slices.IndexFunc(m.base, func(b pair) bool { return b.key == pr.key })
		switch like := m.like(&pr); {
		case at >= 0 && like != "":
			m.fail(&pr, "the profile that is extended has this entity; leave `like` out")
		case at >= 0:
			out[at] = m.entity(&pr, &m.base[at], false)
		case like == "":
			out = append(out, pr)
		default:
			i := slices.IndexFunc(m.base, func(b pair) bool { return b.key == like })
			if i < 0 {
				m.fail(&pr, "like: the profile that is extended has no entity %q; nearest: %q", like, nearest(like, keys(m.base)))
				continue
			}
			out = append(out, m.entity(&pr, &m.base[i], true))
		}
	}
	return out
}

func keys(o ordered) []string {
	var list []string
	for _, pr := range o {
		list = append(list, pr.key)
	}
	return list
}

func (m *merger) like(pr *pair) string {
	var s struct {
		Like string `yaml:"like"`
	}
	if pr.value.Decode(&s) != nil {
		return "" // an error where the entity is read
	}
	return s.Like
}

// notLike are the keys that an entity doesn't take from one that it is like. A search
// could look into fields of which that one knows nothing.
func notLike() []string { return []string{"types", "search", "internal", "read", "delete"} }

// entity puts an entity before another: that of the same name, or one that it is like.
func (m *merger) entity(own, base *pair, like bool) pair {
	var mine, theirs ordered
	if err := errors.Join(mine.UnmarshalYAML(&own.value), theirs.UnmarshalYAML(&base.value)); err != nil {
		m.fail(own, "%v", err)
		return *own
	}
	out := pair{key: own.key, line: own.line, value: yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: own.line}}
	for _, pr := range mine {
		b, _ := theirs.get(pr.key)
		switch {
		case pr.key == "like":
			continue
		case !like && (pr.key == "id" || pr.key == "internal"):
			m.fail(own, "%s is said by the profile that is extended; leave it out", pr.key)
		case like && slices.Contains(notLike(), pr.key), b == nil && pr.key != "types":
		case pr.key == "fields", pr.key == "relations", pr.key == "search":
			pr.value = m.mapping(own, &pr.value, &b.value)
		case pr.key == "types":
			pr.value = m.types(own, &pr, b)
		}
		appendPair(&out.value, &pr)
	}
	fields, _ := mine.get("fields")
	for _, pr := range theirs {
		if has, _ := mine.get(pr.key); has != nil || like && slices.Contains(notLike(), pr.key) {
			continue
		}
		appendPair(&out.value, &pr)
	}
	if fields != nil {
		m.withoutRelations(&out.value, &fields.value, mine)
	}
	return out
}

func (o ordered) get(key string) (*pair, bool) {
	for i := range o {
		if o[i].key == key {
			return &o[i], true
		}
	}
	return nil, false
}

func appendPair(to *yaml.Node, pr *pair) {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pr.key, Line: pr.line}
	value := pr.value
	to.Content = append(to.Content, key, &value)
}

// names are those of a key with alternatives.
func (m *merger) names(key string) []string {
	if m.folded {
		key = strings.ToLower(key)
	}
	return strings.Split(key, "|")
}

// mapping puts own names before others', and takes those out of the others that are
// listed here: each name counts once.
func (m *merger) mapping(of *pair, own, base *yaml.Node) yaml.Node {
	var mine, theirs ordered
	if err := errors.Join(mine.UnmarshalYAML(own), theirs.UnmarshalYAML(base)); err != nil {
		m.fail(of, "%v", err)
		return *own
	}
	out := yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: own.Line}
	listed := map[string]bool{}
	for _, pr := range mine {
		for _, name := range m.names(pr.key) {
			listed[name] = true
		}
		appendPair(&out, &pr)
	}
	for _, pr := range theirs {
		var rest []string
		for i, name := range m.names(pr.key) {
			if !listed[name] {
				rest = append(rest, strings.Split(pr.key, "|")[i])
			}
		}
		if len(rest) > 0 {
			pr.key = strings.Join(rest, "|")
			appendPair(&out, &pr)
		}
	}
	return out
}

// types adds the types of an entity to those that it has.
func (m *merger) types(of, own, base *pair) yaml.Node {
	list := own.value
	if list.Kind == yaml.AliasNode {
		list = *list.Alias
	}
	if list.Kind != yaml.SequenceNode {
		return list // an error where the entity is read
	}
	out := yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: own.line}
	switch {
	case base == nil:
		out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: of.key, Line: own.line})
	case base.value.Kind == yaml.AliasNode:
		out.Content = append(out.Content, base.value.Alias.Content...)
	default:
		out.Content = append(out.Content, base.value.Content...)
	}
	out.Content = append(out.Content, list.Content...)
	return out
}

// withoutRelations takes the relations out of an entity that are listed among its
// own fields: relations would go before them.
func (m *merger) withoutRelations(entity, fields *yaml.Node, mine ordered) {
	var listed, own ordered
	if listed.UnmarshalYAML(fields) != nil {
		return // an error where the entity is read
	}
	if pr, ok := mine.get("relations"); ok && own.UnmarshalYAML(&pr.value) != nil {
		return
	}
	for i := 0; i+1 < len(entity.Content); i += 2 {
		var all ordered
		if entity.Content[i].Value != "relations" || all.UnmarshalYAML(entity.Content[i+1]) != nil {
			continue
		}
		rest := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: entity.Content[i+1].Line}
		for _, pr := range all {
			isField := slices.ContainsFunc(listed, func(f pair) bool { return slices.Contains(m.names(f.key), m.names(pr.key)[0]) })
			if _, said := own.get(pr.key); said || !isField {
				appendPair(rest, &pr)
			}
		}
		entity.Content[i+1] = rest
	}
}
