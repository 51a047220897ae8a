package mask

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// revealing puts the fields into records by the object that they stand in, and
// reveals those that have a name and stand in the record with an id.
func revealing(id, name string) func(*doc.Tree, *access.Found) {
	return func(t *doc.Tree, found *access.Found) {
		at := map[int]int{}
		for i := range found.Fields {
			f := &found.Fields[i]
			object := int(t.Nodes[f.Node].Parent)
			if _, ok := at[object]; !ok {
				at[object] = len(found.Records)
				found.Records = append(found.Records, access.FoundRecord{Record: access.Record{Entity: "person", Type: "person", ID: t.Text(t.Member(object, "id"))}})
			}
			f.Record = at[object]
			f.Revealed = found.Records[f.Record].ID == id && f.Name == name
		}
	}
}

const twoPeople = `[{"id":7,"phone":"+49 171 3920099","name":"Erika Muster","x":"call +49 171 3920099 (Erika Muster)"},{"id":8,"phone":"+49 171 3920099","phone2":"+49 171 3920099","title":"491713920099"}]`

// Another record with the same value, another field, a title and a link show no more
// than they would.
func TestOnlyTheRevealedFieldIsShown(t *testing.T) {
	t.Parallel()
	hide := plan(map[access.Category]access.Treatment{access.Phone: access.Hidden, access.Name: access.Hidden})
	for _, which := range []struct{ id, name string }{{"7", "phone"}, {"8", "phone"}, {"8", "phone2"}} {
		got, res := apply(t, twoPeople, hide, Options{SecondPass: true}, revealing(which.id, which.name))
		if n := strings.Count(got, "3920099"); n != 1 {
			t.Errorf("%s of %s: the number stands %d times in %s", which.name, which.id, n, got)
		}
		if !strings.Contains(got, `"`+which.name+`":"+49 171 3920099"`) || strings.Contains(got, "Erika") {
			t.Errorf("%s of %s: %s", which.name, which.id, got)
		}
		if len(res.Revealed) != 1 {
			t.Errorf("Revealed = %v", res.Revealed)
		}
		i := slices.IndexFunc(res.Disclosure.Records, func(r access.DisclosedRecord) bool { return r.ID == which.id })
		if res.Disclosure.Records[i].Treated[access.Phone] != access.Clear || res.Disclosure.Records[1-i].Treated[access.Phone] != access.Hidden {
			t.Errorf("the disclosure says %+v", res.Disclosure.Records)
		}
		if masked, hit := res.Sweep.Mask("/calls?to=+49-171-3920099"); !hit || strings.Contains(masked, "3920099") {
			t.Errorf("a header shows %q", masked)
		}
	}
}

func TestNothingRevealsWhatIsDroppedOverdueOrACredential(t *testing.T) {
	t.Parallel()
	p := plan(map[access.Category]access.Treatment{access.Phone: access.Drop, access.Name: access.Hidden})
	got, res := apply(t, twoPeople, p, Options{SecondPass: true}, revealing("7", "phone"))
	if strings.Contains(got, "3920099") || len(res.Revealed) != 0 {
		t.Errorf("dropped: %s", got)
	}
	got, res = apply(t, twoPeople, plan(map[access.Category]access.Treatment{access.Phone: access.Partial}), Options{SecondPass: true}, revealing("7", "phone"), func(_ *doc.Tree, f *access.Found) {
		for i := range f.Fields {
			f.Fields[i].Overdue = true
		}
	})
	if strings.Contains(got, "3920099") || len(res.Revealed) != 0 {
		t.Errorf("overdue: %s", got)
	}
	got, _ = apply(t, `{"id":7,"credential":"hunter22","name,credential":"hunter23"}`, p, Options{SecondPass: true}, revealing("7", "credential"), func(_ *doc.Tree, f *access.Found) {
		for i := range f.Fields {
			f.Fields[i].Revealed = true
		}
	})
	if strings.Contains(got, "hunter") {
		t.Errorf("a credential: %s", got)
	}
}

// A node that is another field, too, shows what that one shows.
func TestWhatIsAlsoAnotherFieldIsNotRevealed(t *testing.T) {
	t.Parallel()
	p := plan(map[access.Category]access.Treatment{access.Phone: access.Hidden, access.Name: access.Hidden})
	for _, first := range []bool{true, false} {
		got, res := apply(t, twoPeople, p, Options{SecondPass: true}, revealing("7", "phone"), func(_ *doc.Tree, f *access.Found) {
			other := f.Fields[0]
			other.Revealed, other.Name = false, "also"
			if first {
				f.Fields = append([]access.FoundField{other}, f.Fields...)
			} else {
				f.Fields = append(f.Fields, other)
			}
		})
		if strings.Contains(got, "3920099") || len(res.Revealed) != 0 {
			t.Errorf("%s", got)
		}
	}
}

// Units of a stream, and answers of a batch, know the value of a field that is shown
// as one to look for.
func TestARevealedValueIsASecretInOtherDocuments(t *testing.T) {
	t.Parallel()
	p := plan(map[access.Category]access.Treatment{access.Phone: access.Hidden})
	for name, seen := range map[string]*Seen{"stream": NewSeen(100), "batch": Gather()} {
		got, _ := apply(t, `{"id":7,"phone":"+49 171 3920099"}`, p, Options{SecondPass: true, Seen: seen}, revealing("7", "phone"))
		if name == "batch" {
			seen.Search()
		} else if !strings.Contains(got, "3920099") {
			t.Errorf("the field itself: %s", got)
		}
		got, _ = apply(t, `{"id":8,"text":"call +49 171 3920099"}`, p, Options{SecondPass: true, Seen: seen})
		if strings.Contains(got, "3920099") {
			t.Errorf("%s: the next document shows %s", name, got)
		}
	}
}

// Of a text that is shown in part, all is shown, and what was found in it stays hidden
// elsewhere.
func TestARevealedTextIsShownWhole(t *testing.T) {
	t.Parallel()
	p := plan(map[access.Category]access.Treatment{access.FreeText: access.Partial, access.Phone: access.Hidden})
	const text = "Rückruf 0171 39200991 bitte"
	src := `{"id":7,"free_text":"` + text + `","x":"0171 39200991"}`
	if got, _ := apply(t, src, p, Options{SecondPass: true}, revealing("8", "")); strings.Contains(got, "39200991") {
		t.Fatalf("nothing is revealed: %s", got)
	}
	got, _ := apply(t, src, p, Options{SecondPass: true}, revealing("7", "free_text"))
	if !strings.Contains(got, text) || strings.Count(got, "39200991") != 1 {
		t.Errorf("%s", got)
	}
}
