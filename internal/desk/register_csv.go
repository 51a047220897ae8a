package desk

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/report"
)

// WriteRegisterCSV writes a register for spreadsheets (RFC 4180), its labels in the
// language de or en: how many gaps there are, the gaps, each line as the log keeps it, what
// was shown, and what changed. What a spreadsheet would take for a formula gets an
// apostrophe in front of it.
func WriteRegisterCSV(w io.Writer, r *report.Report, lang string) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	var failed error
	write := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = harmlessText(cell)
		}
		if err := c.Write(cells); err != nil && failed == nil {
			failed = err
		}
	}
	write("kind", "site", "field", "label", "name", "value")
	reg := r.Register
	missing := map[bool]string{true: "fehlt", false: "missing"}[lang == "de"]
	write("count", "", "gaps", "", "", strconv.Itoa(len(r.Gaps)))
	write("version", "", "sha256", "", strconv.Itoa(reg.Number), reg.Hash)
	for _, g := range r.Gaps {
		write("gap", g.Site, g.What, gapWord(g.What).In(lang), g.Name, missing)
	}
	for _, l := range reg.Lines() {
		write("line", l.Site, l.Field, fieldWord(l.Field).In(lang), l.Name, l.Value)
	}
	for i := range reg.Sites {
		writeTraffic(write, &reg.Sites[i])
	}
	if reg.Changes != nil {
		side := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		for _, x := range reg.Changes.Lines {
			write("changed_from", x.Site, x.Field, fieldWord(x.Field).In(lang), x.Name, side(x.Before))
			write("changed_to", x.Site, x.Field, fieldWord(x.Field).In(lang), x.Name, side(x.After))
		}
	}
	c.Flush()
	if failed == nil {
		failed = c.Error()
	}
	if failed != nil {
		return fmt.Errorf("writing the CSV: %w", failed)
	}
	return nil
}

func writeTraffic(write func(...string), s *report.RegisterSite) {
	t := s.Traffic
	if t == nil {
		return
	}
	n := func(c report.ShownCount) string { return fmt.Sprintf("clear %d, masked %d", c.Clear, c.Masked) }
	for _, row := range t.Rows {
		name := row.Entity + " " + string(row.Category)
		write("traffic", s.Name, "days_30", "", name, n(row.Month))
		write("traffic", s.Name, "days_365", "", name, n(row.Year))
		for _, to := range row.To {
			write("traffic", s.Name, "days_365_to", "", name+" · "+strings.TrimSpace(to.Kind+" "+to.Name), n(to.Year))
		}
		if row.Drift {
			write("traffic", s.Name, "drift", "", name, "")
		}
	}
	for _, e := range t.NeverEntities {
		write("traffic", s.Name, "entity_never_seen", "", e, "")
	}
	for _, route := range t.NeverRoutes {
		write("traffic", s.Name, "route_never_seen", "", route, "")
	}
}

// harmlessText is harmless for texts that somebody wrote: a spreadsheet looks past
// blanks, and takes wide forms of the signs for the signs.
func harmlessText(cell string) string {
	bare := strings.TrimLeft(cell, " \t\r\n\u00a0\u3000\ufeff")
	if strings.IndexAny(bare, "=+-@＝＋－＠'") == 0 || bare != cell {
		return "'" + cell
	}
	return harmless(cell)
}
