package desk

import (
	"io"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/ocsf"
)

// EventBounds are those of a download of events: rows keep their entries for it.
func EventBounds() Bounds {
	return Bounds{Rows: 2000, Entries: 500_000, Keep: true, Time: 2 * time.Minute}
}

// row makes a row as the bounds say.
func (b Bounds) row(intent *audit.Stored, answers []audit.Stored, record string) *Row {
	r := newRow(intent, answers, record, b.Records)
	if !b.Keep {
		return r
	}
	if intent != nil {
		r.entries = append(r.entries, *intent)
	}
	for _, a := range slices.Backward(answers) { // as they were written
		r.entries = append(r.entries, a)
	}
	return r
}

// WriteEvents writes the entries of rows as OCSF events, one a line. Rows have to be
// found within EventBounds.
func WriteEvents(w io.Writer, f *Found) error {
	for _, r := range f.Rows {
		for i := range r.entries {
			if err := ocsf.Write(w, &r.entries[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
