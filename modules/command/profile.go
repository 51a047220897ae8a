package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
)

func profileCommand(cmd *cobra.Command) {
	check := &cobra.Command{
		Use:     "check FILE...",
		Short:   "Compiles profiles and names every fault",
		Example: "  crmgate profile check suitecrm.yaml\n  crmgate profile check tryton",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return checkProfiles(cmd, args) },
	}
	group(cmd, check, profileTestCommand(), profileDraftCommand(), profileDiffCommand())
}

// loadProfile loads a profile: a file, or one that ships by its name.
func loadProfile(name string) (*profile.Profile, error) {
	var src []byte
	var err error
	if filepath.Base(name) == name && filepath.Ext(name) == "" {
		src, err = profile.Builtin(name)
	} else {
		src, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the profile: %w", err)
	}
	p, err := profile.Load(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func checkProfiles(cmd *cobra.Command, names []string) error {
	var errs []error
	for _, name := range names {
		p, err := loadProfile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: good: %s (%s), %d routes, %d entities\n", name, p.Name, p.Evidence, len(p.Routes()), len(p.Entities()))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
