package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const retentionLong = `Shows the months of the log: until when each is kept, what holds it, and when and
by whom it was destroyed. For how long what is kept stands in the Caddyfile:

    log {
        retain 36 months
        retain employee 12 months
    }

The running gateway destroys what is due by itself. It doesn't trust the clock
alone: as many months have to have been written as are to have passed. After a
time in which the gateway was off, it waits for that, or for you: --today with the
date of today (UTC) destroys what is due by the clock.

A month is destroyed by destroying its data key. Its entries stay in the log
unreadable, and all proofs stay valid. After the log was restored from a backup,
nothing is destroyed until somebody has confirmed the holds.`

const holdLong = `Keeps months from being destroyed, until it is released. The hold is an entry in
the log, with its reason: write the number of a case there, no name.`

// keepingCommands are the commands about what the log keeps.
func keepingCommands() []*cobra.Command {
	retention := &cobra.Command{
		Use:   "retention (--data DIR | --config FILE) [--today DATE]",
		Short: "Shows until when months are kept, and destroys what is due",
		Long:  retentionLong,
		Example: "  crmgate audit retention --config /etc/crmgate/Caddyfile\n" +
			"  crmgate audit retention --config /etc/crmgate/Caddyfile --today 2031-02-01",
	}
	hold := &cobra.Command{
		Use:     "hold (--data DIR | --config FILE) --from MONTH [--to MONTH] [--kind KIND] --reason TEXT",
		Short:   "Keeps months from being destroyed",
		Long:    holdLong,
		Example: "  crmgate audit hold --config Caddyfile --from 2026-01 --to 2026-03 --reason 'case 4711'",
	}
	release := &cobra.Command{
		Use:     "release (--data DIR | --config FILE) --entry SEQ --reason TEXT",
		Short:   "Ends a hold",
		Long:    "Ends the hold of an entry; crmgate audit retention lists those that stand.",
		Example: "  crmgate audit release --config Caddyfile --entry 8124 --reason 'case 4711 is closed'",
	}
	keepingCommand(retention, func(q *crmgate.KeepingAsked) {
		retention.Flags().StringVar(&q.Today, "today", "", "Destroy what is due: the date of today, 2031-02-01 (UTC)")
	})
	h := new(audit.Hold)
	keepingCommand(hold, func(q *crmgate.KeepingAsked) {
		q.Hold = h
		f := hold.Flags()
		f.StringVar(&h.From, "from", "", "The first month: 2026-01")
		f.StringVar(&h.To, "to", "", "The last month; without it those to come are held, too")
		f.StringVar((*string)(&h.Class), "kind", "", "access, employee or gateway; all of them by default")
		f.StringVar(&h.Reason, "reason", "", "Why: the number of a case")
		hold.MarkFlagsRequiredTogether("from", "reason")
		hold.MarkFlagsOneRequired("from")
	})
	keepingCommand(release, func(q *crmgate.KeepingAsked) {
		q.Release = new(uint64)
		release.Flags().Var(&heldEntry{q}, "entry", "The entry of the hold; of another node's: NODE/SEQ")
		release.Flags().StringVar(&q.Reason, "reason", "", "Why it may end")
		release.MarkFlagsRequiredTogether("entry", "reason")
		release.MarkFlagsOneRequired("entry")
	})
	return []*cobra.Command{retention, hold, release, confirmCommand()}
}

const confirmLong = `Says that the holds which stand are those that have to, after the log was restored
from a backup: holds that were set after the backup was made are lost with it, and
those that were released stand again.

Until then the gateway destroys nothing. First compare the list of
crmgate audit retention with that of your cases, set what is missing
(crmgate audit hold) and release what has ended. The confirmation is an entry in the
log, with who gave it and the reason.`

// confirmCommand is about the holds after a restoration.
func confirmCommand() *cobra.Command {
	confirm := &cobra.Command{
		Use:     "confirm (--data DIR | --config FILE) --reason TEXT",
		Short:   "Confirms the holds after a restoration",
		Long:    confirmLong,
		Example: "  crmgate audit confirm --config Caddyfile --reason 'compared with the list of cases of 2 March'",
	}
	keepingCommand(confirm, func(q *crmgate.KeepingAsked) {
		q.Confirm = true
		confirm.Flags().StringVar(&q.Reason, "reason", "", "With what the holds were compared")
		confirm.MarkFlagsOneRequired("reason")
	})
	return confirm
}

// heldEntry reads where a hold stands.
type heldEntry struct{ asked *crmgate.KeepingAsked }

func (h *heldEntry) String() string { return "" }

func (h *heldEntry) Type() string { return "entry" }

func (h *heldEntry) Set(text string) (err error) {
	seq := text
	if node, rest, named := strings.Cut(text, "/"); named {
		h.asked.Node, seq = node, rest
	}
	*h.asked.Release, err = strconv.ParseUint(seq, 10, 63)
	return err
}

