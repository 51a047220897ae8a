// Package alarm says what may be an attack, and tells those who have to know.
//
// An alarm is an entry of the audit log first. What goes out by mail or webhook is read
// behind the log by a cursor, as all sinks do, so that a crash loses none; the desk
// reads them from the log, too. What goes out names the kind, the site, the employee's
// pseudonym and the entry: no record, no text of the CRM's.
package alarm

import (
	"slices"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// Level is how much an alarm weighs.
type Level string

// The levels, from the lightest.
const (
	Low    Level = "low"
	Medium Level = "medium"
	High   Level = "high"
)

// Levels lists them, the lightest first.
func Levels() []Level { return []Level{Low, Medium, High} }

// Valid reports whether l is one of them.
func (l Level) Valid() bool { return slices.Contains(Levels(), l) }

// AtLeast reports whether an alarm of this level weighs as much as the other. A word
// that is no level weighs most: better told once too often.
func (l Level) AtLeast(other Level) bool {
	return !l.Valid() || slices.Index(Levels(), l) >= slices.Index(Levels(), other)
}

// The causes.
const (
	Canary = "canary"
	Link   = "link"
)

// Word is the key by which the log finds alarms and what was said to them: it is
// keyed as an identifying value is (audit.Log.Keyed).
func Word() (category, value string) { return "desk", "alarms" }

// What says in words what was seen.
func What(a *audit.Alarm) page.Text {
	if a.Cause == Link {
		return linkWords(a.How)
	}
	switch a.How {
	case HowAlone:
		return page.Text{DE: "Lockdatensatz einzeln aufgerufen", EN: "Canary record asked for by itself"}
	case HowShownAlone:
		return page.Text{DE: "Lockdatensatz als einziger Treffer gezeigt", EN: "Canary record shown as the only result"}
	case HowAmong:
		return page.Text{DE: "Lockdatensatz in einer Liste", EN: "Canary record in a list"}
	case HowChanged:
		return page.Text{DE: "Lockdatensatz unter vielen geändert, gelöscht oder angeschrieben", EN: "Canary record changed, deleted or contacted among others"}
	case HowExported:
		return page.Text{DE: "Lockdatensatz exportiert", EN: "Canary record exported"}
	}
	return page.Text{DE: a.Cause + " " + a.How, EN: a.Cause + " " + a.How}
}

func linkWords(how string) page.Text {
	switch how {
	case HowOpened:
		return page.Text{DE: "Warnseite eines verdächtigen Links geöffnet", EN: "Warning page of a suspicious link opened"}
	case "lookalike":
		return page.Text{DE: "Link auf eine Adresse, die einer bekannten ähnelt", EN: "Link to an address that resembles a known one"}
	case "extra_word":
		return page.Text{DE: "Link auf eine fremde Adresse mit einem bekannten Namen darin", EN: "Link to another's address with a known name in it"}
	case "mixed_script":
		return page.Text{DE: "Link mit Buchstaben mehrerer Schriften in einem Wort", EN: "Link with letters of several scripts in one word"}
	case "disguised":
		return page.Text{DE: "Link aus fremden Buchstaben, die wie lateinische aussehen", EN: "Link of foreign letters that look like Latin ones"}
	case "credentials":
		return page.Text{DE: "Link, der seine wahre Adresse hinter einem @ versteckt", EN: "Link that hides its real address behind an @"}
	case "ip":
		return page.Text{DE: "Link auf eine Zahlenadresse", EN: "Link to a numeric address"}
	case "unreadable":
		return page.Text{DE: "Link, den Programme verschieden lesen", EN: "Link that programs read in different ways"}
	}
	return page.Text{DE: "Link " + how, EN: "Link " + how}
}

// LevelWord is a level in words.
func LevelWord(l Level) page.Text {
	switch l {
	case Low:
		return page.Text{DE: "niedrig", EN: "low"}
	case Medium:
		return page.Text{DE: "mittel", EN: "medium"}
	}
	return page.Text{DE: "hoch", EN: "high"}
}
