package audit

import (
	"fmt"

	"github.com/crmgate/crmgate/internal/access"
)

// The events of what may be an attack: an alarm, and somebody who answers for one.
const (
	AlarmRaised Event = "alarm"
	AlarmSeen   Event = "alarm_seen"
)

// Alarm is what an alarm says. What it names of the CRM (records, a host that stood
// in one of its texts) is sealed with its entry, and goes nowhere else.
type Alarm struct {
	// Cause is canary or link, Level low, medium or high; How is a closed word for
	// what was seen. An alarm_seen has none of the three.
	Cause string `json:"cause,omitempty"`
	Level string `json:"level,omitempty"`
	How   string `json:"how,omitempty"`
	// Entry is the place in the log of what raised it; of an alarm_seen it is the
	// alarm's.
	Entry string `json:"entry,omitempty"`
	// Records are the canaries, Host the one that a link leads to.
	Records []access.Record `json:"records,omitempty"`
	Host    string          `json:"host,omitempty"`
	// Stopped says that nothing was shown.
	Stopped bool `json:"stopped,omitempty"`
	// Repeated counts alarms of the same cause that made no entry of their own since
	// the last one.
	Repeated int `json:"repeated,omitempty"`
}

// alarms reports whether an event tells of an alarm.
func (e Event) alarms() bool { return e == AlarmRaised || e == AlarmSeen }

// validateAlarm holds an alarm to its events.
func (e *Entry) validateAlarm() error {
	if (e.Alarm != nil) != e.Event.alarms() {
		return fmt.Errorf("%w: an alarm and its event belong together", ErrEntry)
	}
	return nil
}
