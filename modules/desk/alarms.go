package desk

import (
	"time"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// alarmsBack is how far the page of alarms looks back.
const alarmsBack = 90 * 24 * time.Hour

// maxAlarms is how many entries are read for it.
const maxAlarms = 20_000

// board reads alarms, and what was said to them.
func (d *Desk) board(v crmgate.Visitor) ([]alarm.Line, error) {
	q := audit.Query{Keyed: d.services.Log.Keyed(alarm.Word()), Kind: audit.Control, Since: time.Now().Add(-alarmsBack)}
	var entries []audit.Stored
	for s, err := range d.newest(v.Request().Context(), q) {
		if err != nil {
			return nil, err
		}
		if entries = append(entries, s); len(entries) == maxAlarms {
			break
		}
	}
	return alarm.Board(entries), nil
}

func (d *Desk) alarms(v crmgate.Visitor) { d.showAlarms(v, page.Text{}) }

func (d *Desk) showAlarms(v crmgate.Visitor, wrong page.Text) {
	rec, ok := v.Append(audit.Searched, looking+"alarms of the last 90 days")
	if !ok {
		return
	}
	all, err := d.board(v)
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	asked := v.Query()
	d.show(v, desk.Page{
		Name: "alarms", Title: page.Text{DE: "Alarme", EN: "Alarms"}, Path: desk.AlarmsPath, Audit: rec, Wrong: wrong,
		Body: desk.NewAlarms(all, d.services.Nodes(), asked.Get("state") == "open", asked.Get("level")),
	})
}

// alarmSeen takes what somebody says to an alarm.
func (d *Desk) alarmSeen(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	said, enough := alarm.Said(form.Get("said"))
	if !enough {
		d.showAlarms(v, page.Text{
			DE: "Schreiben Sie in 5 bis 300 Zeichen, was sich ergeben hat.",
			EN: "Write in 5 to 300 characters what came of it.",
		})
		return
	}
	id := form.Get("alarm")
	all, err := d.board(v)
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	known := alarm.IsID(id)
	if known {
		known = false
		for i := range all {
			known = known || all[i].ID == id
		}
	}
	if !known {
		d.showAlarms(v, page.Text{DE: "Diesen Alarm gibt es nicht, oder er ist älter als 90 Tage.", EN: "There is no such alarm, or it is older than 90 days."})
		return
	}
	if !v.AlarmSeen(id, said) {
		return
	}
	v.Back(desk.AlarmsPath)
}
