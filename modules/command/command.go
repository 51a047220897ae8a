// Package command holds the subcommands of crmgate. Each prints for people, or
// for machines with --json; its exit status is 0 only on success; an error names
// the file, the line and the remedy.
package command

import (
	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func init() {
	caddy.CustomBinaryName = "crmgate"
	for _, c := range commands() {
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
			Name: "audit", Usage: "search|verify",
			Short:     "Looks into the audit log and checks it",
			CobraFunc: auditCommand,
		},
		{
			Name: "explain", Usage: "--config FILE --role ROLE... EXCHANGE",
			Short:     "Says what a role would see of a recorded exchange, and why",
			Long:      explainLong,
			CobraFunc: explainCommand,
		},
		{
			Name: "profile", Usage: "check FILE...",
			Short:     "Checks profiles",
			CobraFunc: profileCommand,
		},
		{
			Name: "policy", Usage: "check|test",
			Short:     "Checks and tests policies",
			CobraFunc: policyCommand,
		},
		{
			Name: "bench", Usage: "[--seconds N] [--rounds N] [--json]",
			Short:     "Measures what the gate costs beside plain Caddy on this machine",
			Long:      benchLong,
			CobraFunc: benchCommand,
		},
	}
}
