package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
)

const adoptLong = `Takes a log whose checkpoints are lost as it is, with the gateway stopped: reads
the whole log, writes an entry that says so, and signs a checkpoint over it. Where it
is cut off there is no checkpoint still: run it again.

Use it only where DATA/checkpoints is lost and no backup has it. From then on
nothing shows whether entries were missing at the log's end before.`

func adoptCommand(cmd *cobra.Command) {
	var p place
	placeFlags(cmd, &p)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, ring, err := p.reach(cmd.Context(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		defer d.close()
		c, err := audit.Adopt(cmd.Context(), d.place.Dir, ring, d.place.Options(), fmt.Sprintf("uid %d", os.Getuid()))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "The log is taken as it is: %d entries, root %s.\n", c.Size, c.Root)
		return err
	}
}
