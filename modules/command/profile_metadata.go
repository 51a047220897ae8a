package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

const metadataLong = `Draws a profile from the metadata of a service of OData v4 or v2: the XML that it answers
with at $metadata. Sets become entities, navigation properties relations. What a
property can hold is told by its name and its type; what neither tells is
unclassified, and hidden until you give it a category.

The profile is a draft. Look at every line, above all at those that say public, run
recorded exchanges through it (crmgate profile test), and let a gate enforce it with
the line "accept documented".`

func profileMetadataCommand() *cobra.Command {
	var o metadata.Options
	cmd := &cobra.Command{
		Use:     "from-metadata FILE",
		Short:   "Draws a profile from the metadata of a service of OData v4 or v2",
		Long:    metadataLong,
		Example: "  crmgate profile from-metadata metadata.xml --path /odata/v4/catalog --name catalog/1 > catalog.yaml",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Path, "path", "", "The service's root on its host: what stands before $metadata")
	cmd.Flags().StringVar(&o.Name, "name", "odata/4", "The profile's name and version")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		src, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		out, err := metadata.Profile(src, o)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		if _, err := profile.Load(out); err != nil {
			return fmt.Errorf("%s: the profile that it makes can't be loaded: %w", args[0], err)
		}
		_, err = cmd.OutOrStdout().Write(out)
		return err
	}
	return cmd
}
