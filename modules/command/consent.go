package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const consentLong = `Brings consents, refusals and withdrawals into the ledger that were declared
before it was there, from a CSV in UTF-8 with a line of columns, through the
running gateway (Caddy's admin API). Each row becomes a proof of its own and an
entry in the audit log.

Columns: email, phone, record (kind/id; one of the three), purpose, channel
(email, phone, post, messenger), state (confirmed, refused, withdrawn), at (a time
with a zone: 2024-05-01T12:30:00+02:00); where they are known text_version and
text_language of a configured text, form, source.

Nothing that is newer is overwritten: a list that is older than a withdrawal
revives nothing. The same file may be brought in again. Rows that can't be taken
are named by their line; the exit status says that there were some.`

func consentCommand(cmd *cobra.Command) {
	var p place
	var asJSON bool
	asked := crmgate.ConsentsAsked{UID: os.Getuid()}
	imp := &cobra.Command{
		Use:     "import (--data DIR | --config FILE) [--ledger NAME] [--dry-run] FILE",
		Short:   "Brings consents from a CSV into the ledger, with a report",
		Long:    consentLong,
		Example: "  crmgate consent import --config Caddyfile --dry-run consents.csv",
		Args:    cobra.ExactArgs(1),
	}
	placeFlags(imp, &p)
	imp.Flags().StringVar(&asked.Ledger, "ledger", "", "The ledger, where there are several")
	imp.Flags().BoolVar(&asked.Dry, "dry-run", false, "Only say what would become of the rows")
	jsonFlag(imp, &asJSON)
	imp.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := p.find(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		f, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("opening the CSV: %w", err)
		}
		defer f.Close()
		asked.DataDir, asked.Name = d.dir, filepath.Base(args[0])
		report, err := importRows(f, asked, func(q *crmgate.ConsentsAsked) (*consent.Report, error) {
			var answer struct {
				Report *consent.Report `json:"report"`
			}
			err := d.ask(crmgate.ConsentsPath, q, &answer)
			return answer.Report, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w (what was brought in before stays, and may be brought in again)", args[0], err)
		}
		return showImport(cmd.OutOrStdout(), report, asJSON, asked.Dry)
	}
	group(cmd, imp)
}

// importRows sends the rows of a CSV in parts. The file is read whole before the first
// one is sent, so that one that can't be read is brought in not at all.
func importRows(in io.Reader, asked crmgate.ConsentsAsked, send func(*crmgate.ConsentsAsked) (*consent.Report, error)) (*consent.Report, error) {
	var rows []consent.Row
	if err := consent.ReadCSV(in, func(r consent.Row) error { rows = append(rows, r); return nil }); err != nil {
		return nil, err
	}
	all := new(consent.Report)
	for len(rows) > 0 {
		asked.Rows = rows[:min(len(rows), crmgate.MostRows)]
		rows = rows[len(asked.Rows):]
		one, err := send(&asked)
		if err != nil {
			return nil, fmt.Errorf("from line %d on: %w", asked.Rows[0].Line, err)
		}
		all.Rows, all.Taken, all.Known, all.Older = all.Rows+one.Rows, all.Taken+one.Taken, all.Known+one.Known, all.Older+one.Older
		all.Refused = append(all.Refused, one.Refused...)
	}
	return all, nil
}

func showImport(w io.Writer, r *consent.Report, asJSON, dry bool) error {
	var err error
	if asJSON {
		err = printJSON(w, r)
	} else {
		for _, no := range r.Refused {
			if _, err = fmt.Fprintf(w, "line %d: %s\n", no.Line, printable(no.Why)); err != nil {
				break
			}
		}
		if err == nil {
			would := ""
			if dry {
				would = "Nothing was brought in. It would be: "
			}
			_, err = fmt.Fprintf(w, "%s%d rows; %d taken, %d there already, %d older than what stands, %d refused\n", would, r.Rows, r.Taken, r.Known, r.Older, len(r.Refused))
		}
	}
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	if n := len(r.Refused); n > 0 {
		return fmt.Errorf("%d rows weren't taken: mend them and bring the file in again", n)
	}
	return nil
}
