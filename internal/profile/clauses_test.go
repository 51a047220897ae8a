package profile

import (
	"strings"
	"testing"
)

// fieldClauses is a profile of filters whose members are named by fields, and of one
// whose names lie deeper and whose groups have a member of their own.
const fieldClauses = `
profile: clauses/1
evidence: documented
withheld: W
normalize: {query: {nested: true}}
entities:
  person:
    types: [Person]
    fields: {name: {parts: {first: name}}, mail: email, city: address, born: birthdate, job: public}
    relations: {house: House}
    display: name
    search: {all: {parts: [name, mail]}}
  house: {types: [House], fields: {street: address}, display: street}
routes:
  - match: "POST /people"
    entity: person
    action: search
    members: [filter, deep]
    query: [f]
    refs:
      - &filter {role: filter, at: body.filter, syntax: clauses, map: {postbox: mail, "*": "*"}, clauses: {groups: [$or, $and, $not], operators: ["$*"], ids: [$id], prefixes: [">", ">=", "!"], suffixes: [__gte], stored: [$saved], members: [logic], search: {$text: all}}}
      - {<<: *filter, at: query.f}
      - {role: filter, at: body.deep, syntax: clauses, clauses: {name: field.name|field.id, operator: type|condition, value: value, group: rules, groups: [and, or], operators: [is], stored: [kind], members: [negate]}}
`

// TestFiltersByFieldNameAskAboutEveryField, under whatever operators and groups.
func TestFiltersByFieldNameAskAboutEveryField(t *testing.T) {
	p := loadText(t, fieldClauses)
	for body, want := range map[string]string{
		`{"mail":"x"}`:                                    "filter mail email",
		`{"mail":["x","y"],"job":null}`:                   "filter mail email; filter job public",
		`{"$or":[{"mail":{"$eq":"x"}},{"city":"y"}]}`:     "filter mail email; filter city address",
		`[{"job":1},{"$and":{"$not":{"mail":"x"}}}]`:      "filter job public; filter mail email",
		`{"born":{"$gte":1,"$lte":2}}`:                    "filter born birthdate; filter born birthdate",
		`{"mail":{"$not":{"$eq":"x"}}}`:                   "filter mail email",
		`{"name":{"first":{"$eq":"x"}}}`:                  "filter name.first name",
		`{"house":{"street":{"$eq":"x"}}}`:                "filter house.street address",
		`{"house":{"$id":7}}`:                             "filter house public",
		`{"house":{"$eq":7}}`:                             "filter house address",
		`{">=born":"x","!job":"y","born__gte":1}`:         "filter born birthdate; filter job public; filter born birthdate",
		`{"<born":"x"}`:                                   "unknown_field",
		`{"postbox":"x"}`:                                 "filter mail email",
		`{"$text":"zoe"}`:                                 "search all name+email",
		`{"logic":"OR","0":{"mail":"x"},"1":{"job":"y"}}`: "filter mail email; filter job public",
		`{"$saved":7}`:                                    "",
		`{"$saved":{"mail":"x"}}`:                         "malformed",
		`{"logic":["mail"]}`:                              "malformed",
		`{"$or":"x"}`:                                     "malformed",
		`{"mail":{}}`:                                     "filter mail email",
		`{"mail":{"$in":[{"job":1}]}}`:                    "malformed",
		`{"mail":{"$eq":{"$x":1}}}`:                       "malformed",
		`{"job":[{"mail":"x"}]}`:                          "malformed",
		`{"job":{"mail":"x"}}`:                            "filter job.mail unclassified",
		`{"":"x"}`:                                        "malformed",
		`"x"`:                                             "malformed",
		`{"mail":"x","mail":"y"}`:                         "malformed",
		strings.Repeat(`{"$not":`, 80) + `{}` + strings.Repeat(`}`, 80): "malformed",
	} {
		if got := askedBy(t, p, send("POST", "/people", "application/json", `{"filter":`+body+`}`)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	for raw, want := range map[string]string{
		"f[mail][$eq]=x": "filter mail email",
		"f[0][$or][0][mail][$eq]=x&f[0][$or][1][>born]=y": "filter mail email; filter born birthdate",
		"f[!mail]=x&f[0][logic]=OR&f[0][0][city]=y":       "filter mail email; filter city address",
		"f=x": "malformed",
	} {
		r := send("POST", "/people", "application/json", `{}`)
		r.Query = query("/people", raw).Query
		if got := askedBy(t, p, r); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestNamesOfClausesMayLieDeeper(t *testing.T) {
	p := loadText(t, fieldClauses)
	for body, want := range map[string]string{
		`{"type":"is","field":{"name":"mail"},"value":"x"}`:                               "filter mail email",
		`{"type":"is","field":{"id":"city"},"value":"x","negate":true}`:                   "filter city address",
		`{"condition":"and","rules":[{"type":"is","field":{"name":"mail"}}]}`:             "filter mail email",
		`{"type":"kind","value":"mail"}`:                                                  "",
		`{"type":"is","field":"mail"}`:                                                    "malformed",
		`{"type":"kind","rules":[{"type":"is","field":{"name":"mail"}}]}`:                 "malformed",
		`{"type":"and","value":[{"type":"is","field":{"name":"mail"}}]}`:                  "malformed",
		`{"type":"is","field":{"name":"job"},"of":{"type":"is","field":{"name":"mail"}}}`: "malformed",
	} {
		if got := askedBy(t, p, send("POST", "/people", "application/json", `{"deep":`+body+`}`)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestFiltersInTextsAreReadAsJSON where the CRM doesn't read its query as a tree.
func TestFiltersInTextsAreReadAsJSON(t *testing.T) {
	p := loadText(t, strings.Replace(fieldClauses, "nested: true", "semicolon: true", 1))
	for text, want := range map[string]string{
		`{"$or":[{"mail":"x"},{"job":1}]}`: "filter mail email; filter job public",
		`[{"mail":"x"}]`:                   "filter mail email",
		"":                                 "",
		"mail=x":                           "malformed",
		`{"mail":"x","mail":"y"}`:          "malformed",
	} {
		r := send("POST", "/people", "application/json", `{}`)
		r.Query = []Param{{"f", text}}
		if got := askedBy(t, p, r); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
