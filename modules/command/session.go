package command

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/modules/crmgate"
)

const sessionLong = `Shows who is signed in, and ends sessions, through the running gateway (Caddy's
admin API). Both are entries in the audit log: a look before anything is shown,
a revocation for each session that was ended. A session that was ended is dead at
once on this node, and on others of the same store within five seconds.`

func sessionCommand(cmd *cobra.Command) {
	list := &cobra.Command{
		Use:     "list (--data DIR | --config FILE) (--employee NAME | --all)",
		Short:   "Shows who is signed in, since when and where",
		Long:    sessionLong,
		Example: "  crmgate session list --config Caddyfile --all\n  crmgate session list --config Caddyfile --employee vera",
	}
	revoke := &cobra.Command{
		Use:     "revoke (--data DIR | --config FILE) (--employee NAME [--session REF] | --all)",
		Short:   "Ends sessions",
		Long:    sessionLong,
		Example: "  crmgate session revoke --config Caddyfile --employee vera",
	}
	sessionsOf(list, false)
	sessionsOf(revoke, true)
	group(cmd, list, revoke)
}

// sessionsOf makes a command that asks the running gateway about sessions.
func sessionsOf(cmd *cobra.Command, revoke bool) {
	var p place
	var asJSON bool
	asked := crmgate.SessionsAsked{UID: os.Getuid(), Revoke: revoke}
	placeFlags(cmd, &p)
	f := cmd.Flags()
	f.StringVar(&asked.Employee, "employee", "", "An employee: pseudonym, login, name or e-mail address")
	f.BoolVar(&asked.All, "all", false, "Everybody")
	if revoke {
		f.StringVar(&asked.Ref, "session", "", "One session, as list names it")
	}
	cmd.MarkFlagsMutuallyExclusive("employee", "all")
	cmd.MarkFlagsOneRequired("employee", "all")
	jsonFlag(cmd, &asJSON)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, err := p.find(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		asked.DataDir = d.dir
		var answer struct {
			Sessions []crmgate.OneSession `json:"sessions"`
		}
		if err := d.ask(crmgate.SessionsPath, &asked, &answer); err != nil {
			return err
		}
		return showSessions(cmd, answer.Sessions, asJSON, revoke)
	}
}

func showSessions(cmd *cobra.Command, found []crmgate.OneSession, asJSON, revoke bool) error {
	w := cmd.OutOrStdout()
	if len(found) == 0 && revoke {
		return errors.New("no session matches: nobody of that name is signed in")
	}
	if asJSON {
		for _, s := range found {
			if err := printJSON(w, s); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(cmd.ErrOrStderr(), "No session matches.")
		return err
	}
	rows := [][]string{{"SESSION", "EMPLOYEE", "NAME", "ROLES", "SIGNED IN", "LAST USED", "BROWSER", "ADDRESS"}}
	for _, s := range found {
		name := s.User
		if name == "" {
			name = s.Name
		}
		rows = append(rows, []string{
			s.Ref, s.Employee, printable(name), printable(strings.Join(s.Roles, " ")),
			s.Created.Local().Format(time.DateTime), s.Used.Local().Format(time.DateTime), printable(s.Agent), printable(s.IP),
		})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	if revoke {
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "Ended: %d.\n", len(found))
		return err
	}
	return nil
}
