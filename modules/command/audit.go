package command

import "github.com/spf13/cobra"

func auditCommand(cmd *cobra.Command) {
	search := &cobra.Command{
		Use:   "search (--data DIR | --config FILE) [--record TYPE/ID] [--employee NAME] [--changed FIELD] [--since WHEN] [--until WHEN] [--kind KIND]",
		Short: "Searches the audit log, running gateway or not",
		Long:  searchLong,
		Example: "  crmgate audit search --config Caddyfile --record party.party/47\n" +
			"  crmgate audit search --data /var/lib/crmgate --employee vera --since 7d --json",
	}
	searchCommand(search)
	verify := &cobra.Command{
		Use:   "verify (--data DIR | --config FILE | --export DIR [--key KEY]) [--against FILE …] [--index]",
		Short: "Reads the whole log, or an export, and names the first damaged entry",
		Long:  verifyLong,
		Example: "  crmgate audit verify --data /var/lib/crmgate\n" +
			"  crmgate audit verify --export november --key log.vkey",
	}
	verifyCommand(verify)
	adopt := &cobra.Command{
		Use:     "adopt (--data DIR | --config FILE)",
		Short:   "Takes a log whose checkpoints are lost as it is",
		Long:    adoptLong,
		Example: "  systemctl stop crmgate\n  crmgate audit adopt --config /etc/crmgate/Caddyfile",
	}
	adoptCommand(adopt)
	export := &cobra.Command{
		Use:   "export (--data DIR | --config FILE | --from-export DIR) [--with-keys] [--format ocsf|csv [--from WHEN] [--to WHEN]] OUT",
		Short: "Writes the log out: as tlog-tiles, OCSF events or CSV",
		Long:  exportLong,
		Example: "  crmgate audit export --config /etc/crmgate/Caddyfile november\n" +
			"  crmgate audit export --config /etc/crmgate/Caddyfile --format csv --from 2026-11-01 --to 2026-12-01 november.csv",
	}
	exportCommand(export)
	reindex := &cobra.Command{
		Use:     "reindex (--data DIR | --config FILE)",
		Short:   "Makes the index that searches use anew",
		Long:    reindexLong,
		Example: "  crmgate audit reindex --config /etc/crmgate/Caddyfile",
	}
	reindexCommand(reindex)
	report := &cobra.Command{
		Use:   "report",
		Short: "Makes the reports of Art. 15, 33 and 30 GDPR",
	}
	reportCommand(report)
	group(cmd, append([]*cobra.Command{search, report, verify, export, reindex, adopt}, append(keepingCommands(), backupCommands()...)...)...)
}
