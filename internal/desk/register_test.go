package desk

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/report"
)

// The CSV is one that a spreadsheet reads, and holds nothing that it would compute.
func TestRegisterIsACSVWithoutFormulas(t *testing.T) {
	for _, s := range []string{"=1+1", "@SUM(A1)", "+1", "-1", " =1", "\u00a0=1", "\t=1", "＝1", "'=1", "a\"b,c", "=HYPERLINK(\"http://x\",\"y\")", "x\r\n=1"} {
		for _, lang := range []string{"de", "en"} {
			r := hostileReport(report.RegisterKind, s)
			var b bytes.Buffer
			if err := WriteRegisterCSV(&b, r, lang); err != nil {
				t.Fatal(err)
			}
			c := csv.NewReader(&b)
			c.FieldsPerRecord = 6
			rows, err := c.ReadAll()
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if len(rows) < 60 || rows[1][5] != "23" || rows[3][0] != "gap" {
				t.Errorf("%d rows, %q, %q", len(rows), rows[1], rows[3])
			}
			for _, row := range rows {
				for _, cell := range row {
					if bare := strings.TrimLeft(cell, " \t\r\n\u00a0"); bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) {
						t.Errorf("a cell is a formula: %q", cell)
					}
				}
			}
		}
	}
	var b bytes.Buffer
	if err := WriteRegisterCSV(&b, hostileReport(report.RegisterKind, "x"), "en"); err != nil || !strings.Contains(b.String(), "\r\n") {
		t.Errorf("no CRLF, %v", err)
	}
}

var (
	lineField  = regexp.MustCompile(`add\("([a-z_]+)"|pair\("([a-z_]+)"|stated\([^,]+, "([a-z_]+)"|each\("([a-z_]+)"|pairs\("([a-z_]+)"|of\("([a-z_]+)"|add\("", "([a-z_]+)"|"([a-z_]+)": +a\.`)
	gapField   = regexp.MustCompile(`g\.(?:add|each)\((?:s, )?"([a-z_]+)"|\{"([a-z]+)", func`)
	measureHas = regexp.MustCompile(`What: "([a-z_]+)|add\("([a-z_]+)"`)
)

// No line, gap or measure of a register is shown under its own name for it.
func TestRegisterHasWordsForAllItSays(t *testing.T) {
	found := func(pattern *regexp.Regexp, files ...string) []string {
		var all []string
		for _, f := range files {
			matches, err := filepath.Glob(f)
			if err != nil || len(matches) == 0 {
				t.Fatal(f, err)
			}
			for _, m := range matches {
				source, err := os.ReadFile(m)
				if err != nil {
					t.Fatal(err)
				}
				for _, hit := range pattern.FindAllStringSubmatch(string(source), -1) {
					all = append(all, strings.Join(hit[1:], ""))
				}
			}
		}
		return all
	}
	fields := found(lineField, "../report/register.go", "../report/register_about.go")
	gaps := found(gapField, "../report/register_gaps.go")
	measures := found(measureHas, "../../modules/gate/register_about.go", "../../modules/crmgate/register_systems.go")
	if len(fields) < 30 || len(gaps) < 15 || len(measures) < 12 {
		t.Fatalf("found %d fields, %d gaps, %d measures", len(fields), len(gaps), len(measures))
	}
	for _, f := range fields {
		if w := fieldWord(f); w.DE == f {
			t.Errorf("field %s has no words", f)
		}
	}
	for _, g := range gaps {
		if w := gapWord(g); w.DE == g || w.DE == w.EN {
			t.Errorf("gap %s has no words", g)
		}
	}
	for _, m := range measures {
		if w := measureWord(m); w.DE == m {
			t.Errorf("measure %s has no words", m)
		}
	}
}
