package crmgate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/report"
)

// source is a node's log as reports read it.
type source struct {
	node string
	log  *audit.Log // nil for another node's
	ix   *audit.Index
	// entries is opened when the first one is asked for.
	entries *audit.Reader
}

// One implements report.Source.
func (s *source) One(ctx context.Context, seq uint64) (*audit.Stored, error) {
	if s.entries == nil {
		r, err := s.ix.Reader()
		if err != nil {
			return nil, err
		}
		s.entries = r
	}
	return s.entries.Entry(ctx, seq)
}

func (s *source) close() {
	if s.entries != nil {
		s.entries.Close()
		s.entries = nil
	}
}

// Newest implements report.Source: what was durable when it was called is found.
func (s *source) Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error] {
	upto := uint64(0)
	if s.log != nil {
		if upto, _ = s.log.Head(); before > 0 {
			upto = min(upto, before)
		}
	}
	if err := s.ix.Update(ctx, upto, nil); err != nil {
		return func(yield func(audit.Stored, error) bool) { yield(audit.Stored{}, err) }
	}
	return s.ix.Newest(ctx, q, before)
}

// State implements report.Source.
func (s *source) State(ctx context.Context) (report.Log, error) {
	l := report.Log{Node: s.node}
	for e, err := range s.Newest(ctx, audit.Query{}, 1) {
		if err != nil && ctx.Err() == nil {
			return l, err
		}
		if err == nil {
			l.Began = &e.Entry.Time
		}
	}
	if s.log == nil {
		return l, nil
	}
	size, root := s.log.Head()
	s.signed(ctx, size)
	l.Entries, l.Root, l.Key, l.Checkpoint = size, root.String(), s.log.Key(), string(s.log.Checkpoint().Note)
	months, destroyed := s.log.Months()
	for _, d := range destroyed {
		l.Destroyed = append(l.Destroyed, report.Destroyed{Month: d.Month, Kind: d.Class, At: d.At, Entry: d.Entry})
		months = slices.DeleteFunc(months, func(k audit.MonthKey) bool { return k.Key == d.Key })
	}
	if l.Began == nil && len(months) > 0 { // its first entry was destroyed
		if at, err := time.Parse("2006-01", months[0].Month); err == nil {
			l.Began = &at
		}
	}
	return l, nil
}

// checkpointWait is how long a report waits for a checkpoint over what it reads.
const checkpointWait = 5 * time.Second

// signed waits until a checkpoint covers so many entries. One that doesn't in time
// says so itself: it names its size.
func (s *source) signed(ctx context.Context, size uint64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(checkpointWait); s.log.Checkpoint().Size < size && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Reporter makes reports of the logs of all nodes.
type Reporter struct {
	sources []*source
	keyed   string
	others  []*audit.Index
}

// NewReporter reads a log that is open, and those of other nodes beside it. Close
// lets go of them.
func NewReporter(ctx context.Context, log *audit.Log, ix *audit.Index, place *LogPlace, ring *keys.Ring) (*Reporter, error) {
	nodes, err := place.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding the logs: %w", err)
	}
	r := &Reporter{sources: []*source{{node: log.Node(), log: log, ix: ix}}, keyed: log.Keyed("register", "versions")}
	for _, node := range nodes {
		if place.Database == nil || node == log.Node() {
			continue
		}
		other := place.Index(node, ring)
		r.others = append(r.others, other)
		r.sources = append(r.sources, &source{node: node, ix: other})
	}
	return r, nil
}

// Close lets go of the other nodes' logs.
func (r *Reporter) Close() error {
	var errs []error
	for _, s := range r.sources {
		s.close()
	}
	for _, ix := range r.others {
		errs = append(errs, ix.Close())
	}
	return errors.Join(errs...)
}

