package command

import (
	"runtime/debug"
	"slices"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// program is the import path of what this is when nobody else built it.
const program = "github.com/crmgate/crmgate/cmd/crmgate"

// ownProgram reports whether this is crmgate itself, and not a Caddy of somebody else's with these modules.
func ownProgram() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && info.Path == program
}

// caddysUpgrades are Caddy's commands that replace the program by one of Caddy's build server: a Caddy without a gate.
func caddysUpgrades() []string { return []string{"upgrade", "add-package", "remove-package"} }

// upgradeName is what the command is registered under, as Caddy has one of its name.
const upgradeName = "crmgate-upgrade"

// settle decides between Caddy's commands and ours of the same name once all are there: in crmgate Caddy's go, in a
// Caddy of somebody else's ours does. Caddy hands over no root command, but a command that was added knows it, so the last
// command asks the first.
func settle(list []caddycmd.Command) []caddycmd.Command {
	var first *cobra.Command
	begin, end := list[0].CobraFunc, list[len(list)-1].CobraFunc
	list[0].CobraFunc = func(cmd *cobra.Command) {
		first = cmd
		begin(cmd)
	}
	list[len(list)-1].CobraFunc = func(cmd *cobra.Command) {
		end(cmd)
		if first == nil || first.Parent() == nil {
			return // somebody looks at this command alone
		}
		root := first.Parent()
		for _, c := range root.Commands() {
			if slices.Contains(caddysUpgrades(), c.Name()) && (c.Annotations[upgradeName] == "") == ownProgram() {
				root.RemoveCommand(c)
			}
		}
	}
	return list
}
