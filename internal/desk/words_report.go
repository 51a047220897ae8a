package desk

import (
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
)

// gapWord says what somebody has to add.
func gapWord(what string) page.Text {
	if kind, ok := strings.CutPrefix(what, "log_kept_for_good_"); ok {
		c := classWord(audit.Class(kind))
		return page.Text{
			DE: "Aufbewahrung des Protokolls (" + c.DE + "): keine Frist eingestellt, also unbegrenzt", EN: "Retention of the log (" + c.EN + "): none configured, so for good",
		}
	}
	if w, ok := registerGap(what); ok {
		return w
	}
	switch what {
	case "purposes_not_recorded":
		return page.Text{
			DE: "Zu welchem Zweck die Beschäftigten zugegriffen haben: Das CRM fragt nicht danach. Rolle und Tätigkeit stehen hier; den Zweck nennt das Verzeichnis der Verarbeitungstätigkeiten.",
			EN: "For which purpose employees looked: the CRM doesn't ask. Role and action stand here; the purpose stands in the record of processing activities.",
		}
	case "known_not_stated":
		return page.Text{DE: "Wann die Panne bekannt wurde: Ohne diese Angabe läuft hier keine Frist.", EN: "When the breach became known: without it no time is counted here."}
	case "persons_not_told_apart":
		return page.Text{
			DE: "Wie viele Personen: Gezählt sind Datensätze. Eine Person kann mehrere haben, und ein Datensatz kann mehrere Personen nennen.",
			EN: "How many people: records are counted. One person can have several, and a record can name several people.",
		}
	case "consequences":
		return page.Text{DE: "Wahrscheinliche Folgen für die Betroffenen (Art. 33 Abs. 3 lit. c)", EN: "Likely consequences for the people concerned (Art. 33 (3) c)"}
	case "measures":
		return page.Text{DE: "Ergriffene und vorgeschlagene Maßnahmen (Art. 33 Abs. 3 lit. d)", EN: "Measures taken and proposed (Art. 33 (3) d)"}
	case "contact":
		return page.Text{DE: "Name und Kontaktdaten der Anlaufstelle (Art. 33 Abs. 3 lit. b)", EN: "Name and contact of the contact point (Art. 33 (3) b)"}
	}
	return page.Text{DE: what, EN: what}
}

func outcomeWord(o string) page.Text {
	switch o {
	case report.OutcomeShown:
		return page.Text{DE: "gezeigt", EN: "shown"}
	case report.OutcomeNamed:
		return page.Text{DE: "nur die Kennung genannt", EN: "only its id named"}
	case report.OutcomeWrote:
		return page.Text{DE: "nichts gezeigt", EN: "nothing shown"}
	case report.OutcomeRefused:
		return page.Text{DE: "abgelehnt, nichts gezeigt", EN: "refused, nothing shown"}
	case report.OutcomeUnread:
		return page.Text{DE: "ungelesen durchgelassen: gilt als im Klartext", EN: "released unread: take it for clear"}
	}
	return page.Text{DE: "keine Antwort mit diesen Daten", EN: "no answer that held it"}
}

func classWord(c audit.Class) page.Text {
	switch c {
	case audit.ClassAccess:
		return page.Text{DE: "Zugriffe", EN: "accesses"}
	case audit.ClassEmployee:
		return page.Text{DE: "Anmeldungen", EN: "sign-ins"}
	case audit.ClassGateway:
		return page.Text{DE: "Vorgänge des Gateways", EN: "the gateway's own"}
	}
	return page.Text{DE: "alle Arten", EN: "all kinds"}
}

// retainWord says how long a kind of entries is kept.
func retainWord(kind string, months int) page.Text {
	c := classWord(audit.Class(kind))
	n := strconv.Itoa(months)
	if months == 0 {
		return page.Text{DE: c.DE + ": unbegrenzt", EN: c.EN + ": for good"}
	}
	return page.Text{DE: c.DE + ": " + n + " Monate", EN: c.EN + ": " + n + " months"}
}

// fieldWord names a field of the register.
func fieldWord(f string) page.Text {
	if w, ok := registerField(f); ok {
		return w
	}
	switch f {
	case "retain":
		return page.Text{DE: "Aufbewahrung des Protokolls", EN: "Retention of the log"}
	case "store":
		return page.Text{DE: "Sitzungsspeicher", EN: "Session store"}
	case "address":
		return page.Text{DE: "Adresse", EN: "Address"}
	case "upstream":
		return page.Text{DE: "CRM dahinter", EN: "CRM behind it"}
	case "profile":
		return page.Text{DE: "Profil", EN: "Profile"}
	case "policy":
		return page.Text{DE: "Regelwerk", EN: "Policy"}
	case "issuer":
		return page.Text{DE: "Anmeldedienst", EN: "Identity provider"}
	case "second_factor":
		return page.Text{DE: "Zweiter Faktor", EN: "Second factor"}
	case "session":
		return page.Text{DE: "Sitzung", EN: "Session"}
	case "machine":
		return page.Text{DE: "Maschine", EN: "Machine"}
	case "route":
		return page.Text{DE: "Weg", EN: "Route"}
	case "entity":
		return page.Text{DE: "Art von Datensatz", EN: "Kind of record"}
	case "role":
		return page.Text{DE: "Rolle", EN: "Role"}
	case "sees":
		return page.Text{DE: "Was eine Rolle sieht", EN: "What a role sees"}
	case "exception":
		return page.Text{DE: "Ausnahme", EN: "Exception"}
	case "desk":
		return page.Text{DE: "Pult", EN: "Desk"}
	}
	return page.Text{DE: f, EN: f}
}

// monthWord is a month, "2026-11", as people write it.
func monthWord(m string) page.Text {
	t, err := time.Parse("2006-01", m)
	if err != nil {
		return page.Text{DE: m, EN: m}
	}
	return page.Text{DE: t.Format("01/2006"), EN: t.Format("January 2006")}
}

// spanWord is a span of time in hours and minutes.
func spanWord(seconds int64) page.Text {
	if seconds < 0 {
		seconds = -seconds
	}
	h, m := seconds/3600, seconds%3600/60
	unit := func(n int64, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.FormatInt(n, 10) + " " + many
	}
	return page.Text{
		DE: unit(h, "Stunde", "Stunden") + " " + unit(m, "Minute", "Minuten"),
		EN: unit(h, "hour", "hours") + " " + unit(m, "minute", "minutes"),
	}
}
