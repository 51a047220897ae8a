package profile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const linksSource = `
profile: links/1
evidence: documented
withheld: "withheld"
hosts: ["*.Example.com", api.example.org]
entities:
  contact:
    types: [contacts]
    id: id
    unknown: mask
    fields: {name: name, next: name}
routes:
  - match: GET /contacts
    name: list
    entity: contacts
    records: [{at: "$.data[*]"}]
    links: [$.paging.next, $.data.next]
  - {match: "POST /login", name: login, pass: true, links: ["$.instance_url"], error: {status: 200, xml: "<fault>{text}</fault>"}}
`

func linksProfile(t *testing.T) *Profile {
	t.Helper()
	p, err := Load([]byte(linksSource))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLinksAreFoundWhereTheProfileSays(t *testing.T) {
	x, err := linksProfile(t).Classify(Request{Method: "GET", Path: "/contacts"})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parseJSON([]byte(`{"data":[{"id":1,"name":"a","next":"b"}],"paging":{"next":"https://a.example.com/?p=2","link":"c","prev":{"next":"d"}},"next":"e"}`))
	if err != nil {
		t.Fatal(err)
	}
	var links []string
	for _, l := range x.Links(doc) {
		links = append(links, doc.Text(l.Node))
	}
	if len(links) != 1 || links[0] != "https://a.example.com/?p=2" {
		t.Errorf("links %q", links)
	}
	// What they hold is no value; what stands beside them is.
	fields := locateJSON(t, x, `{"data":[],"paging":{"next":"n","link":"c"}}`, 200)
	same(t, "fields", fields, "field link=c unclassified")
}

func TestHostsAreTheVendors(t *testing.T) {
	p := linksProfile(t)
	for name, want := range map[string]bool{
		"a.example.com": true, "A.B.EXAMPLE.COM": true, "a.example.com.": true, "api.example.org": true,
		"example.com": false, "aexample.com": false, "x.api.example.org": false, "a.example.com.evil": false, "": false,
	} {
		if p.IsHost(name) != want {
			t.Errorf("IsHost(%q) = %v", name, !want)
		}
	}
	for _, bad := range []string{"https://a.example.com", "a.example.com:443", "*", "*.", "a/b.c", "*.*.com", ""} {
		src := strings.Replace(linksSource, `api.example.org`, `"`+bad+`"`, 1)
		if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), "hosts") {
			t.Errorf("%q is taken for a host: %v", bad, err)
		}
	}
	src := strings.Replace(linksSource, "$.paging.next", "body.next", 1)
	if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), "links are places of the answer") {
		t.Errorf("a link in the request: %v", err)
	}
}

func TestRefusalInXML(t *testing.T) {
	a, ok := linksProfile(t).ShapesAt("POST", "/login").Refuse(0, `"a" & <b>`, "1")
	if !ok || a.Status != 200 || a.Headers["Content-Type"] != "text/xml; charset=utf-8" || string(a.Body) != `<fault>&#34;a&#34; &amp; &lt;b&gt;</fault>` {
		t.Errorf("%v %d %v %s", ok, a.Status, a.Headers, a.Body)
	}
	for _, bad := range []string{`<fault>{text}`, `{text}`} {
		if _, err := Load([]byte(strings.Replace(linksSource, "<fault>{text}</fault>", bad, 1))); err == nil || !strings.Contains(err.Error(), "well-formed") {
			t.Errorf("%s is taken: %v", bad, err)
		}
	}
}

// TestODataTwoNamesItsAddresses: of the next page, of records and of what belongs to them.
func TestODataTwoNamesItsAddresses(t *testing.T) {
	x, err := loadText(t, odataTwo).Classify(twoGet("ContactCollection", "$format=json"))
	if err != nil {
		t.Fatal(err)
	}
	answer := parse(t, `{"d":{"results":[{"__metadata":{"uri":"https://a/1","type":"t"},"uri":"no link","Account":{"__deferred":{"uri":"https://a/2"}}}],"__next":"https://a/3"}}`)
	var got []string
	for _, l := range x.Links(answer) {
		got = append(got, fmt.Sprint(answer.Text(l.Node), l.Record))
	}
	if want := []string{"https://a/1true", "https://a/2true", "https://a/3false"}; !x.HasLinks() || !slices.Equal(got, want) {
		t.Errorf("links %q, want %q", got, want)
	}
}

func TestLinksInStreamsAreRefusedAtLoad(t *testing.T) {
	for _, words := range []string{"links: [$.next]", "gives: [{handle: page, at: $.next, address: true}]"} {
		src := "profile: x/1\nevidence: documented\nentities: {person: {fields: {name: name}}}\nroutes:\n  - {match: GET /x, entity: person, stream: $.items, records: [{at: $}], " + words + "}\n"
		if words[0] == 'g' {
			src += "  - {match: GET /next, continues: {page: query.page}}\n"
		}
		if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), "aren't led to the gateway") {
			t.Errorf("%s: %v", words, err)
		}
	}
}
