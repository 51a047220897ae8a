package graphql

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Variables returns the raw JSON of a variable and where it stands in the request's
// body (-1 for elsewhere); false where the request has none of that name.
type Variables func(name string) (raw []byte, at int, ok bool)

// Arguments are the arguments of an operation's fields.
type Arguments struct {
	// JSON is a list of objects, one a field that has arguments, with variables
	// filled in.
	JSON []byte
	// Copies are the values of variables in it, in their order.
	Copies []Copy
}

// Copy is a value of a variable, byte for byte as in the request's body.
type Copy struct {
	// At is where it stands in the arguments, From in the body (-1 for elsewhere).
	At, From, Len int
}

// values writes arguments as JSON.
type values struct {
	out       bytes.Buffer
	copies    []Copy
	count     int
	variables Variables
	defaults  map[string]*ast.Value // nil for none
}

func (v *values) open(variables Variables) {
	v.variables = variables
	v.out.WriteByte('[')
}

func (v *values) close() Arguments {
	v.out.WriteByte(']')
	return Arguments{JSON: v.out.Bytes(), Copies: v.copies}
}

// define notes the variables that an operation declares.
func (v *values) define(list ast.VariableDefinitionList) error {
	v.defaults = map[string]*ast.Value{}
	for _, d := range list {
		if _, twice := v.defaults[d.Variable]; twice || len(d.Directives) > 0 {
			return fail("The variable $%s is declared twice, or with a directive.", d.Variable)
		}
		v.defaults[d.Variable] = d.DefaultValue
	}
	return nil
}

// arguments writes those of one field and returns their place. One that is a
// variable without a value isn't there.
func (v *values) arguments(field string, list ast.ArgumentList) (int, error) {
	if len(list) == 0 {
		return -1, nil
	}
	if v.count > 0 {
		v.out.WriteByte(',')
	}
	names := make([]string, 0, len(list))
	members := make(ast.ChildValueList, 0, len(list))
	for _, a := range list {
		if slices.Contains(names, a.Name) {
			return 0, fail("The argument %s of %s stands twice.", a.Name, field)
		}
		names = append(names, a.Name)
		members = append(members, &ast.ChildValue{Name: a.Name, Value: a.Value})
	}
	if err := v.object(members); err != nil {
		return 0, err
	}
	v.count++
	return v.count - 1, nil
}

func (v *values) object(members ast.ChildValueList) error {
	v.out.WriteByte('{')
	seen := map[string]bool{}
	written := false
	for _, m := range members {
		if seen[m.Name] {
			return fail("The member %s of an argument stands twice.", m.Name)
		}
		seen[m.Name] = true
		if there, err := v.there(m.Value); err != nil || !there {
			if err != nil {
				return err
			}
			continue
		}
		if written {
			v.out.WriteByte(',')
		}
		written = true
		if err := v.json(m.Name); err != nil {
			return err
		}
		v.out.WriteByte(':')
		if err := v.value(m.Value); err != nil {
			return err
		}
	}
	v.out.WriteByte('}')
	return nil
}

// there reports whether a value is one: a variable without a value isn't.
func (v *values) there(x *ast.Value) (bool, error) {
	if x.Kind != ast.Variable {
		return true, nil
	}
	byDefault, declared := v.defaults[x.Raw]
	if !declared {
		return false, fail("The variable $%s isn't declared.", x.Raw)
	}
	_, _, given := v.variables(x.Raw)
	return given || byDefault != nil, nil
}

func (v *values) value(x *ast.Value) error {
	if v.out.Len() > maxArguments {
		return fail("The arguments are too long.")
	}
	switch x.Kind {
	case ast.Variable:
		return v.variable(x)
	case ast.ObjectValue:
		return v.object(x.Children)
	case ast.ListValue:
		v.out.WriteByte('[')
		for i, c := range x.Children {
			if i > 0 {
				v.out.WriteByte(',')
			}
			if err := v.value(c.Value); err != nil {
				return err
			}
		}
		v.out.WriteByte(']')
		return nil
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return v.json(x.Raw)
	case ast.IntValue, ast.FloatValue, ast.BooleanValue, ast.NullValue:
		if !json.Valid([]byte(x.Raw)) {
			return fail("A number in an argument isn't one.")
		}
		v.out.WriteString(x.Raw)
		return nil
	}
	return fail("A value of an argument isn't served.")
}

func (v *values) variable(x *ast.Value) error {
	there, err := v.there(x)
	if err != nil {
		return err
	}
	raw, at, given := v.variables(x.Raw)
	switch {
	case !there:
		v.out.WriteString("null") // an element of a list
	case !given:
		return v.value(v.defaults[x.Raw])
	case v.out.Len()+len(raw) > maxArguments:
		return fail("The arguments are too long.")
	default:
		v.copies = append(v.copies, Copy{At: v.out.Len(), From: at, Len: len(raw)})
		v.out.Write(raw)
	}
	return nil
}

func (v *values) json(text string) error {
	raw, err := json.Marshal(text)
	if err != nil {
		return fail("A text in an argument isn't one.")
	}
	v.out.Write(raw)
	return nil
}
