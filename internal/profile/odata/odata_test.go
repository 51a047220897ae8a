package odata

import (
	"slices"
	"strings"
	"testing"
)

// told writes references as `role path`, with the type before a path that leads on
// from one.
func told(q *Query) []string {
	var out []string
	for _, r := range q.Refs {
		s := string(r.Role) + " "
		if r.From != "" {
			s += r.From + ":"
		}
		out = append(out, s+strings.Join(r.Path, "/"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func options1(query string) []Param {
	var params []Param
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		params = append(params, Param{name, value})
	}
	return params
}

func TestQueryOptionsNameTheirFields(t *testing.T) {
	for query, want := range map[string]string{
		"$select=a,b/c,*": "select a, select b/c",
		"$filter=contains(a,'x') and (b lt 1985-01-01 or c eq null)":                                      "filter a, filter b, filter c",
		"$filter=not (tolower(a) eq 'it''s (b eq 1')":                                                     "filter a",
		"$filter=a/b/c eq 5 add d mul -e":                                                                 "filter a/b/c, filter d, filter e",
		"$filter=a in ('x','y') and b in c":                                                               "filter a, filter b, filter c",
		"$filter=emails/any(e:e/address eq 'x' and e/kinds/all(k:k/name eq owner))":                       "filter emails, filter emails/address, filter emails/kinds, filter emails/kinds/name, filter owner",
		"$filter=orders/any()":                                                                            "filter orders",
		"$filter=orders/$count gt 5":                                                                      "filter orders",
		"$filter=$it/a eq 1":                                                                              "filter a",
		"$filter=a eq @p and b eq @q&@p='x'&@q=7":                                                         "filter a, filter b",
		"$filter=Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['x','y'])":                    "filter a",
		"$filter=Microsoft.Dynamics.CRM.LastXDays(PropertyName=@p,PropertyValue=@v)&@p='a'&@v=7":          "filter a",
		"$filter=id eq 9c9f62b3-bf21-5db4-8017-d792f7db7f0a and t gt duration'PT1H'":                      "filter id, filter t",
		"$orderby=a desc,b/c asc,length(d)":                                                               "sort a, sort b/c, sort d",
		"$expand=a($select=b;$filter=c eq 'x;y)';$orderby=$it/z;$expand=d($select=e;$top=3)),f,g/$ref":    "filter a/c, select a/b, select a/d/e, sort z",
		"$search=\"x y\" AND z":                                                                           "search $search",
		"$apply=filter(s eq 0)/groupby((a,b/c),aggregate($count as n,d with max as m))&$orderby=m desc,n": "aggregate d, filter s, group a, group b/c, select d, sort d",
		"$apply=aggregate(d with sum as m)/filter(m gt 5)":                                                "aggregate d, filter d, select d",
		"$apply=aggregate(d with countdistinct as m)":                                                     "aggregate d",
		"$top=5&$skip=2&$count=true&$format=json&$skiptoken=7":                                            "",
		`$skiptoken=<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e%253clastname%2520last%253d%2522Y%2522%2520/%253e%253c/cookie%253e" istracking="False" />`: "sort lastname",
	} {
		q, err := ParseQuery(options1(query))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := strings.Join(told(q), ", "); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, query := range []string{
		"$filter=", "$filter=a eq", "$filter=a eq 1 b", "$filter=a eq 'x", "$filter=a eq 'x' or", "$filter=(a eq 1", "$filter=a eq 1)",
		"$filter=cast(a,Edm.String) eq 'x'", "$filter=isof(a)", "$filter=unknown(a)", "$filter=case(a:1)", "$filter=a/NS.Type/b eq 1",
		"$filter=$root/people('x')/a eq 1", "$filter=$this eq 1", "$filter=a eq @p", "$filter=a eq @p&@p=b", "$filter=a eq @p&@p=@q&@q=1",
		"$filter=a/any(x:x/any(x:x/b eq 1))", "$filter=a/any(x b eq 1)", "$filter=a\teq 1", "$filter=a/ b eq 1", "$filter=a eq 1;$select=b",
		"$filter=a/$count($filter=b eq 1) gt 1", "$filter=NS.f(PropertyName='a')", "$filter=Microsoft.Dynamics.CRM.In(Other='a')",
		"$filter=Microsoft.Dynamics.CRM.In(PropertyValues=['a'])", "$filter=Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[b])",
		"$filter=a eq datetime'2020-01-01'", "$filter=a eq 1.2.3", "$filter=a eqb 1", "$filter=a eq1", "$filter=a!b eq 1", "$filter=ä eq 1",
		"$filter=" + strings.Repeat("(", 200) + "a" + strings.Repeat(")", 200), "$filter=" + strings.Repeat("not ", 200) + "a",
		"$orderby=a sideways", "$orderby=a,", "$select=a(b)", "$select=NS.a", "$select=a,", "$select=a eq 1", "$expand=*", "$expand=a(b)", "$expand=a($search=x)",
		"$expand=a($apply=groupby((b)))", "$expand=a($compute=b as c)", "$expand=a($select=b;$select=c)", "$expand=a($levels=max)", "$expand=a($skiptoken=1)",
		"$expand=a($filter=b eq ')", "$expand=NS.T/a", "$compute=a as b", "$apply=compute(a as b)", "$apply=expand(a)", "$apply=topcount(1,a)",
		"$apply=groupby((rollup(a,b)))", "$apply=aggregate(a with NS.f as b)", "$apply=aggregate(a mul b with max as c)", "$apply=aggregate(a)",
		"$apply=groupby((a),aggregate(b with max as a))", "$apply=groupby((a),aggregate($count as a))", "$apply=groupby((a),aggregate(b with countdistinct as a))", "$apply=aggregate(a with max as m,b with max as m)", "$apply=groupby((a))&$filter=a eq 1",
		"$apply=groupby((a))&$expand=b", "$apply=concat(aggregate(a with max as b),aggregate(c with max as b))", "$top=x", "$count=1", "$format=atom", "$format=application/json;odata.metadata=full",
		"$deltatoken=x", "$index=1", "$schemaversion=1", "$Filter=a eq 1", "$unknown=1", "$filter=a eq 1&$filter=b eq 1", "$skiptoken=x", "$skiptoken=<cookie><a/></cookie>",
		`$skiptoken=<cookie pagenumber="2" pagingcookie="<cookie/>" />`,
	} {
		if q, err := ParseQuery(options1(query)); err == nil {
			t.Errorf("%s is let through: %v", query, told(q))
		}
	}
}

func TestMadeUpNamesStandForFields(t *testing.T) {
	q, err := ParseQuery(options1("$apply=groupby((a),aggregate($count as n,p/d with max as m,e with countdistinct as k))"))
	if err != nil {
		t.Fatal(err)
	}
	if m := q.Columns["m"]; !slices.Equal(m.Path, []string{"p", "d"}) || m.Public || !q.Columns["n"].Public || !q.Columns["k"].Public || !q.Grouped {
		t.Errorf("columns %v, grouped %t", q.Columns, q.Grouped)
	}
}

func TestResourcePaths(t *testing.T) {
	for path, want := range map[string]string{
		"contacts":                   "contacts",
		"contacts(7)":                "contacts[7]",
		"contacts('it''s')/mail":     "contacts[it's] mail",
		"contacts(mail='a',no=5)":    "contacts[mail=a no=5]",
		"contacts(@p)":               "contacts[9c9f62b3-bf21-5db4-8017-d792f7db7f0a]",
		"contacts(7)/orders(8)/$ref": "contacts[7] orders[8] $ref",
		"contacts/$count":            "contacts $count",
		"contacts(7)/mail/$value":    "contacts[7] mail $value",
	} {
		r, err := ParsePath(path, map[string]string{"@p": "9c9f62b3-bf21-5db4-8017-d792f7db7f0a"})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var got []string
		for _, s := range r.Segments {
			w := s.Name
			if s.Key != nil {
				w += "[" + s.Key.ID
				for i, f := range s.Key.Fields {
					if i > 0 {
						w += " "
					}
					w += f.Name + "=" + f.Value
				}
				w += "]"
			}
			got = append(got, w)
		}
		if r.End != "" {
			got = append(got, r.End)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: got %s, want %s", path, g, want)
		}
	}
	for _, path := range []string{
		"", "contacts()", "contacts(7", "contacts(7)(8)", "contacts('x/y')", "contacts(7)/", "contacts(a=1,2)", "contacts(1,2)", "contacts(b)", "contacts(@q)",
		"contacts(a=b)", "contacts/NS.Type", "$metadata", "contacts(7)/$links/orders", "contacts(7)/$value/x", "contacts/$filter(a eq 1)", "contacts/7",
		"contacts(null)", "contacts([1])", "contacts(7)x", "contacts(a=1", "contacts(" + strings.Repeat("(", 50), strings.Repeat("a/", 40) + "b",
	} {
		if r, err := ParsePath(path, nil); err == nil {
			t.Errorf("%s is let through: %v", path, r)
		}
	}
}

func TestTargetsOfFunctions(t *testing.T) {
	aliases := map[string]string{"@t": "{'@odata.id':'contacts(62655bbe-499a-5266-9278-40732d57e0e7)'}"}
	for _, args := range []string{"Target=@t", `Target={"@odata.id":"contacts(62655bbe-499a-5266-9278-40732d57e0e7)"}`} {
		r, err := ParseTarget(args, "Target", aliases)
		if err != nil || r.Segments[0].Name != "contacts" || r.Segments[0].Key.ID == "" {
			t.Errorf("%s: %v, %v", args, r, err)
		}
	}
	for _, args := range []string{
		"", "Target=", "Target=@x", "Other=@t", "Target=@t,Other=1", "Target={'@odata.id':'contacts'}", "Target={'@odata.id':'contacts(7)/x'}",
		"Target={'@odata.id':'contacts(7)','contactid':'8'}", "Target={'@odata.id':'contacts(7)'},x", "Target={'id':'contacts(7)'}", `Target={'@odata.id':"contacts(7)'}`,
	} {
		if r, err := ParseTarget(args, "Target", aliases); err == nil {
			t.Errorf("%s is let through: %v", args, r)
		}
	}
}
