package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const exportLong = `Writes the log, up to its last checkpoint, into a new directory as C2SP tlog-tiles:
the checkpoint, the hash tiles, the entries as they are (encrypted), the public key
and the dictionary. Whoever has it can verify offline that nothing was changed,
left out or added: by crmgate audit verify --export, by Tessera's fsck, or by the
page of Python in the documentation.

--with-keys puts the data keys beside them: whoever has the directory then reads
every entry in it.

That somebody exports is itself an entry, durable before anything is written.` + formLong

func exportCommand(cmd *cobra.Command) {
	var p place
	var withKeys, asJSON bool
	var node string
	nodeFlag(cmd, &node)
	form := &formExport{place: &p}
	form.flags(cmd)
	placeFlags(cmd, &p, "from-export")
	jsonFlag(cmd, &asJSON)
	cmd.Flags().BoolVar(&withKeys, "with-keys", false, "Put the data keys beside the entries, in clear")
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		form.node = node
		as, err := form.wanted(withKeys)
		if err != nil {
			return err
		}
		if as == proofs {
			return exportPart(cmd, form, args[0], withKeys, asJSON)
		}
		if as != "" {
			return form.run(cmd.Context(), args[0])
		}
		return export(cmd, &p, args[0], node, withKeys, asJSON)
	}
}

func export(cmd *cobra.Command, p *place, out, node string, withKeys, asJSON bool) error {
	d, ring, err := p.reach(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	nodes, err := d.place.Logs(cmd.Context())
	if err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	if nodes, err = chosen(nodes, node); err != nil {
		return err
	}
	look := &crmgate.Look{DataDir: d.dir, UID: os.Getuid(), Export: true, Keys: withKeys, Node: node}
	if err := d.writeDown(cmd.Context(), ring, look); err != nil {
		return err
	}
	for _, node := range nodes {
		to := out
		if d.place.Database != nil {
			to = filepath.Join(out, node)
		}
		if e := exportNode(cmd, d, node, ring, to, withKeys, asJSON); e != nil {
			if err = errors.Join(err, d.of(node, e)); cmd.Context().Err() != nil {
				return err
			}
		}
	}
	return err
}

func exportNode(cmd *cobra.Command, d data, node string, ring *keys.Ring, out string, withKeys, asJSON bool) error {
	bar := newProgress(cmd.ErrOrStderr(), "Exporting")
	how := d.place.Exporting(node)
	how.Keys, how.Progress = withKeys, bar.tell
	report, err := audit.Export(cmd.Context(), d.place.Dir, ring, out, how)
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printExport(cmd, out, &report)
}

func printExport(cmd *cobra.Command, dir string, r *audit.ExportReport) error {
	entries := fmt.Sprint(r.Size)
	if r.Part != nil {
		entries = fmt.Sprintf("%d of %d, between %d and %d", r.Part.Entries, r.Size, r.Part.First, r.Part.Last)
	}
	if r.Opened {
		entries += ", with the keys that open them"
	} else {
		entries += ", encrypted"
	}
	key := r.Key
	if r.OwnKey {
		key += " (the export's own: compare it with the one you were given)"
	}
	rows := [][]string{{"export", dir}, {"origin", r.Origin}, {"entries", entries}, {"root", r.Root}, {"key", key}}
	if r.Part != nil && r.Part.Later > 0 {
		rows = append(rows, []string{"left out", fmt.Sprintf("%d, which are later than the checkpoint", r.Part.Later)})
	}
	rows = append(rows, attestedRows(r.Witnessed, r.Stamped)...)
	return printTable(cmd.OutOrStdout(), append(rows, erasedRows(r.Destroyed)...))
}

func verifyExport(cmd *cobra.Command, dir, key string, by audit.Attesters, asJSON bool) error {
	if text, err := os.ReadFile(key); err == nil {
		key = strings.TrimSpace(string(text))
	} else if key != "" && !strings.Contains(key, "+") {
		return fmt.Errorf("--key: %w", err)
	}
	bar := newProgress(cmd.ErrOrStderr(), "Verifying")
	report, err := audit.VerifyExport(cmd.Context(), dir, key, by, bar.tell)
	bar.end()
	if err != nil && (!errors.Is(err, audit.ErrTampered) || !asJSON) {
		return err
	}
	if asJSON {
		return errors.Join(err, printJSON(cmd.OutOrStdout(), report))
	}
	if err := printExport(cmd, dir, &report); err != nil {
		return err
	}
	verdict := "The export is what the checkpoint was signed over."
	if report.Part != nil {
		verdict = "Each entry is genuine: it is in the log that the checkpoint was signed over.\n" +
			"Whether all are there that were asked for, an export of a part doesn't prove."
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), verdict)
	return err
}
