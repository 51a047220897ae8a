package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/keys"
)

const benchAuditLong = `Measures the log on the disk of TMPDIR, and beside it what the disk itself can do:
the probe overwrites 4 KiB of zeros and waits for fdatasync. What an append costs is
printed as a multiple of the probe's, taken in turns with it, so that the numbers of
different disks can be compared. A log of --entries entries is then filled, indexed,
searched and verified: half of them intents, half disclosures of one record, every
tenth of fifty, by 200 employees over a year.

  RATIO  the value as a multiple of the probe's
  GOAL   what it should be at most (<=) or at least (>=), the ratio where there is one

Nothing else should run meanwhile.`

type benchAuditOptions struct {
	seconds float64
	rounds  int
	entries int
	json    bool
}

func benchAuditCommand() *cobra.Command {
	var o benchAuditOptions
	cmd := &cobra.Command{
		Use: "audit [--entries N] [--seconds N] [--rounds N] [--json]", Short: "Measures what the log costs beside the bare disk", Long: benchAuditLong,
		Example: "  TMPDIR=/var/tmp crmgate bench audit\n  TMPDIR=/var/tmp crmgate bench audit --entries 10000000", Args: cobra.NoArgs,
	}
	cmd.Flags().Float64Var(&o.seconds, "seconds", 1, "How long each measurement takes")
	cmd.Flags().IntVar(&o.rounds, "rounds", 5, "How often each measurement is made")
	cmd.Flags().IntVar(&o.entries, "entries", 200_000, "How many entries the large log has")
	cmd.Flags().BoolVar(&o.json, "json", false, "Print JSON, an array of one object a measurement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.seconds <= 0 || o.rounds <= 0 || o.entries < 10_000 {
			return errors.New("--seconds and --rounds have to be greater than 0, --entries at least 10000")
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		b := &benchAudit{benchAuditOptions: o, warnings: cmd.ErrOrStderr(), progress: newProgress(cmd.ErrOrStderr(), "Measuring")}
		err := b.measure(ctx)
		b.progress.end()
		if err != nil {
			return fmt.Errorf("bench audit: %w", err)
		}
		if o.json {
			return printIndented(cmd.OutOrStdout(), b.results)
		}
		return b.print(cmd.OutOrStdout())
	}
	return cmd
}

// benchAudit is one run.
type benchAudit struct {
	benchAuditOptions
	warnings io.Writer
	progress *progress
	dir      string
	ring     *keys.Ring
	done     int64
	results  []benchAuditResult
}

// benchAuditResult is one line, as --json prints it.
type benchAuditResult struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Ratio is the value as a multiple of the probe's, 0 where it has none.
	Ratio float64 `json:"ratio,omitempty"`
	// Goal is what the ratio, or else the value, should be, Most says that it is an
	// upper limit. Both are left out where nothing is demanded.
	Goal float64 `json:"goal,omitempty"`
	Most bool    `json:"most,omitempty"`
	Met  *bool   `json:"met,omitempty"`
}

// goal judges a result.
func (r benchAuditResult) goal(goal float64, most bool) benchAuditResult {
	value := r.Value
	if r.Ratio != 0 {
		value = r.Ratio
	}
	met := value >= goal
	if most {
		met = value <= goal
	}
	r.Goal, r.Most, r.Met = goal, most, &met
	return r
}

func (r benchAuditResult) atMost(goal float64) benchAuditResult  { return r.goal(goal, true) }
func (r benchAuditResult) atLeast(goal float64) benchAuditResult { return r.goal(goal, false) }

func (b *benchAudit) add(results ...benchAuditResult) { b.results = append(b.results, results...) }

// step tells how far the run is: the appends, and six steps with the large log.
func (b *benchAudit) step() {
	b.done++
	b.progress.tell(b.done, int64(b.rounds*(1+len(benchAppends())))+6)
}

func (b *benchAudit) measure(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "crmgate-bench-"); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if inMemory(b.dir) {
		if _, err := fmt.Fprintf(b.warnings, "%s is in memory, where waiting for the disk costs nothing: set TMPDIR to a folder on a disk\n", b.dir); err != nil {
			return fmt.Errorf("writing a warning: %w", err)
		}
	}
	if b.ring, err = keys.Open(filepath.Join(b.dir, "keys")); err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	if err := b.appends(ctx); err != nil {
		return err
	}
	return b.large(ctx)
}

func (b *benchAudit) duration() time.Duration { return time.Duration(b.seconds * float64(time.Second)) }

func (b *benchAudit) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n%d rounds of %g s each, medians; a log of %d entries\n\n", machine(), b.rounds, b.seconds, b.entries); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	rows := [][]string{{"WHAT", "VALUE", "UNIT", "RATIO", "GOAL", ""}}
	for _, r := range b.results {
		row := []string{r.What, plainNumber(r.Value), r.Unit, "", "", ""}
		if r.Ratio != 0 {
			row[3] = plainNumber(r.Ratio)
		}
		if r.Met != nil {
			row[4], row[5] = ">= "+plainNumber(r.Goal), "met"
			if r.Most {
				row[4] = "<= " + plainNumber(r.Goal)
			}
			if !*r.Met {
				row[5] = "missed"
			}
		}
		rows = append(rows, row)
	}
	return printTable(w, rows)
}

// plainNumber has three digits that say something.
func plainNumber(v float64) string {
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
