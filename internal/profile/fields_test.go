package profile

import (
	"fmt"
	"testing"
)

// Fields with values of their own are listed, by name: no ids, relations, documents,
// public ones, or those that take their meaning from others.
func TestFieldsWithValuesOfTheirOwn(t *testing.T) {
	t.Parallel()
	p, err := Load([]byte(`
profile: fields/1
evidence: documented
withheld: W
entities:
  person:
    types: [person, people]
    fields:
      name|first: name
      phones: {parts: {number: phone, code: public}}
      record: {category: unclassified, decode: json}
      error: {category: unclassified, withhold: true}
      job: public
      value: {by: kind, values: {mobile: phone, mail: email}}
      "c_*": free_text
    relations: {friend: person}
routes:
  - {match: "GET /people/{id}", entity: person, ids: ["{id}"], records: [{at: $}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{first [name]} {name [name]} {phones [phone]} {value [email phone]}]"
	for _, typ := range []string{"person", "people"} {
		if got := fmt.Sprint(p.Fields(typ)); got != want {
			t.Errorf("Fields(%s) = %s\nwant %s", typ, got, want)
		}
	}
	if got := p.Fields("nosuch"); got != nil {
		t.Errorf("of an unknown type: %v", got)
	}
}
