package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"
)

const demoLong = `Starts the whole product on this machine, in one process: the gateway with the
policy that ships for it, an identity provider with a handful of employees, and
"Kontor", a CRM with some sixty invented people. It prints where to go, who can
sign in and what each will see.

It is reached from this machine only: the passwords are known to everybody.
Ctrl-C ends all of it. The audit log stays, and the next start goes on with it.`

// demoOptions are the flags of the demo.
type demoOptions struct {
	listen, data string
	json         bool
}

func demoCommand(cmd *cobra.Command) {
	var o demoOptions
	cmd.Flags().StringVarP(&o.listen, "listen", "l", "localhost:8080", "Where to listen: localhost or a loopback address; port 0 takes a free one")
	cmd.Flags().StringVar(&o.data, "data", filepath.Join(caddy.AppDataDir(), "crmgate-demo"), "Where keys, sessions and the audit log are kept")
	jsonFlag(cmd, &o.json)
	cmd.Example = "  crmgate demo\n  crmgate demo --listen localhost:0 --data /tmp/demo"
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return demo(cmd, o) }
}

// demo runs until it is told to stop.
func demo(cmd *cobra.Command, o demoOptions) (err error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	h, err := openHouse(ctx, o)
	if err != nil {
		return fmt.Errorf("starting the demo: %w", err)
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.announce(cmd.OutOrStdout(), o.json); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		stop() // a second Ctrl-C waits for nobody
		return nil
	case err := <-h.failed:
		return fmt.Errorf("serving the demo: %w", err)
	}
}

// announce says where to go and who can sign in.
func (h *house) announce(w io.Writer, asJSON bool) error {
	guests, err := h.guests()
	if err != nil {
		return err
	}
	search := "crmgate audit search --data " + shellWord(h.state.dir)
	if asJSON {
		return printJSON(w, struct {
			URL    string  `json:"url"`
			Issuer string  `json:"issuer"`
			Data   string  `json:"data"`
			Guests []guest `json:"employees"`
		}{h.url, h.issuer, h.state.dir, guests})
	}
	if _, err := fmt.Fprintf(w, "\n  Kontor, a CRM behind crmgate:  %s\n\n", h.url); err != nil {
		return err
	}
	rows := [][]string{{"  Login", "Password", "Role", "Second factor", "What they see of a contact"}}
	for _, g := range guests {
		rows = append(rows, []string{"  " + g.Login, g.Password, g.roles(), g.factor(), g.Sees})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `
  The code of the second factor is shown on the sign-in page.
  The auditors' desk:    %[4]s, as dora
  Who saw what:          %[1]s
  Who saw one person:    %[1]s --record contact/1001
  Is the log whole:      crmgate audit verify --data %[2]s
  What runs here:        %[3]s

  Ctrl-C ends the demo.
`, search, shellWord(h.state.dir), h.state.path(demoCaddyfile), h.url+".crmgate/desk")
	return err
}
