package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// mini is a profile with a bit of everything.
func mini(t testing.TB) *Profile {
	t.Helper()
	p, err := Load([]byte(miniSource(t)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func miniSource(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile("testdata/mini.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func tryton(t testing.TB) *Profile {
	t.Helper()
	src, err := Builtin("tryton")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rpc is a remote call with an empty context.
func rpc(method, params string) Request {
	if params != "" {
		params += ","
	}
	return Request{
		Method: "POST", Path: "/db/", MediaType: "application/json",
		Body: []byte(`{"id":7,"method":"` + method + `","params":[` + params + `{}]}`),
	}
}

// get is a GET with the query's parameters as name, value in turn.
func get(path string, query ...string) Request {
	r := Request{Method: "GET", Path: path}
	for i := 0; i+1 < len(query); i += 2 {
		r.Query = append(r.Query, Param{query[i], query[i+1]})
	}
	return r
}

func send(method, path, media, body string) Request {
	return Request{Method: method, Path: path, MediaType: media, Body: []byte(body)}
}

func classify(t testing.TB, p *Profile, r Request) *Exchange {
	t.Helper()
	x, err := p.Classify(r)
	if err != nil {
		t.Fatalf("Classify(%s %s %s) = %v", r.Method, r.Path, r.Body, err)
	}
	return x
}

// refused returns the reason of a refusal, "" when there is none.
func refused(t testing.TB, p *Profile, r Request) string {
	t.Helper()
	_, err := p.Classify(r)
	var no *Refusal
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &no):
		t.Fatalf("Classify(%s) = %v, want a refusal", r.Body, err)
	}
	return no.Reason
}

// asks renders the references of the first access, those of one question in
// one: "filter boss name+phone+bank".
func asks(x *Exchange) []string {
	var out []string
	last, seen := "", map[access.Entity]bool{}
	for _, r := range x.Accesses[0].Refs {
		var cats []string
		for _, c := range r.Categories {
			cats = append(cats, string(c))
		}
		at := string(r.Role) + " " + r.Field
		if at == last && !seen[r.Entity] {
			seen[r.Entity] = true
			out[len(out)-1] += "+" + strings.Join(cats, "+")
			continue
		}
		seen = map[access.Entity]bool{r.Entity: true}
		out, last = append(out, at+" "+strings.Join(cats, "+")), at
	}
	return out
}

func parse(t testing.TB, src string) *doc.Tree {
	t.Helper()
	tree, err := parseJSON([]byte(src))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return tree
}

// located renders what was found: "phone=+49 [phone] person/1".
func located(t *doc.Tree, l *Located) []string {
	var out []string
	for _, r := range l.Records {
		out = append(out, "record "+r.String())
	}
	for _, f := range l.Fields {
		var cats []string
		for _, c := range f.Categories {
			cats = append(cats, string(c))
		}
		s := "field " + f.Name + "=" + text(t, f.Node) + " " + strings.Join(cats, "+")
		if f.Shape != "" {
			s += " as " + string(f.Shape)
		}
		if f.Record >= 0 {
			s += " of " + l.Records[f.Record].String()
		}
		if f.Echo {
			s += " echo"
		}
		if f.Keys {
			s += " keys"
		}
		out = append(out, s)
	}
	seen := map[int]bool{}
	for _, w := range l.Withheld {
		if !seen[w.Node] {
			out = append(out, "withheld "+text(t, w.Node))
		}
		seen[w.Node] = true
	}
	for _, n := range l.Nested {
		for _, s := range located(n.Tree, &n.Located) {
			out = append(out, "nested "+s)
		}
	}
	return out
}

func text(t *doc.Tree, node int) string {
	if isContainer(t, node) && t.Format.Name() == xmlrpc.Name {
		var b bytes.Buffer
		appendJSON(&b, t, node)
		return b.String()
	}
	if isContainer(t, node) {
		return string(t.Raw(node))
	}
	if t.Nodes[node].Kind == doc.Null {
		return "null"
	}
	return t.Text(node)
}

// answered locates in the answer to a call.
func answered(t testing.TB, x *Exchange, result string) []string {
	t.Helper()
	tree := parse(t, `{"id":7,"result":`+result+`}`)
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatalf("Locate(%s) = %v", result, err)
	}
	return located(tree, l)
}

func locateJSON(t testing.TB, x *Exchange, body string, status int) []string {
	t.Helper()
	tree := parse(t, body)
	l, err := x.Locate(tree, status)
	if err != nil {
		t.Fatalf("Locate(%s) = %v", body, err)
	}
	return located(tree, l)
}

func locateHTML(t testing.TB, x *Exchange, body string, status int) ([]string, error) {
	t.Helper()
	tree, err := html.Parse([]byte(body), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	l, err := x.Locate(tree, status)
	if err != nil {
		return nil, err
	}
	return located(tree, l), nil
}

func locateCSV(t testing.TB, x *Exchange, body string) ([]string, int, error) {
	t.Helper()
	tree, err := csv.Parse([]byte(body), x.Dialect(), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		return nil, 0, err
	}
	return located(tree, l), l.Rows, nil
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("%s = %s, want %s", what, g, w)
	}
}

// refsOf lists the categories asked about by one role.
func refsOf(x *Exchange, role access.RefRole) []access.Category {
	var cats []access.Category
	for _, a := range x.Accesses {
		for _, r := range a.Refs {
			if r.Role == role {
				cats = append(cats, r.Categories...)
			}
		}
	}
	return cats
}
