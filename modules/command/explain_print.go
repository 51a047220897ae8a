package command

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// page writes parts of an explanation; the first error sticks.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, printable(fmt.Sprintf(format, args...)))
	}
}

func (p *page) table(rows [][]string) {
	for _, row := range rows {
		for i := range row {
			// A policy's own columns would tear the table apart.
			row[i] = strings.Join(strings.Fields(printable(row[i])), " ")
		}
	}
	if p.err == nil {
		p.err = printTable(p.w, rows)
	}
}

// printExplanation writes an explanation for people.
func printExplanation(w io.Writer, r *recorded, e *crmgate.Explanation) error {
	p := &page{w: w}
	p.line("%s", r.name)
	p.line("")
	p.classified(e)
	p.decision(e)
	p.categories(e)
	p.masked(e)
	p.answer(e)
	p.entries(e)
	for _, n := range e.Notes {
		p.line("Note: %s.", n)
	}
	p.line("")
	return p.err
}

func (p *page) classified(e *crmgate.Explanation) {
	rows := [][]string{{"Profile", e.Profile}, {"Policy", e.Policy}, {"Roles", strings.Join(e.Roles, ", ")}}
	if e.Route != "" {
		rows = append(rows, []string{"Route", e.Route})
	}
	if e.Pass {
		rows = append(rows, []string{"Holds", "no personal data: passed as it is, without an entry"})
	}
	for _, a := range e.Accesses {
		rows = append(rows, []string{"Access", saidAccess(a)})
		for _, ref := range a.Refs {
			var cats []string
			for _, c := range ref.Categories {
				cats = append(cats, string(c))
			}
			rows = append(rows, []string{"", fmt.Sprintf("%s %s.%s (%s)", ref.Role, ref.Entity, ref.Field, strings.Join(cats, ", "))})
		}
	}
	if e.Narrowed {
		rows = append(rows, []string{"", "narrowed to what the roles may ask about"})
	}
	p.table(rows)
}

func (p *page) decision(e *crmgate.Explanation) {
	d := e.Decision
	if !d.Refused {
		p.line("Decision: allowed")
		return
	}
	p.line("Decision: refused (%s)", d.Reason)
	if d.Text != "" {
		p.line("  %s", d.Text)
	}
	if d.Line != "" {
		p.line("  by %s", strings.Join(strings.Fields(d.Line), " "))
	}
}

func (p *page) categories(e *crmgate.Explanation) {
	if len(e.Categories) == 0 {
		return
	}
	p.line("")
	p.line("Categories in the answer")
	rows := [][]string{{"Entity", "Category", "Values", "Treatment", "Line that decided"}}
	for _, c := range e.Categories {
		rows = append(rows, []string{string(c.Entity), string(c.Category), fmt.Sprint(c.Fields), c.Treatment, c.Line})
	}
	p.table(rows)
}

func (p *page) masked(e *crmgate.Explanation) {
	if len(e.Masked) == 0 {
		return
	}
	p.line("")
	p.line("Changed in the answer")
	rows := [][]string{{"Record", "Field", "Category", "Treatment", "Shown instead", "Line"}}
	for _, m := range e.Masked {
		shown := m.Shown
		if shown == "" {
			shown = "(taken out)"
		}
		rows = append(rows, []string{orDash(m.Record), orDash(m.Field), orDash(string(m.Category)), m.Treatment, shown, m.Line})
	}
	p.table(rows)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (p *page) answer(e *crmgate.Explanation) {
	p.line("")
	if e.Answer.Status == 0 {
		p.line("The request would be forwarded; its answer is not recorded.")
		return
	}
	p.line("Answer: %d", e.Answer.Status)
	for _, name := range slices.Sorted(maps.Keys(e.Answer.Header)) {
		for _, v := range e.Answer.Header[name] {
			p.line("  %s: %s", name, v)
		}
	}
	p.line("")
	for line := range strings.Lines(e.Answer.Body) {
		p.line("  %s", strings.TrimRight(line, "\r\n"))
	}
}

func (p *page) entries(e *crmgate.Explanation) {
	p.line("")
	p.line("Entries in the audit log: %d", len(e.Entries))
	for i := range e.Entries {
		if p.err == nil {
			p.err = printEntry(p.w, uint64(i+1), &e.Entries[i], "", time.Local)
		}
	}
}