func keepingCommand(cmd *cobra.Command, flags func(*crmgate.KeepingAsked)) {
	var p place
	var asJSON bool
	q := &crmgate.KeepingAsked{UID: os.Getuid()}
	placeFlags(cmd, &p)
	flags(q)
	jsonFlag(cmd, &asJSON)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if q.Hold != nil {
			if err := q.Hold.Check(); err != nil {
				return err
			}
		}
		d, err := p.find(cmd.ErrOrStderr())
		if err == nil {
			err = d.open(cmd.Context())
		}
		if err != nil {
			return err
		}
		defer d.close()
		q.DataDir = d.dir
		answer, err := askKeeping(cmd, &p, d, q)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd.OutOrStdout(), answer)
		}
		return printKeeping(cmd, answer)
	}
}

// askKeeping asks the running gateway, or the log where none runs.
func askKeeping(cmd *cobra.Command, p *place, d data, q *crmgate.KeepingAsked) (*crmgate.KeepingAnswer, error) {
	ring, err := d.ring(cmd.Context())
	if err != nil {
		return nil, err
	}
	log, err := audit.Open(cmd.Context(), d.place.Dir, ring, d.place.Options())
	if errors.Is(err, audit.ErrLocked) {
		var answer struct {
			Keeping crmgate.KeepingAnswer `json:"keeping"`
		}
		err := d.ask(crmgate.KeepingPath, q, &answer)
		return &answer.Keeping, err
	}
	if err != nil {
		return nil, err
	}
	months, err := p.retention(cmd)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	ix := d.place.Index(d.place.Node, ring)
	answer, err := q.Do(context.WithoutCancel(cmd.Context()), log, d.place, ix, months)
	return answer, errors.Join(err, ix.Close(), log.Close())
}

// retention is the configured one, none where no configuration was named.
func (p *place) retention(cmd *cobra.Command) (audit.Retention, error) {
	if p.config == "" {
		return audit.Retention{}, nil
	}
	c, err := loadConfig(p.config, cmd.ErrOrStderr())
	if err != nil {
		return audit.Retention{}, err
	}
	var app struct {
		Log crmgate.LogConfig `json:"log"`
	}
	if len(c.Apps.CRMGate) > 0 {
		if err := json.Unmarshal(c.Apps.CRMGate, &app); err != nil {
			return audit.Retention{}, fmt.Errorf("%s: reading the app crmgate: %w", p.config, err)
		}
	}
	return app.Log.Retain.Months(), nil
}

func printKeeping(cmd *cobra.Command, a *crmgate.KeepingAnswer) error {
	nodes := len(a.Kept) > 0 && a.Kept[0].Node != ""
	rows := [][]string{{"MONTH", "KIND", "KEY", "KEPT"}}
	for i := range a.Kept {
		k := &a.Kept[i]
		kind := string(k.Class)
		if kind == "" {
			kind = "all"
		}
		rows = append(rows, []string{k.Month, kind, fmt.Sprint(k.Key), saidKept(k)})
		if nodes {
			rows[i+1] = append([]string{k.Node}, rows[i+1]...)
		}
	}
	if nodes {
		rows[0] = append([]string{"NODE"}, rows[0]...)
	}
	for i := range a.Holds {
		h := &a.Holds[i]
		rows = append(rows, []string{"hold", "entry " + h.Place(), "by " + h.By, printable(h.String())})
	}
	if err := printTable(cmd.OutOrStdout(), rows); err != nil {
		return err
	}
	if a.Unconfirmed != nil {
		said := fmt.Sprintf("Entry %d, %s: %s.\n", a.Unconfirmed.Entry, a.Unconfirmed.Since.Format(time.RFC3339), audit.ErrUnconfirmed)
		if _, err := fmt.Fprint(cmd.OutOrStdout(), said); err != nil {
			return err
		}
	}
	if a.Entry == "" {
		return nil
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "Written down as %s.\n", a.Entry)
	return err
}

func saidKept(k *audit.Kept) string {
	until := k.Until.Format(time.DateOnly)
	switch {
	case k.Destroyed != nil:
		return fmt.Sprintf("destroyed on %s, by %s (entry %d)", k.Destroyed.At.Format(time.DateOnly), k.Destroyed.By, k.Destroyed.Entry)
	case len(k.Held) > 0:
		return "held by entry " + strings.Join(k.HeldBy, ", ")
	case k.Until.IsZero():
		return "for good"
	case k.Due && k.Lacking > 0:
		return fmt.Sprintf("until %s; the log was written in too few months since (%d are lacking): if the clock is right, --today destroys it", until, k.Lacking)
	case k.Due:
		return "until " + until + ": it is due"
	}
	return "until " + until
}

// erasedRows says which months can't be read any more, and why.
func erasedRows(gone []*audit.Destroyed) [][]string {
	var rows [][]string
	for _, d := range gone {
		entries := ""
		if d.Entries > 0 {
			entries = fmt.Sprintf("; %d entries", d.Entries)
		}
		rows = append(rows, []string{"destroyed", printable(d.Error()) + entries})
	}
	return rows
}
