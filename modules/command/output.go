package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "json", false, "Print JSON, one object a line")
}

// printJSON writes one object on a line of its own.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printTable writes rows in aligned columns.
func printTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printable keeps what came over the wire (an id, a call) from speaking to the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// progressAfter is how long a command works before it shows that it does.
const progressAfter = 2 * time.Second

// progress shows on a terminal how far a command is.
type progress struct {
	w       io.Writer
	verb    string
	started time.Time
	shown   int
}

// newProgress returns a bar on w, or nil where w is no terminal.
func newProgress(w io.Writer, verb string) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: w, verb: verb, started: time.Now(), shown: -1}
}

const barWidth = 40

// tell draws the bar anew at each whole percent. A nil progress is silent.
func (p *progress) tell(done, total int64) {
	if p == nil || total <= 0 || time.Since(p.started) < progressAfter {
		return
	}
	percent := int(done * 100 / total)
	if percent == p.shown {
		return
	}
	p.shown = percent
	full := barWidth * percent / 100
	// A terminal that is gone is no fault of the work.
	_, _ = fmt.Fprintf(p.w, "\r%s [%s%s] %3d %%", p.verb, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent)
}

// end leaves the terminal's line empty.
func (p *progress) end() {
	if p != nil && p.shown >= 0 {
		_, _ = fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", len(p.verb)+barWidth+10))
	}
}
