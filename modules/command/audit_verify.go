package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
grew since. It takes signed notes, and what a syslog receiver has kept of an anchor.

--witness is a witness's public key, or a file with one a line: each has to have
countersigned a checkpoint that the log agrees with. --tsa is a file with the root
certificates (PEM) of a time stamping authority: its stamps are checked with them.

--export verifies what crmgate audit export wrote, offline: no data directory and no
master key are needed. --key is the log's public key, as verify and export print
it, or a file that holds it; get it from another place than the export.`

func verifyCommand(cmd *cobra.Command) {
	var p place
	var asJSON bool
	var kept []string
	var export, key string
	var by attesters
	cmd.Flags().StringVar(&export, "export", "", "The directory of an export, in place of a log")
	placeFlags(cmd, &p, "export")
	cmd.Flags().StringVar(&key, "key", "", "The log's public key, or a file with it; by default the one in the export")
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringArrayVar(&kept, "against", nil, "A checkpoint that was kept elsewhere; may be given several times")
	cmd.MarkFlagsMutuallyExclusive("export", "against")
	by.flags(cmd)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		who, err := by.read()
		if err != nil {
			return err
		}
		if export != "" {
			return verifyExport(cmd, export, key, who, asJSON)
		}
		if key != "" {
			return errors.New("--key goes with --export: a log is verified with the gateway's own keys")
		}
		return verify(cmd.Context(), cmd, &p, kept, who, asJSON)
	}
}

func verify(ctx context.Context, cmd *cobra.Command, p *place, keptElsewhere []string, by audit.Attesters, asJSON bool) error {
	d, ring, err := p.reach(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	nodes, err := d.place.Logs(ctx)
	if err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	kept, err := readKept(nodes, keptElsewhere)
	if err != nil {
		return err
	}
	var gathered []audit.Checkpoint
	var unread error // a root log that can't be read: its own verification says why
	if d.place.Database != nil {
		gathered, unread = audit.RootCheckpoints(ctx, d.place.Database, ring)
	}
	damaged := missingLogs(d, nodes, gathered)
	for _, node := range nodes {
		check := d.place.Check(node)
		check.Against, check.Gathered, check.Attesters = against(node, len(nodes) > 1, kept), gathered, by
		err := verifyNode(ctx, cmd, d, node, ring, check, asJSON)
		if err != nil && !errors.Is(err, audit.ErrTampered) {
			return err
		}
		damaged = errors.Join(damaged, err)
	}
	if damaged == nil {
		return unread
	}
	return damaged
}

// missingLogs tells of logs that aren't in the database any more: of nodes that the root
// log knows, and of the root log itself, whose checkpoints are kept here.
func missingLogs(d data, nodes []string, gathered []audit.Checkpoint) error {
	missing, err := audit.Missing(gathered, nodes)
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(missing)) {
		err = errors.Join(err, fmt.Errorf("%w: the log of node %s isn't there; it had %d entries at least", audit.ErrTampered, node, missing[node]))
	}
	if d.place.Database != nil && !slices.Contains(nodes, audit.RootNode) && d.place.KeepsRoot() {
		err = errors.Join(err, fmt.Errorf("%w: the log over all nodes isn't there, and its checkpoints are kept here", audit.ErrTampered))
	}
	return err
}

// readKept reads the checkpoints that were kept elsewhere. Each has to be of one
// of the nodes.
func readKept(nodes, files []string) (map[string][]byte, error) {
	kept := map[string][]byte{}
	for _, name := range files {
		notes, err := keptNotes(name)
		if err != nil {
			return nil, err
		}
		maps.Copy(kept, notes)
		if len(nodes) > 1 && !slices.ContainsFunc(nodes, func(node string) bool { return len(against(node, true, notes)) > 0 }) {
			return nil, fmt.Errorf("--against: %s is of none of these logs: there are %s", name, strings.Join(nodes, ", "))
		}
	}
	return kept, nil
}

func verifyNode(ctx context.Context, cmd *cobra.Command, d data, node string, ring *keys.Ring, check audit.Check, asJSON bool) error {
	bar := newProgress(cmd.ErrOrStderr(), "Verifying")
	check.Progress = bar.tell
	report, err := audit.Verify(ctx, d.place.Dir, ring, check)
	bar.end()
	if err != nil && !errors.Is(err, audit.ErrTampered) {
		return err
	}
	if asJSON {
		return errors.Join(printJSON(cmd.OutOrStdout(), report), err)
	}
	if err != nil {
		return err
	}
	return printReport(cmd, d.place.Name(node), &report)
}

func printReport(cmd *cobra.Command, name string, r *audit.Report) error {
	rows := [][]string{
		{"log", name},
		{"node", r.Node},
		{"entries", fmt.Sprintf("%d: %d intents, %d disclosures, %d control entries", r.Size, r.Intents, r.Disclosures, r.Controls)},
		{"root", r.Root.String()},
		{"checkpoints", fmt.Sprintf("%d, the newest over %d entries", r.Checkpoints, r.Anchored)},
		{"key", r.Key},
		{"segments", fmt.Sprintf("%d, %d bytes in %d groups", r.Segments, r.Bytes, r.Groups)},
		{"unfinished", fmt.Sprintf("%d intents without disclosure in runs that ended, %d in the last one", r.Unfinished, r.Pending)},
	}
	for _, origin := range slices.Sorted(maps.Keys(r.Earlier)) {
		rows = append(rows, []string{"earlier log", fmt.Sprintf("%s of at least %d entries, which is not here", origin, r.Earlier[origin])})
	}
	if r.Torn > 0 {
		rows = append(rows, []string{"torn tail", fmt.Sprintf("%d bytes that were never acknowledged", r.Torn)})
	}
	rows = append(rows, attestedRows(r.Witnessed, r.Stamped)...)
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
