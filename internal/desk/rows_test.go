package desk

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func rowsOf(t *testing.T, several bool, entries ...audit.Stored) [][]string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewRowWriter(&b, several)
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		if err := w.Write(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "\n") != strings.Count(b.String(), "\r\n") {
		t.Error("a line doesn't end as RFC 4180 says")
	}
	lines, err := csv.NewReader(&b).ReadAll() // as many cells in each line
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func asks(seq uint64, ids ...string) audit.Stored {
	return audit.Stored{Seq: seq, Node: "n1", Entry: audit.Entry{
		Kind: audit.Intent, Request: "r", Accesses: []access.Access{{Action: access.Read, Type: "contact", IDs: ids}},
	}}
}

func shows(seq, intent uint64, part, parts int, ids ...string) audit.Stored {
	e := audit.Entry{Kind: audit.Disclosure, Request: "r", Intent: intent, Status: 200, Part: part, Parts: parts, Disclosure: &access.Disclosure{}}
	for _, id := range ids {
		e.Disclosure.Records = append(e.Disclosure.Records, access.DisclosedRecord{Record: access.Record{Type: "contact", ID: id}})
	}
	return audit.Stored{Seq: seq, Node: "n1", Entry: e}
}

// The rows of a whole log are in the order of its requests, each with its answer,
// however the answers come.
func TestRowsOfALogAreItsRequestsInOrder(t *testing.T) {
	entries := []audit.Stored{
		asks(0, "1"), asks(1, "2"),
		{Seq: 2, Node: "n1", Entry: audit.Entry{Kind: audit.Control, Event: audit.Start, Detail: "=1+1"}},
		shows(3, 1, 1, 0, "2"), shows(4, 0, 0, 0, "1"), shows(5, 1, 2, 2, "3"), shows(6, 99, 0, 0, "7"), asks(7, "8"),
	}
	var got []string
	for _, l := range rowsOf(t, false, entries...)[1:] {
		got = append(got, strings.Join([]string{l[0], l[8], l[16], l[17], l[18]}, "|"))
	}
	want := []string{"0|contact/1|200||", "1|contact/2 contact/3|200||", "2|||'=1+1|", "99|contact/7|200||", "7|contact/8|||"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if l := rowsOf(t, true, entries...); l[1][18] != "n1" {
		t.Errorf("the row's node is %q", l[1][18])
	}
}

// A log with requests that were never answered, or with one endless answer, doesn't
// fill the memory, and no record is missing from the rows.
func TestRowsAreHeldWithinBounds(t *testing.T) {
	var entries []audit.Stored
	for i := range uint64(2 * heldRequests) {
		entries = append(entries, asks(i))
	}
	for i := range uint64(3 * heldAnswers) {
		entries = append(entries, shows(10_000+i, 5, int(i+1), 0, fmt.Sprint(i)))
	}
	var b bytes.Buffer
	w, err := NewRowWriter(&b, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		if err := w.Write(&entries[i]); err != nil {
			t.Fatal(err)
		}
		if len(w.waiting) > heldRequests || w.records > heldRecords {
			t.Fatalf("%d requests, %d records are held", len(w.waiting), w.records)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n < 2*heldRequests+3 {
		t.Errorf("%d lines", n)
	}
	if lines := rowsOf(t, false, asks(0), shows(1, 0, 0, 0, strings.Fields(strings.Repeat("12345 ", 600)+"x")...)); lines[1][9] != "" {
		t.Errorf("more records %q", lines[1][9])
	}
}
