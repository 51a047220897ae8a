package profile

import (
	"maps"
	"slices"
	"strings"
)

// nameForm is a form of names in a request: "`tab{type}`.`{field}`".
type nameForm struct {
	parts []string // texts and, between them, variables
	to    string
}

// fieldVar and typeVar are what a form of names may hold.
const fieldVar, typeVar = "{field}", "{type}"

// nameForms compiles the entries of a map that hold variables.
func (c *compiler) nameForms(where string, names map[string]string) []nameForm {
	var forms []nameForm
	for _, from := range slices.Sorted(maps.Keys(names)) {
		to := names[from]
		if !strings.Contains(from, "{") && !strings.Contains(to, "{") {
			continue
		}
		form := nameForm{to: to}
		for rest := from; rest != ""; {
			at := strings.IndexByte(rest, '{')
			if at < 0 {
				at = len(rest)
			}
			if at > 0 {
				form.parts = append(form.parts, rest[:at])
			}
			if rest = rest[at:]; rest != "" {
				word, after, _ := strings.Cut(rest, "}")
				form.parts, rest = append(form.parts, word+"}"), after
			}
		}
		vars := slices.DeleteFunc(slices.Clone(form.parts), func(p string) bool { return !strings.HasPrefix(p, "{") })
		slices.Sort(vars)
		apart := !strings.Contains(from, "}{")
		if !apart || strings.Count(to, fieldVar) != 1 || strings.Contains(strings.ReplaceAll(to, fieldVar, ""), "{") ||
			!slices.Equal(vars, []string{fieldVar}) && !slices.Equal(vars, []string{fieldVar, typeVar}) {
			c.fail(where, "map: %q: %q: a form of names has one {field}, and a {type} where it names the type, with text between them; the field is {field}, too: `\"t.{field}\": \"{field}\"`", from, to)
			continue
		}
		forms = append(forms, form)
	}
	return forms
}

// read returns the type, "" where the form has none, and the field in a name.
func (f *nameForm) read(name string) (typ, field string, ok bool) {
	for i, part := range f.parts {
		if !strings.HasPrefix(part, "{") {
			if name, ok = strings.CutPrefix(name, part); !ok {
				return "", "", false
			}
			continue
		}
		value := name
		if i+1 < len(f.parts) {
			if value, _, ok = strings.Cut(name, f.parts[i+1]); !ok {
				return "", "", false
			}
		}
		if value == "" {
			return "", "", false
		}
		if part == typeVar {
			typ = value
		} else {
			field = value
		}
		name = name[len(value):]
	}
	return typ, strings.ReplaceAll(f.to, fieldVar, field), name == ""
}

// mapped is the profile's name for one of the request's, and its type; false where
// there is none.
func (r *ref) mapped(typ, name string) (string, string, bool) {
	if r.names == nil {
		return typ, name, true
	}
	if to, ok := r.names[name]; ok {
		return typ, to, true
	}
	for i := range r.forms {
		if of, to, ok := r.forms[i].read(name); ok {
			if of != "" {
				typ = of
			}
			return typ, to, true
		}
	}
	return typ, name, r.names["*"] == "*"
}

// readMappedOrder reads an order whose names are translated: `t.lastname ASC, t.id`.
func (x *Exchange) readMappedOrder(r *ref, typ string, v value) error {
	if v.node >= 0 && x.isNothing(v.node) {
		return nil
	}
	for part := range strings.SplitSeq(x.textOf(v), ",") {
		words := strings.Fields(part)
		if len(words) == 0 {
			return refuse("malformed", "An order has a part without a name.")
		}
		last := len(words)
		for n := 3; n > 0 && last == len(words); n-- { // "desc nulls last", "nulls last", "desc"
			if len(words) > n && isDirection(words[len(words)-n:]) {
				last -= n
			}
		}
		name := strings.Join(words[:last], " ")
		if len(words) == 1 {
			name = orderWords(name)[0]
		}
		if err := x.readName(r, typ, name); err != nil {
			return err
		}
	}
	return nil
}
