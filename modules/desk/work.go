package desk

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// reload has the page load itself anew while something is under way, unless the
// visitor doesn't want it to.
func reload(v crmgate.Visitor) (still bool) {
	still = v.Query().Get("still") == "1"
	if !still {
		v.Reload(2)
	}
	return still
}

// volume shows how much was shown, day by day.
func (d *Desk) volume(v crmgate.Visitor) {
	node := v.Query().Get("node")
	_, nodes, err := d.sources(v.Request().Context(), "")
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	if node != "" && !slices.Contains(nodes, node) {
		v.NotFound()
		return
	}
	said := looking + "volumes of the last days"
	if node != "" {
		said += ", node " + node
	}
	rec, ok := v.Append(audit.Searched, said)
	if !ok {
		return
	}
	p := desk.Page{Name: "volume", Title: page.Text{DE: "Wie viel gezeigt wurde", EN: "How much was shown"}, Audit: rec}
	view, ok := d.counted(v.Request().Context(), node)
	if !ok {
		view.Still = reload(v)
	}
	view.Nodes, view.Node = nodes, node
	p.Body = view
	d.show(v, p)
}

// countWait is how long a page waits for the counting.
const countWait = 2 * time.Second

// counted returns the numbers of a node, or of all (""), where they are there soon.
func (d *Desk) counted(ctx context.Context, node string) (desk.VolumeView, bool) {
	done := make(chan struct{})
	d.work.mu.Lock()
	if !d.work.counts {
		d.work.counts = true
		d.app.Background(func(ctx context.Context) {
			d.count(ctx)
			close(done)
		})
	}
	d.work.mu.Unlock()
	wait := time.NewTimer(countWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	case <-ctx.Done():
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	if !d.work.counted || d.work.counts {
		return desk.VolumeView{Counting: true}, false
	}
	var all [][]*desk.Day
	for name, t := range d.work.tallies {
		if node == "" || node == name {
			all = append(all, t.Days(time.Now()))
		}
	}
	if all == nil {
		all = append(all, desk.NewTally(time.Local).Days(time.Now()))
	}
	days := desk.Together(all)
	unread := slices.DeleteFunc(slices.Clone(d.work.uncounted), func(u desk.Unread) bool { return node != "" && node != u.Node })
	return desk.VolumeView{
		Chart: desk.NewChart(days, desk.UnusualTotals(days)), Days: days, Unusual: desk.UnusualDays(days), Categories: desk.CategoryBars(days),
		Unread: unread,
	}, true
}

// count counts what isn't counted yet, node by node. What failed halfway is begun anew.
func (d *Desk) count(ctx context.Context) {
	d.work.mu.Lock()
	before := d.work.tallies
	d.work.tallies, d.work.counted = nil, false
	d.work.mu.Unlock()
	tallies := map[string]*desk.Tally{}
	var failed []desk.Unread
	sources, _, err := d.sources(ctx, "")
	for _, s := range sources {
		t := before[s.Node]
		if t == nil {
			t = desk.NewTally(time.Local)
		}
		if err := countLog(ctx, s.Log, t); err != nil {
			failed = append(failed, desk.Unread{Node: s.Node, Err: err})
			continue
		}
		tallies[s.Node] = t
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	d.work.counts = false
	if err == nil && len(tallies) == 0 {
		err = failed[0].Err
	}
	if err != nil {
		d.logger.Error("counting the log's entries", zap.Error(err))
		return
	}
	d.unread(failed)
	d.work.tallies, d.work.uncounted, d.work.counted = tallies, failed, true
}

func countLog(ctx context.Context, log desk.Log, t *desk.Tally) error {
	if _, err := log.Size(ctx); err != nil {
		return err
	}
	from, upto := t.Counted(), uint64(0)
	for s, err := range log.Newest(ctx, audit.Query{Since: t.Since(time.Now())}, 0) {
		if err != nil {
			return err
		}
		if s.Seq < from {
			break
		}
		upto = max(upto, s.Seq+1)
		t.Take(&s.Entry)
	}
	t.Reached(upto)
	return nil
}

// startVerify begins to verify a log or all, behind the page.
func (d *Desk) startVerify(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	node, _, ok := d.nodeOf(v, form)
	if !ok {
		return
	}
	what := "verify the log"
	switch {
	case node != "":
		what += " of node " + node
	case d.services.Nodes():
		what = "verify the logs of all nodes"
	}
	if _, ok := v.Append(audit.Searched, looking+what); !ok {
		return
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	if !d.work.verify.Running {
		d.work.verify = desk.VerifyView{Running: true, Started: time.Now()}
		d.app.Background(func(ctx context.Context) { d.verifying(ctx, node) })
	}
	v.Back(desk.LogPath)
}

func (d *Desk) verifying(ctx context.Context, node string) {
	found, err := d.services.Verify(ctx, node, func(name string, nth, of int) {
		d.work.mu.Lock()
		defer d.work.mu.Unlock()
		w := &d.work.verify
		w.Node, w.Nth, w.Of, w.Done, w.Total = name, nth, of, 0, 0
	}, func(done, total int64) {
		d.work.mu.Lock()
		defer d.work.mu.Unlock()
		d.work.verify.Done, d.work.verify.Total = done, total
	})
	if err != nil {
		d.logger.Error("verifying the log", zap.Error(err))
	}
	var all []desk.Verified
	for i := range found {
		f := &found[i]
		if f.Err != nil {
			d.logger.Error("verifying the log", zap.String("node", f.Node), zap.Error(f.Err))
		}
		one := desk.Verified{Report: &f.Report, Failed: f.Err != nil, Missing: f.Missing}
		if d.services.Nodes() {
			one.Node = f.Node
		}
		all = append(all, one)
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	w := &d.work.verify
	w.Running, w.Ended, w.Verified, w.Failed = false, time.Now(), all, err != nil
}

// state shows how the logs are.
func (d *Desk) state(v crmgate.Visitor) {
	rec, ok := v.Append(audit.Searched, looking+"state of the log")
	if !ok {
		return
	}
	ctx := v.Request().Context()
	logs, err := d.services.Logs(ctx)
	if err != nil {
		v.Failed("log_state", err)
		return
	}
	d.work.mu.Lock()
	view := desk.LogView{Verify: d.work.verify, MayExport: true}
	d.work.mu.Unlock()
	if view.Verify.Running {
		view.Still = reload(v)
	}
	if d.services.Nodes() {
		if view.Nodes, err = d.services.Exportable(ctx); err != nil {
			v.Failed("log_state", err)
			return
		}
	}
	for _, one := range logs {
		l, err := one.State(ctx)
		facts := desk.LogFacts{Own: one.Own, Unread: err != nil}
		if d.services.Nodes() {
			facts.Node = one.Node
		}
		switch {
		case err != nil && facts.Node == "":
			v.Failed("log_state", err)
			return
		case err != nil:
			d.logger.Warn("the state of a node's log can't be read", zap.String("node", one.Node), zap.Error(err))
		default:
			var sinks []desk.SinkState
			if one.Own {
				sinks = d.sinks()
			}
			facts.Facts = desk.StateFacts(desk.State{
				Node: l.Node, Entries: l.Entries, Root: l.Root, Checkpoint: l.Checkpoint, Signed: l.Signed, Day: !one.Own,
				Lag: l.Entries - min(l.Indexed, l.Entries), Segments: l.Segments, Bytes: l.Bytes, Free: l.Free, Unconfirmed: l.Unconfirmed,
				Witnessed: l.Witnessed, Stamped: l.Stamped, Attested: l.Attested, Refuted: l.Refuted, Sinks: sinks,
			})
		}
		view.Logs = append(view.Logs, facts)
	}
	d.show(v, desk.Page{Name: "log", Title: page.Text{DE: "Zustand des Protokolls", EN: "State of the log"}, Audit: rec, Body: view})
}

// sinks are how this node's sinks do.
func (d *Desk) sinks() []desk.SinkState {
	var sinks []desk.SinkState
	for _, s := range d.app.SinkStates() {
		sinks = append(sinks, desk.SinkState{
			Name: s.Name, Kind: s.Kind, Known: s.Known, Lag: s.Lag, Lost: s.Lost, Failing: s.Since, Reason: s.Reason,
		})
	}
	return sinks
}
