package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const backupLong = `Copies the log and its checkpoints to a directory, up to a commit, with the gateway
running or not; what an earlier backup there has already isn't copied again. That
somebody backs the log up is an entry. At most --rate MiB a second are copied, so
that requests don't wait for it.

The data keys, wrapped by the master key, go to a directory of their own (--keys),
which is made the same as the log's: keys that retention has destroyed are taken
away there, too. Keep old backups as long as you like, and of the keys the newest
state only. The master key is in neither: copy DATA/keys/master.key by hand, to
another place.

Logs in PostgreSQL are copied to a folder for each node, in DIR and in the directory
of the keys. What brings them back after a loss is the database's own backup.

A backup is no log: it is restored by crmgate audit restore, as a log in a directory.`

const restoreLong = `Puts a backup in place, with the gateway stopped, where there is no log: move one
that is damaged away first, DATA/log alone. Checkpoints that are still in
DATA/checkpoints stay, and say what is lost. DATA/keys/master.key has to be that of
the log. The backup is verified first.

The log goes on under a name of its own (NODE.r1): its first entry names the log
that was, how far it was restored, and which entries are known to be lost. verify
says so ever after. Run it as the gateway's user.

Where the logs are in PostgreSQL, and the database itself was put back to an earlier
state, give neither DIR nor --keys: with all gateways stopped, the node's log in the
database goes on under a name of its own in the same way, and so does the one over
all nodes. Run it on each node, before its gateway starts.`

// backupRate is how many MiB a second are copied unless somebody says otherwise.
const backupRate = 32

func backupCommands() []*cobra.Command {
	backup := &cobra.Command{
		Use:     "backup (--data DIR | --config FILE) --keys KEYDIR DIR",
		Short:   "Copies the log, running gateway or not",
		Long:    backupLong,
		Example: "  crmgate audit backup --config /etc/crmgate/Caddyfile --keys /srv/keys /srv/backup",
	}
	restore := &cobra.Command{
		Use:     "restore (--data DIR | --config FILE) [--keys KEYDIR DIR]",
		Short:   "Puts a backup of the log in place, under a name of its own",
		Long:    restoreLong,
		Example: "  systemctl stop crmgate\n  crmgate audit restore --config /etc/crmgate/Caddyfile --keys /srv/keys /srv/backup",
	}
	var keyDir string
	var rate int
	var asJSON bool
	for _, cmd := range []*cobra.Command{backup, restore} {
		var p place
		placeFlags(cmd, &p)
		jsonFlag(cmd, &asJSON)
		cmd.Flags().StringVar(&keyDir, "keys", "", "The directory of the data keys, apart from the backup")
		cmd.Args = cobra.MaximumNArgs(1)
		run := runRestore
		if cmd == backup {
			cmd.MarkFlagsOneRequired("keys")
			cmd.Args = cobra.ExactArgs(1)
			run = func(cmd *cobra.Command, p *place, dir, keyDir string, asJSON bool) error {
				return runBackup(cmd, p, dir, audit.Backing{Keys: keyDir, Rate: int64(rate) << 20}, asJSON)
			}
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return run(cmd, &p, strings.Join(args, ""), keyDir, asJSON)
		}
	}
	backup.Flags().IntVar(&rate, "rate", backupRate, "MiB a second at most; 0 is no limit")
	return []*cobra.Command{backup, restore}
}

