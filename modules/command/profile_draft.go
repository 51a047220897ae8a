package command

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
	"github.com/crmgate/crmgate/internal/profile/observed"
)

const draftLong = `Drafts a profile from what there is to know of a CRM's interface:

What the CRM says of itself, saved as files or in a folder: EspoCRM's Metadata, Odoo's
fields_get or ir.model.fields, HubSpot's properties and schemas, Salesforce's describe,
EntityDefinitions of Dynamics, Pipedrive's personFields and the like, SuiteCRM's
meta/fields, Twenty's metadata/objects. The draft extends the profile that ships: it has
what your system has beside it. Of a service of OData v4, the XML at $metadata: the
draft is a whole profile.

What was seen of it: the collection that a site with "observe until" keeps in its data
directory (observed/SITE.json), a HAR file that a browser saved, or a folder of recorded
exchanges with a manifest.json.

Fields get categories by their types, names and labels, in English and German, by the
CRM's own marks of personal data, and by what detection finds in values that were seen;
a comment beside each says what it rests on. What isn't recognised is hidden, or
refused, until you have decided. No value stands in the draft.

Look at every line, then: crmgate profile check, crmgate profile test, and a gate
that enforces it with the line "accept documented".`

func profileDraftCommand() *cobra.Command {
	var o metadata.Options
	cmd := &cobra.Command{
		Use:   "draft FILE|DIR...",
		Short: "Drafts a profile from what a CRM says of itself, or from observed or recorded exchanges",
		Long:  draftLong,
		Example: "  crmgate profile draft Metadata.json --name acme-espocrm/9 > acme.yaml\n" +
			"  crmgate profile draft metadata.xml --path /odata/v4/catalog --name catalog/1 > catalog.yaml\n" +
			"  crmgate profile draft /var/lib/crmgate/observed/crm.example.de.json --name mycrm/1 > mycrm.yaml\n" +
			"  crmgate profile draft recorded.har > mycrm.yaml",
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&o.Name, "name", "", "The profile's name and version. Default: the file's name, or the CRM's")
	cmd.Flags().StringVar(&o.Path, "path", "", "The root of a service of OData on its host: what stands before $metadata")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		out, err := draftOf(args, o)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(out)
		return err
	}
	return cmd
}

func draftOf(sources []string, o metadata.Options) ([]byte, error) {
	s, err := saved(sources)
	if err != nil {
		return nil, err
	}
	var out []byte
	if s != nil {
		out, err = s.Draft(o)
	} else {
		out, err = draftOfSeen(sources[0], o)
	}
	if err != nil {
		return nil, err
	}
	if _, err := profile.Load(out); err != nil {
		return nil, fmt.Errorf("%s: the profile that it makes can't be loaded: %w", strings.Join(sources, ", "), err)
	}
	return out, nil
}

// draftOfSeen drafts a profile of what was seen of an interface.
func draftOfSeen(source string, o metadata.Options) ([]byte, error) {
	c, err := collection(source)
	if err != nil {
		return nil, err
	}
	if o.Path != "" {
		return nil, fmt.Errorf("%s: a path is for the $metadata of a service of OData; leave --path out", source)
	}
	if o.Name == "" {
		base := filepath.Base(source)
		o.Name = strings.TrimSuffix(base, filepath.Ext(base)) + "/1"
	}
	out, err := c.Draft(o.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return out, nil
}

// collection reads what was seen of an interface: a saved collection, or recorded
// exchanges.
func collection(source string) (*observed.Collector, error) {
	if is, err := isCollection(source); err != nil {
		return nil, err
	} else if is {
		return observed.Load(source)
	}
	list, err := recordedExchanges(source)
	if err != nil {
		return nil, fmt.Errorf("%w; a collection begins with {\"format\": …}; which documents of a CRM are read, crmgate profile draft --help lists", err)
	}
	c := observed.New()
	for _, r := range list {
		u, err := url.Parse(r.url)
		if err != nil {
			return nil, fmt.Errorf("%s: its address is no URL", r.name)
		}
		x := observed.Recorded{Method: r.method, URL: u, RequestType: r.header.Get("Content-Type"), Request: r.body}
		if r.answered {
			x.Status, x.Type, x.Answer = r.status, r.answer.Get("Content-Type"), r.answerBody
		}
		c.AddRecorded(&x)
	}
	return c, nil
}

// isCollection reports whether a file begins as a collection does.
func isCollection(path string) (bool, error) {
	const enough = 256
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return false, nil // FILE#WHICH, or who reads it says what is wrong
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { _ = f.Close() }() // only read
	head := make([]byte, enough)
	n, err := f.Read(head)
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", path, err)
	}
	return observed.IsCollection(head[:n]), nil
}
