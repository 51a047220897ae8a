package desk

import (
	"strings"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// The addresses of alarms.
const (
	AlarmsPath    = alarm.DeskPath
	AlarmSeenPath = AlarmsPath + "/seen"
)

// AlarmsView is the body of the page of alarms.
type AlarmsView struct {
	Path  string
	Lines []AlarmLine
	// Left counts those that found no room.
	Left int
	// Open leaves out those that were acknowledged, Level those that weigh less.
	Open  bool
	Level string
}

// AlarmLine is an alarm on the page.
type AlarmLine struct {
	alarm.Line
	// NodeShown is the node whose log it stands in, "" where there is one log.
	NodeShown string
}

// Anchor is the line's name in the page.
func (l AlarmLine) Anchor() string {
	return "a-" + strings.NewReplacer("/", "-", ".", "-").Replace(l.ID)
}

// shownAlarms is how many alarms stand on the page.
const shownAlarms = 100

// NewAlarms makes the page of the alarms in a log, the newest first. several says that
// there are logs of several nodes.
func NewAlarms(all []alarm.Line, several, open bool, level string) AlarmsView {
	v := AlarmsView{Path: AlarmsPath, Open: open, Level: level}
	if !alarm.Level(level).Valid() {
		v.Level = string(alarm.Low)
	}
	for _, l := range all {
		if open && len(l.Seen) > 0 || !alarm.Level(l.Level).AtLeast(alarm.Level(v.Level)) {
			continue
		}
		if len(v.Lines) == shownAlarms {
			v.Left++
			continue
		}
		line := AlarmLine{Line: l}
		if several {
			line.NodeShown = l.Node
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

func alarmWord(a audit.Alarm) page.Text { return alarm.What(&a) }

func levelWord(l string) page.Text { return alarm.LevelWord(alarm.Level(l)) }

func levels() []string {
	var all []string
	for _, l := range alarm.Levels() {
		all = append(all, string(l))
	}
	return all
}
