package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

const (
	changedValue = "Kanarienvogel@example.de"
	changedWord  = "Erika Kanarienvogel"
)

func changedField(name string, was, is string, cats ...access.Category) access.ChangedField {
	return access.ChangedField{Name: name, Categories: cats, Was: &was, Is: &is}
}

func changeOf(month time.Month, id string, fields ...access.ChangedField) *Entry {
	return &Entry{
		Kind: Disclosure, Request: "r", Status: 200, Time: time.Date(2026, month, 2, 3, 4, 5, 0, time.UTC), Disclosure: &access.Disclosure{},
		Changes: []access.Change{{Entity: "contact", Type: "contact", IDs: []string{id}, Action: access.Update, Outcome: access.Changed, Fields: fields}},
	}
}

// The hashes of a change: equal for equal values of a field in a month, and for nothing
// else; where few values are possible, in one record alone.
func TestHashesOfChanges(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	email := func(name, value string) access.ChangedField { return changedField(name, "", value, access.Email) }
	for _, e := range []*Entry{
		changeOf(6, "1", email("email", changedValue), email("email2", changedValue), changedField("faith", changedValue, changedValue, access.Special)),
		changeOf(6, "2", email("email", " kanarienvogel@EXAMPLE.de"), email("email2", ""), changedField("faith", "x", changedValue, access.Special)),
		changeOf(7, "1", email("email", changedValue), access.ChangedField{Word: changedWord, Is: new(string), Categories: []access.Category{access.Unclassified}}),
		changeOf(6, "1", changedField("password", "", changedValue, access.Credential), email("email", "other@example.de")),
	} {
		mustAppend(t, l, e)
		if f := e.Changes[0].Fields[0]; f.Is == nil || f.After != "" {
			t.Error("appending changed the entry")
		}
	}
	refused := changeOf(6, "1", email("email", changedValue))
	refused.Changes[0].Outcome = access.Unchanged
	mustAppend(t, l, refused)
	mustClose(t, l)
	var all [][]access.ChangedField
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		if s.Entry.Changes != nil {
			all = append(all, s.Entry.Changes[0].Fields)
		}
	}
	one, two, july, secret, no := all[0], all[1], all[2], all[3], all[4]
	h := one[0].After
	if len(h) != changeHash || h != two[0].After || one[0].Before != access.EmptyValue {
		t.Errorf("one address, twice: %+v, %+v", one[0], two[0])
	}
	for what, other := range map[string]string{
		"another field": one[1].After, "another month": july[0].After, "another value": secret[1].After, "nothing": two[1].After,
		"another record, of few values": "",
	} {
		if other == h {
			t.Errorf("%s has the same hash", what)
		}
	}
	if two[1].After != access.EmptyValue || one[2].Before != one[2].After || one[2].After == two[2].After || two[2].After == "" {
		t.Errorf("of few values: %+v, %+v", one[2], two[2])
	}
	if secret[0].After != "" || no[0].After != "" || no[0].Name != "email" {
		t.Errorf("a credential, and what was refused: %+v, %+v", secret[0], no[0])
	}
	if july[1].Name != "" || len(july[1].Key) != changeHash || july[1].Word != "" {
		t.Errorf("a client's own word: %+v", july[1])
	}
}

// Whoever searches finds who changed a field, also one that the profile doesn't name,
// and to or from which value; with the index and without.
func TestChangesAreFoundByFieldAndValue(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	mustAppend(t, l, changeOf(6, "1", changedField("email", "a@x.de", changedValue, access.Email)))
	mustAppend(t, l, changeOf(7, "2", changedField("email", changedValue, "", access.Email), access.ChangedField{Word: changedWord, Is: new(string)}))
	mustAppend(t, l, changeOf(7, "3", changedField("phone", "", "030 1", access.Phone)))
	mustClose(t, l)
	ix := mustIndex(t, osFiles{dir}, ring)
	mustUpdate(t, ix, 0)
	value := func(s string) *string { return &s }
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{Changed: "EMAIL"}, "1 2"},
		{Query{Changed: changedWord}, "2"},
		{Query{Changed: "phone"}, "3"},
		{Query{Changed: "city"}, ""},
		{Query{Changed: "email", Value: value(strings.ToUpper(changedValue))}, "1 2"},
		{Query{Changed: "email", Value: value("a@x.de")}, "1"},
		{Query{Changed: "phone", Value: value(changedValue)}, ""},
		{Query{Record: "contact/2"}, "2"},
		{Query{Record: "contact/2", Changed: "phone"}, ""},
	} {
		for how, found := range map[string][]Stored{
			"index": collect(t, ix.Search(t.Context(), c.q)), "log": collect(t, Search(t.Context(), dir, ring, c.q)),
		} {
			var got []string
			for _, s := range found {
				got = append(got, s.Entry.Changes[0].IDs[0])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s, %+v: found %q, want %q", how, c.q, got, c.want)
			}
		}
	}
}

// Neither the value nor a client's own word is anywhere: not in the entry, the files, or
// in an error.
func TestChangesHoldNoValueAndNoWord(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	e := changeOf(6, "1", changedField("email", changedValue, "x", access.Email), access.ChangedField{Word: changedWord, Was: new(string), Is: new(string)})
	mustAppend(t, l, e)
	mustClose(t, l)
	raw, err := json.Marshal(collect(t, Read(t.Context(), dir, ring)))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		raw = append(raw, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(bytes.ToLower(raw), []byte("kanarienvogel")) {
		t.Error("the value or the word is in the log")
	}
	e.Kind, e.Intent, e.Disclosure = Intent, 0, nil
	if err := e.validate(); err == nil || strings.Contains(err.Error(), changedWord) {
		t.Errorf("changes in an intent: %v", err)
	}
}

// A change of thousands of records is told in pieces like any other large entry.
func TestLargeChangesAreToldInPieces(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, Options{Node: "n1", SegmentSize: 1 << 20})
	e := changeOf(6, "1")
	e.Changes = nil
	for i := range 500 {
		c := access.Change{Entity: "contact", Type: "contact", IDs: []string{fmt.Sprint(i)}, Action: access.Update, Outcome: access.Changed}
		for n := range 20 {
			c.Fields = append(c.Fields, changedField(fmt.Sprintf("field_%d", n), "", fmt.Sprint(i, n), access.Email))
		}
		e.Changes = append(e.Changes, c)
	}
	mustAppend(t, l, e)
	mustClose(t, l)
	ids, pieces := 0, 0
	for _, s := range collect(t, Read(t.Context(), dir, ring)) {
		ids += len(s.Entry.Changes)
		pieces = max(pieces, s.Entry.Pieces)
	}
	if ids != 500 || pieces < 2 {
		t.Errorf("%d changes in %d pieces", ids, pieces)
	}
}
