package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ordered is a mapping whose order counts.
type ordered []pair

type pair struct {
	key   string
	line  int
	value yaml.Node
}

// UnmarshalYAML keeps a mapping's order and resolves merge keys. A key that
// stands twice is an error: the first would be lost without a word.
func (o *ordered) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: expected a mapping", n.Line)
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Value == "<<" {
			if err := o.merge(v); err != nil {
				return err
			}
			continue
		}
		if line, ok := lines[k.Value]; ok {
			return fmt.Errorf("line %d: the key %q stands in line %d already", k.Line, k.Value, line)
		}
		lines[k.Value] = k.Line
		o.set(pair{key: k.Value, line: k.Line, value: *v})
	}
	return nil
}

func (o *ordered) merge(v *yaml.Node) error {
	if v.Kind == yaml.AliasNode {
		v = v.Alias
	}
	if v.Kind == yaml.SequenceNode {
		for _, c := range v.Content {
			if err := o.merge(c); err != nil {
				return err
			}
		}
		return nil
	}
	var in ordered
	if err := in.UnmarshalYAML(v); err != nil {
		return err
	}
	for _, p := range in {
		if !o.has(p.key) {
			*o = append(*o, p)
		}
	}
	return nil
}

func (o *ordered) has(key string) bool {
	for _, p := range *o {
		if p.key == key {
			return true
		}
	}
	return false
}

func (o *ordered) set(p pair) {
	for i := range *o {
		if (*o)[i].key == p.key {
			(*o)[i] = p
			return
		}
	}
	*o = append(*o, p)
}

// decodeSpec reads a profile strictly: unknown keys, repeated keys, unused
// anchors and a second document are errors with their line.
func decodeSpec(src []byte) (*spec, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	if err := checkAnchors(&root); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	var s spec
	if err := dec.Decode(&s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the profile is empty")
		}
		return nil, sayNearest(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a profile is one YAML document; there is a second one")
	}
	return &s, nil
}

// strict decodes a node that was kept for later with unknown keys refused: a
// yaml.Node's own Decode takes them without a word.
func strict(n *yaml.Node, into any) error {
	if err := knownKeys(n, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := n.Decode(into); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// knownKeys compares the keys of a mapping with the fields of a struct.
func knownKeys(n *yaml.Node, t reflect.Type) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	var errs []error
	switch {
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			errs = append(errs, knownKeys(n.Content[i], t.Elem()))
		}
		return errors.Join(errs...)
	case t.Kind() != reflect.Struct || n.Kind != yaml.MappingNode:
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Value == "<<" {
			errs = append(errs, knownMerged(value, t))
			continue
		}
		f, known := fieldOfKey(t, key.Value)
		if !known {
			errs = append(errs, fmt.Errorf("line %d: unknown key %q; nearest: %q", key.Line, key.Value, nearest(key.Value, collectKeys(t))))
			continue
		}
		errs = append(errs, knownKeys(value, f))
	}
	return errors.Join(errs...)
}

// knownMerged checks what a merge key brings in: a mapping or a list of them.
func knownMerged(n *yaml.Node, t reflect.Type) error {
	if n.Kind != yaml.SequenceNode {
		return knownKeys(n, t)
	}
	var errs []error
	for _, c := range n.Content {
		errs = append(errs, knownKeys(c, t))
	}
	return errors.Join(errs...)
}

func fieldOfKey(t reflect.Type, key string) (reflect.Type, bool) {
	for f := range fields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name == key {
			return f.Type, true
		}
	}
	return nil, false
}

// checkAnchors refuses anchors that nothing uses: a misspelt alias would leave
// fields without their categories.
func checkAnchors(root *yaml.Node) error {
	used := map[*yaml.Node]bool{}
	var defined []*yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Anchor != "" {
			defined = append(defined, n)
		}
		if n.Kind == yaml.AliasNode {
			used[n.Alias] = true
			return
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	var errs []error
	for _, n := range defined {
		if !used[n] {
			errs = append(errs, fmt.Errorf("line %d: the anchor &%s is used nowhere; remove it or use *%s", n.Line, n.Anchor, n.Anchor))
		}
	}
	return errors.Join(errs...)
}

// sayNearest adds the nearest word to yaml's "field x not found in type y".
func sayNearest(err error) error {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return err
	}
	var errs []error
	for _, line := range te.Errors {
		at, rest, ok := strings.Cut(line, ": field ")
		word, _, ok2 := strings.Cut(rest, " not found in type")
		if !ok || !ok2 {
			errs = append(errs, errors.New(line))
			continue
		}
		errs = append(errs, fmt.Errorf("%s: unknown key %q; nearest: %q", at, word, nearest(word, specKeys())))
	}
	return errors.Join(errs...)
}
