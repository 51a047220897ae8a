// Package graphql reads what requests of GraphQL ask for: the operation that a
// document means, its fields with fragments spread out, and their arguments with
// variables filled in. It knows no CRM and no schema: it yields names, and who calls
// it knows what they are.
//
// The reading is strict. What a service could read in another way, or answer in
// another form, is refused.
package graphql

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Limits of one document: its tokens, its fields once fragments are spread out, how
// deep they nest, and the bytes of their arguments.
const (
	maxTokens    = 20_000
	maxFields    = 5_000
	maxDepth     = 24
	maxArguments = 8 << 20
)

// SyntaxError says what isn't served. Its text names fields, arguments and
// directives, and quotes no values.
type SyntaxError struct{ Text string }

func (e *SyntaxError) Error() string { return e.Text }

func fail(format string, args ...any) error {
	for i, a := range args {
		if name, ok := a.(string); ok {
			args[i] = clip(name)
		}
	}
	return &SyntaxError{Text: fmt.Sprintf(format, args...)}
}

// clip bounds a name in a message.
func clip(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

// Operation is the one that a request has executed.
type Operation struct {
	Mutation bool
	Fields   []*Field
	// Arguments are those of all fields.
	Arguments Arguments
}

// Field is a field that is asked for.
type Field struct {
	// Key is its name in the answer, Name in the service's schema.
	Key, Name string
	// On are the type conditions of the fragments in which it stands, the outermost
	// first.
	On []string
	// Args is the element of Arguments.JSON that holds its arguments, -1 without any.
	Args int
	// Fields are those that are asked for below it.
	Fields []*Field
}

// Parse reads a document. operation names the one that is executed, "" for the only
// one. Errors are *SyntaxError.
func Parse(text, operation string, variables Variables) (*Operation, error) {
	d, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		// The parser's own message can quote what it stumbled over.
		return nil, fail("The text of the query is no GraphQL, or too long.")
	}
	op, err := choose(d, operation)
	if err != nil {
		return nil, err
	}
	r := &reader{fragments: map[string]*ast.FragmentDefinition{}}
	for _, f := range d.Fragments {
		if r.fragments[f.Name] != nil || len(f.VariableDefinition) > 0 {
			return nil, fail("The fragment %s stands twice, or has variables.", f.Name)
		}
		r.fragments[f.Name] = f
	}
	if err := directives(op.Directives); err != nil {
		return nil, err
	}
	r.values.open(variables)
	if err := r.values.define(op.VariableDefinitions); err != nil {
		return nil, err
	}
	fields, err := r.spread(op.SelectionSet, nil, 0)
	if err != nil {
		return nil, err
	}
	return &Operation{Mutation: op.Operation == ast.Mutation, Fields: fields, Arguments: r.values.close()}, nil
}

// choose returns the operation that is executed. Where that can't be told, the
// service would refuse the request, or not.
func choose(d *ast.QueryDocument, name string) (*ast.OperationDefinition, error) {
	var found *ast.OperationDefinition
	for i, op := range d.Operations {
		same := func(o *ast.OperationDefinition) bool { return o.Name == op.Name }
		if slices.ContainsFunc(d.Operations[:i], same) || op.Name == "" && len(d.Operations) > 1 {
			return nil, fail("Several operations share a name, or have none.")
		}
		if name == "" || op.Name == name {
			found = op
		}
	}
	switch {
	case found == nil:
		return nil, fail("The query holds no operation of the name that is given.")
	case name == "" && len(d.Operations) > 1:
		return nil, fail("Of several operations none is named by operationName.")
	case found.Operation == ast.Subscription:
		return nil, fail("Subscriptions aren't served.")
	}
	return found, nil
}

// reader spreads fragments out.
type reader struct {
	fragments map[string]*ast.FragmentDefinition
	values    values
	fields    int
	spreading []string // fragments that are being spread
}

func (r *reader) spread(set ast.SelectionSet, on []string, depth int) ([]*Field, error) {
	if depth > maxDepth {
		return nil, fail("The query nests too deeply.")
	}
	var out []*Field
	for _, s := range set {
		var in []*Field
		var err error
		switch s := s.(type) {
		case *ast.Field:
			in, err = r.field(s, on, depth)
		case *ast.InlineFragment:
			in, err = r.fragment(s.Directives, s.TypeCondition, s.SelectionSet, on, depth)
		case *ast.FragmentSpread:
			in, err = r.named(s, on, depth)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, in...)
	}
	return out, nil
}

func (r *reader) field(f *ast.Field, on []string, depth int) ([]*Field, error) {
	if r.fields++; r.fields > maxFields {
		return nil, fail("The query asks for too many fields.")
	}
	if err := directives(f.Directives); err != nil {
		return nil, err
	}
	args, err := r.values.arguments(f.Name, f.Arguments)
	if err != nil {
		return nil, err
	}
	below, err := r.spread(f.SelectionSet, nil, depth+1)
	if err != nil {
		return nil, err
	}
	return []*Field{{Key: f.Alias, Name: f.Name, On: on, Args: args, Fields: below}}, nil
}

func (r *reader) fragment(d ast.DirectiveList, on string, set ast.SelectionSet, around []string, depth int) ([]*Field, error) {
	if err := directives(d); err != nil {
		return nil, err
	}
	if on != "" && !slices.Contains(around, on) {
		around = append(slices.Clip(around), on)
	}
	return r.spread(set, around, depth+1)
}

func (r *reader) named(s *ast.FragmentSpread, on []string, depth int) ([]*Field, error) {
	f := r.fragments[s.Name]
	if f == nil || slices.Contains(r.spreading, s.Name) {
		return nil, fail("The fragment %s isn't there, or holds itself.", s.Name)
	}
	if err := directives(s.Directives); err != nil {
		return nil, err
	}
	r.spreading = append(r.spreading, s.Name)
	defer func() { r.spreading = r.spreading[:len(r.spreading)-1] }()
	return r.fragment(f.Directives, f.TypeCondition, f.SelectionSet, on, depth)
}

// directives takes @include and @skip, whatever their condition: what they leave out
// is judged as if it were there. Others change what the answer is, or its form
// (@defer, @stream).
func directives(list ast.DirectiveList) error {
	for _, d := range list {
		if d.Name != "include" && d.Name != "skip" {
			return fail("The directive @%s isn't served.", d.Name)
		}
	}
	return nil
}
