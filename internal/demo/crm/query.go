package crm

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

const (
	pageSize = 20
	limitMax = 500
)

// query is what a list is asked for.
type query struct {
	q             string
	sort          string // field name
	descending    bool
	limit, offset int
	page          int      // from 1; 0 where offset says it
	only          []string // nil: all fields
	in            []string // the fields that q looks into
	filter        map[string]string
}

// parseQuery reads the parameters of a list. What it doesn't know it refuses:
// a filter that is misspelt must not list everybody.
func parseQuery(sc *schema, v url.Values) (query, *problem) {
	q := query{limit: pageSize, sort: "id", in: sc.searched, filter: make(map[string]string)}
	for name := range v {
		if p := q.parameter(sc, name, v.Get(name)); p != nil {
			return query{}, p
		}
	}
	if q.page > 0 {
		q.offset = (q.page - 1) * q.limit
	}
	return q, nil
}

func (q *query) parameter(sc *schema, name, value string) *problem {
	bad := &problem{status: 400, field: name, text: "parameter " + name + " '" + value + "' is not valid"}
	switch name {
	case "q":
		q.q = value
	case "sort":
		field, descending := strings.CutPrefix(value, "-")
		if _, ok := sc.field(field); !ok {
			return bad
		}
		q.sort, q.descending = field, descending
	case "in":
		q.in = strings.Split(value, ",")
		for _, f := range q.in {
			if !slices.Contains(sc.searched, f) {
				return bad
			}
		}
	case "limit", "offset", "page":
		return q.paging(name, value, bad)
	case "fields":
		q.only = strings.Split(value, ",")
		for _, f := range q.only {
			if _, ok := sc.field(f); !ok && (sc.name != "lead" || f != "contact") {
				return bad
			}
		}
	default:
		if _, ok := sc.field(name); !ok {
			return bad
		}
		q.filter[name] = value
	}
	return nil
}

func (q *query) paging(name, value string, bad *problem) *problem {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0 || n > 1_000_000 || name != "offset" && n == 0:
		return bad
	case name == "limit":
		q.limit = min(n, limitMax)
	case name == "offset":
		q.offset = n
	default:
		q.page = n
	}
	return nil
}

// run returns the page of records that was asked for, and how many match.
func (q *query) run(sc *schema, records []Record) (page []Record, total int) {
	records = slices.DeleteFunc(records, func(r Record) bool { return !q.matches(sc, r) })
	order := collate.New(language.German)
	slices.SortStableFunc(records, func(a, b Record) int {
		n := compare(order, a[q.sort], b[q.sort])
		if q.descending {
			return -n
		}
		return n
	})
	total = len(records)
	from := min(q.offset, total)
	return records[from:min(from+q.limit, total)], total
}

func (q *query) matches(sc *schema, r Record) bool {
	for name, want := range q.filter {
		if !strings.EqualFold(shown(r[name]), want) {
			return false
		}
	}
	if q.q == "" {
		return true
	}
	needle := strings.ToLower(q.q)
	return slices.ContainsFunc(q.in, func(name string) bool {
		return strings.Contains(strings.ToLower(r.text(name)), needle)
	})
}

func compare(order *collate.Collator, a, b any) int {
	switch x := a.(type) {
	case float64:
		y, _ := b.(float64)
		return cmp.Compare(x, y)
	case int:
		y, _ := b.(int)
		return x - y
	}
	return order.CompareString(shown(a), shown(b))
}

// shown is a value as filters and forms write it.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
