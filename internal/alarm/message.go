package alarm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// messageID is made of what a message tells.
func messageID(lines []Told) string {
	sum := sha256.New()
	for i := range lines {
		_, _ = fmt.Fprintf(sum, "%s %t %d\n", lines[i].ID, lines[i].Again, lines[i].More) // a hash takes all
	}
	return "alarm_" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// Subject says the gravest level and how many there are, in both languages.
func (m *Message) Subject() string {
	l := LevelWord(m.Alarms[0].Level)
	n := len(m.Alarms) + m.Left
	if n == 1 {
		return fmt.Sprintf("crmgate: Alarm (%s) / alarm (%s)", l.DE, l.EN)
	}
	return fmt.Sprintf("crmgate: %d Alarme (%s) / %d alarms (%s)", n, l.DE, n, l.EN)
}

// Text is the message in German and then in English, as plain text.
func (m *Message) Text() string {
	return m.in("de") + "\n" + strings.Repeat("-", 60) + "\n\n" + m.in("en")
}

func (m *Message) in(lang string) string {
	say := func(de, en string) string { return page.Text{DE: de, EN: en}.In(lang) }
	var b strings.Builder
	b.WriteString(say("Das Zugangsgateway vor dem CRM hat Alarm ausgelöst.\n", "The access gateway in front of the CRM has raised an alarm.\n"))
	for i := range m.Alarms {
		t := &m.Alarms[i]
		what := What(&audit.Alarm{Cause: t.Cause, How: t.How})
		fmt.Fprintf(&b, "\n%s\n", what.In(lang))
		line := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "  %-12s %s\n", name+":", value)
			}
		}
		line(say("Gewicht", "Level"), LevelWord(t.Level).In(lang))
		line(say("Zeit", "Time"), t.Time.Format(time.RFC3339))
		line(say("Website", "Site"), t.Site)
		line(say("Pseudonym", "Pseudonym"), t.Employee)
		line(say("Eintrag", "Entry"), t.ID)
		if t.Stopped {
			line(say("Folge", "Outcome"), say("angehalten, nichts gezeigt", "stopped, nothing shown"))
		}
		switch {
		case t.Again:
			line(say("Wiederholt", "Repeated"), fmt.Sprintf(say("%d-mal seit der letzten Nachricht", "%d times since the last message"), t.More))
		case t.More > 0:
			line(say("Wiederholt", "Repeated"), fmt.Sprintf(say("%d-mal davor", "%d times before"), t.More))
		}
	}
	if m.Left > 0 {
		fmt.Fprintf(&b, say("\nUnd %d weitere.\n", "\nAnd %d more.\n"), m.Left)
	}
	fmt.Fprintf(&b, say("\nAnsehen und quittieren: %s\n", "\nSee and acknowledge: %s\n"), m.Desk)
	return b.String()
}
