package odata

import (
	"strings"
	"testing"
)

func TestFetchXMLNamesItsFields(t *testing.T) {
	const guid = "9c9f62b3-bf21-5db4-8017-d792f7db7f0a"
	for src, want := range map[string]string{
		`<fetch><entity name="a"><attribute name="b"/><all-attributes/><order attribute="c"/></entity></fetch>`:                                                                                                                                                                                                                      "select a:b, sort a:c",
		`<fetch count="5"><entity name="a"><filter type="or"><condition attribute="b" operator="like" value="x%"/><filter><condition attribute="c" operator="in"><value>1</value><value>2</value></condition></filter></filter></entity></fetch>`:                                                                                    "filter a:b, filter a:c",
		`<fetch><entity name="a"><link-entity name="k" from="i" to="j" alias="x"><attribute name="b" alias="y"/><filter><condition attribute="d" operator="eq" valueof="e"/></filter></link-entity><filter><condition entityname="x" attribute="c" operator="null"/></filter><order entityname="x" attribute="o"/></entity></fetch>`: "filter a:j, filter k:c, filter k:d, filter k:e, filter k:i, select k:b, sort k:o",
		`<fetch aggregate="true"><entity name="a"><attribute name="b" alias="x" groupby="true"/><attribute name="c" alias="y" aggregate="max"/><attribute name="d" alias="n" aggregate="count"/><order alias="y"/></entity></fetch>`:                                                                                                 "aggregate a:c, group a:b, select a:c, sort a:c",
		`<fetch paging-cookie="&lt;cookie page=&quot;1&quot;&gt;&lt;b last=&quot;x&quot; /&gt;&lt;/cookie&gt;"><entity name="a"/></fetch>`:                                                                                                                                                                                           "sort a:b",
		`<fetch><entity name="a"><filter><condition attribute="b" operator="eq" value="` + guid + `"/><link-entity name="k" from="i" to="j" link-type="any"><filter><condition attribute="c" operator="like" value="x"/></filter></link-entity></filter></entity></fetch>`:                                                           "filter a:b, filter a:j, filter k:c, filter k:i",
	} {
		q, err := ParseFetch(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := strings.Join(told(q), ", "); got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestFetchXMLThatIsNotUnderstoodIsRefused(t *testing.T) {
	in := func(s string) string { return `<fetch><entity name="a">` + s + `</entity></fetch>` }
	for _, src := range []string{
		"", "x", "<fetch/>", "<fetch><entity/></fetch>", in("x"), in("<b/>"), in("<!-- x -->"), in("<![CDATA[x]]>"), `<?xml version="1.0"?>` + in(""),
		`<!DOCTYPE fetch [<!ENTITY x "y">]>` + in(""), in("") + in(""), `<fetch xmlns="x"><entity name="a"/></fetch>`, `<x:fetch xmlns:x="y"><entity name="a"/></x:fetch>`,
		`<fetch><entity name="a"/><entity name="b"/></fetch>`, `<fetch mapping="internal"><entity name="a"/></fetch>`, `<fetch options="x"><entity name="a"/></fetch>`,
		`<fetch datasource="archive"><entity name="a"/></fetch>`, in(`<attribute name="b" name="c"/>`), in(`<attribute name="b" rowaggregate="CountChildren" alias="x"/>`),
		in(`<attribute name="b" aggregate="max" alias="x"/>`), in(`<attribute name="b"><attribute name="c"/></attribute>`), in(`<attribute/>`), in(`<attribute name="b" alias="x.y"/>`),
		in(`<attribute name="b" alias="x"/><attribute name="c" alias="x"/>`), in(`<order alias="x"/>`), in(`<order/>`), in(`<order entityname="x" attribute="b"/>`),
		in(`<filter><condition attribute="b"/></filter>`), in(`<filter><condition operator="eq" value="1"/></filter>`), in(`<filter type="not"/>`), in(`<filter isquickfindfields="1"/>`),
		in(`<filter><condition attribute="b" operator="eq" valueof="x.c"/></filter>`), in(`<filter><condition attribute="b" operator="eq" entityname="x" value="1"/></filter>`),
		in(`<filter><condition attribute="b" operator="eq" aggregate="max" value="1"/></filter>`), in(`<link-entity name="k"/>`), in(`<link-entity name="a" from="i" to="j"><attribute name="b"/></link-entity>`), in(`<link-entity name="k" from="i" to="j"><attribute name="b"/></link-entity>`), in(`<link-entity name="k" from="i" to="j"><all-attributes/></link-entity>`),
		in(`<all-attributes/><attribute name="b" alias="x"/>`), in(`<attribute name="b"/><attribute name="c" alias="b"/>`), in(`<link-entity name="k" from="i" to="j" alias="x_x002e_y"/>`), in(`<link-entity name="k" from="i"/>`),
		in(`<link-entity name="k" from="i" to="j" alias="x"/><link-entity name="l" from="i" to="j" alias="x"/>`), in(`<link-entity name="k" from="i" to="j" alias="x" hint="y"/>`),
		`<fetch aggregate="true"><entity name="a"><attribute name="b" aggregate="median" alias="x"/></entity></fetch>`, `<fetch paging-cookie="x"><entity name="a"/></fetch>`,
		in(`<attribute name="&x;"/>`), in(`<attribute name="b"`), `<fetch><entity name="a"></fetch></entity>`, in(strings.Repeat(`<filter>`, 100) + strings.Repeat(`</filter>`, 100)),
	} {
		if q, err := ParseFetch(src); err == nil {
			t.Errorf("%s is let through: %v", src, told(q))
		}
	}
}
