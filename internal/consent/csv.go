package consent

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Row is a declaration that was made before the ledger was there, or elsewhere: a line of
// a CSV.
type Row struct {
	// Line is its line in the file.
	Line    int    `json:"line"`
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Record  string `json:"record,omitempty"`
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	State   string `json:"state"`
	// At is when it was declared: RFC 3339, with a zone.
	At string `json:"at"`
	// Version and Language name the text that was shown, where one that is configured was.
	Version  string `json:"text_version,omitempty"`
	Language string `json:"text_language,omitempty"`
	// Form and Source say where it was declared.
	Form   string `json:"form,omitempty"`
	Source string `json:"source,omitempty"`
}

// column is where a column's cells go.
func (r *Row) column(name string) *string {
	return map[string]*string{
		"email": &r.Email, "phone": &r.Phone, "record": &r.Record, "purpose": &r.Purpose, "channel": &r.Channel, "state": &r.State,
		"at": &r.At, "text_version": &r.Version, "text_language": &r.Language, "form": &r.Form, "source": &r.Source,
	}[name]
}

// Columns are those that a CSV may have; the first seven it has to, of email, phone and
// record one.
func Columns() []string {
	return []string{"email", "phone", "record", "purpose", "channel", "state", "at", "text_version", "text_language", "form", "source"}
}

// maxCell bounds a cell in bytes.
const maxCell = 2000

// ReadCSV hands over the rows of a CSV with a line of columns, parted by commas or
// semicolons, in UTF-8. A file that it can't read whole is an error that names the line;
// nothing of what it says is in it.
func ReadCSV(in io.Reader, each func(Row) error) error {
	buf := bufio.NewReader(in)
	if mark, err := buf.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = buf.Discard(3) // just peeked
	}
	head, err := buf.Peek(buf.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the CSV: %w", err)
	}
	first, _, _ := strings.Cut(string(head), "\n")
	r := csv.NewReader(buf)
	if strings.Count(first, ";") > strings.Count(first, ",") {
		r.Comma = ';'
	}
	names, err := r.Read()
	if err != nil {
		return unreadable(r, err)
	}
	if err := checkColumns(names); err != nil {
		return err
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(r, err)
		}
		line, _ := r.FieldPos(0)
		row := Row{Line: line}
		for i, c := range cells {
			if len(c) > maxCell || !utf8.ValidString(c) {
				return fmt.Errorf("line %d: a cell is longer than %d bytes, or not in UTF-8", line, maxCell)
			}
			*row.column(strings.TrimSpace(names[i])) = strings.TrimSpace(c)
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

func unreadable(r *csv.Reader, err error) error {
	if at, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w", at.Line, at.Err)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("line 1: the columns are missing: " + strings.Join(Columns(), ","))
	}
	return fmt.Errorf("reading the CSV: %w", err)
}

func checkColumns(names []string) error {
	for i, n := range names {
		n = strings.TrimSpace(n)
		if new(Row).column(n) == nil {
			return fmt.Errorf("line 1: column %d isn't one of %s", i+1, strings.Join(Columns(), ", "))
		}
		if slices.Contains(names[:i], names[i]) {
			return fmt.Errorf("line 1: the column %s stands there twice", n)
		}
	}
	for _, n := range []string{"purpose", "channel", "state", "at"} {
		if !slices.ContainsFunc(names, func(s string) bool { return strings.TrimSpace(s) == n }) {
			return fmt.Errorf("line 1: the column %s is missing", n)
		}
	}
	return nil
}

// Report is what became of rows.
type Report struct {
	Rows int `json:"rows"`
	// Taken were added; Known stood there already; Older are kept in a proof of their own
	// and change nothing, because something newer stands.
	Taken int `json:"taken"`
	Known int `json:"known"`
	Older int `json:"older"`
	// Refused are the rows that weren't taken, by line.
	Refused []RefusedRow `json:"refused,omitempty"`
}

// RefusedRow is a row that wasn't taken.
type RefusedRow struct {
	Line int `json:"line"`
	// Why names what is wrong, and no value.
	Why string `json:"why"`
}

// Import adds declarations that were made before. source says by whom and from where; it
// stands in each proof. With dry nothing is added, and the report says what would be.
// An error ends it; what was added before stays, and the same rows may be imported again.
func (l *Ledger) Import(ctx context.Context, rows []Row, source string, dry bool) (*Report, error) {
	rep := new(Report)
	for i := range rows {
		rep.Rows++
		r := &rows[i]
		s, w, to, by, why := l.row(r, source)
		if why != "" {
			rep.Refused = append(rep.Refused, RefusedRow{r.Line, why})
			continue
		}
		done, err := l.changed(ctx, s, w, to, by, dry)
		switch {
		case errors.Is(err, ErrChange):
			rep.Refused = append(rep.Refused, RefusedRow{r.Line, strings.TrimPrefix(err.Error(), ErrChange.Error()+": ")})
		case err != nil:
			return rep, fmt.Errorf("line %d: %w", r.Line, err)
		case done == known:
			rep.Known++
		case done == older:
			rep.Older++
		default:
			rep.Taken++
		}
	}
	return rep, nil
}

// row reads a row; why says what is wrong with it.
func (l *Ledger) row(r *Row, source string) (s Subject, w Wanted, to State, by told, why string) {
	if r.Email != "" {
		s.Emails = []string{r.Email}
	}
	if r.Phone != "" {
		s.Phones = []string{r.Phone}
	}
	if r.Record != "" {
		var ok bool
		if s.Entity, s.Record, ok = strings.Cut(r.Record, "/"); !ok || s.Entity == "" || s.Record == "" {
			return s, w, to, by, "a record is named kind/id: contact/1001"
		}
	}
	w, to = Wanted{r.Purpose, r.Channel}, State(r.State)
	if w.Purpose == "" || w.Channel == "" {
		return s, w, to, by, "purpose and channel have to be named"
	}
	at, err := time.Parse(time.RFC3339, r.At)
	if err != nil {
		return s, w, to, by, "at is no time with a zone: write 2024-05-01T12:30:00+02:00 (a day alone proves nothing)"
	}
	by = told{source: source, from: "import", form: r.Form, at: at}
	if r.Source != "" {
		by.source = cut(source+": "+r.Source, maxSource)
	}
	if r.Version == "" && r.Language == "" {
		return s, w, to, by, ""
	}
	if p, ok := l.purpose(w.Purpose); ok {
		if t, ok := p.text(w.Channel, r.Version, r.Language); ok {
			by.text = &t
			return s, w, to, by, ""
		}
	}
	return s, w, to, by, "no such text is configured (text_version, text_language)"
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
