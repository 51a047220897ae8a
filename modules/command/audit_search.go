package command

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const searchLong = `Searches the audit log. Every condition that is given has to match.

That somebody looked is itself an entry, durable before anything is shown: with
the gateway running it is written by it (through Caddy's admin API), otherwise by
this command.`

// search is one search of the log.
type search struct {
	place              place
	record, employee   string
	changed            string
	byValue            bool
	since, until, kind string
	node               string
	json               bool
	query              audit.Query
	cmd                *cobra.Command
}

func searchCommand(cmd *cobra.Command) {
	s := &search{cmd: cmd}
	placeFlags(cmd, &s.place)
	f := cmd.Flags()
	f.StringVar(&s.record, "record", "", "A record as the log names it: contact/1001, party.party/47")
	f.StringVar(&s.employee, "employee", "", "An employee: pseudonym, login, name or e-mail address")
	f.StringVar(&s.changed, "changed", "", "A field: disclosures that tell of a change of it")
	f.BoolVar(&s.byValue, "value-stdin", false, "With --changed: only changes from or to the value on the standard input")
	f.StringVar(&s.since, "since", "", "The first time: 24h, 7d, 2026-12-31, 2026-12-31 08:00, or RFC 3339")
	f.StringVar(&s.until, "until", "", "The first time after, in the same ways")
	f.StringVar(&s.kind, "kind", "", "intent, disclosure or control")
	nodeFlag(cmd, &s.node)
	jsonFlag(cmd, &s.json)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) }
}

func (s *search) run(ctx context.Context) error {
	now := time.Now()
	if err := s.ask(now); err != nil {
		return err
	}
	d, ring, err := s.place.reach(ctx, s.cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer d.close()
	f, err := newFinders(ctx, s.cmd, d, ring)
	if err != nil {
		return err
	}
	defer f.close()
	in, err := f.only(s.node)
	if err != nil {
		return err
	}
	look, err := s.look(ctx, d, f) // a name is known where somebody signed in
	if err != nil {
		return err
	}
	if err := d.writeDown(ctx, ring, look); err != nil {
		return err
	}
	if d.place.Database != nil && s.employee != "" {
		s.query.Employee, s.query.Employees = "", look.Employees
	}
	found, err := in.search(ctx, s.query)
	if err != nil {
		return err
	}
	return s.show(found, f.width())
}

// ask checks the flags.
func (s *search) ask(now time.Time) error {
	s.query = audit.Query{Record: s.record, Employee: s.employee, Kind: audit.Kind(s.kind), Changed: s.changed}
	if err := s.askValue(); err != nil {
		return err
	}
	if s.record != "" && !strings.Contains(s.record, "/") {
		return fmt.Errorf("--record %s: name it as the log does, type/id: contact/1001", s.record)
	}
	kinds := []audit.Kind{"", audit.Intent, audit.Disclosure, audit.Control}
	if !slices.Contains(kinds, s.query.Kind) {
		return fmt.Errorf("--kind %s: there are intent, disclosure and control", s.kind)
	}
	var err error
	if s.query.Since, err = parseWhen("--since", s.since, now); err != nil {
		return err
	}
	s.query.Until, err = parseWhen("--until", s.until, now)
	return err
}

// parseWhen reads a time, or a duration before now. Times without a zone are of
// the local one.
func parseWhen(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := caddy.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %s: write a duration (24h, 7d), a day (2026-12-31) or a time (2026-12-31 08:00)", flag, text)
}

// look says what is searched in the log's own words. A name is turned into the
// pseudonyms that it stands for: names stand in sign-ins only.
func (s *search) look(ctx context.Context, d data, f *finders) (*crmgate.Look, error) {
	l := s.named(d)
	if s.employee == "" {
		return l, nil
	}
	signIns := audit.Query{Employee: s.employee, Kind: audit.Control}
	found, err := f.search(ctx, signIns)
	if err != nil {
		return nil, err
	}
	for e, err := range found {
		if err != nil {
			return nil, fmt.Errorf("--employee: %w", err)
		}
		if e.Entry.Employee != "" && !slices.Contains(l.Employees, e.Entry.Employee) {
			l.Employees = append(l.Employees, e.Entry.Employee)
		}
	}
	if len(l.Employees) == 0 { // a pseudonym that never signed in here
		l.Employees = []string{s.employee}
	}
	return l, nil
}

func (s *search) show(found iter.Seq2[nodeEntry, error], width int) error {
	w, n := s.cmd.OutOrStdout(), 0
	for e, err := range found {
		if err != nil {
			return fmt.Errorf("searching the log: %w", err)
		}
		n++
		switch {
		case s.json:
			err = printJSON(w, storedEntry{Node: e.node, Seq: e.Seq, Entry: e.Entry, LeafHash: e.LeafHash})
		case width > 0:
			if _, err = fmt.Fprintf(w, "%-*s  ", width, e.node); err != nil {
				return fmt.Errorf("writing the output: %w", err)
			}
			fallthrough
		default:
			err = printEntry(w, e.Seq, &e.Entry, s.record, time.Local)
		}
		if err != nil {
			return err
		}
	}
	if n == 0 && !s.json {
		_, err := fmt.Fprintln(s.cmd.ErrOrStderr(), "No entry matches.")
		return err
	}
	return nil
}

// storedEntry is an entry for machines with its place in the log.
type storedEntry struct {
	Node     string      `json:"node,omitempty"`
	Seq      uint64      `json:"seq"`
	Entry    audit.Entry `json:"entry"`
	LeafHash tlog.Hash   `json:"leaf_hash"`
}
