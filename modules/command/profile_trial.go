package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile/trial"
)

const trialLong = `Runs a folder of recorded exchanges through a profile and compares what is found
in them with what the folder's manifest.json says stands in them: records, personal
values, fields that requests ask for or about, and what becomes of the request. It
takes the way that the gate takes, for somebody who may see nothing.

The manifest lists cases: {"crm", "host", "cases": [{"id", "request": {"method",
"url", "headers", "body_file"}, "response": {"status", "content_type", "body_file"},
"records": [{"entity", "id"}], "personal": [{"at", "kind", "category"}], "refs":
{"filter": ["Contact.email"], "search": true}, "decision"}]}. Bodies are files beside
it, as they went over the wire. A place is a JSON pointer (/list/0/name), with #json
or #b64json before the part that lies in a text, or "line 2"; of a batch it leads into
the list of its answers, in the order of the requests (/0/name). A decision is mask,
pass, deny, deny-if-filter-masked, deny-mask-writeback or export-policy; a request may
be refused by the profile itself where its decision holds "deny" or is export-policy.

Exits with 1 where anything differs. What is masked without a mark is counted and,
with --unneeded, listed; it is no difference.`

// trialRun is one run of the command.
type trialRun struct {
	cmd            *cobra.Command
	profile        string
	json, unneeded bool
}

// errDiffers ends a run in which something was not as the folder says.
var errDiffers = errors.New("the profile finds something else than stands in the exchanges")

func profileTestCommand() *cobra.Command {
	run := &trialRun{}
	cmd := &cobra.Command{
		Use:     "test DIR",
		Short:   "Runs recorded exchanges with known answers through a profile",
		Long:    trialLong,
		Example: "  crmgate profile test exchanges/espocrm\n  crmgate profile test exchanges/mycrm --profile mycrm.yaml --json",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVarP(&run.profile, "profile", "p", "", "The profile: one that ships, or a file. Default: the manifest's crm")
	f.BoolVar(&run.unneeded, "unneeded", false, "List what is masked though no mark names it")
	jsonFlag(cmd, &run.json)
	run.cmd = cmd
	cmd.RunE = func(_ *cobra.Command, args []string) error { return run.run(args[0]) }
	return cmd
}

func (t *trialRun) run(dir string) error {
	folder, err := trial.Read(dir)
	if err != nil {
		return err
	}
	name := t.profile
	if name == "" {
		name = folder.CRM
	}
	p, err := loadProfile(name)
	if err != nil {
		return err
	}
	rep, err := trial.Run(folder, p)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	out := t.cmd.OutOrStdout()
	if t.json {
		err = printJSON(out, rep)
	} else {
		err = t.print(out, rep)
	}
	if err == nil && rep.Differs() {
		return errDiffers
	}
	return err
}

func (t *trialRun) print(w io.Writer, rep *trial.Report) error {
	p := &page{w: w}
	p.line("%s (%s)", rep.Profile, rep.Evidence)
	rows := [][]string{{"", "RECORDS", "VALUES", "SECOND PASS", "REFERENCES", "DECISION", "MASKED", "WITHOUT NEED"}}
	for i := range rep.Cases {
		c := &rep.Cases[i]
		rows = append(rows, countRow(c.ID, &c.Count))
	}
	p.table(append(rows, countRow("total", &rep.Total)))
	for i := range rep.Cases {
		c := &rep.Cases[i]
		lines := c.Differences
		if c.Refused != "" && len(lines) == 0 {
			lines = []string{"refused, as it may be: " + c.Refused}
		}
		if t.unneeded && len(c.Unneeded) > 0 {
			lines = append(lines, "masked without need: "+strings.Join(some(c.Unneeded), ", "))
		}
		for _, line := range lines {
			p.line("%s: %s", c.ID, line)
		}
	}
	for _, why := range rep.Reasons() {
		if t.unneeded {
			p.line("%d without need: %s", why.Places, why.Text)
		}
	}
	return p.err
}

// some are the first of many places.
func some(places []string) []string {
	const most = 8
	if len(places) <= most {
		return places
	}
	return append(slices.Clone(places[:most]), fmt.Sprintf("and %d more", len(places)-most))
}

func countRow(name string, c *trial.Count) []string {
	of := func(found, all int) string { return strconv.Itoa(found) + "/" + strconv.Itoa(all) }
	return []string{
		name, of(c.RecordsFound, c.Records), of(c.ValuesMasked, c.Values), strconv.Itoa(c.SecondPass),
		of(c.RefsFound, c.Refs), of(c.DecisionsOK, c.Decisions), strconv.Itoa(c.Masked), strconv.Itoa(c.Overmasked),
	}
}
