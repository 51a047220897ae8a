package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
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

A backup is no log: it is restored by crmgate audit restore.`

const restoreLong = `Puts a backup in place, with the gateway stopped, where there is no log: move one
that is damaged away first, DATA/log alone. Checkpoints that are still in
DATA/checkpoints stay, and say what is lost. DATA/keys/master.key has to be that of
the log. The backup is verified first.

The log goes on under a name of its own (NODE.r1): its first entry names the log
that was, how far it was restored, and which entries are known to be lost. verify
says so ever after. Run it as the gateway's user.`

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
		Use:     "restore (--data DIR | --config FILE) --keys KEYDIR DIR",
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
		cmd.MarkFlagsOneRequired("keys")
		cmd.Args = cobra.ExactArgs(1)
		run := runRestore
		if cmd == backup {
			run = func(cmd *cobra.Command, p *place, dir, keyDir string, asJSON bool) error {
				return runBackup(cmd, p, dir, audit.Backing{Keys: keyDir, Rate: int64(rate) << 20}, asJSON)
			}
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd, &p, args[0], keyDir, asJSON) }
	}
	backup.Flags().IntVar(&rate, "rate", backupRate, "MiB a second at most; 0 is no limit")
	return []*cobra.Command{backup, restore}
}

func runBackup(cmd *cobra.Command, p *place, dir string, how audit.Backing, asJSON bool) error {
	d, err := p.find(cmd.ErrOrStderr())
	if err == nil {
		err = d.inDirectory("backup")
	}
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
	bar := newProgress(cmd.ErrOrStderr(), "Backing up")
	how.Checkpoints, how.Progress = d.options().Checkpoints, bar.tell
	done, err := audit.Backup(cmd.Context(), d.log(), ring, dir, how)
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
	if err == nil {
		err = d.inDirectory("restore")
	}
	if err != nil {
		return err
	}
	ring, err := d.ring(cmd.Context())
	if err != nil {
		return err
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
