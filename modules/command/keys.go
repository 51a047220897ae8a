package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const keysLong = `
Works on the master keys: what sessions, sign-ins on their way and the data keys
of the audit log are sealed with. They stand in DATA/keys/master.key, or where the
option keys of the configuration says.
`

const rotateLong = `
Adds a master key, which begins to seal after a while (--in). Older keys go on
opening what they sealed: nobody is signed out, and the audit log stays readable.
Pseudonyms in the log hang on the first key and stay as they are.

The running gateway takes the key when its configuration is reloaded. Where
several nodes share a session store, copy the key file to each and reload them
all before the time has come: a node without the key can't open what it seals.

--pipe reads keys from standard input and writes them with one more to standard
output: for keys that another program encrypts, like a credential of systemd.
`

const newLong = `
Writes a first master key to standard output, for a program that encrypts it; a
terminal is refused. Where the gateway keeps its keys itself, it makes them at the
first start.`

const moveLong = `
Brings the keys from the plain file DATA/keys/master.key to where the option keys of
the configuration says, and reads them back. Stop the gateway, write the option into
its configuration, and run this as its user. The plain file stays: bring it to where
its backup is kept and take it off this machine; the gateway doesn't start beside it.`

// rotateIn is the time to bring a new key to all nodes.
const rotateIn = time.Hour

func keysCommand(cmd *cobra.Command) {
	cmd.Long = keysLong
	group(cmd, rotateCommand(), showKeysCommand(), newKeysCommand(), moveKeysCommand(), challengeKeyCommand())
}

func rotateCommand() *cobra.Command {
	var where place
	var in time.Duration
	var pipe, asJSON bool
	rotate := &cobra.Command{
		Use:     "rotate (--config FILE | --data DIR | --pipe)",
		Short:   "Adds a master key that seals from then on",
		Long:    rotateLong,
		Example: "  crmgate keys rotate --config /etc/caddy/Caddyfile\n  systemctl reload caddy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in < 0 {
				return fmt.Errorf("--in %s: a key can't begin to seal in the past", in)
			}
			if pipe {
				return rotatePiped(cmd, time.Now().Add(in))
			}
			d, err := where.find(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return rotateKeys(cmd, d, in, asJSON)
		},
	}
	rotate.Flags().BoolVar(&pipe, "pipe", false, "Read the keys from standard input, and write them with one more to standard output")
	placeFlags(rotate, &where, "pipe")
	rotate.Flags().DurationVar(&in, "in", rotateIn, "How long from now the key begins to seal")
	jsonFlag(rotate, &asJSON)
	return rotate
}

func rotateKeys(cmd *cobra.Command, d data, in time.Duration, asJSON bool) error {
	from := time.Now().Add(in).UTC().Truncate(time.Second)
	src, err := d.keySource()
	if err != nil {
		return err
	}
	id, err := src.Rotate(cmd.Context(), from)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"key": id, "seals_from": from, "file": src.String()})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Key %02x was added to %s; it seals from %s.\nBack the file up, copy it to every other node, and reload each gateway before then.\n",
		id, src, from.Format(time.RFC3339))
	return err
}

// maxPiped is more than the keys can have.
const maxPiped = 1 << 20

func rotatePiped(cmd *cobra.Command, from time.Time) error {
	if err := noTerminal(cmd.OutOrStdout()); err != nil {
		return err
	}
	old, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPiped))
	if err != nil {
		return fmt.Errorf("reading the keys: %w", err)
	}
	text, id, err := keys.Added(old, from)
	if err != nil {
		return err
	}
	if _, err := cmd.OutOrStdout().Write(text); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Key %02x was added; it seals from %s.\n", id, from.UTC().Format(time.RFC3339))
	return err
}

// noTerminal refuses to show keys on a screen.
func noTerminal(w io.Writer) error {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return errors.New("keys aren't written to a terminal: pipe them into the program that encrypts them")
	}
	return nil
}

func newKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "new",
		Short:   "Writes a first master key, for a program that encrypts it",
		Long:    newLong,
		Example: "  crmgate keys new | systemd-creds encrypt --name=crmgate-master - /etc/credstore.encrypted/crmgate-master",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := noTerminal(cmd.OutOrStdout()); err != nil {
				return err
			}
			text, err := keys.First()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func showKeysCommand() *cobra.Command {
	var where place
	var asJSON bool
	show := &cobra.Command{
		Use:     "show (--config FILE | --data DIR)",
		Short:   "Says where the master keys are, and from when each seals",
		Long:    "Reads the keys as the gateway would, and says where they are, how many there are, and from when each seals. It shows no key.",
		Example: "  crmgate keys show --config /etc/crmgate/Caddyfile",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := where.locate(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			src, err := d.keySource()
			if err != nil {
				return err
			}
			ring, err := src.Load(cmd.Context())
			if err != nil {
				return err
			}
			return printKeys(cmd, src, ring, asJSON)
		},
	}
	placeFlags(show, &where)
	jsonFlag(show, &asJSON)
	return show
}

func printKeys(cmd *cobra.Command, src keys.Source, ring *keys.Ring, asJSON bool) error {
	type shown struct {
		Key   byte      `json:"key"`
		Seals time.Time `json:"seals_from,omitzero"`
	}
	var all []shown
	rows := [][]string{{"KEY", "SEALS FROM"}}
	times := ring.Times()
	for _, id := range slices.Sorted(maps.Keys(times)) {
		all = append(all, shown{id, times[id]})
		from := "the beginning"
		if !times[id].IsZero() {
			from = times[id].Format(time.RFC3339)
		}
		rows = append(rows, []string{fmt.Sprintf("%02x", id), from})
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"source": src.String(), "keys": all})
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "In %s:\n", src); err != nil {
		return err
	}
	return printTable(cmd.OutOrStdout(), rows)
}

func moveKeysCommand() *cobra.Command {
	var where place
	move := &cobra.Command{
		Use:     "move --config FILE",
		Short:   "Brings the keys from the plain file to where the configuration says",
		Long:    moveLong,
		Example: "  systemctl stop crmgate\n  crmgate keys move --config /etc/crmgate/Caddyfile",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := where.locate(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return moveKeys(cmd, d)
		},
	}
	placeFlags(move, &where)
	return move
}

func moveKeys(cmd *cobra.Command, d data) error {
	src, err := d.keySource()
	if err != nil {
		return err
	}
	plain := keys.InDir(crmgate.KeyDir(d.dir))
	if src.String() == plain.String() {
		return fmt.Errorf("the configuration keeps the keys in %s already: write the option keys into it, and name it by --config", plain)
	}
	to, ok := src.(keys.Taker)
	if !ok {
		return fmt.Errorf("%s can't be written by this program: encrypt %s by the program that keeps it "+
			"(systemd-creds encrypt --name=… %s /etc/credstore.encrypted/…), and take the file off this machine", src, plain, plain)
	}
	text, err := plain.Text(cmd.Context())
	if err != nil {
		return err
	}
	if err := to.Take(cmd.Context(), text); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there are keys in %s already: %w", src, err)
	} else if err != nil {
		return err
	}
	ring, err := to.Load(cmd.Context())
	if err != nil {
		return fmt.Errorf("reading the keys back from %s: %w", src, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d keys are in %s and can be read from there.\n"+
		"Bring %s to where its backup is kept, and take it off this machine (shred -u): the gateway doesn't start beside it.\n", len(ring.Times()), src, plain)
	return err
}
