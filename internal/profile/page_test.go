package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

const formPage = `
profile: page/1
evidence: documented
withheld: W
entities:
  person: {fields: {name: name, note: free_text, kind: public}}
routes:
  - {match: "GET /{id}", entity: person, ids: ["{id}"], type: html, records: [{select: form, id: "{id}", fields: {textarea: "@name", "td:nth-child(2)": name, "td:nth-child(1), button": ""}}]}
`

// TestTypedInputsThatNobodyNamesAreHidden: an input of a record that the profile
// doesn't list holds a value like a text does.
func TestTypedInputsThatNobodyNamesAreHidden(t *testing.T) {
	const page = `<form><input type="hidden" name="id" value="7"><input name="name" value="Zoe"><input type=EMAIL VALUE="z@e">
<input type=submit value="Save"><input type="checkbox" value="on"><input value=""><textarea name="note">Hi</textarea>
<table><tr><td>Kind</td><td>Ann</td></tr></table><button>Go</button></form><input value="search">`
	p := loadText(t, formPage)
	x := classify(t, p, get("/7"))
	tree, err := x.Parse([]byte(page), "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range l.Fields {
		if !slices.Equal(f.Categories, []access.Category{access.Public}) {
			got = append(got, tree.Text(f.Node))
		}
	}
	slices.Sort(got)
	if want := []string{"Ann", "Hi", "Zoe", "z@e"}; !slices.Equal(got, want) {
		t.Errorf("hidden are %q, want %q", got, want)
	}
}

func TestSelectorOfWhatHasNoTextIsAnError(t *testing.T) {
	src := strings.Replace(formPage, `textarea: "@name"`, `"textarea, div > input": "@name"`, 1)
	if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), "write what of it holds the value: `input@value`") {
		t.Errorf("Load = %v", err)
	}
}
