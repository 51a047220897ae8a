// Package command holds the subcommands of crmgate. Each prints for people, or
// for machines with --json; its exit status is 0 only on success; an error names
// the file, the line and the remedy.
package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddy.CustomBinaryName = "crmgate"
	for _, c := range settle(slices.Concat(commands(), operationCommands())) {
		caddycmd.RegisterCommand(c)
	}
}

// commands lists the subcommands that stand beside Caddy's own.
func commands() []caddycmd.Command {
	return []caddycmd.Command{
		{
			Name: "demo", Usage: "[--listen ADDR] [--data DIR]",
			Short:     "The whole product on this machine: gateway, sign-in, CRM",
			Long:      demoLong,
			CobraFunc: demoCommand,
		},
		{
			Name: "audit", Usage: "search|verify|export|reindex|retention|hold|release|confirm|report|backup|restore|adopt",
			Short:     "Looks into the audit log and checks it",
			CobraFunc: auditCommand,
		},
		{Name: "witness", Usage: "init|serve", Short: "Countersigns the checkpoints of audit logs", CobraFunc: witnessCommand},
		{
			Name: "session", Usage: "list|revoke",
			Short:     "Shows who is signed in and ends sessions",
			CobraFunc: sessionCommand,
		},
		{
			Name: "factor", Usage: "invite|reset",
			Short:     "Lets employees enrol the gateway's own second factor, and resets it",
			CobraFunc: factorCommand,
		},
		{Name: "consent", Usage: "import", Short: "Brings consents into the ledger that were given before", CobraFunc: consentCommand},
		{
			Name: "explain", Usage: "--config FILE --role ROLE... EXCHANGE",
			Short:     "Says what a role would see of a recorded exchange, and why",
			Long:      explainLong,
			CobraFunc: explainCommand,
		},
		{
			Name: "profile", Usage: "check|test|draft|diff",
			Short:     "Checks, tests, drafts and compares profiles",
			CobraFunc: profileCommand,
		},
		{
			Name: "policy", Usage: "check|test",
			Short:     "Checks and tests policies",
			CobraFunc: policyCommand,
		},
		{
			Name: "keys", Usage: "rotate|show|new|move|challenge",
			Short:     "Works on the master keys",
			CobraFunc: keysCommand,
		},
	}
}

// operationCommands are those that keep a gateway running.
func operationCommands() []caddycmd.Command {
	return []caddycmd.Command{
		{
			Name: "doctor", Usage: "--config FILE [--json]",
			Short:     "Checks a configuration, its provider, keys, log and CRM before anybody signs in",
			Long:      doctorLong,
			CobraFunc: doctorCommand,
		},
		pentestEntry(),
		{
			Name: upgradeName, Usage: "--config FILE [--check]",
			Short:     "Brings this program to the newest release, and back where that doesn't come up",
			Long:      upgradeLong,
			CobraFunc: upgradeCommand,
		},
		{Name: "release", Usage: "key|sign", Short: "Makes a release key and signs a folder of releases", CobraFunc: releaseCommand},
		{
			Name: "bench", Usage: "[--seconds N] [--rounds N] [--json]",
			Short:     "Measures what the gate costs beside plain Caddy on this machine",
			Long:      benchLong,
			CobraFunc: benchCommand,
		},
	}
}

// group makes a command that does nothing itself. Without a known subcommand it
// fails: a misspelt one in a script must not pass for success.
func group(cmd *cobra.Command, subs ...*cobra.Command) {
	cmd.AddCommand(subs...)
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var names []string
		for _, s := range subs {
			names = append(names, s.Name())
		}
		there := strings.Join(names, ", ")
		if len(args) == 0 {
			return fmt.Errorf("%s needs a subcommand: %s", cmd.CommandPath(), there)
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return fmt.Errorf("%s has no subcommand %q; nearest: %s (there are: %s)", cmd.CommandPath(), args[0], near[0], there)
		}
		return fmt.Errorf("%s has no subcommand %q; there are: %s", cmd.CommandPath(), args[0], there)
	}
}
