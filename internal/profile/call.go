package profile

import (
	"fmt"
	"strings"
)

type route struct {
	way *way // what is read of the body
	operation
	name    string
	pattern pattern
	body    string
	typ     string
	form    formSpec
	media   []string
	csv     csvSpec
	// namespaces are those that an XML answer's names are told apart by, and fault
	// is where it holds an error instead.
	namespaces map[string]string
	fault      path
	soap       *soapCall
	// odata is how the address is read, and odataRecord the parameter of a function
	// that names a record.
	odata, odataRecord string
	// odataTwo says that it is OData v2's.
	odataTwo bool
	graphql  *graphqlRoute
	batch    *batchRoute
	// shapes are the forms of refusals at this address; nil for the profile's.
	shapes *Shapes
	// prefix and callback are what may stand around a JSON answer.
	prefix, callback string
	events           []string
	query            []string
	types            []glob
	upgrade          bool
	// nested are the parameters that stand as trees in a nested query.
	nested  []string
	members []string
	// when are the values that tell routes of one address apart.
	when []condition
	// number is the route's place among all.
	number int
	// gives are the handles in its answers, and continues those in its requests; one
	// with optional leaves unknown ones to the routes behind, and one that describes
	// says itself how its answer is read.
	gives               []gives
	continues           []continued
	optional, describes bool
}

type call struct {
	operation
	name  callName
	sig   []string
	named []string // arguments that come by name alone
}

// callName is a pattern for the names of calls: a glob, with one variable for
// what follows its last literal part: `*.on_change_with_{field}`.
type callName struct {
	glob    glob
	literal string // before the variable
	bind    string // the variable's name, "" without one
}

func parseCallName(s string) (callName, error) {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		return callName{glob: glob(s)}, nil
	}
	if !strings.HasSuffix(s, "}") || strings.Count(s, "{") != 1 {
		return callName{}, fmt.Errorf("call %q: one variable, at the end", s)
	}
	head := s[:open]
	literal := head[strings.LastIndexByte(head, '*')+1:]
	if literal == "" {
		return callName{}, fmt.Errorf("call %q: something literal has to stand before the variable", s)
	}
	return callName{glob: glob(head + "*"), literal: literal, bind: s[open+1 : len(s)-1]}, nil
}

// match reports whether the name fits and binds the variable.
func (c *callName) match(name string, vars map[string]string) bool {
	if !c.glob.match(name) {
		return false
	}
	if c.bind != "" {
		vars[c.bind] = name[strings.LastIndex(name, c.literal)+len(c.literal):]
	}
	return true
}

// pairs reports whether ids and values repeat in the call's arguments.
func (c *call) pairs() bool { return c.write != nil && c.write.pairs }

// findCall returns the call of that name and binds {kind}, {type} and {method}:
// "model.party.party.read" is the method read of the type party.party.
func (p *Profile) findCall(name string, vars map[string]string) *call {
	if kind, rest, ok := strings.Cut(name, "."); ok {
		vars["kind"] = kind
		if j := strings.LastIndexByte(rest, '.'); j > 0 {
			vars["type"], vars["method"] = rest[:j], rest[j+1:]
		}
	}
	return p.callNamed(name, vars)
}

// callNamed returns the first call that fits a name and the type in vars.
func (p *Profile) callNamed(name string, vars map[string]string) *call {
	for _, c := range p.calls {
		if len(c.types) > 0 && !matchAny(c.types, vars["type"]) {
			continue
		}
		if c.name.match(name, vars) {
			return c
		}
	}
	return nil
}
