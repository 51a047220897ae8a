// Package command holds the subcommands of crmgate.
package command
