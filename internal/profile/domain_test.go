package profile

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

func search(t testing.TB, domain string) *Exchange {
	t.Helper()
	return classify(t, mini(t), rpc("model.crm.person.search", domain))
}

// TestDomainAsksAboutEveryClause reads filters as the CRM does: an optional
// AND or OR, clauses and filters.
func TestDomainAsksAboutEveryClause(t *testing.T) {
	for _, c := range []struct {
		name, domain string
		want         []string
	}{
		{"empty", `[]`, nil},
		{"none", `null`, nil},
		{"one", `[["phone","=","1"]]`, []string{"filter phone phone"}},
		{"bare clause", `["phone","=","1"]`, []string{"filter phone phone"}},
		{"or", `["OR",["phone","=","1"],["email","=","x"]]`, []string{"filter phone phone", "filter email email"}},
		{"nested", `[["AND",[],[["OR",["phone","=","1"],null]]],["note","like","%x%"]]`, []string{"filter phone phone", "filter note free_text"}},
		{"dotted", `[["boss.boss.email","=","x"]]`, []string{"filter boss.boss.email email"}},
		{"unknown step", `[["x.phone","=","1"]]`, []string{"filter x.phone unclassified"}},
		{"where", `[["boss","where",[["phone","=","1"],["accounts","where",["iban","=","x"]]]]]`, []string{"filter boss.phone phone", "filter boss.accounts.iban bank"}},
		{"not where", `[["boss","not where",[["phone","=","1"]]]]`, []string{"filter boss.phone phone"}},
		{"relation and id", `[["boss","=",5],["boss","in",[1,2]],["boss","=",null]]`, []string{"filter boss public", "filter boss public", "filter boss public"}},
		{"relation and text", `[["boss","ilike","%a%"]]`, []string{"filter boss name+phone+bank"}},
		{"relation and one text among ids", `[["boss","in",[1,"a"]]]`, []string{"filter boss name+phone+bank"}},
		{"relation and what looks like a reference", `[["boss",">=","m,1"]]`, []string{"filter boss name+phone+bank"}},
		{"relation and an object", `[["boss","=",{"__class__":"Decimal","decimal":"5"}]]`, []string{"filter boss name+phone+bank"}},
		{"relation searched as a composite, by a number", `[["vat",">=",136]]`, []string{"filter vat bank"}},
		{"relation of an unknown type's name", `[["nosuch","=",5]]`, []string{"filter nosuch unclassified"}},
		{"reference", `[["about","=","crm.person,5"],["about","like","crm.person,%"]]`, []string{"filter about public", "filter about public"}},
		{"target of a reference", `[["about.phone","=","1","crm.person"]]`, []string{"filter about public", "filter about.phone phone"}},
		{"children", `[["boss","child_of",[5],"boss"]]`, []string{"filter boss public", "filter boss.boss public"}},
		{"children of a text", `[["boss","child_of","DE89%","boss"]]`, []string{"filter boss name+phone+bank", "filter boss.boss name+phone+bank"}},
		{"composite", `[["rec_name","ilike","%a%"]]`, []string{"filter rec_name name+phone+bank"}},
		{"credential", `[["boss.secret","=","x"]]`, []string{"filter boss.secret credential"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.domain, asks(search(t, c.domain)), c.want...)
		})
	}
}

// TestMalformedDomainsAreRefused: what we don't read as a clause, the CRM could.
func TestMalformedDomainsAreRefused(t *testing.T) {
	p := mini(t)
	deep := strings.Repeat("[", 18) + strings.Repeat("]", 18)
	for domain, want := range map[string]string{
		`{"phone":1}`:                               "malformed",
		`"phone"`:                                   "malformed",
		`[47]`:                                      "malformed",
		`[true]`:                                    "malformed",
		`[["","",[["phone","=","1"]]]]`:             "malformed",
		`[["","=","1"]]`:                            "malformed",
		`[["state","x",[["phone","=","1"]]]]`:       "malformed",
		`[["state","LIKE","1"]]`:                    "malformed",
		`[["phone","="]]`:                           "malformed",
		`[["phone","=",1,2,3]]`:                     "malformed",
		`[["phone",1,"="]]`:                         "malformed",
		`[["OR","=","x"]]`:                          "malformed",
		`["AND","OR",[]]`:                           "malformed",
		`[[["phone"],"=","1"]]`:                     "malformed",
		`[{"a":"phone","b":"=","c":1}]`:             "malformed",
		`[["phone","=","1","ref.place"]]`:           "malformed",
		`[["boss.boss","ilike","DE%","ref.place"]]`: "malformed",
		`[["boss","ilike","DE%","boss"]]`:           "malformed",
		`[["boss","child_of","DE%","phone"]]`:       "unknown_field",
		`[["about.phone","=","1","no.such"]]`:       "unknown_type",
		`[["phone","where",[]]]`:                    "unknown_field",
		`[["nosuch","where",[["phone","=","1"]]]]`:  "unknown_field",
		deep: "malformed",
	} {
		if got := refused(t, p, rpc("model.crm.person.search", domain)); got != want {
			t.Errorf("%s: refused %q, want %q", domain, got, want)
		}
	}
}

