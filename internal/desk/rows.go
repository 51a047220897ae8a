package desk

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"github.com/crmgate/crmgate/internal/audit"
)

// How much a RowWriter holds while it waits for answers: requests, answers of one,
// and records of all answers.
const (
	heldRequests = 4096
	heldAnswers  = 4096
	heldRecords  = 100_000
)

// RowWriter writes a log's entries, which it gets in their order, as the CSV of the
// desk: a row for each request with what its answer disclosed. Rows are in the order
// of the requests. An answer that comes after thousands of other requests, or that
// is very long, is a further row of its request.
type RowWriter struct {
	csv     *csv.Writer
	several bool
	// waiting are requests in their order, by where they stand in byPlace.
	waiting []*heldRow
	byPlace map[audit.Receipt]*heldRow
	records int
}

type heldRow struct {
	place   audit.Receipt
	intent  *audit.Stored
	answers []audit.Stored // as they were written
	records int
	done    bool
}

// NewRowWriter begins a CSV. With several logs, each row names its node.
func NewRowWriter(w io.Writer, several bool) (*RowWriter, error) {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	if err := c.Write(csvHead()); err != nil {
		return nil, fmt.Errorf("writing the CSV: %w", err)
	}
	return &RowWriter{csv: c, several: several, byPlace: map[audit.Receipt]*heldRow{}}, nil
}

// Write takes an entry.
func (w *RowWriter) Write(s *audit.Stored) error {
	e := &s.Entry
	switch {
	case e.Kind == audit.Disclosure:
		w.answer(s)
	case e.Piece > 1:
		first := w.byPlace[audit.Receipt{Node: s.Node, Seq: s.Seq - uint64(e.Piece-1)}]
		if first != nil && first.intent != nil {
			first.intent.Entry.Accesses = slices.Concat(first.intent.Entry.Accesses, e.Accesses)
		}
	default:
		refused := e.Decision != nil && e.Decision.Refused && !e.Decision.Observe
		own := *s
		w.hold(&heldRow{place: audit.Receipt{Node: s.Node, Seq: s.Seq}, intent: &own, done: e.Kind == audit.Control || refused && e.Pieces == 0})
	}
	return w.flush(heldRequests, heldRecords)
}

func (w *RowWriter) hold(h *heldRow) *heldRow {
	w.waiting = append(w.waiting, h)
	w.byPlace[h.place] = h
	return h
}

// answer adds a disclosure to its request, or to a row of its own.
func (w *RowWriter) answer(s *audit.Stored) {
	place := audit.Receipt{Node: s.Node, Seq: s.Entry.Intent}
	h := w.byPlace[place]
	if h == nil {
		h = w.hold(&heldRow{place: place})
	}
	h.answers = append(h.answers, *s)
	records := 1 // an answer without any takes room, too
	if d := s.Entry.Disclosure; d != nil {
		records += len(d.Records)
	}
	h.records, w.records = h.records+records, w.records+records
	h.done = s.Entry.Part == s.Entry.Parts && s.Entry.Piece == s.Entry.Pieces || len(h.answers) == heldAnswers
	if h.done {
		delete(w.byPlace, place) // a further answer is a further row
	}
}

// flush writes the rows that wait for nothing, and the oldest where more is held.
func (w *RowWriter) flush(requests, records int) error {
	for len(w.waiting) > 0 {
		h := w.waiting[0]
		if !h.done && len(w.waiting) <= requests && w.records <= records {
			return nil
		}
		w.waiting = w.waiting[1:]
		if w.byPlace[h.place] == h {
			delete(w.byPlace, h.place)
		}
		w.records -= h.records
		slices.Reverse(h.answers) // newRow takes the newest first
		r := newRow(h.intent, h.answers, "", writtenRecords)
		if w.several {
			r.Node = h.place.Node
		}
		if err := w.csv.Write(csvLine(r)); err != nil {
			return fmt.Errorf("writing the CSV: %w", err)
		}
	}
	return nil
}

// Close writes what waits.
func (w *RowWriter) Close() error {
	if err := w.flush(-1, 0); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}
