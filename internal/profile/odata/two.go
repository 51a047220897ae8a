package odata

import (
	"regexp"
	"strings"
)

// ParseQueryV2 reads the query options of a request of OData v2.
func ParseQueryV2(params []Param) (*Query, error) { return parseQuery(params, true) }

// ParsePathV2 reads a resource path of OData v2: `Contacts('7')/Account`.
func ParsePathV2(path string) (*Resource, error) { return parsePath(path, nil, true) }

// typedValues are the types that may stand before a value's quotes.
func (p *parser) typedValues() []string {
	if p.two {
		return []string{"datetime", "datetimeoffset", "time", "guid", "binary", "X"}
	}
	return []string{"duration", "binary", "geography", "geometry"}
}

// plainToken is a token of paging that holds a key or a number.
var plainToken = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// optionTwo reads a query option that v2 has, or has in another form, and reports
// whether it did.
func (o *options) optionTwo(name, value string) (bool, error) {
	if !o.two {
		return false, nil
	}
	switch name {
	case "$filter", "$orderby", "$select", "$top", "$skip", "$search":
		return false, nil
	case "$expand":
		for item := range strings.SplitSeq(value, ",") {
			if _, err := names(strings.Trim(item, " ")); err != nil {
				return true, err
			}
		}
		return true, nil
	case "$inlinecount":
		if value != "allpages" && value != "none" {
			return true, fail("$inlinecount is allpages or none.")
		}
		return true, nil
	case "$format":
		if value != "json" && value != "application/json" && value != "application/json;odata=verbose" {
			return true, fail("Answers are served as JSON alone: $format=json.")
		}
		return true, nil
	case "$skiptoken":
		if !plainToken.MatchString(value) {
			return true, fail("A token of paging holds more than a key or a number.")
		}
		return true, nil
	}
	return true, fail("A query option is not served.")
}

var guidLiteral = regexp.MustCompile(`^guid'([0-9A-Fa-f-]{36})'$`)

// typedID is the id in a literal with its type: `guid'…'`.
func typedID(s string) (string, bool) {
	m := guidLiteral.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return m[1], true
}
