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
	form, ok := v.Form()
	if !ok {
		return
	}
	q, wrong := desk.ParseQuery(form, time.Local)
	if len(wrong) > 0 || q.Employee != "" {
		v.NotFound()
		return
	}
	q.Before = 0
	if _, ok := v.Append(audit.Exported, looking+"CSV of "+q.String()); !ok {
		return
	}
	found, err := desk.Find(v.Request().Context(), d.services, q, desk.CSVBounds())
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	w := v.File("text/csv; charset=utf-8", "audit-"+time.Now().Format(time.DateOnly)+".csv")
	if err := desk.WriteCSV(w, found); err != nil {
		d.logger.Info("the client didn't take the whole CSV", zap.Error(err))
	}
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
