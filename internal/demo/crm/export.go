package crm

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// pingEvery is the rhythm of the event stream.
const pingEvery = time.Second

// exportCSV writes the contacts that a list with the same parameters would show
// on all its pages, as German spreadsheets want them: BOM, semicolons, CR LF,
// German dates, numbers and headings.
func (m *CRM) exportCSV(w http.ResponseWriter, r *http.Request) {
	q, p := parseQuery(m.contacts, r.URL.Query())
	if p != nil {
		writeProblem(w, p)
		return
	}
	q.limit, q.offset = len(m.store.all(m.contacts)), 0
	records, _ := q.run(m.contacts, m.store.all(m.contacts))
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="kontakte.csv"`)
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "\uFEFF") // the client went away: nobody to tell
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	row := make([]string, 0, len(m.contacts.fields))
	for _, f := range m.contacts.fields {
		row = append(row, f.de)
	}
	_ = out.Write(row)
	for _, rec := range records {
		row = row[:0]
		for _, f := range m.contacts.fields {
			row = append(row, germanCell(f, rec[f.name]))
		}
		_ = out.Write(row)
	}
	out.Flush()
}

func germanCell(f field, v any) string {
	text := shown(v)
	switch f.kind {
	case kindNumber:
		n, _ := v.(float64)
		return strings.Replace(fmt.Sprintf("%.2f", n), ".", ",", 1)
	case kindFlag:
		if v == true {
			return "ja"
		}
		return "nein"
	case kindDate:
		if d, err := time.Parse(time.DateOnly, text); err == nil {
			return d.Format("02.01.2006")
		}
	case kindStamp:
		if d, err := time.Parse(time.RFC3339, text); err == nil {
			return d.Format("02.01.2006 15:04")
		}
	}
	return text
}

// stream writes all contacts as one JSON array, record by record, each flushed,
// in the escaping style of PHP.
func (m *CRM) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	before := "["
	for _, rec := range m.store.all(m.contacts) {
		line := appendObject([]byte(before), m.contacts.members(rec, nil), styleASCII)
		if _, err := w.Write(line); err != nil || out.Flush() != nil || r.Context().Err() != nil {
			return
		}
		before = ",\n"
	}
	if before == "[" {
		_, _ = io.WriteString(w, "[") // no contact at all
	}
	_, _ = io.WriteString(w, "]\n") // the client went away: nobody to tell
}

// events sends a ping at once and each second, until the client or the CRM goes.
func (m *CRM) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		_, err := fmt.Fprintf(w, "id: %d\nevent: ping\ndata: {\"n\":%d}\n\n", n, n)
		if err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-m.closed:
			return
		}
	}
}
