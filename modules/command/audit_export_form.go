package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/ocsf"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const formLong = `

--format ocsf writes events of the Open Cybersecurity Schema Framework 1.7.0 instead,
one JSON object a line; --format csv a table for spreadsheets, a row for each request,
as the desk's. OUT is a new file then, or - for the standard output. --from, --to,
--employee and --record choose the entries. Employees are pseudonyms, and values are
in neither. With --from-export they are taken from an export that was made
--with-keys, which is verified on the way; no gateway and no master key are needed.

--format proofs writes the chosen entries as they are in the log (encrypted), each with
the proof that it is in the tree that the last checkpoint was signed over, into a new
directory, which crmgate audit verify --export checks. It proves that these entries are
genuine, not that none is missing: for that export the whole log. --with-keys puts the
data keys of their months beside them; such a key opens every entry of its month and
kind that somebody has, not only those in the directory.`

// proofs is the format of a part of the log that can be verified.
const proofs = "proofs"

// formExport is an export of entries in a form that other systems read.
type formExport struct {
	cmd    *cobra.Command
	place  *place
	format string
	// dir is the directory of an export to read, "" for the log; key checks it.
	dir, key string
	// node is the one whose log is read, "" for all.
	node string

	from, to, employee, record string
	query                      audit.Query
}

// flags adds the flags.
func (x *formExport) flags(cmd *cobra.Command) {
	x.cmd = cmd
	f := cmd.Flags()
	f.StringVar(&x.format, "format", "", "ocsf, csv or proofs, in place of tlog-tiles")
	f.StringVar(&x.dir, "from-export", "", "An export that was made --with-keys, in place of the log (with --format)")
	f.StringVar(&x.key, "key", "", "The log's public key, or a file that holds it (with --from-export)")
	f.StringVar(&x.from, "from", "", "The first time: 24h, 7d, 2026-12-31, 2026-12-31 08:00, or RFC 3339 (with --format)")
	f.StringVar(&x.to, "to", "", "The first time after, in the same ways (with --format)")
	f.StringVar(&x.employee, "employee", "", "An employee's pseudonym (with --format)")
	f.StringVar(&x.record, "record", "", "A record as the log names it: contact/1001 (with --format)")
}

// wanted returns the form that was asked for, and refuses what is for forms alone.
func (x *formExport) wanted(withKeys bool) (string, error) {
	switch x.format {
	case "ocsf", "csv":
		if withKeys {
			return "", errors.New("--with-keys is for an export of the log itself: without --format, or with --format proofs")
		}
		return x.format, x.ask(time.Now())
	case proofs:
		if x.dir != "" {
			return "", errors.New("--from-export is for --format ocsf or csv: proofs are made of the log itself")
		}
		if x.from+x.to+x.employee+x.record == "" {
			return "", errors.New("--format proofs: choose entries by --from, --to, --employee or --record; the whole log is exported without --format")
		}
		return x.format, x.ask(time.Now())
	case "":
		if x.dir+x.from+x.to+x.employee+x.record != "" {
			return "", errors.New("--from, --to, --employee, --record and --from-export choose entries for --format ocsf or csv, " +
				"and all but the last for --format proofs")
		}
		return "", nil
	}
	return "", fmt.Errorf("--format %s: there are ocsf, csv and proofs", x.format)
}

func (x *formExport) ask(now time.Time) error {
	x.query = audit.Query{Record: x.record, Employee: x.employee}
	if x.record != "" && !strings.Contains(x.record, "/") {
		return fmt.Errorf("--record %s: name it as the log does, type/id: contact/1001", x.record)
	}
	if x.employee != "" && !desk.IsPseudonym(x.employee) {
		return fmt.Errorf("--employee %s: give the pseudonym (e-…): crmgate audit search --employee finds it, and the desk", x.employee)
	}
	if x.node != "" && x.dir != "" {
		return errors.New("--node is for logs, and an export is of one")
	}
	if x.key != "" && x.dir == "" {
		return errors.New("--key is for --from-export")
	}
	var err error
	if x.query.Since, err = parseWhen("--from", x.from, now); err != nil {
		return err
	}
	x.query.Until, err = parseWhen("--to", x.to, now)
	return err
}

// run writes the form. What couldn't be written whole is taken away.
func (x *formExport) run(ctx context.Context, out string) error {
	if x.dir != "" {
		return x.write(out, false, x.offline(ctx))
	}
	d, ring, err := x.place.reach(ctx, x.cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	f, err := newFinders(ctx, x.cmd, d, ring)
	if err != nil {
		return err
	}
	defer f.close()
	in, err := f.only(x.node)
	if err != nil {
		return err
	}
	look := x.look(d)
	return x.write(out, len(f.nodes) > 1, func(write func(*audit.Stored) error) error {
		if err := d.writeDown(ctx, ring, look); err != nil {
			return err
		}
		found, err := in.search(ctx, x.query)
		if err != nil {
			return err
		}
		for e, err := range found {
			if err != nil {
				return fmt.Errorf("searching the log: %w", err)
			}
			if err := write(&e.Stored); err != nil {
				return err
			}
		}
		return nil
	})
}

// look is what is written down of it.
func (x *formExport) look(d data) *crmgate.Look {
	look := &crmgate.Look{
		DataDir: d.dir, UID: os.Getuid(), Export: true, Format: x.format, Record: x.record, Node: x.node,
		Since: given(x.query.Since), Until: given(x.query.Until),
	}
	if x.employee != "" {
		look.Employees = []string{x.employee}
	}
	return look
}

// offline reads an export.
func (x *formExport) offline(ctx context.Context) func(write func(*audit.Stored) error) error {
	return func(write func(*audit.Stored) error) error {
		key, err := readKey(x.key)
		if err != nil {
			return err
		}
		bar := newProgress(x.cmd.ErrOrStderr(), "Reading")
		defer bar.end()
		report, err := audit.ReadExport(ctx, x.dir, key, func(s *audit.Stored) error {
			if !x.query.Matches(&s.Entry) {
				return nil
			}
			return write(s)
		}, bar.tell)
		if err == nil && report.OwnKey {
			_, err = fmt.Fprintln(x.cmd.ErrOrStderr(), "The export was checked with its own key: compare it with the one you were given:", report.Key)
		}
		return err
	}
}

// write opens the output, has the entries written to it, and says how many.
func (x *formExport) write(out string, several bool, entries func(write func(*audit.Stored) error) error) (err error) {
	w, done, err := x.open(out)
	if err != nil {
		return err
	}
	defer func() { err = done(err) }()
	buffer := bufio.NewWriterSize(w, 1<<16)
	one := func(s *audit.Stored) error { return ocsf.Write(buffer, s) }
	end := func() error { return nil }
	if x.format == "csv" {
		rows, err := desk.NewRowWriter(buffer, several)
		if err != nil {
			return err
		}
		one, end = rows.Write, rows.Close
	}
	n := 0
	if err := entries(func(s *audit.Stored) error { n++; return one(s) }); err != nil {
		return err
	}
	if err := errors.Join(end(), buffer.Flush()); err != nil {
		return fmt.Errorf("writing %s: %w", out, err)
	}
	_, err = fmt.Fprintf(x.cmd.ErrOrStderr(), "%d entries\n", n)
	return err
}

// open makes the output. done ends it: what isn't whole goes.
func (x *formExport) open(out string) (w io.Writer, done func(error) error, err error) {
	if out == "-" {
		return x.cmd.OutOrStdout(), func(err error) error { return err }, nil
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, nil, fmt.Errorf("%s is there already: name a new file, or - for the standard output", out)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("making the file of the export: %w", err)
	}
	return f, func(err error) error {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(out))
		}
		return err
	}, nil
}

// readKey is a public key as it was given: itself, or a file's content.
func readKey(key string) (string, error) {
	text, err := os.ReadFile(key)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if key != "" && !strings.Contains(key, "+") {
		return "", fmt.Errorf("--key: %w", err)
	}
	return key, nil
}
