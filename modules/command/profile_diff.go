package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
	"github.com/crmgate/crmgate/internal/profile/observed"
)

const profileDiffLong = `Compares what two profiles describe, or what a profile describes with what was seen:
addresses and fields that the one has and the other hasn't, and fields whose category
differs. It is what to look at when the CRM was upgraded.

Each is a profile (one that ships, or a file in YAML), what a CRM says of itself (a
saved document, or a folder of them; crmgate profile draft --help lists which), a
collection (observed/SITE.json), a HAR file or a folder of recorded exchanges. Of two
that are neither profiles nor documents, drafts are compared. A profile is compared with
a collection or documents in one direction: what was seen, or is there, and isn't
described. Of documents before and after an upgrade, fields are named that came, went,
or changed their type.

Exits with 1 where anything differs.`

// errOther ends a comparison in which something differs.
var errOther = errors.New("they differ")

func profileDiffCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compares two profiles, or a profile with what was observed or what the CRM says of itself",
		Long:  profileDiffLong,
		Example: "  crmgate profile diff mycrm.yaml mycrm-new.yaml\n" +
			"  crmgate profile diff mycrm.yaml /var/lib/crmgate/observed/crm.example.de.json\n" +
			"  crmgate profile diff acme.yaml Metadata.json\n" +
			"  crmgate profile diff before/Metadata.json after/Metadata.json",
		Args: cobra.ExactArgs(2),
	}
	jsonFlag(cmd, &asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		list, err := differences(args[0], args[1])
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if asJSON {
			err = printJSON(out, map[string]any{"differences": append([]profile.Difference{}, list...)})
		} else {
			p := &page{w: out}
			for _, d := range list {
				p.line("%s %s: %s → %s", d.Kind, d.Name, cmp.Or(d.Old, "not described"), cmp.Or(d.New, "not described"))
			}
			if len(list) == 0 {
				p.line("nothing differs")
			}
			err = p.err
		}
		if err == nil && len(list) > 0 {
			return errOther
		}
		return err
	}
	return cmd
}

// described is a profile, what was seen of an interface, or what a CRM says of itself.
type described struct {
	profile *profile.Profile
	seen    *observed.Collector
	said    *metadata.Schema
}

func differences(older, newer string) ([]profile.Difference, error) {
	a, err := readDescribed(older)
	if err != nil {
		return nil, err
	}
	b, err := readDescribed(newer)
	if err != nil {
		return nil, err
	}
	switch {
	case a.said != nil && b.said != nil:
		return metadata.Diff(a.said, b.said)
	case a.said != nil && b.seen != nil || a.seen != nil && b.said != nil:
		return nil, errors.New("what a CRM says of itself is compared with a profile, or with what it said before, not with what was seen")
	case a.profile != nil && b.profile != nil:
	case a.profile != nil:
		return b.beside(a.profile)
	case b.profile != nil:
		list, err := a.beside(b.profile)
		for i := range list {
			list[i].Old, list[i].New = list[i].New, list[i].Old
		}
		return list, err
	default:
		if err := errors.Join(a.draft(older), b.draft(newer)); err != nil {
			return nil, err
		}
	}
	return profile.Diff(a.profile, b.profile), nil
}

// beside is what there is beside a profile.
func (d *described) beside(p *profile.Profile) ([]profile.Difference, error) {
	if d.said != nil {
		return d.said.Beside(p)
	}
	return d.seen.Diff(p), nil
}

// draft makes a profile of what was seen.
func (d *described) draft(source string) error {
	out, err := d.seen.Draft("draft/1")
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	d.profile, err = profile.Load(out)
	if err != nil {
		return fmt.Errorf("%s: the profile that it makes can't be loaded: %w", source, err)
	}
	return nil
}

// readDescribed reads a profile by its name or its file, or what was seen.
func readDescribed(source string) (described, error) {
	ext := strings.ToLower(filepath.Ext(source))
	info, err := os.Stat(source)
	folder := err == nil && info.IsDir()
	if ext == ".yaml" || ext == ".yml" || ext == "" && !folder && filepath.Base(source) == source {
		p, err := loadProfile(source)
		return described{profile: p}, err
	}
	said, err := saved([]string{source})
	if err != nil || said != nil {
		return described{said: said}, err
	}
	c, err := collection(source)
	return described{seen: c}, err
}
