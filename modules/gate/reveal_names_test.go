package gate

import (
	"fmt"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
)

// Fields that a profile knows by a pattern alone can be asked for once they were seen;
// what it doesn't know, and what could be a value, can't.
func TestFieldsThatWereSeen(t *testing.T) {
	t.Parallel()
	p, err := profile.Load([]byte(`
profile: names/1
evidence: documented
withheld: W
entities:
  person:
    fields: {name: name, "*phone*": phone, "*_id": public, "c_*": {parts: {a: address}}}
    relations: {phone_friend: person}
routes:
  - {match: "GET /people/{id}", entity: person, ids: ["{id}"], records: [{at: $}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	n := new(fieldNames)
	record := access.FoundRecord{Record: access.Record{Entity: "person", Type: "person", ID: "7"}}
	found := &access.Found{Records: []access.FoundRecord{record}}
	for name, of := range map[string]struct {
		record int
		entity access.Entity
		cat    access.Category
	}{
		"mobile_phone": {0, "person", access.Phone}, "c_home.a": {0, "person", access.Address}, "c_home.b": {0, "person", access.Unclassified},
		"surprise": {0, "person", access.Unclassified}, "x_id": {0, "person", access.Public}, "phone_friend": {0, "person", access.Name},
		"phone_nobody": {-1, "person", access.Phone}, "phone_of_other": {0, "company", access.Phone}, "+49 171 3920099 phone": {0, "person", access.Phone},
	} {
		found.Fields = append(found.Fields, access.FoundField{Record: of.record, Entity: of.entity, Name: name, Categories: []access.Category{of.cat}})
	}
	for range 2 {
		n.take(p, found)
	}
	got := ""
	for _, f := range n.fields(p, "person") {
		got += fmt.Sprintf("%s %d, ", f.Name, len(f.Categories))
	}
	if want := "c_home 2, mobile_phone 1, name 1, "; got != want {
		t.Errorf("fields: %s\nwant %s", got, want)
	}
	if got := n.fields(p, "people"); len(got) != 0 {
		t.Errorf("of another type: %v", got)
	}
}
