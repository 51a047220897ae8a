package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// classifyCall reads a remote call: its exact members, its name, its arguments.
func (x *Exchange) classifyCall() error {
	if len(x.req.Query) > 0 {
		return refuse("unknown_parameter", "A query parameter is not in the profile for this address.")
	}
	if x.tree == nil {
		if err := x.parseBody(x.tr.body); err != nil {
			return err
		}
	}
	if err := x.checkMembers(); err != nil {
		return err
	}
	full, c, err := x.findNamed()
	if err != nil {
		return err
	}
	if c == nil {
		return refuse("unknown_call", "This call is not in the profile %s.", x.p.Name)
	}
	x.Call, x.op = strings.TrimPrefix(full, "model."), &c.operation
	if x.op.deny != "" {
		return &Refusal{Reason: "denied", Text: x.op.deny, Status: x.op.status}
	}
	if err := x.bindArgs(c); err != nil {
		return err
	}
	return x.classifyOperation()
}

// findNamed finds the call that the request names.
func (x *Exchange) findNamed() (full string, c *call, err error) {
	if x.tr.method != nil {
		return x.findMethod()
	}
	name := x.tr.call.first(x.tree, doc.Root)
	if name < 0 || x.tree.Nodes[name].Kind != doc.String {
		return "", nil, refuse("malformed", "The call names no method.")
	}
	full = x.tree.Text(name)
	return full, x.p.findCall(full, x.vars), nil
}

func (x *Exchange) checkMembers() error {
	t := x.tree
	if t.Nodes[doc.Root].Kind == doc.Array {
		return refuse("malformed", "Several calls in one request are not served; send them one by one.")
	}
	if t.Nodes[doc.Root].Kind != doc.Object {
		return refuse("malformed", "The request body is not a JSON object.")
	}
	if x.tr.isXML() {
		return x.checkParams()
	}
	if len(x.tr.members) == 0 {
		return nil
	}
	n := 0
	for c := range t.Children(doc.Root) {
		if !contains(x.tr.members, t.Key(c)) {
			return refuse("malformed", "The call has a member that the profile does not list.")
		}
		n++
	}
	if n != len(x.tr.members) {
		return refuse("malformed", "The call lacks one of the members %s.", strings.Join(x.tr.members, ", "))
	}
	return nil
}

// bindArgs names the arguments.
func (x *Exchange) bindArgs(c *call) error {
	nodes, err := x.positional()
	if err != nil {
		return err
	}
	if x.op.pass && len(c.sig) == 0 && x.tr.named == nil {
		return nil
	}
	if len(nodes) > len(c.sig) && !c.pairs() && (!x.op.pass || len(c.sig) > 0) {
		return refuse("malformed", "The call has more arguments than the profile knows.")
	}
	x.args = make(map[string]int, len(c.sig))
	for i, name := range c.sig {
		x.args[name] = -1
		if i < len(nodes) {
			x.args[name] = nodes[i]
		}
	}
	if x.tr.named == nil {
		return nil
	}
	return x.bindNamed(c)
}

// positional lists the positional arguments, without the context.
func (x *Exchange) positional() ([]int, error) {
	if !x.tr.positional {
		return nil, nil
	}
	t := x.tree
	nodes, err := x.listed()
	if err != nil {
		return nil, err
	}
	if !x.tr.context || x.tr.named != nil || len(nodes) == 0 {
		return nodes, nil
	}
	last := nodes[len(nodes)-1]
	if t.Nodes[last].Kind == doc.Object {
		x.ctx, nodes = last, nodes[:len(nodes)-1]
	} else if !x.op.pass {
		return nil, refuse("malformed", "The last argument of the call is not its context.")
	}
	return nodes, nil
}

// listed are the arguments in the call's list, the context among them.
func (x *Exchange) listed() ([]int, error) {
	t := x.tree
	list := x.tr.args.first(t, doc.Root)
	if list < 0 || t.Nodes[list].Kind != doc.Array {
		return nil, refuse("malformed", "The call has no list of arguments.")
	}
	var nodes []int
	for n := range t.Children(list) {
		nodes = append(nodes, n)
	}
	if len(nodes) < x.tr.skip {
		return nil, refuse("malformed", "The call lacks what stands before its arguments.")
	}
	return nodes[x.tr.skip:], nil
}
