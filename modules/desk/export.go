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
	if found.Next > 0 {
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
	q.Before = 0
	if _, ok := v.Append(audit.Exported, looking+form+" of "+q.String()); !ok {
		return nil, false
	}
	found, err := desk.Find(v.Request().Context(), d.services, q, bounds)
	if err != nil {
		v.Failed("log_read", err)
		return nil, false
	}
	return found, true
}

// export hands out the whole log as a ZIP. An archive that breaks off has no
// directory at its end: nobody can take it for a whole one.
func (d *Desk) export(v crmgate.Visitor) {
	if _, ok := v.Form(); !ok {
		return
	}
	if _, ok := v.Append(audit.Exported, looking+"the whole log, without data keys"); !ok {
		return
	}
	var z *zip.Writer
	put := func(name string, content []byte) error {
		if z == nil {
			z = zip.NewWriter(v.File("application/zip", "audit-log-"+time.Now().Format(time.DateOnly)+".zip"))
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Now()})
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	_, err := d.services.Export(v.Request().Context(), put)
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
