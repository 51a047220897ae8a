package desk

import (
	"context"
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
	rec, ok := v.Append(audit.Searched, looking+"volumes of the last days")
	if !ok {
		return
	}
	p := desk.Page{Name: "volume", Title: page.Text{DE: "Wie viel gezeigt wurde", EN: "How much was shown"}, Audit: rec}
	view, ok := d.counted(v.Request().Context())
	if !ok {
		view.Still = reload(v)
	}
	p.Body = view
	d.show(v, p)
}

// countWait is how long a page waits for the counting.
const countWait = 2 * time.Second

// counted returns the numbers, where they are there soon.
func (d *Desk) counted(ctx context.Context) (desk.VolumeView, bool) {
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
	if d.work.tally == nil || d.work.counts {
		return desk.VolumeView{Counting: true}, false
	}
	days := d.work.tally.Days(time.Now())
	return desk.VolumeView{
		Chart: desk.NewChart(days, desk.UnusualTotals(days)), Days: days, Unusual: desk.UnusualDays(days), Categories: desk.CategoryBars(days),
	}, true
}

// count counts what isn't counted yet. What failed halfway is begun anew.
func (d *Desk) count(ctx context.Context) {
	d.work.mu.Lock()
	t := d.work.tally
	d.work.tally = nil
	d.work.mu.Unlock()
	if t == nil {
		t = desk.NewTally(time.Local)
	}
	from, upto := t.Counted(), uint64(0)
	var err error
	for s, e := range d.services.Newest(ctx, audit.Query{Since: t.Since(time.Now())}, 0) {
		if err = e; err != nil || s.Seq < from {
			break
		}
		upto = max(upto, s.Seq+1)
		t.Take(&s.Entry)
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	d.work.counts = false
	if err != nil {
		d.logger.Error("counting the log's entries", zap.Error(err))
		return
	}
	t.Reached(upto)
	d.work.tally = t
}

// startVerify begins to verify the log, behind the page.
func (d *Desk) startVerify(v crmgate.Visitor) {
	if _, ok := v.Form(); !ok {
		return
	}
	if _, ok := v.Append(audit.Searched, looking+"verify the log"); !ok {
		return
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	if !d.work.verify.Running {
		d.work.verify = desk.VerifyView{Running: true, Started: time.Now()}
		d.app.Background(d.verifying)
	}
	v.Back(desk.LogPath)
}

func (d *Desk) verifying(ctx context.Context) {
	report, err := d.services.Verify(ctx, func(done, total int64) {
		d.work.mu.Lock()
		defer d.work.mu.Unlock()
		d.work.verify.Done, d.work.verify.Total = done, total
	})
	if err != nil {
		d.logger.Error("verifying the log", zap.Error(err))
	}
	d.work.mu.Lock()
	defer d.work.mu.Unlock()
	d.work.verify.Running, d.work.verify.Ended, d.work.verify.Report, d.work.verify.Failed = false, time.Now(), &report, err != nil
}

// state shows how the log is.
func (d *Desk) state(v crmgate.Visitor) {
	rec, ok := v.Append(audit.Searched, looking+"state of the log")
	if !ok {
		return
	}
	l, err := d.services.LogState()
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
	var sinks []desk.SinkState
	for _, s := range d.app.SinkStates() {
		sinks = append(sinks, desk.SinkState{
			Name: s.Name, Kind: s.Kind, Known: s.Known, Lag: s.Lag, Lost: s.Lost, Failing: s.Since, Reason: s.Reason,
		})
	}
	view.Facts = desk.StateFacts(desk.State{
		Sinks: sinks,
		Node:  l.Node, Entries: l.Entries, Root: l.Root, Checkpoint: l.Checkpoint, Signed: l.Signed,
		Lag: l.Entries - min(l.Indexed, l.Entries), Segments: l.Segments, Bytes: l.Bytes, Free: l.Free,
	})
	d.show(v, desk.Page{Name: "log", Title: page.Text{DE: "Zustand des Protokolls", EN: "State of the log"}, Audit: rec, Body: view})
}
