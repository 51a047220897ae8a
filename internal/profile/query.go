package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// nest divides what an expression says of the query into the first word and the
// path behind it.
func (e *expr) nest() error {
	if e.quoted {
		return nil
	}
	name, rest := e.name, ""
	if end := strings.IndexAny(name, ".["); end >= 0 {
		name, rest = name[:end], name[end:]
	}
	p, err := parsePath(rest)
	e.name, e.path = name, p
	return err
}

// pathAlias is another address of what the routes know.
type pathAlias struct {
	pattern pattern
	to      string
}

// unaliasPath gives an address the form that the routes know.
func (p *Profile) unaliasPath(method, path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, a := range p.paths {
		vars := map[string]string{}
		if a.pattern.match(method, segments, vars) {
			return expandVars(a.to, vars)
		}
	}
	return path
}

// unalias gives each parameter the one name that the profile has for it.
func (p *Profile) unalias(req *Request) error {
	if err := p.unfold(req); err != nil {
		return err
	}
	if len(p.aliases) == 0 {
		return nil
	}
	spelling := map[string]string{}
	query := make([]Param, len(req.Query))
	for i, q := range req.Query {
		base, rest := q.Name, ""
		if at := strings.IndexByte(base, '['); p.nestedQuery && at >= 0 {
			base, rest = base[:at], base[at:]
		}
		name := base
		if to, ok := p.aliases[base]; ok {
			name = to
		}
		if first, ok := spelling[name]; ok && first != base {
			return refuse("repeated", "A query parameter stands in two spellings.")
		}
		spelling[name] = base
		query[i] = Param{Name: name + rest, Value: q.Value}
	}
	req.Query = query
	return nil
}

// unfold puts the parameters that one holds as JSON in its place. The CRM heeds
// one of two with a name, in whichever spelling, so two are refused.
func (p *Profile) unfold(req *Request) error {
	at := slices.IndexFunc(req.Query, func(q Param) bool { return p.jsonQuery != "" && q.Name == p.jsonQuery })
	if at < 0 {
		return nil
	}
	t, err := parseJSON([]byte(req.Query[at].Value))
	if err != nil || t.Nodes[doc.Root].Kind != doc.Object {
		return &Refusal{Reason: "malformed", Text: "A query parameter is not strict JSON.", Status: 400}
	}
	in := unfolding{p: p, t: t, names: map[string]bool{}}
	for c := range t.Children(doc.Root) {
		in.names[p.plainName(t.Key(c))] = true
		if key := t.Key(c); key == "" || strings.ContainsAny(key, "[]") || !in.add(key, c) {
			return refuse("malformed", "A name in a query parameter's JSON could be more than a name.")
		}
	}
	others := slices.Delete(slices.Clone(req.Query), at, at+1)
	for _, q := range others {
		if base, _, _ := strings.Cut(q.Name, "["); in.names[p.plainName(base)] {
			return refuse("repeated", "A query parameter stands in two spellings.")
		}
	}
	req.Query = append(others, in.params...)
	return nil
}

// plainName is the profile's name for a parameter.
func (p *Profile) plainName(name string) string {
	if to, ok := p.aliases[name]; ok {
		return to
	}
	return name
}

// unfolding makes parameters of JSON: {"a": {"b": ["c"]}} is a[b][0]=c.
type unfolding struct {
	p      *Profile
	t      *doc.Tree
	names  map[string]bool
	params []Param
}

func (u *unfolding) add(name string, node int) bool {
	if strings.Count(name, "[") > maxQueryDepth {
		return false
	}
	switch u.t.Nodes[node].Kind {
	case doc.Null:
	case doc.Object, doc.Array:
		i := 0
		for c := range u.t.Children(node) {
			key := strconv.Itoa(i)
			if u.t.Nodes[node].Kind == doc.Object {
				key = u.t.Key(c)
			}
			if key == "" || strings.ContainsAny(key, "[]") || !u.add(name+"["+key+"]", c) {
				return false
			}
			i++
		}
	default:
		u.params = append(u.params, Param{Name: name, Value: u.t.Text(node)})
	}
	return true
}

// maxQueryDepth is how deep a nested query may be.
const maxQueryDepth = 12

