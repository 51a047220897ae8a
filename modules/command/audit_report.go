package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const reportLong = `Makes one of three reports:

  access    who saw a person's data (Art. 15 GDPR), without names of employees
  breach    what a breach concerned (Art. 33): an account, a period, or both
  register  the register of processing (Art. 30), with its versions

That somebody had it made is an entry first, with the purpose and the occasion;
the occasion stands in the entry alone. The running gateway makes the report
(through Caddy's admin API). Where none runs, this command reads the log itself;
the register is that of a running gateway.

A report on an account that a second person has to consent to is made at the desk.`

// reporting is one report as a command makes it.
type reporting struct {
	place               place
	query               report.Query
	since, until, known string
	as, lang, out       string
}

func reportCommand(cmd *cobra.Command) {
	cmd.Long = reportLong
	group(cmd, reportAccess(), reportBreach(), reportRegister())
}

func reportAccess() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "access (--data DIR | --config FILE) --record TYPE/ID … --purpose WORD --note TEXT",
		Short:   "Who saw a person's data (Art. 15)",
		Long:    reportLong,
		Example: "  crmgate audit report access --config Caddyfile --record contact/1001 --record lead/7 \\\n    --purpose request --note 'file 4711/26' --as html -o access.html",
	}
	r := &reporting{query: report.Query{Kind: report.AccessKind}}
	cmd.Flags().StringArrayVar(&r.query.Records, "record", nil, "A record of the person, as the log names it; may be given several times")
	r.flags(cmd, true)
	return cmd
}

func reportBreach() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "breach (--data DIR | --config FILE) [--employee PSEUDONYM] [--since WHEN] [--until WHEN] [--known WHEN] --purpose WORD --note TEXT",
		Short: "What a breach concerned (Art. 33)",
		Long:  reportLong,
		Example: "  crmgate audit report breach --config Caddyfile --since '2026-11-20 08:00' --known '2026-11-23 09:15' \\\n" +
			"    --purpose breach --note 'incident 12' --as html -o breach.html",
	}
	r := &reporting{query: report.Query{Kind: report.BreachKind}}
	cmd.Flags().StringVar(&r.query.Employee, "employee", "", "The account: a pseudonym, as crmgate audit search shows it")
	cmd.Flags().StringVar(&r.known, "known", "", "When the breach became known: the 72 hours begin")
	r.flags(cmd, true)
	return cmd
}

func reportRegister() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "register (--data DIR | --config FILE) [--version N --against N]",
		Short:   "The register of processing (Art. 30)",
		Long:    reportLong,
		Example: "  crmgate audit report register --config Caddyfile --as html --lang de -o register.html",
	}
	r := &reporting{query: report.Query{Kind: report.RegisterKind}}
	cmd.Flags().IntVar(&r.query.Of, "version", 0, "The later version to compare; the newest by default")
	cmd.Flags().IntVar(&r.query.Against, "against", 0, "The earlier one; that before the newest by default")
	r.flags(cmd, false)
	return cmd
}

func (r *reporting) flags(cmd *cobra.Command, asked bool) {
	placeFlags(cmd, &r.place)
	f := cmd.Flags()
	f.StringVar(&r.as, "as", "json", "json, or html: a page for print; the register also csv")
	f.StringVar(&r.lang, "lang", "en", "The page's language: de or en")
	f.StringVarP(&r.out, "out", "o", "", "The file to write, which must not be there yet; by default to the standard output")
	if asked {
		f.StringVar(&r.since, "since", "", "The first time: 24h, 7d, 2026-12-31, 2026-12-31 08:00, or RFC 3339")
		f.StringVar(&r.until, "until", "", "The first time after, in the same ways")
		f.StringVar(&r.query.Purpose, "purpose", "", "Why: "+strings.Join(desk.Purposes(), ", "))
		f.StringVar(&r.query.Note, "note", "", "The occasion, such as a file number: 5 to 300 characters")
	}
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return r.run(cmd) }
}

func (r *reporting) run(cmd *cobra.Command) (err error) {
	if err := r.check(time.Now()); err != nil {
		return err
	}
	d, err := r.place.find(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	asked := &crmgate.ReportAsked{DataDir: d.dir, UID: os.Getuid(), Query: r.query}
	rep, err := d.report(cmd.Context(), asked)
	if err != nil {
		return err
	}
	for _, l := range rep.Logs {
		if l.Cut != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "Cut off: of node %s, what is older than %s wasn't read.\n", l.Node, l.Cut.Before.Local().Format(time.DateTime))
		}
	}
	if r.out == "" {
		return r.write(cmd.OutOrStdout(), rep)
	}
	f, err := os.OpenFile(r.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return errors.Join(r.write(f, rep), f.Close())
}

// check checks the flags.
func (r *reporting) check(now time.Time) (err error) {
	q := &r.query
	for _, t := range []struct {
		flag, text string
		into       *time.Time
	}{{"--since", r.since, &q.Since}, {"--until", r.until, &q.Until}, {"--known", r.known, &q.Known}} {
		if *t.into, err = parseWhen(t.flag, t.text, now); err != nil {
			return err
		}
	}
	switch {
	case !slices.Contains([]string{"json", "html"}, r.as) && (r.as != "csv" || q.Kind != report.RegisterKind):
		return fmt.Errorf("--as %s: there are json and html, and csv for the register", r.as)
	case !slices.Contains([]string{"de", "en"}, r.lang):
		return fmt.Errorf("--lang %s: there are de and en", r.lang)
	case q.Employee != "" && !desk.IsPseudonym(q.Employee):
		return errors.New("--employee: give the pseudonym (e-…) that crmgate audit search shows; a name would stand in the log")
	}
	asked := &crmgate.ReportAsked{Query: *q}
	err = asked.Check()
	r.query = asked.Query
	return err
}

func (r *reporting) write(w io.Writer, rep *report.Report) error {
	if r.as == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		if err := e.Encode(rep); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		return nil
	}
	if r.as == "csv" {
		return desk.WriteRegisterCSV(w, rep, r.lang)
	}
	page, _ := desk.Render(r.lang, desk.ReportPage(rep, nil, true))
	if _, err := w.Write(page); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// report has the running gateway make a report, or makes it of the log where none
// runs. That it is made is an entry before.
func (d data) report(ctx context.Context, asked *crmgate.ReportAsked) (rep *report.Report, err error) {
	ring, err := d.ring(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	defer d.close()
	log, err := audit.Open(ctx, d.place.Dir, ring, d.place.Options())
	if errors.Is(err, audit.ErrLocked) {
		var answer struct {
			Report *report.Report `json:"report"`
		}
		err := d.ask(crmgate.ReportPath, asked, &answer)
		return answer.Report, err
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if asked.Query.Kind == report.RegisterKind {
		return nil, crmgate.ErrNotRunning
	}
	rec, err := log.Append(ctx, asked.Entry())
	if err != nil {
		return nil, err
	}
	ix := d.place.Index(log.Node(), ring)
	defer func() { err = errors.Join(err, ix.Close()) }()
	r, err := crmgate.NewReporter(ctx, log, ix, d.place, ring)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return r.Make(ctx, asked.Query, nil, rec.String(), report.CommandBounds())
}
