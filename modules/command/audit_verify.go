package command

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

const verifyLong = `Reads the whole log, offline or beside a running gateway, and checks every
frame, every tree root, that every entry opens, and that the log agrees with its
checkpoints: none of the entries that were signed is missing or another one. The
first damaged entry is named by seq, segment and offset; the exit status is 1 then.

Keep checkpoints where the gateway's administrators can't write: the files in
DATA/checkpoints. --against compares the log with what was kept: that it only
grew since.

--export verifies what crmgate audit export wrote, offline: no data directory and no
master key are needed. --key is the log's public key, as verify and export print
it, or a file that holds it; get it from another place than the export.`

func verifyCommand(cmd *cobra.Command) {
	var p place
	var asJSON bool
	var against []string
	var export, key string
	cmd.Flags().StringVar(&export, "export", "", "The directory of an export, in place of a log")
	placeFlags(cmd, &p, "export")
	cmd.Flags().StringVar(&key, "key", "", "The log's public key, or a file with it; by default the one in the export")
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringArrayVar(&against, "against", nil, "A checkpoint that was kept elsewhere; may be given several times")
	cmd.MarkFlagsMutuallyExclusive("export", "against")
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if export != "" {
			return verifyExport(cmd, export, key, asJSON)
		}
		if key != "" {
			return errors.New("--key goes with --export: a log is verified with the gateway's own keys")
		}
		return verify(cmd.Context(), cmd, &p, against, asJSON)
	}
}

func verify(ctx context.Context, cmd *cobra.Command, p *place, against []string, asJSON bool) error {
	d, err := p.find(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	ring, err := d.ring()
	if err != nil {
		return err
	}
	report, err := verifyLog(ctx, cmd, d, ring, against)
	if err != nil && !errors.Is(err, audit.ErrTampered) {
		return err
	}
	if asJSON {
		if e := printJSON(cmd.OutOrStdout(), report); e != nil {
			return e
		}
	}
	if err != nil {
		return err
	}
	if asJSON {
		return nil
	}
	return printReport(cmd, d, &report)
}

func verifyLog(ctx context.Context, cmd *cobra.Command, d data, ring *keys.Ring, against []string) (audit.Report, error) {
	check := audit.Check{Checkpoints: d.options().Checkpoints, Against: map[string][]byte{}}
	for _, name := range against {
		msg, err := os.ReadFile(name)
		if err != nil {
			return audit.Report{}, fmt.Errorf("--against: %w", err)
		}
		check.Against[name] = msg
	}
	bar := newProgress(cmd.ErrOrStderr(), "Verifying")
	defer bar.end()
	check.Progress = bar.tell
	return audit.Verify(ctx, d.log(), ring, check)
}

func printReport(cmd *cobra.Command, d data, r *audit.Report) error {
	rows := [][]string{
		{"log", d.log()},
		{"node", r.Node},
		{"entries", fmt.Sprintf("%d: %d intents, %d disclosures, %d control entries", r.Size, r.Intents, r.Disclosures, r.Controls)},
		{"root", r.Root.String()},
		{"checkpoints", fmt.Sprintf("%d, the newest over %d entries", r.Checkpoints, r.Anchored)},
		{"key", r.Key},
		{"segments", fmt.Sprintf("%d, %d bytes in %d groups", r.Segments, r.Bytes, r.Groups)},
		{"unfinished", fmt.Sprintf("%d intents without disclosure in runs that ended, %d in the last one", r.Unfinished, r.Pending)},
	}
	if r.Torn > 0 {
		rows = append(rows, []string{"torn tail", fmt.Sprintf("%d bytes that were never acknowledged", r.Torn)})
	}
	rows = append(append(rows, erasedRows(r.Destroyed)...), restoredRows(r)...)
	if err := printTable(cmd.OutOrStdout(), rows); err != nil {
		return err
	}
	verdict := "The log is what was written."
	if len(r.Lost) > 0 {
		verdict = "What is there is what was written; what was lost before the log was restored is named above."
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), verdict)
	return err
}
