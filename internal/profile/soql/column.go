package soql

import (
	"strconv"
	"strings"
)

// row collects the columns of one level.
type row struct {
	s     *scope
	level *Level
	taken map[string]bool
	all   bool
	clash bool
	// unnamed are the functions without an alias; of some it isn't known whether they
	// count.
	unnamed   []Column
	ambiguous bool
}

// add adds a column.
func (r *row) add(it *item, c Column) {
	switch {
	case it.alias != "":
		r.clash = r.clash || r.all
		r.take(it.alias, c)
	case it.plain && r.level.Grouped:
		path := it.paths[0]
		r.take(path[len(path)-1], c)
	case it.plain:
		r.mark(it.paths[0])
	case len(it.paths) == 0: // COUNT()
	default:
		r.unnamed = append(r.unnamed, c)
		if !it.rendered {
			return
		}
		// It could stand under the field's name as well.
		r.ambiguous = true
		if path := it.paths[0]; r.level.Grouped {
			r.take(path[len(path)-1], c)
		} else {
			r.mark(path)
		}
	}
}

// take gives a name to a column.
func (r *row) take(name string, c Column) {
	name = strings.ToLower(name)
	_, twice := r.level.Columns[name]
	r.clash = r.clash || twice || r.taken[name] || isExpression(name)
	r.level.Columns[name] = c
}

// mark keeps a name for the field that it is, with or without what leads to it.
func (r *row) mark(path []string) {
	for _, name := range []string{path[0], path[len(path)-1]} {
		name = strings.ToLower(name)
		_, made := r.level.Columns[name]
		r.clash = r.clash || made
		r.taken[name] = true
	}
}

// isExpression reports whether a name is one that the service makes up.
func isExpression(name string) bool {
	digits, ok := strings.CutPrefix(name, "expr")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// expressions names the functions without an alias: expr0, expr1 and so on. Where
// one of them could stand under another name, each can hold what all of them can.
func (r *row) expressions() {
	for i, c := range r.unnamed {
		if r.ambiguous {
			c = Column{}
			for _, u := range r.unnamed {
				c.Fields = append(c.Fields, u.Fields...)
			}
		}
		r.level.Columns["expr"+strconv.Itoa(i)] = c
	}
}
