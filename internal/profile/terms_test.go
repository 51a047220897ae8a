package profile

import (
	"strings"
	"testing"
)

const terms = `
profile: terms/1
evidence: documented
withheld: W
normalize: {query: {semicolon: true}}
entities:
  person:
    types: [people]
    fields: {name|first: name, mail: email, phone: phone, "12": bank, state|made_on: public}
    relations: {firm: firm}
    search: {query: {parts: [name, mail]}}
  firm: {fields: {street: address}}
routes:
  - match: GET /pairs
    entity: person
    query: [q]
    refs: [{role: filter, at: query.q, syntax: terms, terms: {joins: [";"], operators: [":"]}}]
    records: [{at: "$[*]"}]
  - match: GET /rsql
    entity: person
    query: [q]
    refs: [{role: filter, at: query.q, syntax: terms, terms: {joins: [";", ","], operators: ["==", "!=", "=gt=", "=in="]}}]
    records: [{at: "$[*]"}]
  - match: GET /words
    entity: person
    query: [q]
    refs: [{role: filter, at: query.q, syntax: terms, terms: {joins: [" "], operators: [":", "<", ">"], words: query}}]
    records: [{at: "$[*]"}]
  - match: GET /table
    entity: person
    query: [q]
    refs: [{role: filter, at: query.q, syntax: terms, terms: {joins: ["^", "^OR", "^NQ"], operators: ["=", "!=", LIKE, ISEMPTY], sort: [ORDERBY, ORDERBYDESC]}}]
    records: [{at: "$[*]"}]
  - match: GET /named
    entity: person
    query: [q]
    refs: [{role: filter, at: query.q, syntax: terms, map: {m: mail, "*": "*"}, terms: {joins: [" AND ", " OR "], operators: [" IS ", " CONTAIN ", ":", ">"]}}]
    records: [{at: "$[*]"}]
`

// TestFiltersOfTermsAskAboutEachField: in whichever language; what could be a further
// term, and isn't read as one, is refused.
func TestFiltersOfTermsAskAboutEachField(t *testing.T) {
	p := loadText(t, terms)
	for at, cases := range map[string]map[string]string{
		"/pairs": {
			"":                      "",
			"name:zoe;mail:x":       "filter name name; filter mail email",
			" name:zoe ; mail : x;": "filter name name; filter mail email",
			`name:"a;mail:x"`:       "filter name name; filter mail email",
			"state:10:30":           "filter state public",
			"state:open,mail:x":     "malformed",
			"state:open, mail :x":   "malformed",
			"state:open,12:DE":      "malformed",
			"state:open\nmail:x":    "malformed",
			"mail":                  "malformed",
			":x":                    "malformed",
			"*:x":                   "malformed",
			"lower(mail):x":         "unknown_field",
			"state=x:y":             "unknown_field",
			"state:javascript:new":  "malformed",
			"firm.street:x":         "filter firm.street address",
			"secret:x":              "filter secret unclassified",
		},
		"/rsql": {
			"(mail==x,name==y);state!=a":  "filter mail email; filter name name; filter state public",
			"state=gt=2;mail=like=x":      "malformed",
			"state=in=(a,b)":              "malformed",
			"state==a and mail==x":        "malformed",
			"state==a&mail==x":            "malformed",
			"state==first==x":             "malformed",
			"not (mail==x);!phone==1":     "filter mail email; filter phone phone",
			"state==2020-01-01;made_on=0": "malformed",
		},
		"/words": {
			"type:user mail:x":                    "filter type unclassified; filter mail email",
			"zoe made_on>2020-01-01T10:00:00Z":    "search query name+email; filter made_on public",
			"zoe AND -mail:x":                     "search query name+email; filter mail email",
			"state:\tmail:x":                      "malformed",
			"mail=x":                              "malformed",
			"mail~x":                              "malformed",
			"state:a,mail":                        "filter state public",
			`"zoe carter"`:                        "search query name+email; search query name+email",
			`state:open "zoe mail:x"`:             "filter state public; search query name+email; filter mail email",
			"state:open|mail:x":                   "malformed",
			"made_on>2020 made_on<2021 (phone:4)": "filter made_on public; filter made_on public; filter phone phone",
		},
		"/table": {
			"state=true^mailLIKEzoe^ORphone=1^ORDERBYDESCname": "filter state public; filter mail email; filter phone phone; sort name name",
			"ORDERBYmail":              "sort mail email",
			"nameISEMPTY^NQmail!=x":    "filter name name; filter mail email",
			"mailSAMEASname":           "malformed",
			"state=javascript:gs.x()":  "malformed",
			"state= JavaScript:gs.x()": "malformed",
			"stateLIKEa^EQ":            "malformed",
			"firm.streetLIKEx":         "filter firm.street address",
			"state=mailLIKEx":          "malformed",
			"ORDERBYstate=1":           "unknown_field",
		},
		"/named": {
			`m IS "x y" AND name CONTAIN "a"`: "filter mail email; filter name name",
			`m IS "x" and name IS "a"`:        "malformed",
			`m IS "x" or name CONTAIN "a"`:    "malformed",
			`"m:'x' AND name:'y'"`:            "filter mail email; filter name name",
			`"m:'x'" AND "name:'y'"`:          "unknown_field",
		},
	} {
		for text, want := range cases {
			req := Request{Method: "GET", Path: at, Query: []Param{{Name: "q", Value: text}}}
			if got := askedBy(t, p, req); got != want {
				t.Errorf("%s %q asks %q, want %q", at, text, got, want)
			}
		}
	}
}

// TestLeakTermsInValues: behind white space of all kinds, in brackets or as a function's
// argument another term is none of the value's.
func TestLeakTermsInValues(t *testing.T) {
	p := loadText(t, terms)
	for name, c := range map[string]struct{ at, text, want string }{
		"001-hard-space":     {"/words", "state:1\u00a0mail:x", "malformed"},
		"002-wide-space":     {"/words", "state:1\u3000mail:x", "malformed"},
		"003-line-separator": {"/words", "state:1\u2028mail:x", "malformed"},
		"004-function":       {"/rsql", "state==1 or lower(mail)==x", "malformed"},
		"005-brackets":       {"/rsql", "state==1|[mail]==x", "malformed"},
		"006-hard-space-end": {"/rsql", "state==1|mail\u00a0==x", "malformed"},
		"007-moment":         {"/pairs", "made_on:(10):30", "filter made_on public"},
		"008-letter-of-two":  {"/pairs", "state:1|straße:x", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := askedBy(t, p, Request{Method: "GET", Path: c.at, Query: []Param{{Name: "q", Value: c.text}}}); got != c.want {
				t.Errorf("%q asks %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestTermsAreDescribedWhole(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{`joins: [";"], operators: [":"]`, `joins: [";"]`, "what compares"},
		{`joins: [";"],`, ``, "what stands between terms"},
		{`{joins: [";"], operators: [":"]}}]`, `{joins: [""], operators: [":"]}}]`, "is empty"},
		{`syntax: terms, terms: {joins: [";"]`, `syntax: criteria, terms: {joins: [";"]`, "add `syntax: terms`"},
	} {
		if !strings.Contains(terms, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		if _, err := Load([]byte(strings.Replace(terms, c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