func runBackup(cmd *cobra.Command, p *place, dir string, how audit.Backing, asJSON bool) error {
	d, err := p.find(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if how.Rate < 0 {
		return errors.New("--rate takes a number of MiB, or 0")
	}
	ring, err := d.ring(cmd.Context())
	if err != nil {
		return err
	}
	if err := d.open(cmd.Context()); err != nil {
		return err
	}
	defer d.close()
	look := &crmgate.Look{DataDir: d.dir, UID: os.Getuid(), Backup: true}
	if err := d.writeDown(cmd.Context(), ring, look); err != nil {
		return err
	}
	nodes, err := d.place.Logs(cmd.Context())
	if err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	for _, node := range nodes {
		one, to := how, dir
		if d.place.Database != nil {
			one.Keys, to = filepath.Join(how.Keys, node), filepath.Join(dir, node)
		}
		if e := backupNode(cmd, d, node, ring, to, one, asJSON); e != nil {
			if err = errors.Join(err, d.of(node, e)); cmd.Context().Err() != nil {
				return err
			}
		}
	}
	return err
}

func backupNode(cmd *cobra.Command, d data, node string, ring *keys.Ring, dir string, how audit.Backing, asJSON bool) error {
	bar := newProgress(cmd.ErrOrStderr(), "Backing up")
	check := d.place.Check(node)
	how.Checkpoints, how.Rows, how.Progress = check.Checkpoints, check.Rows, bar.tell
	done, err := audit.Backup(cmd.Context(), d.place.Dir, ring, dir, how)
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), done)
	}
	return printTable(cmd.OutOrStdout(), [][]string{
		{"backup", dir},
		{"keys", how.Keys},
		{"origin", done.Origin},
		{"entries", fmt.Sprint(done.Size)},
		{"root", done.Root},
		{"copied", fmt.Sprintf("%d bytes", done.Copied)},
	})
}

func runRestore(cmd *cobra.Command, p *place, dir, keyDir string, asJSON bool) error {
	d, err := p.locate(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	ring, err := d.ring(cmd.Context())
	if err != nil {
		return err
	}
	in, err := d.inStore()
	if err != nil {
		return err
	}
	switch {
	case in && dir+keyDir != "":
		return errors.New("the logs are in PostgreSQL: restore the database, and run this without DIR and --keys; " +
			"to read a backup of a log, restore it as one in a directory (--data, or log { local })")
	case in:
		return goOn(cmd, d, ring, asJSON)
	case dir == "" || keyDir == "":
		return errors.New("name the backup, and the directory of its data keys by --keys")
	}
	bar := newProgress(cmd.ErrOrStderr(), "Verifying")
	joint, err := audit.Restore(cmd.Context(), dir, d.log(), ring, d.options(), audit.Restoring{
		Keys: keyDir, By: fmt.Sprintf("uid %d", os.Getuid()), Progress: bar.tell,
	})
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), joint)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Restored in %s: %s.\nHolds that were set or released since then are lost: see crmgate audit retention, and set them again. Nothing is destroyed until somebody has confirmed them: crmgate audit confirm.\n",
		filepath.Join(d.dir, "log"), printable(joint.String()))
	return err
}

// goOn has this node's log in a database that was put back go on, and the one over all
// nodes.
func goOn(cmd *cobra.Command, d data, ring *keys.Ring, asJSON bool) error {
	if err := d.open(cmd.Context()); err != nil {
		return err
	}
	defer d.close()
	there, err := d.place.Logs(cmd.Context())
	if err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	for _, node := range []string{d.place.Node, audit.RootNode} {
		if !slices.Contains(there, node) {
			continue
		}
		bar := newProgress(cmd.ErrOrStderr(), "Verifying")
		joint, err := audit.GoOn(cmd.Context(), ring, d.place.OptionsOf(node), audit.Restoring{By: fmt.Sprintf("uid %d", os.Getuid()), Progress: bar.tell})
		bar.end()
		if err != nil {
			return d.of(node, err)
		}
		if asJSON {
			err = printJSON(cmd.OutOrStdout(), joint)
		} else {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The log of %s goes on: %s.\n", node, printable(joint.String()))
		}
		if err != nil {
			return err
		}
	}
	if asJSON {
		return nil
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "Run this on each other node before its gateway starts. Holds that were set or released since then are lost: see crmgate audit retention, and set them again. "+
		"Nothing is destroyed at any node until somebody has confirmed them at each that was run on: crmgate audit confirm.")
	return err
}

// restoredRows says where a log was restored, and what isn't in it.
func restoredRows(r *audit.Report) [][]string {
	var rows [][]string
	for i := range r.Joints {
		rows = append(rows, []string{"restored", fmt.Sprintf("in entry %d: %s", r.Joints[i].Size, printable(r.Joints[i].String()))})
	}
	for _, c := range r.Lost {
		name := strings.TrimSpace(printable(c.Name))
		rows = append(rows, []string{"lost", fmt.Sprintf("%s was signed over %d entries of %s, more than were restored", name, c.Size, c.Origin)})
	}
	return rows
}
