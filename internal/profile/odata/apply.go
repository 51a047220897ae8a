package odata

import (
	"slices"
	"strings"
)

// apply reads transformations: filter, groupby and aggregate. Others aren't served.
func (o *options) apply(s string) error {
	if o.depth++; o.depth > maxExpand {
		return fail("$apply is nested too deeply.")
	}
	defer func() { o.depth-- }()
	steps, err := split(s, '/')
	if err != nil {
		return err
	}
	for _, step := range steps {
		name, inside, ok := call(step)
		if !ok {
			return fail("A transformation of $apply is not served.")
		}
		switch name {
		case "filter":
			err = o.expression(Filter, inside)
		case "groupby":
			err = o.groupby(inside)
		case "aggregate":
			err = o.aggregate(inside)
		default:
			err = fail("A transformation of $apply is not served: there are filter, groupby and aggregate.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groupby reads `(a,b/c)` and perhaps a transformation of each group.
func (o *options) groupby(s string) error {
	parts, err := split(s, ',')
	if err != nil {
		return err
	}
	_, inside, ok := call(parts[0])
	if !ok || len(parts) > 2 || !strings.HasPrefix(strings.Trim(parts[0], " "), "(") {
		return fail("groupby is written groupby((fields),aggregate(…)).")
	}
	o.q.Grouped = true
	for item := range strings.SplitSeq(inside, ",") {
		steps, err := names(strings.Trim(item, " "))
		if err != nil {
			return err
		}
		// A name that was made up before stands for what it was made of.
		p := &parser{q: o.q, role: Group}
		p.note(steps, false)
	}
	if len(parts) == 1 {
		return nil
	}
	return o.apply(strings.Trim(parts[1], " "))
}

// aggregate reads `$count as n,field with max as m`.
func (o *options) aggregate(s string) error {
	o.q.Grouped = true
	parts, err := split(s, ',')
	if err != nil {
		return err
	}
	for _, part := range parts {
		words := strings.Fields(part)
		switch {
		case len(words) == 3 && words[0] == "$count" && words[1] == "as":
			err = o.alias(words[2], Column{Public: true})
		case len(words) == 5 && words[1] == "with" && words[3] == "as":
			err = o.aggregated(words[0], words[2], words[4])
		default:
			err = fail("An aggregate is written `$count as name` or `field with max as name`.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *options) aggregated(field, method, alias string) error {
	if !slices.Contains([]string{"sum", "min", "max", "average", "countdistinct"}, method) {
		return fail("A method of aggregation is not served.")
	}
	steps, err := names(field)
	if err != nil {
		return err
	}
	c := Column{Path: steps}
	if known, ok := o.q.Columns[field]; ok {
		c = known
	}
	if c.Public {
		return o.alias(alias, c)
	}
	o.q.add(Ref{Role: Aggregate, From: c.From, Path: c.Path})
	if method == "countdistinct" {
		return o.alias(alias, Column{Public: true})
	}
	o.q.add(Ref{Role: Select, From: c.From, Path: c.Path})
	return o.alias(alias, c)
}

// alias notes the name of an aggregate, which no field may have that stands beside
// it in the answer.
func (o *options) alias(name string, c Column) error {
	if slices.ContainsFunc(o.q.Refs, func(r Ref) bool { return r.Role == Group && len(r.Path) == 1 && r.Path[0] == name }) {
		return fail("An alias has the name of a field that the answer is grouped by.")
	}
	return o.q.column(name, c)
}
