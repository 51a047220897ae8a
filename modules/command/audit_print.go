package command

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// shownIDs is how many records of one treatment a line names.
const shownIDs = 5

// entryTime is how times are shown: in the local zone, with its offset.
const entryTime = "2006-01-02 15:04:05 -0700"

// printEntry writes an entry on one line: time, seq, employee, what was done to
// which records, and the decision. Columns have fixed widths, so that a log of
// any size can be shown as it is read. first is the record that is named first.
func printEntry(w io.Writer, seq uint64, e *audit.Entry, first string, zone *time.Location) error {
	who := e.Employee
	if who == "" {
		who = "-"
	}
	line := fmt.Sprintf("%s  %6d  %-28s  %-10s  %s", e.Time.In(zone).Format(entryTime), seq, who, e.Kind, said(e, first))
	_, err := fmt.Fprintln(w, printable(strings.TrimRight(line, " ")))
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

func said(e *audit.Entry, first string) string {
	switch e.Kind {
	case audit.Control:
		return saidControl(e)
	case audit.Disclosure:
		return saidDisclosure(e, first)
	}
	parts := make([]string, 0, len(e.Accesses)+1)
	for _, a := range e.Accesses {
		parts = append(parts, saidAccess(a))
	}
	return strings.Join(append(parts, decided(e.Decision)), "  ")
}

func saidControl(e *audit.Entry) string {
	parts := []string{string(e.Event)}
	for _, s := range []string{e.Error, e.Factor, e.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(e.Unfinished) > 0 {
		parts = append(parts, fmt.Sprintf("%d intents without disclosure", len(e.Unfinished)))
	}
	return strings.Join(parts, "  ")
}

func saidAccess(a access.Access) string {
	what := a.Call
	if what == "" {
		what = a.Route
	}
	if a.Action == "" {
		return what
	}
	records := a.Type
	if records == "" {
		records = string(a.Entity)
	}
	if len(a.IDs) > 0 {
		records += "/" + listed(a.IDs)
	}
	s := fmt.Sprintf("%s %s (%s)", a.Action, records, what)
	if asked := askedAbout(a.Refs); asked != "" {
		s += " asks about " + asked
	}
	return s
}

func askedAbout(refs []access.Ref) string {
	var fields []string
	for _, r := range refs {
		if r.Role.Asks() && !slices.Contains(fields, r.Field) {
			fields = append(fields, r.Field)
		}
	}
	return strings.Join(fields, ", ")
}

func decided(d *audit.Decision) string {
	switch {
	case d == nil:
		return ""
	case !d.Refused:
		return "allowed"
	case d.Line != "":
		return "refused: " + d.Reason + " (" + d.Line + ")"
	}
	return "refused: " + d.Reason
}

// saidDisclosure groups the records by what was shown of them.
func saidDisclosure(e *audit.Entry, first string) string {
	parts := []string{strconv.Itoa(e.Status)}
	if e.Error != "" {
		parts = append(parts, e.Error)
	}
	if e.Part > 0 {
		parts = append(parts, fmt.Sprintf("part %d", e.Part))
	}
	parts = append(parts, saidChanges(e.Changes, first)...)
	if e.Disclosure == nil {
		return strings.Join(parts, "  ")
	}
	for _, g := range grouped(e.Disclosure.Records) {
		if _, id, ok := strings.Cut(first, "/"); ok {
			g.ids = foremost(g.ids, id)
		}
		parts = append(parts, g.kind+"/"+listed(g.ids)+" ["+g.shown+"]")
	}
	if e.Disclosure.Rows > 0 {
		parts = append(parts, fmt.Sprintf("%d rows without a record", e.Disclosure.Rows))
	}
	if e.Disclosure.Withheld > 0 {
		parts = append(parts, fmt.Sprintf("%d texts withheld", e.Disclosure.Withheld))
	}
	if len(parts) == 1 {
		parts = append(parts, "no records")
	}
	return strings.Join(parts, "  ")
}

// alike is the records of one type of which the same was shown.
type alike struct {
	kind, shown string
	ids         []string
}

// grouped names each record once per treatment. Where a document names a record
// and shows nothing of it beside a place that does, the latter stands.
func grouped(records []access.DisclosedRecord) []*alike {
	var groups []*alike
	shows := map[access.Record]bool{}
	for _, r := range records {
		shows[r.Record] = shows[r.Record] || len(r.Treated) > 0
	}
	for _, r := range records {
		shown := treated(r.Treated)
		if shown == "" {
			if shows[r.Record] {
				continue
			}
			shown = "named only"
		}
		i := slices.IndexFunc(groups, func(g *alike) bool { return g.kind == r.Type && g.shown == shown })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &alike{kind: r.Type, shown: shown})
		}
		if !slices.Contains(groups[i].ids, r.ID) {
			groups[i].ids = append(groups[i].ids, r.ID)
		}
	}
	return groups
}

// foremost moves an id to the front.
func foremost(ids []string, id string) []string {
	i := slices.Index(ids, id)
	if i <= 0 {
		return ids
	}
	return append([]string{id}, slices.Delete(slices.Clone(ids), i, i+1)...)
}

func listed(ids []string) string {
	if len(ids) <= shownIDs {
		return strings.Join(ids, ",")
	}
	return strings.Join(ids[:shownIDs], ",") + fmt.Sprintf(" and %d more", len(ids)-shownIDs)
}

func treated(t map[access.Category]access.Treatment) string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, string(c)+" "+t[c].String())
	}
	return strings.Join(parts, ", ")
}
