package command

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/modules/crmgate"
)

const factorLong = `The second factor that the gateway itself asks for (mfa gateway), through the
running gateway (Caddy's admin API). Both commands are entries in the audit log.

invite makes a code by which one employee enrols their first factor: hand it to
them in person or on another way than the one their password came. reset takes
all factors of an employee away, ends their sessions, and lets them enrol anew
by another invitation.`

func factorCommand(cmd *cobra.Command) {
	invite := &cobra.Command{
		Use:     "invite (--data DIR | --config FILE) --employee NAME [--valid 72h]",
		Short:   "Makes a code by which an employee enrols a first factor",
		Long:    factorLong,
		Example: "  crmgate factor invite --config Caddyfile --employee vera",
	}
	reset := &cobra.Command{
		Use:     "reset (--data DIR | --config FILE) --employee NAME",
		Short:   "Takes all factors of an employee away",
		Long:    factorLong,
		Example: "  crmgate factor reset --config Caddyfile --employee vera",
	}
	factorsOf(invite, false)
	factorsOf(reset, true)
	group(cmd, invite, reset)
}

// factorsOf makes a command that asks the running gateway about factors.
func factorsOf(cmd *cobra.Command, reset bool) {
	var p place
	var asJSON bool
	asked := crmgate.FactorsAsked{UID: os.Getuid(), Reset: reset}
	placeFlags(cmd, &p)
	f := cmd.Flags()
	names := "An employee: login, verified e-mail address, or subject at the provider"
	if reset {
		names = "An employee: pseudonym, login, name or e-mail address"
	} else {
		f.DurationVar(&asked.Valid, "valid", crmgate.InviteFor, "How long the code is valid")
	}
	f.StringVar(&asked.Employee, "employee", "", names)
	cmd.MarkFlagsOneRequired("employee")
	jsonFlag(cmd, &asJSON)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, err := p.find(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		asked.DataDir = d.dir
		var answer struct {
			Done []crmgate.FactorDone `json:"done"`
		}
		if err := d.ask(crmgate.FactorsPath, &asked, &answer); err != nil {
			return err
		}
		return showFactors(cmd, answer.Done, asJSON)
	}
}

func showFactors(cmd *cobra.Command, done []crmgate.FactorDone, asJSON bool) error {
	if len(done) == 0 {
		return errors.New("nobody of that name has enrolled a factor")
	}
	w := cmd.OutOrStdout()
	for _, one := range done {
		var err error
		switch {
		case asJSON:
			err = printJSON(w, one)
		case one.Code != "":
			_, err = fmt.Fprintf(w, "%s\n", one.Code)
			if err == nil {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Enrolment code for people of %s, once, until %s.\n", printable(one.Issuer), one.Until.Local().Format(time.DateTime))
			}
		default:
			_, err = fmt.Fprintf(w, "%s\n", one.Employee)
			if err == nil {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Factors reset, sessions ended: %d. To let them enrol anew: crmgate factor invite.\n", one.Ended)
			}
		}
		if err != nil {
			return fmt.Errorf("printing: %w", err)
		}
	}
	return nil
}
