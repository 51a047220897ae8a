package gate_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// leaksByQuestion ask about what may not be seen (1 to 24).
func leaksByQuestion() []leak {
	const list = `{"list":[` + person + `]}`
	cursor := base64.StdEncoding.EncodeToString([]byte(`{"after":{"email":"` + leakMail + `"}}`))
	return []leak{
		{1, "graphql-alias", masked, "a name in the answer is the field's that the query asks for under it", []try{
			graph(`{people{name:email id:phone x:iban owner:born}}`, `[{"name":"`+leakMail+`","id":"`+leakPhone+`","x":"`+leakIBAN+`","owner":"`+leakBorn+`"}]`),
			graph(`{people{partner{name:note}}}`, `[{"partner":{"name":"`+leakNote+`"}}]`),
		}},
		{2, "graphql-fragments", masked, "fragments are spread out; where they are on several kinds, __typename decides", []try{
			graph(`query{people{...F}} fragment F on Person{...G} fragment G on Person{id:email ... on Person{name:phone}}`, `[{"id":"`+leakMail+`","name":"`+leakPhone+`"}]`),
			graph(`{people{edges{node{... @include(if:true){name:note}}}}}`, `{"edges":[{"node":{"name":"`+leakNote+`"}}]}`),
		}},
		{3, "graphql-defer", shut, "directives but @include and @skip are refused", []try{
			posting("/graphql", `{"query":"query{people{...F @defer}} fragment F on Person{email}"}`), posting("/graphql", `{"query":"{people @stream(initialCount:0){email}}"}`),
		}},
		{4, "graphql-persisted", shut, "a query comes with its text, and a hash has to be that of the text", []try{
			posting("/graphql", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`),
			posting("/graphql", `{"query":"{people{name}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`),
			posting("/graphql", `{"query":"{people{name}}","documentId":"00"}`),
		}},
		{5, "graphql-batch", shut, "lists of operations are refused, and documents that don't say which is meant", []try{
			posting("/graphql", `[{"query":"{me{id}}"},{"query":"{people{email}}"}]`), posting("/graphql", `{"query":"query A{me{id}} query B{people{email}}"}`),
			posting("/graphql?query={people{email}}", `{"query":"{me{id}}"}`),
		}},
		{5, "graphql-operations", asked, "each field of the query, in a POST or a GET, is judged by itself", []try{
			posting("/graphql", `{"query":"query A{me{id}} query B{me{id} people(where:{email:{like:\"e%\"}}){id}}","operationName":"B"}`),
			getting("/graphql?query={me{id}people(orderBy:{iban:ASC}){id}}", nil),
			posting("/graphql", `{"query":"query($w:W){people(where:$w){totalCount maxBorn}}","variables":{"w":{"or":[{"note":{"like":"k%"}}]}}}`),
			posting("/graphql", `{"query":"mutation{deletePeople(where:{email:{eq:\"`+leakMail+`\"}}){id}}"}`),
		}},
		{6, "graphql-introspection", shut, "the schema is served only where a profile says so", []try{
			posting("/graphql", `{"query":"{__schema{types{name}}}"}`), posting("/graphql", `{"query":"{people{id} __type(name:\"Person\"){name}}"}`),
		}},
		{7, "soql-alias", shut, "query languages have no codec yet: the route is unknown", []try{getting("/services/data/v61.0/query?q=SELECT+MAX(Email)+m+FROM+Contact", nil)}},
		{8, "odata-compute", shut, "what is no field's name and could be an expression is refused to everybody", []try{
			{ask: ask{path: "/people?sort=concat(email,name)"}},
		}},
		{8, "odata-function", shut, "what is no field's name and could be an expression is refused to everybody", []try{
			getting("/people?fields=concat(email,name)", jsonAnswer(200, `{"list":[{"id":7,"concat(email,name)":"`+leakMail+`Erika"}]}`)),
		}},
		{9, "relationship-hop", asked, "a dotted name is the related record's field", []try{
			{ask: ask{path: "/people?partner.email=" + leakMail}},
			{ask: ask{path: "/people?sort=partner.email"}},
			posting("/people/search", `{"where":{"partner.email":"a"}}`),
		}},
		{10, "filter-oracle", asked, "a filter on a field that isn't clear is refused", []try{
			{ask: ask{path: "/people?email=" + leakMail}},
			posting("/people/search", `{"where":{"email":{"like":"e%"}}}`),
		}},
		{11, "sort-oracle", asked, "so is sorting", []try{
			{ask: ask{path: "/people?sort=email"}},
			{ask: ask{path: "/people?sort=name,email"}},
			{ask: ask{path: "/people?sort=-email"}},
			posting("/people/search", `{"sort":["email"]}`),
		}},
		{12, "group-oracle", asked, "so are grouping and aggregating", []try{
			posting("/people/search", `{"group":["email"]}`), posting("/people/search", `{"sum":["iban"]}`),
		}},
		{13, "count-oracle", asked, "so is a filter of a count", []try{{ask: ask{path: "/people/count?email=" + leakMail}}}},
		{14, "saved-view", shut, "saving and running stored questions is an unknown route", []try{
			posting("/views", `{"where":{"email":"a"}}`), getting("/views/7/run", nil),
		}},
		{15, "search-hit", checked, "a search over several fields is narrowed to the readable ones; highlights are masked", []try{
			{ask: ask{path: "/people?q=kanarien"}, crm: jsonAnswer(http.StatusOK, `{"list":[],"highlight":"<em>`+leakMail+`</em>"}`), check: narrowed},
		}},
		{16, "typeahead", asked, "as 10: the duplicate check is a filter", []try{{ask: ask{path: "/people/count?email=" + leakMail + "&name=x"}}}},
		{17, "unique-constraint", withheld, "the message is withheld, the status stays: that tells whether a value is taken", []try{
			{ask: ask{method: http.MethodPost, path: "/people", body: `{"name":"A"}`}, crm: jsonAnswer(http.StatusConflict, `{"error":"Duplicate entry '`+leakMail+`' for key email"}`)},
		}},
		{18, "change-by-filter", asked, "the filter of a change is a filter", []try{posting("/people/change", `{"where":{"email":"`+leakMail+`"},"set":{"name":"B"}}`)}},
		{19, "generalised-filter", asked, "only what is clear can be asked about", []try{{ask: ask{path: "/people?born=" + leakBorn}}}},
		{20, "injected-expression", shut, "what is no field's name and could be an expression is refused to everybody", []try{
			{ask: ask{path: "/people?sort=strcmp(email,%27x%27)"}},
			{ask: ask{path: "/people?sort=name%20desc,%20email"}},
			posting("/people/search", `{"where":{"name) or (email":"a"}}`),
		}},
		{21, "all-fields", masked, "the answer is masked whatever was asked for", []try{{ask: ask{path: "/people?fields=id,name"}, crm: jsonAnswer(http.StatusOK, list), check: shows(`"Erika Mustermann"`)}}},
		{22, "difference-of-totals", asked, "totals over what isn't clear are refused whatever the group's size", []try{posting("/people/search", `{"sum":["note"],"where":{"name":"a"}}`)}},
		{23, "cursor", masked, "a value in a cursor is found in base64 too; the cursor is replaced", []try{getting("/people", jsonAnswer(http.StatusOK, `{"list":[`+person+`],"next":"`+cursor+`"}`))}},
		{24, "template", shut, "previews of templates are unknown routes", []try{posting("/templates/preview", `{"text":"{{person.iban}}","person":7}`)}},
	}
}

// graph is a query of GraphQL for people, and its answer.
func graph(query, people string) try {
	return try{
		ask: ask{method: http.MethodPost, path: "/graphql", body: `{"query":` + strconv.Quote(query) + `}`},
		crm: jsonAnswer(http.StatusOK, `{"data":{"people":`+people+`}}`),
	}
}

// narrowed says that the CRM was asked for the readable fields alone, and that
// master_data's search is forwarded as it is.
func narrowed(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	r.want(t, http.StatusOK)
	env.leaky.as(t, "paula").do(t, ask{path: "/people?q=kanarien", scene: sc}).want(t, http.StatusOK)
	got := sc.requests()
	if len(got) != 2 || !strings.Contains(got[0].target, "in=name") || strings.Contains(got[1].target, "in=") {
		t.Errorf("the CRM was asked %v", got)
	}
}
