package desk

import (
	"strings"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// eventWord says what a control entry tells of; what has no words is shown as the
// log's own.
func eventWord(e audit.Event) page.Text {
	switch e {
	case audit.Searched:
		return page.Text{DE: "Blick ins Protokoll", EN: "Look at the log"}
	case audit.Exported:
		return page.Text{DE: "Protokoll exportiert", EN: "Log exported"}
	case audit.SignIn:
		return page.Text{DE: "Angemeldet", EN: "Signed in"}
	case audit.Refused:
		return page.Text{DE: "Anmeldung abgelehnt", EN: "Sign-in refused"}
	case audit.StepUp:
		return page.Text{DE: "Neu ausgewiesen", EN: "Proved anew"}
	case audit.SignOut:
		return page.Text{DE: "Abgemeldet", EN: "Signed out"}
	case audit.Revoked:
		return page.Text{DE: "Sitzung beendet", EN: "Session ended"}
	case audit.RefreshFailed:
		return page.Text{DE: "Sitzung nicht erneuert", EN: "Session not renewed"}
	case audit.Revealed:
		return page.Text{DE: "Aufgedeckt: ein Feld oder ein Pseudonym", EN: "Revealed: a field or a pseudonym"}
	case audit.Consent:
		return page.Text{DE: "Einsicht in Zugriffe einer Person", EN: "Look at one person's accesses"}
	case audit.Enrolled:
		return page.Text{DE: "Zweiter Faktor eingerichtet", EN: "Second factor enrolled"}
	case audit.FactorRemoved:
		return page.Text{DE: "Zweiter Faktor entfernt", EN: "Second factor removed"}
	case audit.FactorReset:
		return page.Text{DE: "Zweite Faktoren zurückgesetzt", EN: "Second factors reset"}
	case audit.RulesKnown:
		return page.Text{DE: "Regeln bestätigt", EN: "Rules acknowledged"}
	case audit.Invited:
		return page.Text{DE: "Einrichtungscode ausgegeben", EN: "Enrolment code issued"}
	case audit.AlarmRaised:
		return page.Text{DE: "Alarm", EN: "Alarm"}
	case audit.AlarmSeen:
		return page.Text{DE: "Alarm quittiert", EN: "Alarm acknowledged"}
	}
	if w, ok := retainEventWord(e); ok {
		return w
	}
	return keepingWord(e)
}

// keepingWord says what an entry about the gateway and its log tells of.
func keepingWord(e audit.Event) page.Text {
	switch e {
	case audit.Start:
		return page.Text{DE: "Protokoll geöffnet", EN: "Log opened"}
	case audit.UncleanStart:
		return page.Text{DE: "Protokoll geöffnet, ohne vorher geschlossen zu sein", EN: "Log opened without having been closed"}
	case audit.Stop:
		return page.Text{DE: "Protokoll geschlossen", EN: "Log closed"}
	case audit.PolicyChange:
		return page.Text{DE: "Profil und Regelwerk geladen", EN: "Profile and policy loaded"}
	case audit.Registered:
		return page.Text{DE: "Fassung des Verzeichnisses in Kraft", EN: "Version of the register in force"}
	case audit.KeyChange:
		return page.Text{DE: "Neuer Hauptschlüssel", EN: "New master key"}
	case audit.ClockStep:
		return page.Text{DE: "Uhr gesprungen", EN: "Clock stepped"}
	case audit.SinkChange:
		return page.Text{DE: "Weitergabe an ein anderes System", EN: "Passing on to another system"}
	case audit.RetentionRun:
		return page.Text{DE: "Aufbewahrung geprüft", EN: "Retention checked"}
	case audit.HoldSet:
		return page.Text{DE: "Monate gesperrt", EN: "Months held"}
	case audit.HoldReleased:
		return page.Text{DE: "Sperre aufgehoben", EN: "Hold released"}
	case audit.HoldsConfirmed:
		return page.Text{DE: "Sperren nach Wiederherstellung bestätigt", EN: "Holds confirmed after a restoration"}
	case audit.BackedUp:
		return page.Text{DE: "Protokoll gesichert", EN: "Log backed up"}
	case audit.Restored:
		return page.Text{DE: "Protokoll wiederhergestellt", EN: "Log restored"}
	case audit.Adopted:
		return page.Text{DE: "Protokoll ohne Prüfpunkte übernommen", EN: "Log taken without checkpoints"}
	case audit.NodeCheckpoint:
		return page.Text{DE: "Prüfpunkt eines Knotens", EN: "Checkpoint of a node"}
	}
	if w := consentWord(e); w != (page.Text{}) {
		return w
	}
	s := strings.ReplaceAll(string(e), "_", " ")
	return page.Text{DE: s, EN: s}
}
