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
it, or a file that holds it; get it from another place than the export.

--index compares the index that searches use with the log, too: it is made anew beside
the one that is there (it takes as much room for that time), and each row has to be the
same. Somebody who takes a row out of it hides an entry from searches, not from the log.`

func verifyCommand(cmd *cobra.Command) {
	var p place
	var asJSON bool
	var kept []string
	var export, key, node string
	var index bool
	cmd.Flags().BoolVar(&index, "index", false, "Compare the index with the log, too")
	var by attesters
	cmd.Flags().StringVar(&export, "export", "", "The directory of an export, in place of a log")
	placeFlags(cmd, &p, "export")
	cmd.Flags().StringVar(&key, "key", "", "The log's public key, or a file with it; by default the one in the export")
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringArrayVar(&kept, "against", nil, "A checkpoint that was kept elsewhere; may be given several times")
	nodeFlag(cmd, &node)
	cmd.MarkFlagsMutuallyExclusive("export", "against")
	cmd.MarkFlagsMutuallyExclusive("export", "node")
	cmd.MarkFlagsMutuallyExclusive("export", "index")
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
		return verify(cmd.Context(), cmd, &p, verifying{kept, node, who, index, asJSON})
	}
}

// verifying says how logs are verified.
type verifying struct {
	kept          []string // checkpoints that were kept elsewhere
	only          string   // the node whose log alone is
	by            audit.Attesters
	index, asJSON bool
}

func verify(ctx context.Context, cmd *cobra.Command, p *place, how verifying) error {
	d, ring, err := p.reach(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	nodes, err := d.place.Logs(ctx)
	if err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	kept, err := readKept(nodes, how.kept)
	if err != nil {
		return err
	}
	var gathered []audit.Checkpoint
	var unread error // a root log that can't be read: its own verification says why
	if d.place.Database != nil {
		gathered, unread = audit.RootCheckpoints(ctx, d.place.Database, ring)
	}
	var damaged error
	if how.only == "" {
		damaged = missingLogs(d, nodes, gathered)
	}
	several := len(nodes) > 1
	if nodes, err = chosen(nodes, how.only); err != nil {
		return err
	}
	for _, node := range nodes {
		check := d.place.Check(node)
		check.Against, check.Gathered, check.Attesters = against(node, several, kept), gathered, how.by
		err := verifyNode(ctx, cmd, d, node, ring, check, how)
		if err != nil {
			// The others are verified all the same.
			if damaged = errors.Join(damaged, d.of(node, err)); ctx.Err() != nil {
				return damaged
			}
		}
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

func verifyNode(ctx context.Context, cmd *cobra.Command, d data, node string, ring *keys.Ring, check audit.Check, how verifying) error {
	bar := newProgress(cmd.ErrOrStderr(), "Verifying")
	check.Progress = bar.tell
	report, err := audit.Verify(ctx, d.place.Dir, ring, check)
	bar.end()
	if err != nil && !errors.Is(err, audit.ErrTampered) {
		return err
	}
	if how.index && err == nil {
		if err = checkIndex(ctx, cmd, d, node, ring, &report); err != nil && report.IndexDamage == nil {
			return err
		}
	}
	if how.asJSON {
		return errors.Join(printJSON(cmd.OutOrStdout(), report), err)
	}
	if err != nil {
		return err
	}
	return printReport(cmd, d.place.Name(node), &report)
}

// checkIndex compares the index of a node's log with the log.
func checkIndex(ctx context.Context, cmd *cobra.Command, d data, node string, ring *keys.Ring, report *audit.Report) error {
	ix := d.place.Index(node, ring)
	bar := newProgress(cmd.ErrOrStderr(), "Comparing the index")
	var err error
	report.Indexed, err = ix.Check(ctx, bar.tell)
	bar.end()
	report.IndexDamage, _ = errors.AsType[*audit.IndexDamage](err)
	if err := errors.Join(err, ix.Close()); err != nil {
		return fmt.Errorf("the log of %s: %w", d.place.Name(node), err)
	}
	return nil
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
	if r.Indexed > 0 {
		rows = append(rows, []string{"index", fmt.Sprintf("%d entries, as the log gives them", r.Indexed)})
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
