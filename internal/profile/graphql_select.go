package profile

import (
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// typeName is the field that holds the name of an object's type.
const typeName = "__typename"

// lookAround returns what stands under a name between a field and its records of a
// type; nil where the name is one of the records' own.
func (x *Exchange) lookAround(typ, name string) *aroundWord {
	ent := x.p.entityOf(typ)
	if ent == nil || x.rt == nil || x.rt.graphql == nil {
		return nil
	}
	if _, relates := x.p.relates(ent, name); relates || ent.exact[name] != nil {
		return nil
	}
	for i := range x.rt.graphql.around {
		w := &x.rt.graphql.around[i]
		word, ok := w.name.match(name)
		if ok && (!strings.EqualFold(w.name.variable, "type") || x.p.entityOf(word) == ent) {
			return w
		}
	}
	return nil
}

// relatedType is the type of the records that a field of a type holds; "" where it
// is no relation.
func (x *Exchange) relatedType(ent *entity, typ, name string) string {
	if ent == nil {
		return ""
	}
	related, ok := x.p.relates(ent, name)
	if ok && related == ownType {
		return typ
	}
	return related
}

// aggregated is the field of which an aggregate's name is made: of
// `sumAmountMicros` the part `micros` of `amount`, if the entity has that.
func (x *Exchange) aggregated(typ string, w *aroundWord, name string) resolved {
	word, _ := w.name.match(name)
	ent := x.p.entityOf(typ)
	for i, r := range word {
		if unicode.IsUpper(r) && ent.field(word) == nil {
			if fd := ent.field(word[:i]); fd != nil && fd.parts != nil {
				return x.p.resolve(typ, []string{word[:i], uncapital(word[i:])})
			}
		}
	}
	return x.p.resolve(typ, []string{word})
}

// fragmentType is the type of the profile that the innermost of a field's type
// conditions names; "" where none of them does.
func (x *Exchange) fragmentType(f *graphql.Field) string {
	for _, on := range slices.Backward(f.On) {
		if typ := x.typeNamed(on); typ != "" {
			return typ
		}
	}
	return ""
}

// typeNamed is the type of the profile that GraphQL calls so; "" without one.
func (x *Exchange) typeNamed(name string) string {
	for _, typ := range []string{name, uncapital(name)} {
		if x.p.types[typ] != nil {
			return typ
		}
	}
	return ""
}

// kindsOf lists a type of each entity that an object can be of where a field holds
// records of a type: that, and those of fragments.
func (x *Exchange) kindsOf(typ string, fields []*graphql.Field) []string {
	kinds := []string{typ}
	for _, f := range fields {
		kind := x.fragmentType(f)
		same := func(k string) bool { return x.p.entityOf(k) == x.p.entityOf(kind) }
		if kind != "" && !slices.ContainsFunc(kinds, same) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// readSelection notes what is asked for of records of a type. steps lead from these
// to an object that is a field of theirs.
func (x *Exchange) readSelection(typ string, steps []string, fields []*graphql.Field) error {
	if len(steps) == 0 && len(x.kindsOf(typ, fields)) > 1 &&
		!slices.ContainsFunc(fields, func(f *graphql.Field) bool { return f.Name == typeName }) {
		return refuse("malformed", "Where fragments are on other kinds of records than the profile knows there, __typename has to be asked for.")
	}
	for _, f := range fields {
		if f.Name == typeName {
			continue
		}
		if strings.HasPrefix(f.Name, "__") {
			return refuse("denied", "The field %s is not served here.", shortName(f.Name))
		}
		own := typ
		if on := x.fragmentType(f); on != "" && len(steps) == 0 {
			own = on
		}
		if err := x.readSelected(own, append(slices.Clip(steps), f.Name), f); err != nil {
			return err
		}
	}
	return nil
}

// readSelected notes one field that is asked for.
func (x *Exchange) readSelected(typ string, steps []string, f *graphql.Field) error {
	if len(steps) == 1 {
		if w := x.lookAround(typ, f.Name); w != nil {
			return x.readAround(typ, w, f)
		}
		ent := x.p.entityOf(typ)
		if related := x.relatedType(ent, typ, f.Name); related != "" {
			if err := x.readArguments(related, nil, f, nil); err != nil {
				return err
			}
			if len(f.Fields) > 0 {
				return x.readSelection(related, nil, f.Fields)
			}
		}
	}
	if err := x.readArguments(typ, steps, f, nil); err != nil {
		return err
	}
	if len(f.Fields) > 0 && !x.isValue(typ, steps) && !x.inNotations(f.Fields) {
		return x.readSelection(typ, steps, f.Fields)
	}
	if err := x.readBelow(typ, steps, f.Fields); err != nil {
		return err
	}
	return x.selectField(x.p.resolve(typ, steps))
}

// isValue reports whether the profile knows a field as one value: what is asked for
// below it (`Name { value }`) are forms of that.
func (x *Exchange) isValue(typ string, steps []string) bool {
	ent := x.p.entityOf(typ)
	if ent == nil {
		return false
	}
	fd := ent.field(steps[0])
	if fd != nil && len(steps) > 1 {
		fd = x.p.partOf(typ, steps[0], steps[1:])
	}
	return fd != nil && fd.parts == nil
}

// readBelow reads the arguments of forms of one value.
func (x *Exchange) readBelow(typ string, steps []string, fields []*graphql.Field) error {
	for _, f := range fields {
		if err := x.readArguments(typ, steps, f, nil); err != nil {
			return err
		}
		if err := x.readBelow(typ, steps, f.Fields); err != nil {
			return err
		}
	}
	return nil
}

// readAround reads what is asked for between a field and its records.
func (x *Exchange) readAround(typ string, w *aroundWord, f *graphql.Field) error {
	if err := x.readArguments(typ, nil, f, nil); err != nil {
		return err
	}
	switch w.kind {
	case aroundRecords:
		return x.readSelection(typ, nil, f.Fields)
	case aroundAggregates:
		return x.readAggregated(typ, f.Fields)
	case aroundAggregate:
		x.askAggregated(x.aggregated(typ, w, f.Name), true)
	case aroundCount:
		x.askAggregated(x.aggregated(typ, w, f.Name), false)
	}
	return x.readBelow(typ, nil, f.Fields)
}

// readAggregated reads an object in whose fields aggregates stand.
func (x *Exchange) readAggregated(typ string, fields []*graphql.Field) error {
	for _, f := range fields {
		w := x.lookAround(typ, f.Name)
		switch {
		case f.Name == typeName:
		case w != nil:
			if err := x.readAround(typ, w, f); err != nil {
				return err
			}
		default:
			if err := x.readBelow(typ, []string{f.Name}, []*graphql.Field{f}); err != nil {
				return err
			}
			x.askAggregated(x.p.resolve(typ, []string{f.Name}), true)
		}
	}
	return nil
}

// askAggregated notes an aggregate of a field: it asks about all values, and shows
// one of them or what was made of them.
func (x *Exchange) askAggregated(res resolved, shown bool) {
	if shown {
		x.addRef(access.Ref{Role: access.RefSelect, Entity: entityName(res.entity, res.typ), Field: res.name, Categories: res.field.categories})
	}
	x.ask(access.RefAggregate, res, "")
}