func TestOrderAsksAboutItsFields(t *testing.T) {
	p := mini(t)
	for _, c := range []struct {
		order string
		want  []string
	}{
		{`null`, nil},
		{`[]`, nil},
		{`[["phone","DESC"],["boss",null],["accounts","ASC"],["boss.email",null]]`, []string{"sort phone phone", "sort boss name", "sort accounts bank", "sort boss.email email"}},
		{`["phone"]`, []string{"sort phone phone"}},
		{`[["-phone","ASC"]]`, []string{"sort phone phone"}},
	} {
		same(t, c.order, asks(classify(t, p, rpc("model.crm.person.search", "[],"+c.order))), c.want...)
	}
	// Python unpacks an object into its keys.
	for _, order := range []string{`{"phone":1}`, `[{"phone":1,"ASC":2}]`, `[[1,"ASC"]]`, `[[]]`, `"phone"`, `[[["phone"],"ASC"]]`} {
		if got := refused(t, p, rpc("model.crm.person.search", "[],"+order)); got != "malformed" {
			t.Errorf("%s: refused %q, want malformed", order, got)
		}
	}
}

func onlyNames(_ access.Entity, c access.Category) bool {
	return c == access.Name || c == access.Public
}

// TestSearchIsNarrowedToItsReadableParts: a negative operator needs all parts
// to disagree, names within `where` stay relative, and what can't be narrowed
// isn't.
func TestSearchIsNarrowedToItsReadableParts(t *testing.T) {
	for _, c := range []struct{ name, domain, want string }{
		{"positive", `[["rec_name","ilike","%a%"]]`, `[["OR",["name","ilike","%a%"]]]`},
		{"in", `[["rec_name","in",["a","b"]],["state","=","x"]]`, `[["OR",["name","in",["a","b"]]],["state","=","x"]]`},
		{"negative", `[["rec_name","not ilike","%a%"]]`, `[["AND",["name","not ilike","%a%"]]]`},
		{"unequal", `[["rec_name","!=","a"]]`, `[["AND",["name","!=","a"]]]`},
		{"dotted", `[["boss.rec_name","=","a"]]`, `[["OR",["boss.name","=","a"]]]`},
		{"relation", `[["boss","ilike","%a%"]]`, `[["OR",["boss.name","ilike","%a%"]]]`},
		{"within where", `[["boss","where",[["boss.rec_name","=","a"]]]]`, `[["boss","where",[["OR",["boss.name","=","a"]]]]]`},
		{"several", `["OR",["rec_name","=","a"],["boss","=","b"]]`, `["OR",["OR",["name","=","a"]],["OR",["boss.name","=","b"]]]`},
		{"other operator", `[["rec_name",">","a"]]`, ""},
		{"nothing composite", `[["phone","=","a"]]`, ""},
		{"nothing readable", `[["accounts","=","a"]]`, ""},
		{"by id", `[["boss","=",5]]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := search(t, c.domain)
			n, ok := x.Narrow(onlyNames)
			if !ok {
				if c.want != "" {
					t.Fatalf("Narrow(%s) refused, want %s", c.domain, c.want)
				}
				return
			}
			want := strings.Replace(string(x.req.Body), c.domain, c.want, 1)
			if string(n.Body) != want {
				t.Fatalf("Narrow = %s, want %s", n.Body, want)
			}
			again := classify(t, x.p, Request{Method: "POST", Path: "/db/", MediaType: "application/json", Body: n.Body})
			for _, cat := range refsOf(again, access.RefFilter) {
				if !onlyNames("", cat) {
					t.Errorf("%s asks about %s", n.Body, cat)
				}
			}
		})
	}
}

func TestSearchIsNotNarrowedWhereItMayBeAsked(t *testing.T) {
	x := search(t, `[["rec_name","=","a"]]`)
	if _, ok := x.Narrow(func(access.Entity, access.Category) bool { return true }); ok {
		t.Error("Narrow changed a search that may be asked as it is")
	}
	if !x.Accesses[0].Refs[0].Narrow {
		t.Error("the reference doesn't say that it can be narrowed")
	}
}

func TestQuerySearchIsNarrowedByItsParameter(t *testing.T) {
	p := mini(t)
	x := classify(t, p, get("/people", "q", "weber"))
	same(t, "refs", asks(x), "search rec_name name+phone+bank")
	n, ok := x.Narrow(onlyNames)
	if !ok || len(n.Query) != 1 || n.Query[0] != (Param{"in", "name"}) {
		t.Fatalf("Narrow = %v, %v", n, ok)
	}
	same(t, "narrowed", asks(classify(t, p, get("/people", "q", "weber", "in", "name"))), "search name name")
	same(t, "named parts", asks(classify(t, p, get("/people", "q", "weber", "in", "name,accounts.rec_name"))), "search name name", "search accounts.rec_name bank+name+phone")
	if got := refused(t, p, get("/people", "q", "weber", "in", "note")); got != "unknown_field" {
		t.Errorf("another part: refused %q", got)
	}
}
