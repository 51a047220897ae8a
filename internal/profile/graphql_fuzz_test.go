package profile

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// service answers queries as a service does whose records are persons: every field
// that the profile calls personal holds a canary, whatever it is called in the answer.
type service struct {
	out     strings.Builder
	written int
}

// personal are the fields that hold a canary.
func personal() []string {
	return []string{"name", "primary", "email", "phone", "birthDate", "salary", "street", "budget", "note", "minSalary", "maxBirthDate"}
}

func (s *service) fields(fields []*graphql.Field) {
	s.out.WriteByte('{')
	var done []string
	for _, f := range fields {
		if slices.Contains(done, f.Key) {
			continue
		}
		var below []*graphql.Field
		for _, same := range fields {
			if same.Key == f.Key {
				below = append(below, same.Fields...)
			}
		}
		if len(done) > 0 {
			s.out.WriteByte(',')
		}
		done = append(done, f.Key)
		s.written++
		s.out.WriteString(strconv.Quote(f.Key) + ":")
		switch {
		case len(below) > 0:
			s.out.WriteByte('[')
			s.fields(below)
			s.out.WriteByte(']')
		case f.Name == typeName:
			s.out.WriteString(`"Contact"`)
		case slices.Contains(personal(), f.Name):
			s.out.WriteString(`"canary` + strconv.Itoa(s.written) + `"`)
		default:
			s.out.WriteString(`"x"`)
		}
	}
	s.out.WriteByte('}')
}

// personalAccounts is dialects where an account's name is personal, too.
func personalAccounts(t testing.TB) *Profile {
	t.Helper()
	src, err := os.ReadFile("testdata/graphql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load([]byte(strings.Replace(string(src), "fields: {name|Name: public, budget", "fields: {name|Name: free_text, budget", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// FuzzGraphQL: nothing makes classifying or locating panic, what isn't served is a
// Refusal, and no canary of an answer stays in clear: neither an alias, nor a
// fragment, nor what lies between brings one out.
func FuzzGraphQL(f *testing.F) {
	for _, s := range []string{
		`{ contacts { e: edges { node { id: email stage: phone emails { label: primary } } } } }`,
		`{ contacts { nodes { ...F ... on Contact { stage: name } } } } fragment F on Contact { boss { id: birthDate contacts { keys: salary } } }`,
		`{ a: contacts(filter: {or: [{email: {eq: "x"}}]}) { min: minSalary pageInfo { endCursor } contact { address { country: street } } } }`,
		`query A($f: X = {name: {like: 1}}) { accounts(filter: $f, orderBy: [NAME_ASC]) { nodes { n: name b: budget } } status { x } }`,
		`{ contacts { stage: name node: email edges: phone } }`, `{ contacts { nodes { __typename: email x: __typename } } }`,
		`{ contacts { nodes { address { ... on Account { country: street } } attributes { stage: email } } } }`,
		`{ contacts { nodes { t: __typename ... on Account { v: name } ... on Contact { v: email } } } }`,
	} {
		f.Add(s, `{"f":{"name":{"eq":"x"}}}`)
	}
	p := personalAccounts(f)
	f.Fuzz(func(t *testing.T, query, variables string) {
		x, err := p.Classify(gql("/relay", query, variables))
		if err != nil {
			if _, ok := errors.AsType[*Refusal](err); !ok {
				t.Fatalf("%v is no Refusal", err)
			}
			return
		}
		if len(x.gql.op.Fields) == 0 || x.Pass {
			return
		}
		s := &service{}
		s.fields(x.gql.op.Fields)
		tree, err := parseJSON([]byte(`{"data":` + s.out.String() + `}`))
		if err != nil {
			t.Fatal(err)
		}
		l, err := x.Locate(tree, http.StatusOK)
		if err != nil {
			t.Fatal(err)
		}
		noCanary(t, x, tree, l, query)
	})
}

func noCanary(t *testing.T, x *Exchange, tree *doc.Tree, l *Located, query string) {
	t.Helper()
	hidden := map[int]bool{}
	hide := func(node int) {
		for n := node; n < int(tree.Nodes[node].Next); n++ {
			hidden[n] = true
		}
	}
	for _, f := range l.Fields {
		if !slices.Contains(f.Categories, access.Public) {
			hide(f.Node)
		}
	}
	for _, w := range l.Withheld {
		hide(w.Node)
	}
	passes := func(n int) bool { // a field without personal data, or a public one of that name
		for ; n >= 0; n = int(tree.Nodes[n].Parent) {
			for _, r := range x.gql.roots {
				if r.spec.pass && tree.Key(n) == r.keys[0] {
					return true
				}
			}
		}
		return false
	}
	for n := range tree.Nodes {
		if tree.Nodes[n].Kind == doc.String && strings.HasPrefix(tree.Text(n), "canary") && !hidden[n] && !passes(n) {
			t.Fatalf("%s\n%s: %s stays in clear", query, tree.Src, tree.Text(n))
		}
	}
}