// nestedQuery is the query as PHP reads it: `a[b][]=c` is {"a": {"b": ["c"]}}. An
// object whose keys are all numbers is a list, in the order of the query.
func (x *Exchange) nestedQuery() (*doc.Tree, error) {
	if x.query != nil {
		return x.query, nil
	}
	root := &branch{}
	for _, q := range x.req.Query {
		steps, ok := brackets(q.Name)
		if !ok || len(steps) > maxQueryDepth || !root.put(steps, q.Value) {
			return nil, refuse("malformed", "A nested query parameter can be read in two ways.")
		}
	}
	raw, err := json.Marshal(root.plain())
	if err != nil {
		return nil, fmt.Errorf("reading the query: %w", err)
	}
	if x.query, err = parseJSON(raw); err != nil {
		return nil, refuse("malformed", "The query can't be read.")
	}
	return x.query, nil
}

// brackets divides `a[b][]` into a, b and "".
func brackets(name string) ([]string, bool) {
	base, rest, _ := strings.Cut(name, "[")
	steps := []string{base}
	if rest == "" {
		return steps, base == name && base != ""
	}
	rest = "[" + rest
	for rest != "" {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return nil, false
		}
		steps, rest = append(steps, rest[1:end]), rest[end+1:]
	}
	return steps, base != ""
}

// branch is a part of a nested query: a value, or members in their order.
type branch struct {
	leaf    bool
	value   string
	keys    []string
	members map[string]*branch
	next    int
}

// put sets a value; false where one stands there that it would replace.
func (b *branch) put(steps []string, value string) bool {
	if len(steps) == 0 {
		if b.leaf || b.members != nil {
			return false
		}
		b.leaf, b.value = true, value
		return true
	}
	if b.leaf {
		return false
	}
	key := steps[0]
	if key == "" {
		key = strconv.Itoa(b.next)
	}
	return b.at(key).put(steps[1:], value)
}

// at is the branch below a key; a new one, where there is none.
func (b *branch) at(key string) *branch {
	if n, err := strconv.Atoi(key); err == nil && strconv.Itoa(n) == key {
		b.next = max(b.next, n+1)
	}
	if b.members == nil {
		b.members = map[string]*branch{}
	}
	in := b.members[key]
	if in == nil {
		in = &branch{}
		b.members[key] = in
		b.keys = append(b.keys, key)
	}
	return in
}

// list are the keys, in their order, of a branch that is a list: all are numbers.
func (b *branch) list() ([]int, bool) {
	numbers := make([]int, 0, len(b.keys))
	for _, k := range b.keys {
		if n, err := strconv.Atoi(k); err == nil && strconv.Itoa(n) == k && n >= 0 {
			numbers = append(numbers, n)
		}
	}
	sort.Ints(numbers)
	return numbers, len(numbers) > 0 && len(numbers) == len(b.keys)
}

// plain is the branch as JSON knows it.
func (b *branch) plain() any {
	if b.leaf {
		return b.value
	}
	if numbers, ok := b.list(); ok {
		list := make([]any, 0, len(numbers))
		for _, n := range numbers {
			list = append(list, b.members[strconv.Itoa(n)].plain())
		}
		return list
	}
	out := map[string]any{}
	for k, m := range b.members {
		out[k] = m.plain()
	}
	return out
}

// readQueryKeys reads the names of a tree's members: `filter[email][eq]=x` asks
// about email.
func (x *Exchange) readQueryKeys(r *ref, typ string) error {
	t, err := x.nestedQuery()
	if err != nil {
		return err
	}
	r.at.path.each(t, t.Member(doc.Root, r.at.name), func(n int) {
		if t.Nodes[n].Kind == doc.String {
			err = refuse("malformed", "An object of fields is expected.")
			return
		}
		i := 0
		for c := range t.Children(n) {
			name := t.Key(c)
			if t.Nodes[n].Kind == doc.Array {
				name = strconv.Itoa(i) // keys that are numbers alone
				i++
			}
			if err == nil && !contains(r.except, name) {
				err = x.readName(r, typ, name)
			}
		}
	})
	return err
}

// queryValues are the texts at an expression for a nested query.
func (x *Exchange) queryValues(e expr) []value {
	t, err := x.nestedQuery()
	if err != nil {
		return nil // refused when the query was checked
	}
	var vs []value
	e.path.each(t, t.Member(doc.Root, e.name), func(n int) {
		if t.Nodes[n].Kind == doc.String {
			vs = append(vs, value{-1, t.Text(n)})
		}
	})
	return vs
}
