package desk

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// CSVBounds are those of a download.
func CSVBounds() Bounds {
	return Bounds{Rows: 10_000, Entries: 500_000, Records: writtenRecords, Time: 2 * time.Minute}
}

// WriteCSV writes rows for spreadsheets. What a spreadsheet would take for a
// formula gets an apostrophe in front of it. A last line says where rows are
// missing.
func WriteCSV(w io.Writer, f *Found) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	if err := c.Write(csvHead()); err != nil {
		return fmt.Errorf("writing the CSV: %w", err)
	}
	for _, r := range f.Rows {
		if err := c.Write(csvLine(r)); err != nil {
			return fmt.Errorf("writing the CSV: %w", err)
		}
	}
	for _, u := range f.Unread {
		if err := c.Write([]string{"not all: the log of node " + u.Node + " could not be read, and its rows are missing here"}); err != nil {
			return fmt.Errorf("writing the CSV: %w", err)
		}
	}
	if f.Next != "" {
		if err := c.Write([]string{"not all: older rows are missing here; narrow the search"}); err != nil {
			return fmt.Errorf("writing the CSV: %w", err)
		}
	}
	c.Flush()
	return c.Error()
}

// csvHead names the columns.
func csvHead() []string {
	return []string{
		"entry", "time", "employee", "roles", "site", "event", "action", "entity", "records", "more_records", "rows_without_id",
		"clear", "masked", "decision", "reason", "policy_line", "status", "detail", "node",
		"changed_fields", "change",
	}
}

func csvLine(r *Row) []string {
	var clear, masked []string
	for _, s := range r.Shown {
		if s.Treatment == access.Clear {
			clear = append(clear, string(s.Category))
		} else {
			masked = append(masked, string(s.Category)+" "+s.Treatment.String())
		}
	}
	actions := make([]string, len(r.Actions))
	for i, a := range r.Actions {
		actions[i] = string(a)
	}
	decision := Allowed
	switch {
	case r.Event != "":
		decision = ""
	case r.Refused:
		decision = Refused
	}
	list := func(s []string) string { return strings.Join(s, " ") }
	line := []string{
		strconv.FormatUint(r.Seq, 10), r.Time.UTC().Format(time.RFC3339), r.Employee, list(r.Roles), r.Site, string(r.Event),
		list(actions), list(r.Entities), list(r.Records), some(r.More), some(r.Unnamed),
		list(clear), strings.Join(masked, ", "), decision, r.Reason, r.Line, some(r.Status), r.Detail, r.Node,
	}
	line = append(line, csvChanges(r)...)
	for i, cell := range line {
		line[i] = harmless(cell)
	}
	return line
}

func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func harmless(cell string) string {
	if strings.HasPrefix(strings.TrimLeft(cell, " "), "'") || strings.IndexAny(cell, "=+-@\t\r") == 0 {
		return "'" + cell
	}
	return cell
}

// csvChanges are the fields that were written, `?` for those that the profile doesn't
// name, and what became of it.
func csvChanges(r *Row) []string {
	var fields, became []string
	for i := range r.Changes {
		c := &r.Changes[i]
		fields = append(fields, c.Fields...)
		if c.Unlisted > 0 || c.More > 0 || c.Unread {
			fields = append(fields, "?")
		}
		became = append(became, string(c.Action)+" "+string(cmp.Or(c.Outcome, access.Unsure)))
	}
	return []string{strings.Join(once(fields), " "), strings.Join(once(became), ", ")}
}
