package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// Reason is why values were masked that no mark names, and in how many places.
type Reason struct {
	Text   string `json:"reason"`
	Places int    `json:"places"`
}

// Reasons sums up why values were masked that no mark names, the most frequent first.
func (r *Report) Reasons() []Reason {
	places := map[string]int{}
	for i := range r.Cases {
		for _, why := range r.Cases[i].because {
			places[why]++
		}
	}
	list := make([]Reason, 0, len(places))
	for why, n := range places {
		list = append(list, Reason{why, n})
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Places, a.Places), strings.Compare(a.Text, b.Text))
	})
	return list
}

// reasons says of the places of a document of JSON why the profile masks them.
type reasons struct {
	t      *doc.Tree
	fields map[int]*access.FoundField
	texts  map[int]bool
	at     map[string]string
}

func because(d *document) map[string]string {
	r := &reasons{t: d.tree, fields: map[int]*access.FoundField{}, texts: map[int]bool{}, at: map[string]string{}}
	for i := range d.found.Fields {
		r.fields[d.found.Fields[i].Node] = &d.found.Fields[i]
	}
	for _, w := range d.found.Withheld {
		r.texts[w.Node] = true
	}
	for _, n := range d.found.Nested {
		r.texts[n.Node] = true
	}
	r.walk(doc.Root, "", "")
	return r.at
}

func (r *reasons) walk(node int, at, why string) {
	switch f := r.fields[node]; {
	case f != nil:
		why = fieldReason(f)
	case r.texts[node]:
		why = "a text that can quote values, or holds a document: `public` of the route, or of the field, where it can't"
	}
	i, kind := 0, r.t.Nodes[node].Kind
	for c := range r.t.Children(node) {
		step := strconv.Itoa(i)
		if kind == doc.Object {
			step = strings.NewReplacer("~", "~0", "/", "~1").Replace(r.t.Key(c))
		}
		r.walk(c, at+"/"+step, why)
		i++
	}
	if i == 0 && why != "" {
		r.at[at] = why
	}
}

func fieldReason(f *access.FoundField) string {
	switch name := string(f.Entity) + "." + f.Name; {
	case f.Record < 0 && slices.Contains(f.Categories, access.Unclassified):
		return fmt.Sprintf("%s stands outside of records: `public: [%s]` of the route, where it holds nothing of a person", f.Name, f.Name)
	case slices.Contains(f.Categories, access.Unclassified):
		return name + " isn't listed, or its value has another form than the profile says: `public` under fields, where it is nobody's"
	default:
		return fmt.Sprintf("%s is %v", name, f.Categories)
	}
}

// repeated is the reason of what the profile doesn't mask by its place.
const repeated = "the second pass: it holds a value that is masked elsewhere in the answer"
