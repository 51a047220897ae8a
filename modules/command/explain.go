package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/modules/crmgate"
)

const explainLong = `Takes a recorded exchange through the gate of a configuration, as somebody with
the given roles, and says how it was classified, which policy line decided for
each category, what the answer would be and what would be written to the audit
log. The configuration is loaded, not started: no network, no log, no key.

EXCHANGE is one of

  file.har            as browsers export it: every entry with the site's host, or
                      the only one
  file.har#3          its third entry
  manifest.json#case  a recorded case, by its id
  folder#case         the same, of the manifest.json in that folder

It was recorded at the CRM itself, without the gate. What is printed holds no
value that the roles may not see; the recorded file does.`

// explanation is one run of the command.
type explanation struct {
	cmd    *cobra.Command
	config string
	roles  []string
	json   bool
}

func explainCommand(cmd *cobra.Command) {
	e := &explanation{cmd: cmd}
	f := cmd.Flags()
	f.StringVarP(&e.config, "config", "c", "", "The Caddyfile (or Caddy's JSON) with the gate")
	f.StringSliceVarP(&e.roles, "role", "r", nil, "A role of the employee; several add up")
	jsonFlag(cmd, &e.json)
	for _, name := range []string{"config", "role"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
	cmd.Args = cobra.ExactArgs(1)
	cmd.Example = "  crmgate explain --config Caddyfile --role sales contacts.har#3\n" +
		"  crmgate explain --config Caddyfile --role sales --role intern cases/manifest.json#01-contact-list --json"
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), args[0]) }
}

func (e *explanation) run(ctx context.Context, source string) error {
	c, err := loadConfig(e.config, e.cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	sites, err := c.gatedSites()
	if err != nil {
		return fmt.Errorf("%s: %w", e.config, err)
	}
	list, err := recordedExchanges(source)
	if err != nil {
		return err
	}
	pairs, err := match(sites, list)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	loaded := map[*gatedSite]crmgate.Explainer{}
	for _, p := range pairs {
		if loaded[p.site] == nil {
			gate, done, err := c.loadGate(p.site)
			if err != nil {
				return fmt.Errorf("%s: %w", e.config, err)
			}
			defer done()
			loaded[p.site] = gate
		}
		if err := e.one(ctx, loaded[p.site], p.recorded); err != nil {
			return err
		}
	}
	return nil
}

func (e *explanation) one(ctx context.Context, gate crmgate.Explainer, r *recorded) error {
	x, err := r.exchange()
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	got, err := gate.Explain(ctx, e.roles, x)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	if e.json {
		return printJSON(e.cmd.OutOrStdout(), struct {
			Exchange string `json:"exchange"`
			crmgate.Explanation
		}{r.name, got})
	}
	return printExplanation(e.cmd.OutOrStdout(), r, &got)
}
