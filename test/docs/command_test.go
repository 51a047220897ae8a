package docs

import (
	"strconv"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// The command lines of the manual name commands and flags that there are.
func TestCommandLinesOfTheManualExist(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "sh" {
				continue
			}
			for i, text := range strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
				words := strings.Fields(text)
				if len(words) > 0 && words[0] == "sudo" {
					words = words[1:]
				}
				if len(words) < 2 || words[0] != "crmgate" && !strings.HasSuffix(words[0], "/crmgate") {
					continue
				}
				seen++
				if what := unknownCommand(words[1:]); what != "" {
					t.Errorf("%s: %s: %s", p.path+":"+strconv.Itoa(b.line+i), text, what)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no page shows a command")
	}
}

// unknownCommand says what of a command line there is not, "" for nothing.
func unknownCommand(words []string) string {
	registered, ok := caddycmd.Commands()["crmgate-"+words[0]] // ours, where Caddy has one of the name
	if !ok {
		registered, ok = caddycmd.Commands()[words[0]]
	}
	if !ok {
		return "there is no command " + words[0]
	}
	cmd := &cobra.Command{Use: words[0]}
	if registered.CobraFunc != nil {
		registered.CobraFunc(cmd)
	}
	for _, word := range words[1:] {
		if word == "#" || word == "|" || word == ">" {
			break
		}
		if sub := child(cmd, word); sub != nil {
			cmd = sub
			continue
		}
		name, long := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		known := cmd.Flags().Lookup(name) != nil || registered.Flags != nil && registered.Flags.Lookup(name) != nil
		if long && !known {
			return "there is no flag --" + name
		}
	}
	if cmd.HasSubCommands() {
		return "a subcommand is missing or not known"
	}
	return ""
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}
