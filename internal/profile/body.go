package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// checkBody refuses members of the body that the route doesn't list: a CRM may
// understand ones that the profile doesn't.
func (x *Exchange) checkBody() error {
	if x.tree != nil && x.rt.members == nil && x.rt.form.Members != nil {
		return x.checkBeside(doc.Root, x.rt.way, "")
	}
	if x.rt.members == nil || x.tree == nil {
		return nil
	}
	if x.tree.Nodes[doc.Root].Kind != doc.Object {
		return refuse("malformed", "The request body is not a JSON object.")
	}
	for c := range x.tree.Children(doc.Root) {
		if !x.isListed(c, x.tree.Key(c)) {
			return refuse("unknown_parameter", "A member of the request's body is not in the profile for this address.")
		}
	}
	return x.checkBeside(doc.Root, x.rt.way, "")
}

// isListed reports whether the route lists a member, or all members of it.
func (x *Exchange) isListed(node int, name string) bool {
	if contains(x.rt.members, name) || contains(x.rt.members, "*") {
		return true
	}
	within := slices.ContainsFunc(x.rt.members, func(m string) bool { return strings.HasPrefix(m, name+".") })
	if !within || x.tree.Nodes[node].Kind != doc.Object {
		return false
	}
	for c := range x.tree.Children(node) {
		if !contains(x.rt.members, name+"."+x.tree.Key(c)) {
			return false
		}
	}
	return true
}
