package profile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// readArguments reads what a field's arguments ask of records of a type. steps lead
// from these to the field whose arguments they are, where it is one of theirs.
func (x *Exchange) readArguments(typ string, steps []string, f *graphql.Field, own [][]string) error {
	if f.Args < 0 {
		return nil
	}
	for c := range x.tree.Children(x.tree.Element(doc.Root, f.Args)) {
		if err := x.readArgument(typ, steps, []string{x.tree.Key(c)}, c, own); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readArgument(typ string, steps, path []string, node int, own [][]string) error {
	for i := range x.rt.graphql.arguments {
		if a := &x.rt.graphql.arguments[i]; slices.Equal(a.path, path) {
			return x.readRole(typ, steps, a.role, path[len(path)-1], node)
		}
	}
	begins := func(p []string) bool { return len(p) > len(path) && slices.Equal(p[:len(path)], path) }
	switch {
	case slices.ContainsFunc(own, func(p []string) bool { return slices.Equal(p, path) }):
		return nil
	case slices.ContainsFunc(own, begins), slices.ContainsFunc(x.rt.graphql.arguments, func(a graphqlArgument) bool { return begins(a.path) }):
		if in, ok := x.argumentsIn(node, path); ok {
			for _, a := range in {
				if err := x.readArgument(typ, steps, a.path, a.node, own); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return refuse("unknown_parameter", "The argument %s of the query is not in the profile %s.", shortName(strings.Join(path, ".")), x.p.Name)
}

// argumentIn is an argument, or a member of one, and the way to it.
type argumentIn struct {
	path []string
	node int
}

// argumentsIn are the members of an argument, or those of each object in a list of
// them; false for what is neither.
func (x *Exchange) argumentsIn(node int, path []string) ([]argumentIn, bool) {
	t := x.tree
	var in []argumentIn
	if isContainer(t, node) && t.First(node) < 0 || t.Nodes[node].Kind == doc.Null {
		return nil, true // to PHP an empty list is an empty object
	}
	for c := range t.Children(node) {
		if t.Nodes[node].Kind == doc.Array {
			in = append(in, argumentIn{path, c})
		} else {
			in = append(in, argumentIn{append(slices.Clip(path), t.Key(c)), c})
		}
	}
	return in, isContainer(t, node)
}

// readRole reads one argument in its role.
func (x *Exchange) readRole(typ string, steps []string, role, name string, node int) error {
	switch {
	case role == argumentNone, x.tree.Nodes[node].Kind == doc.Null:
		return nil
	case role == string(access.RefSearch):
		if x.tree.Nodes[node].Kind != doc.String || x.tree.Text(node) != "" {
			x.ask(access.RefSearch, x.p.resolve(typ, []string{name}), "")
		}
		return nil
	}
	if of, ok := strings.CutSuffix(role, byNames); ok {
		return x.readNames(typ, access.RefRole(of), node)
	}
	in := &graphqlInput{x: x, role: access.RefRole(role)}
	return in.read(typ, steps, node, 0)
}

// graphqlInput reads an argument whose members are fields: `{and: [{name: {like:
// "x"}}]}`, `[{name: ASC}]`, `[NAME_ASC]`. Whatever else is there is refused: the
// service could read it as a question about a field.
type graphqlInput struct {
	x    *Exchange
	role access.RefRole
}

func (in *graphqlInput) read(typ string, steps []string, node, depth int) error {
	t := in.x.tree
	if depth > maxDomainDepth {
		return refuse("malformed", "An argument is nested too deeply.")
	}
	if t.Nodes[node].Kind == doc.Null || isContainer(t, node) && t.First(node) < 0 {
		return in.compared(typ, steps)
	}
	for c := range t.Children(node) {
		err := error(nil)
		if t.Nodes[node].Kind == doc.Array {
			err = in.read(typ, steps, c, depth+1)
		} else {
			err = in.member(typ, steps, c, depth)
		}
		if err != nil {
			return err
		}
	}
	if isContainer(t, node) {
		return nil
	}
	return in.scalar(typ, steps, node)
}

// scalar reads what a field is compared with, or the name of one.
func (in *graphqlInput) scalar(typ string, steps []string, node int) error {
	t := in.x.tree
	if len(steps) > 0 {
		return in.compared(typ, steps)
	}
	if t.Nodes[node].Kind != doc.String || in.role == access.RefFilter {
		return refuse("malformed", "An argument (%s) is no object of fields.", in.role)
	}
	if t.Text(node) == "" {
		return nil // the service's own order
	}
	return in.named(typ, t.Text(node))
}

// compared asks about the field to which the steps lead.
func (in *graphqlInput) compared(typ string, steps []string) error {
	if len(steps) == 0 {
		return nil
	}
	return in.ask(typ, steps)
}

func (in *graphqlInput) ask(typ string, steps []string) error {
	res := in.x.p.resolve(typ, steps)
	if in.role == access.RefSelect {
		return in.x.selectField(res)
	}
	in.x.ask(in.role, res, "")
	return nil
}

// member reads a member of an object: a group, a field, or below a field what it is
// compared with.
func (in *graphqlInput) member(typ string, steps []string, node, depth int) error {
	x, g, name := in.x, in.x.rt.graphql, in.x.tree.Key(node)
	ent := x.p.entityOf(typ)
	if contains(g.groups, name) {
		return in.read(typ, steps, node, depth+1)
	}
	if len(steps) > 0 {
		return in.below(typ, steps, name, node, depth)
	}
	if related := x.relatedType(ent, typ, name); related != "" {
		if isContainer(x.tree, node) && !in.operates(node) {
			return in.read(related, nil, node, depth+1)
		}
		return in.ask(typ, []string{name})
	}
	return in.read(typ, []string{name}, node, depth+1)
}

// operates reports whether all members of an object are operators.
func (in *graphqlInput) operates(node int) bool {
	t := in.x.tree
	for c := range t.Children(node) {
		if t.Nodes[node].Kind != doc.Object || !contains(in.x.rt.graphql.operators, t.Key(c)) {
			return false
		}
	}
	return t.First(node) >= 0
}

// below reads a member below a field: one of its parts, or an operator.
func (in *graphqlInput) below(typ string, steps []string, name string, node, depth int) error {
	x := in.x
	ent := x.p.entityOf(typ)
	var fd *field
	if ent != nil {
		fd = ent.field(steps[0])
	}
	if fd != nil && len(steps) > 1 {
		fd = x.p.partOf(typ, steps[0], steps[1:])
	}
	switch {
	case fd == nil:
		return in.ask(typ, steps) // unclassified as a whole, whatever is below it
	case fd.parts != nil && (fd.parts.field(name) != nil || !contains(x.rt.graphql.operators, name)):
		return in.read(typ, append(slices.Clip(steps), name), node, depth+1)
	case contains(x.rt.graphql.operators, name):
		return in.ask(typ, steps)
	}
	return refuse("malformed", "The operator %s in an argument is not in the profile %s.", shortName(name), x.p.Name)
}

// A name in capitals holds its direction; one in small letters could be a field's that
// ends so.
var directed = regexp.MustCompile(`^(?:([A-Z0-9_]+?)(?:_(?:ASC|DESC)(?:_NULLS_(?:FIRST|LAST))?)?|([A-Za-z0-9_.]+)(?:[ :](?i:asc|desc)(?: (?i:nulls (?:first|last)))?)?)$`)

// named reads a text that names a field, in an order with its direction: `name`,
// `name desc`, `BIRTH_DATE_ASC`.
func (in *graphqlInput) named(typ, text string) error {
	m := directed.FindStringSubmatch(text)
	if m == nil {
		return refuse("malformed", "An argument (%s) names no field.", in.role)
	}
	name := m[1] + m[2]
	ent := in.x.p.entityOf(typ)
	if strings.ToUpper(name) == name && (ent == nil || ent.exact[name] == nil) {
		name = camel(name)
	}
	return in.ask(typ, strings.Split(name, "."))
}

// camel makes `birthDate` of BIRTH_DATE.
func camel(constant string) string {
	words := strings.Split(strings.ToLower(constant), "_")
	for i, w := range words {
		if i > 0 && w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// byNames says, behind a role, that an argument holds names of fields.
const byNames = " names"

// readNames reads the name of a field, or a list of them: `{column: "email", value: "x"}`.
func (x *Exchange) readNames(typ string, role access.RefRole, node int) error {
	if x.tree.Nodes[node].Kind == doc.Array {
		for c := range x.tree.Children(node) {
			if err := x.readNames(typ, role, c); err != nil {
				return err
			}
		}
		return nil
	}
	if x.tree.Nodes[node].Kind != doc.String {
		return refuse("malformed", "An argument (%s) names no field.", role)
	}
	return x.readName(&ref{role: role, separator: "."}, typ, x.tree.Text(node))
}
