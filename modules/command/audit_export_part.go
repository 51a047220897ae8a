package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// exportPart writes the entries that were chosen with proofs. The look is durable before
// any is searched, and may be among them.
func exportPart(cmd *cobra.Command, x *formExport, out string, withKeys, asJSON bool) error {
	ctx := cmd.Context()
	d, ring, err := x.place.reach(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	f, err := newFinders(ctx, cmd, d, ring)
	if err != nil {
		return err
	}
	defer f.close()
	in, err := f.only(x.node)
	if err != nil {
		return err
	}
	look := x.look(d)
	look.Keys = withKeys
	if err := d.writeDown(ctx, ring, look); err != nil {
		return err
	}
	found, err := numbers(ctx, in, x.query)
	if err != nil {
		return err
	}
	for _, node := range in.nodes {
		if len(found[node]) == 0 {
			continue
		}
		to := out
		if d.place.Database != nil {
			to = filepath.Join(out, node)
		}
		if e := exportNodePart(cmd, d, node, ring, to, found[node], withKeys, asJSON); e != nil {
			if err = errors.Join(err, d.of(node, e)); ctx.Err() != nil {
				return err
			}
		}
	}
	return err
}

// numbers are those of the entries that match, by node.
func numbers(ctx context.Context, in *finders, q audit.Query) (map[string][]uint64, error) {
	all, err := in.search(ctx, q)
	if err != nil {
		return nil, err
	}
	found := map[string][]uint64{}
	for e, err := range all {
		if err != nil {
			return nil, fmt.Errorf("searching the log: %w", err)
		}
		found[e.node] = append(found[e.node], e.Seq)
	}
	if len(found) == 0 {
		return nil, errors.New("no entry matches, and nothing was exported")
	}
	return found, nil
}

func exportNodePart(cmd *cobra.Command, d data, node string, ring *keys.Ring, out string, seqs []uint64, withKeys, asJSON bool) error {
	bar := newProgress(cmd.ErrOrStderr(), "Exporting")
	how := d.place.Exporting(node)
	how.Keys, how.Progress = withKeys, bar.tell
	report, err := audit.ExportPart(cmd.Context(), d.place.Dir, ring, out, seqs, how)
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printExport(cmd, out, &report)
}
