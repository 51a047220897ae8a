package odata

import (
	"net/url"
	"strings"
)

// A token of paging says where the next page begins: by a number, or, Dataverse's,
// by a cookie with the values of the fields that the answer is sorted by. Who makes
// a cookie of their own compares with values of their choice, so a field in one is
// asked about as one in $orderby is.

// skiptoken reads a token of paging.
func (o *options) skiptoken(s string) error {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return nil
	}
	e, err := parseXML(s)
	if err != nil {
		return err
	}
	if e.name != "cookie" || len(e.children) > 0 || e.only("pagenumber", "pagingcookie", "istracking") != nil {
		return fail("A token of paging is not one of Dataverse's.")
	}
	if strings.Trim(e.attrs["pagenumber"], "0123456789") != "" {
		return fail("A token of paging is not one of Dataverse's.")
	}
	cookie, err := url.QueryUnescape(e.attrs["pagingcookie"])
	if err != nil || strings.Contains(cookie, "<") {
		return fail("A token of paging is not one of Dataverse's.")
	}
	if cookie, err = url.QueryUnescape(cookie); err != nil {
		return fail("A token of paging is not one of Dataverse's.")
	}
	return pagingCookie(o.q, "", cookie)
}

// pagingCookie reads `<cookie page="1"><lastname last="…" first="…" /></cookie>`.
func pagingCookie(q *Query, from, s string) error {
	if s == "" {
		return nil
	}
	e, err := parseXML(s)
	if err != nil {
		return err
	}
	if e.name != "cookie" || e.only("page", "parentEntityId", "parentAttributeName", "parentEntityObjectTypeCode") != nil {
		return fail("A cookie of paging is not one of Dataverse's.")
	}
	for _, c := range e.children {
		if len(c.children) > 0 || !isName(c.name) || c.only("last", "first", "lastnull", "firstnull") != nil {
			return fail("A cookie of paging is not one of Dataverse's.")
		}
		q.add(Ref{Role: Sort, From: from, Path: []string{c.name}})
	}
	return nil
}
