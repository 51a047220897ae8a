package transfer

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The table is what ISO 3166 and the Commission say: no code twice, no decision on a
// country of the EU, and every decision with an act and a day before the table's own.
func TestTablesAreConsistent(t *testing.T) {
	var codes []string
	for line := range strings.Lines(countries) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		if len(cells) != 3 || len(cells[0]) != 2 || cells[1] == "" || cells[2] == "" {
			t.Fatalf("line %q", line)
		}
		codes = append(codes, cells[0])
	}
	if len(codes) != 249 || !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("%d codes, sorted and each once: %v", len(codes), slices.IsSorted(codes))
	}
	for _, code := range append(strings.Fields(inEU), strings.Fields(inEEA)...) {
		if !slices.Contains(codes, code) || DecisionOn(code) != nil {
			t.Errorf("%s is no code, or needs a decision", code)
		}
	}
	if n := len(strings.Fields(inEU)); n != 27+7 {
		t.Errorf("%d codes in the EU", n)
	}
	var decided []string
	for _, d := range decisions() {
		if !slices.Contains(codes, d.Country) || d.Act == "" || day(t, d.On).After(day(t, Checked)) || (d.Scope == "") != (d.ScopeDE == "") {
			t.Errorf("decision %+v", d)
		}
		if d.Until != "" {
			day(t, d.Until)
		}
		decided = append(decided, d.Country)
	}
	if want := strings.Fields("AD AR BR CA CH FO GB GG IL IM JE JP KR NZ US UY"); !slices.Equal(decided, want) {
		t.Errorf("decisions on %v", decided)
	}
	if Name("DE", "de") != "Deutschland" || Name("DE", "en") != "Germany" || Name("ZZ", "de") != "ZZ" {
		t.Error("names")
	}
}

func TestPlacesRestOnTheLaw(t *testing.T) {
	scc := Transfer{Basis: SCC, Module: 2, Date: "2026-03-01", Reference: "contract 1"}
	dpf := Transfer{Basis: DPF, Recipient: "Example, Inc.", Reference: "on the list"}
	for _, c := range []struct {
		at    string
		rests []Transfer
		ok    bool
		says  string
	}{
		{"DE", nil, true, "EU"},
		{"RE", nil, true, "EU"},
		{"NO", nil, true, "EEA"},
		{"CH", nil, true, "adequacy decision 2000/518/EC"},
		{"CA", nil, true, "adequacy decision 2002/2/EC; commercial"},
		{"GB", nil, true, "adequacy decision (EU) 2021/1772, renewed on 2025-12-19; until 2031-12-27"},
		{"GI", nil, false, ""}, // Gibraltar: the decision is on the United Kingdom
		{"GL", nil, false, ""},
		{"SJ", nil, false, ""},
		{"US", nil, false, ""},
		{"US", []Transfer{dpf}, true, "adequacy decision (EU) 2023/1795"},
		{"US", []Transfer{scc}, true, "third country"},
		{"IN", nil, false, ""},
		{"IN", []Transfer{scc}, true, "third country"},
		{"IN US", []Transfer{dpf}, false, ""},
		{"CN", []Transfer{{Basis: BCR, Reference: "approved on 2025-05-05"}}, true, "third country"},
		{"CN", []Transfer{{Basis: Derogation, Case: "b", Reference: "one order"}}, true, "third country"},
		{"CN", []Transfer{{Basis: BCR}}, false, ""},
		{"CN", []Transfer{{Basis: SCC, Module: 2, Date: "2026-03-01", Reference: "x", Recipient: "y"}}, false, ""},
		{"CN", []Transfer{{}}, false, ""},
		{"GB", []Transfer{scc}, true, "adequacy"}, // for when the decision ends
		{"FR", []Transfer{scc}, false, ""},
	} {
		places, err := Judge(strings.Fields(c.at), c.rests)
		if (err == nil) != c.ok || c.ok && !strings.HasPrefix(places[0].String(), c.says) {
			t.Errorf("%s with %v: %v, %v", c.at, c.rests, places, err)
		}
	}
	if places, err := Judge(nil, nil); err != nil || places != nil {
		t.Errorf("no place: %v, %v", places, err)
	}
}

// A decision that has run out isn't silent, and neither is a table that nobody looks at.
func TestTimeRunsOutLoud(t *testing.T) {
	dpf := []Transfer{{Basis: DPF, Recipient: "Example, Inc.", Reference: "on the list"}}
	for _, c := range []struct{ at, now, want string }{
		{"GB", "2026-11-24", ""},
		{"GB", "2031-08-01", Expiring + " " + Old},
		{"GB", "2031-12-27", Expiring + " " + Old},
		{"GB", "2031-12-28", Expired + " " + Old},
		{"CH", "2027-11-23", ""},
		{"CH", "2027-11-24", Old},
		{"DE", "2035-01-01", ""},
		{"US", "2028-01-01", Old},
	} {
		transfers := dpf
		if c.at != "US" {
			transfers = nil
		}
		places, err := Judge([]string{c.at}, transfers)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, d := range Doubts(places, transfers, day(t, c.now)) {
			what, remedy := d.Says()
			if what == "" || remedy == "" {
				t.Errorf("%s says nothing", d.What)
			}
			said = append(said, d.What)
		}
		if got := strings.Join(said, " "); got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.at, c.now, got, c.want)
		}
	}
	single := []Transfer{{Basis: Derogation, Case: "a", Reference: "x"}}
	if d := Doubts(nil, single, day(t, Checked)); len(d) != 1 || d[0].What != Exception {
		t.Errorf("a derogation: %v", d)
	}
}

func TestTextsAreOneLine(t *testing.T) {
	for text, ok := range map[string]bool{
		"contract 9": true, "Grüße, „Verträge“": true, "": false, " ": false, "a\nb": false, "a\tb": false, "a\u2028b": false,
		"a\u202eb": false, "\xff": false, strings.Repeat("ü", 500): true, strings.Repeat("x", 501): false,
	} {
		if Plain(text) != ok {
			t.Errorf("Plain(%.20q) is %v", text, !ok)
		}
	}
}

// The manual says what the table says.
func TestManualHasTheTable(t *testing.T) {
	for _, file := range []string{"../../docs/register.md", "../../docs/register.de.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range decisions() {
			number, _, _ := strings.Cut(d.Act, ",")
			if row := "(`" + d.Country + "`) | " + number; !strings.Contains(string(text), row) {
				t.Errorf("%s lacks %q", file, row)
			}
		}
		if !strings.Contains(string(text), "**"+Checked+"**") {
			t.Errorf("%s doesn't name the day of the table", file)
		}
	}
}
