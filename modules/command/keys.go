package command

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/keys"
)

const keysLong = `
Works on the master keys: what sessions, sign-ins on their way and the data keys
of the audit log are sealed with. They stand in DATA/keys/master.key.
`

const rotateLong = `
Adds a master key, which begins to seal after a while (--in). Older keys go on
opening what they sealed: nobody is signed out, and the audit log stays readable.
Pseudonyms in the log hang on the first key and stay as they are.

The running gateway takes the key when its configuration is reloaded. Where
several nodes share a session store, copy the key file to each and reload them
all before the time has come: a node without the key can't open what it seals.
`

// rotateIn is the time to bring a new key to all nodes.
const rotateIn = time.Hour

func keysCommand(cmd *cobra.Command) {
	cmd.Long = keysLong
	var where place
	var in time.Duration
	var asJSON bool
	rotate := &cobra.Command{
		Use:     "rotate --config FILE | --data DIR",
		Short:   "Adds a master key that seals from then on",
		Long:    rotateLong,
		Example: "  crmgate keys rotate --config /etc/caddy/Caddyfile\n  systemctl reload caddy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := where.find(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return rotateKeys(cmd, d, in, asJSON)
		},
	}
	placeFlags(rotate, &where)
	rotate.Flags().DurationVar(&in, "in", rotateIn, "How long from now the key begins to seal")
	jsonFlag(rotate, &asJSON)
	group(cmd, rotate)
}

func rotateKeys(cmd *cobra.Command, d data, in time.Duration, asJSON bool) error {
	if in < 0 {
		return fmt.Errorf("--in %s: a key can't begin to seal in the past", in)
	}
	from := time.Now().Add(in).UTC().Truncate(time.Second)
	dir := filepath.Join(d.dir, "keys")
	id, err := keys.Rotate(dir, from)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, keys.FileName)
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"key": id, "seals_from": from, "file": file})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Key %02x was added to %s; it seals from %s.\nBack the file up, copy it to every other node, and reload each gateway before then.\n",
		id, file, from.Format(time.RFC3339))
	return err
}
