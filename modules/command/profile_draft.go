package command

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/observed"
)

const draftLong = `Drafts a profile of a CRM's interface from what was seen of it: the collection that a
site with "observe until" keeps in its data directory (observed/SITE.json), a HAR file
that a browser saved, or a folder of recorded exchanges with a manifest.json.

The draft describes no more than names and numbers tell. Fields get categories by
their names, in English and German, and by what detection finds in their values; a
comment beside each says what it rests on. What isn't recognised stands in comments
and is hidden, or refused, until you have decided. No value stands in it.

Look at every line, then: crmgate profile check, crmgate profile test, and a gate
that enforces it with the line "accept documented".`

func profileDraftCommand() *cobra.Command {
	name := ""
	cmd := &cobra.Command{
		Use:   "draft FILE|DIR",
		Short: "Drafts a profile from observed or recorded exchanges",
		Long:  draftLong,
		Example: "  crmgate profile draft /var/lib/crmgate/observed/crm.example.de.json --name mycrm/1 > mycrm.yaml\n" +
			"  crmgate profile draft recorded.har > mycrm.yaml",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&name, "name", "", "The profile's name and version. Default: the file's name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		out, err := draftOf(args[0], name)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(out)
		return err
	}
	return cmd
}

func draftOf(source, name string) ([]byte, error) {
	c, err := collection(source)
	if err != nil {
		return nil, err
	}
	if name == "" {
		base := filepath.Base(source)
		name = strings.TrimSuffix(base, filepath.Ext(base)) + "/1"
	}
	out, err := c.Draft(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if _, err := profile.Load(out); err != nil {
		return nil, fmt.Errorf("%s: the profile that it makes can't be loaded: %w", source, err)
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
		return nil, fmt.Errorf("%w; a collection begins with {\"format\": …}", err)
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
