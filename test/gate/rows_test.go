package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const rowsPath = "/contacts/export.csv"

// line is a row of the export with an IBAN of its own.
func line(id int) string {
	return fmt.Sprintf("%d;Muster%d;%s;\"Zeile 1\r\nZeile 2\"\r\n", id, id, canary)
}

const headings = "\uFEFFNr.;Nachname;IBAN;Position\r\n"

// rowsFrom asks for the export as sven, who may not see IBANs.
func rowsFrom(t *testing.T, s *site, sc *scene) *http.Response {
	t.Helper()
	req, err := ask{path: rowsPath, scene: sc}.request(s)
	if err != nil {
		t.Fatal(err)
	}
	b := s.as(t, "sven")
	resp, err := b.client(false, b.h1).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// The CRM holds the second row back until the client has the first one.
func TestRowIsReleasedBeforeTheNextIsWritten(t *testing.T) {
	t.Parallel()
	confirmed := make(chan struct{})
	sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_, _ = io.WriteString(w, headings+line(70_001)+line(70_002)[:8]) // the client may be gone
		_ = http.NewResponseController(w).Flush()
		select {
		case <-confirmed:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, line(70_002)[8:])
	})
	resp := rowsFrom(t, env.plain, sc)
	from := bufio.NewReader(resp.Body)
	var got strings.Builder
	for range 3 { // the header, and a row of two lines
		text, err := from.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(text)
	}
	if text := got.String(); !strings.HasPrefix(text, headings+"70001;Muster70001;") || strings.Contains(text, canary) {
		t.Errorf("the first row is %q", text)
	}
	x := (&reply{header: resp.Header}).logged(t)
	if x.records("contact")["70001"].ID == "" || x.records("contact")["70002"].ID != "" {
		t.Errorf("entries %s", x)
	}
	close(confirmed)
	rest, err := io.ReadAll(from)
	if err != nil || !strings.HasPrefix(string(rest), "70002;Muster70002;") || strings.Contains(string(rest), canary) {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	eventually(t, "the last part", func() bool {
		last := lastPart(t, resp)
		return last.Parts > 0 && last.Part == last.Parts && last.Error == ""
	})
}

// An export may be larger than what is held: this site holds 256 KiB.
func TestExportIsNotBoundByHold(t *testing.T) {
	t.Parallel()
	const n = 6000
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i + 1))
	}
	raw, err := io.ReadAll(rowsFrom(t, env.secure, newScene(t, typed("text/csv", 200, headings+b.String()))).Body)
	if err != nil || strings.Count(string(raw), ";Muster") != n || strings.Contains(string(raw), canary) {
		t.Errorf("%d bytes, %d rows, %v", len(raw), strings.Count(string(raw), ";Muster"), err)
	}
}

// A row that can't be told in every reader's eyes ends the stream; nothing of it,
// or behind it, leaves.
func TestBrokenExportIsCut(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"a cell too many":       "3;" + canary + ";" + canary + ";x;y\r\n",
		"a quote within a cell": "3;a\"b;" + canary + ";x\r\n",
		"not ended":             "3;a;\"" + canary,
		"bad UTF-8":             "3;a;" + canary + "\xff;x\r\n",
		"NUL":                   "3;a;" + canary + "\x00;x\r\n",
		"too large":             "3;a;" + strings.Repeat(canary, 60_000) + ";x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			released := make(chan struct{})
			sc := newScene(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/csv")
				_, _ = io.WriteString(w, headings+line(1)) // the client may be gone
				_ = http.NewResponseController(w).Flush()
				select {
				case <-released:
				case <-r.Context().Done():
					return
				}
				_, _ = io.WriteString(w, bad+line(4))
			})
			resp := rowsFrom(t, env.plain, sc)
			close(released)
			raw, err := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusOK || err == nil || strings.Contains(string(raw), canary) {
				t.Errorf("got %d %q, %v; want what came before, and an error", resp.StatusCode, raw, err)
			}
			eventually(t, "the cut is logged", func() bool { return lastPart(t, resp).Error == "cut" })
			if ids := (&reply{header: resp.Header}).logged(t).records("contact"); ids["1"].ID == "" || ids["4"].ID != "" {
				t.Errorf("disclosed %v, want contact/1 alone", ids)
			}
		})
	}
}

// Columns that nobody names could be anything: without a known header nothing
// leaves.
func TestExportWithoutItsHeaderIsHeldBack(t *testing.T) {
	t.Parallel()
	for _, body := range []string{line(1) + line(2), "Kontakte von heute;;;\r\n" + headings[3:] + line(1)} {
		resp := rowsFrom(t, env.plain, newScene(t, typed("text/csv", 200, body)))
		raw, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusBadGateway || err != nil || strings.Contains(string(raw), canary) {
			t.Errorf("got %d %q, %v", resp.StatusCode, raw, err)
		}
	}
}

// A page of a record beside which nothing else stands is shown, as a new contact's is.
func TestPageOfARecordWithNothingBesideItIsShown(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	id := ownContact(t)
	r := b.get(t, fmt.Sprintf("/contacts/%d", id), nil).want(t, http.StatusOK)
	if email := stored(t, id)["email"].(string); !strings.Contains(string(r.body), email) {
		t.Errorf("the page of %s is %s", email, r)
	}
}