// Make makes a report. Live is the register in force, nil where no gateway runs.
func (r *Reporter) Make(ctx context.Context, q report.Query, live *report.Register, entry string, b report.Bounds) (*report.Report, error) {
	if q.Kind == report.RegisterKind {
		if live == nil {
			return nil, ErrNotRunning
		}
		return report.MakeRegister(ctx, r.sources[0], r.keyed, live, q, entry)
	}
	known := report.Names{}
	if live != nil {
		known = report.NamesIn(live.Lines())
	}
	versions, err := report.Versions(ctx, r.sources[0], r.keyed)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		lines, err := report.Content(ctx, r.sources[0], v)
		if err != nil {
			return nil, err
		}
		for name := range report.NamesIn(lines) {
			known[name] = true
		}
	}
	all := make([]report.Source, len(r.sources))
	for i, s := range r.sources {
		all[i] = s
	}
	return report.Make(ctx, all, q, known, entry, b)
}

// ErrNotRunning says that a register is of the configuration in force.
var ErrNotRunning = errors.New("the register is that of the running gateway: start it, and name its configuration by --config")

// Report makes a report; that somebody looks is for the caller to append, before.
func (s *Services) Report(ctx context.Context, app *App, q report.Query, entry string, b report.Bounds) (rep *report.Report, err error) {
	live, err := app.InForce()
	if err != nil {
		return nil, err
	}
	r, err := NewReporter(ctx, s.Log, s.index, s.place, s.Ring)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if q.Kind == report.RegisterKind {
		s.countTraffic(ctx, r, live, trafficKnown(live), b, app.logger)
	}
	return r.Make(ctx, q, live, entry, b)
}

// ReportPath is the route by which a command has the running gateway make a report.
const ReportPath = "/crmgate/audit/report"

// ReportAsked is what a command asks.
type ReportAsked struct {
	// DataDir is the directory that is meant.
	DataDir string       `json:"data_dir"`
	UID     int          `json:"uid"`
	Query   report.Query `json:"query"`
}

// Check refuses what can't be a report. What it takes stands in an entry, so that
// each text is one line of it.
func (q *ReportAsked) Check() error {
	wrong := q.Query.Check(time.Now())
	for _, record := range q.Query.Records {
		if !desk.Plain(record, maxRecord) {
			wrong = append(wrong, "record")
		}
	}
	if e := q.Query.Employee; e != "" && !desk.IsPseudonym(e) {
		wrong = append(wrong, "employee")
	}
	if len(wrong) > 0 {
		return fmt.Errorf("a report needs other values for: %s", strings.Join(wrong, ", "))
	}
	if q.Query.Kind == report.RegisterKind {
		q.Query.Purpose, q.Query.Note = "", ""
		return nil
	}
	a, ok := desk.NewAsk("e-"+strings.Repeat("a", 26), q.Query.Purpose, q.Query.Note)
	if !ok {
		return fmt.Errorf("a report takes a purpose (one of %s) and its occasion, 5 to 300 characters", strings.Join(desk.Purposes(), ", "))
	}
	q.Query.Note = a.Note
	return nil
}

// Entry is what is written down before anything is shown.
func (q *ReportAsked) Entry() *audit.Entry {
	return &audit.Entry{Kind: audit.Control, Event: audit.Searched, Detail: fmt.Sprintf("audit report by uid %d: %s", q.UID, q.Query)}
}

// errConsent says that what one employee did isn't for a command.
var errConsent = errors.New("a second person's consent is configured for looks at what one employee did (desk: consent): have this report made at the desk")

func adminReport(w http.ResponseWriter, r *http.Request) error {
	var q ReportAsked
	app, err := readAsked(w, r, &q, &q.DataDir, q.Check)
	if err != nil {
		return err
	}
	answer, err := app.answerReport(r.Context(), &q)
	if errors.Is(err, errConsent) {
		return caddy.APIError{HTTPStatus: http.StatusForbidden, Err: err}
	}
	return sendAnswer(w, "report", answer, err)
}

func (a *App) answerReport(ctx context.Context, q *ReportAsked) (answer *report.Report, err error) {
	s, release, err := a.hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if q.Query.Employee != "" {
		live, err := a.InForce()
		if err != nil {
			return nil, err
		}
		if consentOf(live) != "" {
			return nil, errConsent
		}
	}
	rec, err := s.Log.Append(context.WithoutCancel(ctx), q.Entry())
	if err != nil {
		return nil, err
	}
	return s.Report(ctx, a, q.Query, rec.String(), report.CommandBounds())
}
