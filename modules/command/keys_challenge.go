package command

import (
	"crypto/ed25519"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/genuine"
)

const challengeKeyLong = `Prints the public key by which others recognise this gateway: crmgate pentest attacks
nothing that doesn't prove to have its other half. It is no secret, it opens nothing,
and it stays the same when master keys are added. All nodes with these keys have it.`

func challengeKeyCommand() *cobra.Command {
	var where place
	var asJSON bool
	c := &cobra.Command{
		Use:     "challenge (--config FILE | --data DIR)",
		Short:   "Prints the public key by which crmgate pentest recognises this gateway",
		Long:    challengeKeyLong,
		Example: "  crmgate keys challenge --config /etc/crmgate/Caddyfile > gateway.key",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := where.locate(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			ring, err := d.ring(cmd.Context())
			if err != nil {
				return err
			}
			key, ok := genuine.Key(ring.Derive(genuine.Purpose)).Public().(ed25519.PublicKey)
			if !ok {
				return fmt.Errorf("the key is a %T", key)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"key": genuine.Text(key), "fingerprint": genuine.Fingerprint(key)})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), genuine.Text(key))
			return err
		},
	}
	placeFlags(c, &where)
	jsonFlag(c, &asJSON)
	return c
}
