package command

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// shownEntry is an entry for machines: as it stands in the log, with treatments
// by name.
type shownEntry struct {
	audit.Entry
	Disclosure *shownDisclosure `json:"disclosure,omitempty"`
}

type shownDisclosure struct {
	Records  []shownRecord `json:"records,omitempty"`
	Rows     int           `json:"rows,omitempty"`
	Withheld int           `json:"withheld,omitempty"`
}

type shownRecord struct {
	access.Record
	Treated map[access.Category]string `json:"treated,omitempty"`
}

func showEntry(e *audit.Entry) shownEntry {
	s := shownEntry{Entry: *e}
	d := e.Disclosure
	if d == nil {
		return s
	}
	s.Disclosure = &shownDisclosure{Rows: d.Rows, Withheld: d.Withheld}
	for _, r := range d.Records {
		shown := shownRecord{Record: r.Record, Treated: map[access.Category]string{}}
		for c, t := range r.Treated {
			shown.Treated[c] = t.String()
		}
		s.Disclosure.Records = append(s.Disclosure.Records, shown)
	}
	return s
}
