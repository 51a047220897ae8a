package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/profile/soql"
)

// ownColumn is the column of a header that has the names of fields, or those that the
// query made up.
func (f *finder) ownColumn(heading, typ string, ent *entity) (name string, ok bool) {
	isID := ent != nil && ent.isID(heading)
	if f.x.asks != nil {
		level := f.x.asks.Level("")
		if level == nil {
			return "", false
		}
		if _, made := level.Columns[strings.ToLower(heading)]; made {
			if isID {
				return "", false // called as the id is, it is another value
			}
			return heading, true
		}
	}
	if isID {
		return ent.id, true
	}
	steps := strings.Split(heading, ".")
	if f.x.asks == nil {
		return heading, listed(f.x.p.resolve(typ, steps))
	}
	return heading, listed(f.x.languageField(f.askedField(steps)))
}

// listed reports whether a name is that of a field which the profile lists, or of a
// relation.
func listed(res resolved) bool {
	return res.entity != nil && (res.related != "" || res.entity.isID(res.name) || res.entity.field(res.name) != nil)
}

// askedField is the field that a name leads to from what the query is about.
func (f *finder) askedField(steps []string) soql.Field {
	return soql.Field{From: f.x.asks.Objects[0], Path: steps}
}

// queryColumn finds the value of a column of a query's answer.
func (f *finder) queryColumn(node, rec int, ent *entity, name string) {
	if level := f.x.asks.Level(""); level != nil && f.namedColumn(level, name, node, rec, ent) {
		return
	}
	f.columnField(f.x.languageField(f.askedField(strings.Split(name, "."))), node, rec, name)
}
