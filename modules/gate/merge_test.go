package gate

import (
	"reflect"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// TestRecordIsNamedOncePerResponse, with the most revealing treatment of each
// category, wherever in the response it stood.
func TestRecordIsNamedOncePerResponse(t *testing.T) {
	one := access.Record{Entity: "contact", Type: "contact", ID: "1"}
	two := access.Record{Entity: "contact", Type: "contact", ID: "2"}
	treated := func(c access.Category, tr access.Treatment) map[access.Category]access.Treatment {
		return map[access.Category]access.Treatment{c: tr}
	}
	got := merge([]access.DisclosedRecord{
		{Record: one},
		{Record: two, Treated: treated(access.Name, access.Clear)},
		{Record: one, Treated: treated(access.Phone, access.Hidden)},
		{Record: one, Treated: treated(access.Phone, access.Partial)},
		{Record: one, Treated: treated(access.Phone, access.Hidden)},
	})
	want := []access.DisclosedRecord{
		{Record: one, Treated: treated(access.Phone, access.Partial)},
		{Record: two, Treated: treated(access.Name, access.Clear)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("merge = %v, want %v", got, want)
	}
}
