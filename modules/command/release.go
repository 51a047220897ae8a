package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/upgrade"
)

const releaseSignLong = `Writes the file "index" of a folder of releases: all files that are called
crmgate_VERSION_ARCH, and with .deb and .rpm behind it, with their sizes and hashes,
and of each version the formats of its data (the file crmgate_VERSION.data, as
"crmgate upgrade --formats" prints them). Gateways whose configuration names the
key's public part go by it until it expires: sign it again before that.`

func releaseCommand(cmd *cobra.Command) {
	key := &cobra.Command{
		Use: "key NAME FILE", Short: "Makes a release key: its secret into FILE, its public part is printed",
		Example: "  crmgate release key releases.example.org /root/release.key",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := upgrade.NewKey(args[0], args[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), public)
			return err
		},
	}
	var secret string
	var days int
	sign := &cobra.Command{
		Use: "sign FOLDER --key FILE", Short: "Signs the index of all releases in a folder", Long: releaseSignLong,
		Example: "  crmgate release sign /srv/releases --key /root/release.key",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return upgrade.Publish(secret, args[0], days) },
	}
	sign.Flags().StringVar(&secret, "key", "", "The file with the key's secret")
	_ = sign.MarkFlagRequired("key") // the flag is there
	sign.Flags().IntVar(&days, "days", 90, "For how long the index is valid")
	group(cmd, key, sign)
}
