package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// benchBody is an answer of the CRM: a list of contacts as JSON, a page with a table
// of them, or a stream with one on each line.
type benchBody struct {
	name     string
	path     string // where it is asked for, behind the route's own
	media    string
	contacts []benchContact
	// raw is what is sent, times times: once but for a stream.
	raw   []byte
	times int
	// read takes the contacts out of an answer.
	read func(raw []byte) ([]benchContact, error)
}

// streams reports whether the body is larger than one would hold.
func (b *benchBody) streams() bool { return b.times > 1 }

func (b *benchBody) isPage() bool { return b.path == "/pages/" }

// benchList is a list's JSON.
type benchList struct {
	Total int            `json:"total"`
	Items []benchContact `json:"items"`
}

// newBenchBody makes so many contacts that what each becomes has about that many bytes.
func newBenchBody(name string, size int, each func(c *benchContact) []byte) *benchBody {
	b := &benchBody{name: name, times: 1}
	for length := 0; length < size; {
		b.contacts = append(b.contacts, newBenchContact(len(b.contacts)))
		length += len(each(&b.contacts[len(b.contacts)-1]))
	}
	return b
}

func newBenchList(name string, size int) *benchBody {
	b := newBenchBody(name, size, benchLine)
	b.path, b.media, b.read = "/contacts/", "application/json", readList
	b.raw = benchJSON(benchList{Total: len(b.contacts), Items: b.contacts})
	return b
}

func newBenchPage(name string, size int) *benchBody {
	b := newBenchBody(name, size, benchTableRow)
	b.path, b.media, b.read = "/pages/", "text/html; charset=utf-8", readPage
	var page bytes.Buffer
	page.WriteString(`<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Kontakte</title><link rel="stylesheet" href="/app.css"></head><body><h1>Kontakte</h1><table id="contacts"><tbody>` + "\n")
	for i := range b.contacts {
		page.Write(benchTableRow(&b.contacts[i]))
	}
	page.WriteString("</tbody></table></body></html>\n")
	b.raw = page.Bytes()
	return b
}

// newBenchStream makes a cycle of lines that is sent until so many bytes are.
func newBenchStream(name string, cycle, size int) *benchBody {
	b := newBenchBody(name, cycle, benchLine)
	b.path, b.media, b.read = "/lines/", "application/x-ndjson", readLines
	for i := range b.contacts {
		b.raw = append(b.raw, benchLine(&b.contacts[i])...)
	}
	b.times = max(2, size/len(b.raw))
	return b
}

func benchLine(c *benchContact) []byte { return append(benchJSON(c), '\n') }

func benchJSON(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // strings and an int: it can't fail
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// cells are the contact's values but its id, each under the name of its field.
func (c *benchContact) cells() []benchCellOf {
	return []benchCellOf{
		{"name", &c.Name},
		{"company", &c.Company},
		{"email", &c.Email},
		{"phone", &c.Phone},
		{"iban", &c.IBAN},
		{"birth_date", &c.BirthDate},
		{"status", &c.Status},
		{"source", &c.Source},
		{"owner", &c.Owner},
		{"created_at", &c.CreatedAt},
		{"notes", &c.Notes},
	}
}

type benchCellOf struct {
	field string
	value *string
}

func benchTableRow(c *benchContact) []byte {
	row := fmt.Appendf(nil, `<tr class="contact" data-id="%s">`, html.EscapeString(c.ID))
	for _, cell := range c.cells() {
		row = fmt.Appendf(row, `<td class="%s">%s</td>`, cell.field, html.EscapeString(*cell.value))
	}
	return append(row, "</tr>\n"...)
}

func readList(raw []byte) ([]benchContact, error) {
	var list benchList
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if list.Total != len(list.Items) {
		return nil, fmt.Errorf("it has %d records and says %d", len(list.Items), list.Total)
	}
	return list.Items, nil
}

func readLines(raw []byte) ([]benchContact, error) {
	var contacts []benchContact
	for line := range bytes.Lines(raw) {
		var c benchContact
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("reading line %d: %w", len(contacts)+1, err)
		}
		contacts = append(contacts, c)
	}
	return contacts, nil
}

// readPage reads the rows of the table. All else has to be as it was.
func readPage(raw []byte) ([]benchContact, error) {
	var contacts []benchContact
	rows := strings.Split(string(raw), `<tr class="contact" data-id="`)
	for n, row := range rows[1:] {
		var c benchContact
		var ok bool
		if c.ID, row, ok = strings.Cut(row, `">`); !ok {
			return nil, fmt.Errorf("row %d has no id", n)
		}
		for _, cell := range c.cells() {
			var value string
			if _, row, ok = strings.Cut(row, `<td class="`+cell.field+`">`); ok {
				value, row, ok = strings.Cut(row, "</td>")
			}
			if !ok {
				return nil, fmt.Errorf("row %d has no cell %s", n, strconv.Quote(cell.field))
			}
			*cell.value = html.UnescapeString(value)
		}
		contacts = append(contacts, c)
	}
	return contacts, nil
}
