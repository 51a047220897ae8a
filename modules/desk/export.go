package desk

import (
	"archive/zip"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// csv hands out what a search finds.
func (d *Desk) csv(v crmgate.Visitor) {
	found, ok := d.download(v, "CSV", desk.CSVBounds())
	if !ok {
		return
	}
	w := v.File("text/csv; charset=utf-8", "audit-"+time.Now().Format(time.DateOnly)+".csv")
	if err := desk.WriteCSV(w, found); err != nil {
		d.logger.Info("the client didn't take the whole CSV", zap.Error(err))
	}
}

// events hands out the entries of what a search finds as OCSF events. The name of the
// file says where some are missing: an event for that there is none.
func (d *Desk) events(v crmgate.Visitor) {
	found, ok := d.download(v, "OCSF", desk.EventBounds())
	if !ok {
		return
	}
	name := "audit-" + time.Now().Format(time.DateOnly)
	if found.Next != "" {
		name += "-not-all"
	}
	if err := desk.WriteEvents(v.File("application/x-ndjson", name+".jsonl"), found); err != nil {
		d.logger.Info("the client didn't take all events", zap.Error(err))
	}
}

// download finds what is to be taken along, after an entry that says so. Where it
// can't be, it has answered when it returns false.
func (d *Desk) download(v crmgate.Visitor, form string, bounds desk.Bounds) (*desk.Found, bool) {
	asked, ok := v.Form()
	if !ok {
		return nil, false
	}
	q, wrong := desk.ParseQuery(asked, time.Local)
	if len(wrong) > 0 || q.Employee != "" {
		v.NotFound()
		return nil, false
	}
	q.Before = ""
	sources, nodes, err := d.sources(v.Request().Context(), q.Node)
	if err != nil {
		v.Failed("log_read", err)
		return nil, false
	}
	if q.Node != "" && (len(sources) == 0 || nodes == nil) {
		v.NotFound()
		return nil, false
	}
	if _, ok := v.Append(audit.Exported, looking+form+" of "+q.String()); !ok {
		return nil, false
	}
	found, err := desk.Find(v.Request().Context(), sources, q, bounds)
	if err != nil {
		v.Failed("log_read", err)
		return nil, false
	}
	d.unread(found.Unread)
	return found, true
}

// export hands out whole logs as a ZIP, each of several in a folder of its own. An archive that breaks off has no
// directory at its end: nobody can take it for a whole one.
func (d *Desk) export(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	node, logs, ok := d.nodeOf(v, form)
	if !ok {
		return
	}
	what := "the whole log"
	switch {
	case node != "":
		what += " of node " + node
	case d.services.Nodes():
		what = "the whole logs of all nodes"
	}
	if _, ok := v.Append(audit.Exported, looking+what+", without data keys"); !ok {
		return
	}
	var z *zip.Writer
	folder := ""
	put := func(name string, content []byte) error {
		if z == nil {
			z = zip.NewWriter(v.File("application/zip", "audit-log-"+time.Now().Format(time.DateOnly)+".zip"))
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: folder + name, Method: zip.Store, Modified: time.Now()})
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	var err error
	for _, log := range logs {
		if d.services.Nodes() {
			folder = log + "/"
		}
		if _, err = d.services.Export(v.Request().Context(), log, put); err != nil {
			break
		}
	}
	if err == nil && z != nil {
		err = z.Close()
	}
	if err == nil {
		return
	}
	if z == nil {
		v.Failed("log_read", err)
		return
	}
	d.logger.Error("exporting the log", zap.Error(err))
	panic(http.ErrAbortHandler)
}
