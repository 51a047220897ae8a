package mask

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

var update = flag.Bool("update", false, "write the tables in docs/treatments.md anew")

// examples are the rows of docs/treatments.md.
func examples() []struct {
	cat   access.Category
	shape access.Shape
	kind  doc.Kind
	text  string
} {
	type row = struct {
		cat   access.Category
		shape access.Shape
		kind  doc.Kind
		text  string
	}
	text := func(c access.Category, s string) row { return row{c, "", doc.String, s} }
	return []row{
		text(access.Name, "Erika Mustermann"), text(access.Name, "Kim Li"), text(access.Name, "Ng"),
		text(access.Email, "erika@web.de"), text(access.Email, "eri@gmx.de"), text(access.Email, "erika@mustermann.example"),
		text(access.Phone, "+49 30 23125 017"), text(access.Phone, "0171 2345678"), text(access.Phone, "12345"),
		text(access.Address, "10115"), text(access.Address, "8001"), text(access.Address, "Beispielstraße 1, 10115 Berlin"),
		text(access.Birthdate, "1959-07-13"), text(access.Birthdate, "13.07.1959"), text(access.Birthdate, "Juli 1959"),
		text(access.Bank, "DE89 3704 0044 0532 0130 00"), text(access.Bank, "4111 1111 1111 1111"),
		{access.Bank, access.ShapeNumber, doc.Number, "54321.50"},
		{access.Bank, "", doc.Number, "54321.50"},
		text(access.TaxID, "65929970489"), text(access.Identity, "L01X00T471"), text(access.Special, "katholisch"),
		text(access.Online, "192.168.178.20"), text(access.FreeText, "Ruft an: 030 23125017, erika@web.de, geb. 13.07.1959"),
	}
}

// treatmentRows are made as answers are masked. In free texts the plan shows
// phone numbers in part, dates of birth by their year, and no more.
func treatmentRows() string {
	m := New(Config{PseudonymKey: [32]byte{1}})
	var b strings.Builder
	for _, e := range examples() {
		b.WriteString("| " + string(e.cat) + " | " + cell(e.text, e.shape) + " |")
		for _, tr := range []access.Treatment{access.Partial, access.Generalise, access.Pseudonym, access.Hidden} {
			p := plan(map[access.Category]access.Treatment{access.Phone: access.Partial, access.Birthdate: access.Generalise, access.Email: access.Hidden})
			p.Cells[access.AnyEntity][e.cat] = []access.Verdict{{Treatment: tr, Allowed: true}}
			v, _ := m.Again([]access.Category{e.cat}, e.shape, e.kind, e.text, About{Plan: p, Entity: access.AnyEntity}, "session")
			if v.Kind == doc.Null {
				v.Text = "null"
			}
			b.WriteString(" " + cell(v.Text, "") + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(text string, s access.Shape) string {
	if s != "" {
		text += " (shape " + string(s) + ")"
	}
	return "`" + text + "`"
}

func TestPagesShowWhatTreatmentsShow(t *testing.T) {
	const begin, end = "<!-- examples: go test ./internal/mask -update -->\n", "<!-- end of examples -->"
	for _, name := range []string{"treatments.md", "treatments.de.md"} {
		path := filepath.Join("..", "..", "docs", name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, _ := strings.Cut(string(raw), begin)
		table, after, ok := strings.Cut(rest, end)
		lines := strings.SplitAfter(table, "\n")
		if !ok || len(lines) < 3 {
			t.Fatalf("%s has no place for the examples", name)
		}
		want := lines[0] + lines[1] + treatmentRows()
		if *update {
			if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if table != want {
			t.Errorf("%s shows other placeholders than are made: go test ./internal/mask -update", name)
		}
	}
}

// No treatment shows more of a value than a more revealing one does, and each
// hides what it has to: see docs/treatments.md.
func TestEveryTreatmentKeepsItsPromise(t *testing.T) {
	m := New(Config{})
	shown := func(c access.Category, text string, tr access.Treatment) string {
		v, _ := m.Value(c, "", doc.String, text, tr, "s")
		return v.Text
	}
	for _, e := range examples() {
		if e.kind != doc.String {
			continue
		}
		partly, coarse := shown(e.cat, e.text, access.Partial), shown(e.cat, e.text, access.Generalise)
		if len(digitsOf(coarse)) > len(digitsOf(partly)) {
			t.Errorf("%s: generalise shows %q, partial %q", e.text, coarse, partly)
		}
	}
	for _, domain := range []string{"mustermann.example", "siemens.com", "web.de.evil.example", "notgmail.com", "sub.web.de"} {
		for _, tr := range []access.Treatment{access.Partial, access.Generalise, access.Pseudonym, access.Hidden} {
			if got := shown(access.Email, "erika@"+domain, tr); strings.Contains(got, strings.Split(domain, ".")[0]) {
				t.Errorf("%s shows the domain of erika@%s: %s", tr, domain, got)
			}
		}
	}
	for _, domain := range []string{"gmail.com", "gmx.de", "web.de", "t-online.de"} {
		if got := shown(access.Email, "erika@"+domain, access.Partial); got != "e******@"+domain+"."+maskedDomain {
			t.Errorf("partial of erika@%s: %s", domain, got)
		}
	}
	// Fixed width: how long the hidden part is doesn't show.
	for _, pair := range [][2]string{{"erika@web.de", "ekaterina.longname@web.de"}, {"erika@a.example", "elfriede.maria@bcdefgh.example"}} {
		if a, b := shown(access.Email, pair[0], access.Partial), shown(access.Email, pair[1], access.Partial); a != b {
			t.Errorf("%s and %s tell lengths", a, b)
		}
	}
	if a, b := shown(access.Phone, "+49 30 2312517", access.Partial), shown(access.Phone, "+49 176 23125 1117", access.Partial); a != b {
		t.Errorf("%s and %s tell lengths", a, b)
	}
}
