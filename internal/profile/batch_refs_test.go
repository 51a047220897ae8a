package profile_test

import (
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
)

// TestReferencesLeadToIDsAlone: the CRM puts in their place what another answer holds
// under that name. A query that gives the name to another field would send a hidden value
// where its reader sees it, and a further page has the names that its query gave.
func TestReferencesLeadToIDsAlone(t *testing.T) {
	src, err := profile.Builtin("salesforce")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	const api = "/services/data/v62.0/"
	for _, c := range []struct {
		name, first string
		asks        profile.Request
		taken       bool
	}{
		{"a record", api + "sobjects/Contact/003QyCCCCCfbmF0I5I", profile.Request{}, true},
		{"a query", api + "query?q=SELECT+Id+FROM+Contact", profile.Request{Query: []profile.Param{{Name: "q", Value: "SELECT Id FROM Contact"}}}, true},
		{"a query that names its columns", api + "query?q=SELECT+MAX(Email)+Id+FROM+Contact", profile.Request{Query: []profile.Param{{Name: "q", Value: "SELECT MAX(Email) Id FROM Contact"}}}, false},
		{"a further page", api + "query/01gQy-2000", profile.Request{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := p.Classify(profile.Request{Method: "POST", Path: api + "composite", MediaType: "application/json", Body: []byte(`{"compositeRequest":[
				{"referenceId":"a","method":"GET","url":"` + c.first + `"},
				{"referenceId":"b","method":"GET","url":"` + api + `sobjects/Contact/003QyCCCCCfbmF0I5I?fields=@{a.records[0].Id}"}]}`)})
			if err != nil {
				t.Fatal(err)
			}
			b := x.Batch()
			first, err := b.Request(0, "gate.example")
			if err != nil {
				t.Fatal(err)
			}
			c.asks.Method, c.asks.Path, c.asks.Batch = "GET", first.URL.Path, b
			if _, err := p.Classify(c.asks); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Request(1, "gate.example"); (err == nil) != c.taken {
				t.Errorf("a reference to it: %v", err)
			}
		})
	}
}
