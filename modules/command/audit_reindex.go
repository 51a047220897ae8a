package command

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

const reindexLong = `Makes the index anew by reading the whole log, gateway running or not. The index is
derived from the log and holds nothing else: it may be deleted at any time.`

func reindexCommand(cmd *cobra.Command) {
	var p place
	placeFlags(cmd, &p)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, ring, err := p.reach(cmd.Context(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		defer d.close()
		nodes, err := d.place.Logs(cmd.Context())
		if err != nil {
			return fmt.Errorf("finding the audit log: %w", err)
		}
		for _, node := range nodes {
			ix := d.place.Index(node, ring)
			bar := newProgress(cmd.ErrOrStderr(), "Indexing")
			err = ix.Rebuild(cmd.Context(), bar.tell)
			bar.end()
			if err := errors.Join(err, ix.Close()); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "The index is made anew.")
		return err
	}
}

// finder searches the log: by its index, or where that can't be had by reading
// all of it.
type finder struct {
	cmd  *cobra.Command
	data data
	node string
	ring *keys.Ring
	ix   *audit.Index // nil: the log is read
}

func newFinder(cmd *cobra.Command, d data, node string, ring *keys.Ring) *finder {
	return &finder{cmd: cmd, data: d, node: node, ring: ring, ix: d.place.Index(node, ring)}
}

// without goes on without the index.
func (f *finder) without(err error) error {
	f.close()
	f.ix = nil
	if f.cmd.Context().Err() != nil {
		return err
	}
	_, err = fmt.Fprintf(f.cmd.ErrOrStderr(), "The whole log is read, because its index can't be used: %v\n", err)
	return err
}

func (f *finder) close() {
	if f.ix != nil {
		_ = f.ix.Close() // it was read only, or what was written is synced
	}
}

// search catches up with the log before it searches: what was committed is found.
func (f *finder) search(ctx context.Context, q audit.Query) (iter.Seq2[audit.Stored, error], error) {
	if f.ix != nil {
		bar := newProgress(f.cmd.ErrOrStderr(), "Indexing")
		err := f.ix.Refresh(ctx)
		if err == nil {
			err = f.ix.Update(ctx, 0, bar.tell)
		}
		bar.end()
		if err != nil {
			if err := f.without(err); err != nil {
				return nil, err
			}
		}
	}
	if f.ix == nil {
		return f.data.place.Search(ctx, f.node, f.ring, q), nil
	}
	return f.ix.Search(ctx, q), nil
}
