package gate

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
)

// text is a sentence for a person, in German and in English. It never holds a
// value of the request.
type text struct{ de, en string }

// in returns the sentence in the language that Accept-Language prefers.
func (t text) in(acceptLanguage string) string {
	if prefersGerman(acceptLanguage) {
		return t.de
	}
	return t.en
}

// and joins two sentences.
func (t text) and(more text) text { return text{t.de + " " + more.de, t.en + " " + more.en} }

// onPage is the sentence as pages take it.
func (t text) onPage() page.Text { return page.Text{DE: t.de, EN: t.en} }

// prefersGerman reports whether German stands before English.
func prefersGerman(accept string) bool {
	for part := range strings.SplitSeq(strings.ToLower(accept), ",") {
		lang := strings.TrimSpace(part)
		switch {
		case strings.HasPrefix(lang, "de"):
			return true
		case strings.HasPrefix(lang, "en"):
			return false
		}
	}
	return false
}

var (
	textStarting = text{
		"Das Gateway startet gerade oder sein Protokoll ist nicht beschreibbar. Es wurde nichts weitergeleitet. Bitte versuchen Sie es gleich noch einmal.",
		"The gateway is starting, or its log can't be written. Nothing was forwarded. Please try again in a moment.",
	}
	textPlainHTTP = text{
		"Diese Adresse ist nur verschlüsselt (https) erreichbar.",
		"This address is served over https only.",
	}
	textUpgrade = text{
		"Dauerverbindungen (WebSocket) werden hier nicht weitergeleitet: Ihr Inhalt ließe sich nicht prüfen.",
		"Upgraded connections (WebSocket) are not forwarded here: what they carry could not be checked.",
	}
	textCrossSite    = text{"Diese Anfrage kam von einer anderen Seite.", "This request came from another site."}
	textSessionEnded = text{
		"Ihre Sitzung endete, oder Ihre Rollen änderten sich, während das CRM antwortete. Die Antwort wird deshalb nicht angezeigt.",
		"Your session ended, or your roles changed, while the CRM was answering. Therefore the answer is not shown.",
	}
	textPrefetch = text{
		"Seiten werden hier nicht im Voraus geladen: Das Protokoll zeigt, was jemand angesehen hat.",
		"Pages are not loaded in advance here: the log shows what somebody looked at.",
	}
	textServiceWorker = text{
		"Service Worker werden hier nicht ausgeliefert: Sie könnten Antworten über die Sitzung hinaus behalten.",
		"Service workers are not handed out here: they could keep answers beyond the session.",
	}
	textRequestCoding = text{
		"Komprimierte Anfragen werden nicht angenommen: Was geprüft wird, muss sein, was ankommt.",
		"Compressed requests are not accepted: what is judged has to be what arrives.",
	}
	textRequestBody  = text{"Die Anfrage kam nicht vollständig an.", "The request did not arrive whole."}
	textRequestLimit = text{
		"Die Anfrage ist zu groß. Ihre Administration kann request_limit erhöhen.",
		"The request is too large. Your administrator can raise request_limit.",
	}
	textRequestType = text{
		"Der Inhaltstyp der Anfrage ist nicht eindeutig oder nicht UTF-8.",
		"The request's content type is ambiguous or not UTF-8.",
	}
	textFault = text{
		"Die Anfrage konnte nicht beurteilt werden und wurde deshalb nicht weitergeleitet.",
		"The request could not be judged and was therefore not forwarded.",
	}
	textCRMDown = text{
		"Das CRM ist gerade nicht erreichbar oder hat die Verbindung abgebrochen. Es wurden keine Daten angezeigt.",
		"The CRM can't be reached right now, or it cut the connection. No data were shown.",
	}
	textCRMAnswer = text{
		"Die Antwort des CRM ließ sich nicht prüfen und wurde deshalb zurückgehalten. Geben Sie Ihrer Administration die Kennung dieser Seite.",
		"The CRM's answer could not be checked and was therefore withheld. Give this page's reference to your administrator.",
	}
	textHold = text{
		"Die Antwort des CRM ist größer, als geprüft werden kann (hold, und die Route ist im Profil nicht als stream gekennzeichnet). Grenzen Sie die Suche ein.",
		"The CRM's answer is larger than can be checked (hold, and the profile does not mark the route as stream). Narrow your search.",
	}
	textRedirect = text{
		"Das CRM wollte auf eine Adresse weiterleiten, die nicht im Profil steht oder zu einem anderen Server gehört. Geben Sie Ihrer Administration die Kennung dieser Seite.",
		"The CRM wanted to lead to an address that is not in the profile or belongs to another server. Give this page's reference to your administrator.",
	}
	textUndisclosed = text{
		"Das CRM hat geantwortet, aber das Protokoll ist nicht beschreibbar. Deshalb wird die Antwort nicht angezeigt.",
		"The CRM has answered, but the log can't be written. Therefore the answer is not shown.",
	}
	textPerhapsSaved = text{
		"Ob gespeichert wurde, ist offen: Sehen Sie im CRM nach, bevor Sie es noch einmal versuchen.",
		"Whether anything was saved is open: look in the CRM before you try again.",
	}
	textSignedOutCall = text{
		"Ihre Sitzung ist beendet. Öffnen Sie das CRM in einem neuen Tab, melden Sie sich dort an und wiederholen Sie hier den Schritt. Wenn Sie stattdessen diese Seite neu laden, geht verloren, was noch nicht gespeichert ist.",
		"Your session has ended. Open the CRM in a new tab, sign in there, and then repeat the step here. If you reload this page instead, what is not saved yet is lost.",
	}
	textSignInNeeded = text{
		"Sie sind nicht angemeldet. Öffnen Sie das CRM in einem neuen Tab, melden Sie sich dort an und senden Sie dann noch einmal.",
		"You are not signed in. Open the CRM in a new tab, sign in there, and then send again.",
	}
	textSessionStore = text{
		"Die Sitzungen sind gerade nicht lesbar. Bitte versuchen Sie es gleich noch einmal.",
		"The sessions can't be read right now. Please try again in a moment.",
	}
	textSignInUsed = text{
		"Diese Anmeldung wurde schon verwendet. Öffnen Sie das CRM noch einmal.",
		"This sign-in was used already. Open the CRM again.",
	}
	textWrites = text{
		"Nicht gespeichert: Diese Felder sehen Sie nicht im Klartext und können sie deshalb nicht ändern: ",
		"Not saved: you don't see these fields in clear and therefore can't change them: ",
	}
	textForbidden = text{
		"Nicht gespeichert: Das darf hier nicht eingegeben werden. Nehmen Sie es aus dem Text: ",
		"Not saved: this must not be entered here. Take it out of the text: ",
	}
	textStored = text{
		"Nicht gespeichert: Die gespeicherten Werte ließen sich nicht lesen, mit denen verdeckte Felder verglichen werden.",
		"Not saved: the stored values, with which masked fields are compared, could not be read.",
	}
	textInline = text{
		"Nicht gespeichert: Verdeckte Werte lassen sich nur in Variablen der Anfrage durch die gespeicherten ersetzen, nicht im Text der Abfrage und nicht in einer Variablen, die an mehreren Stellen steht.",
		"Not saved: masked values can be replaced by the stored ones in variables of the request alone, not in the query's text, and not in a variable that is used in several places.",
	}
	textNoSuchPage  = text{"Diese Seite gibt es nicht.", "There is no such page."}
	textSignedOut   = text{"Sie sind abgemeldet.", "You are signed out."}
	textStillSigned = text{
		"Bei Ihrem Anmeldedienst sind Sie möglicherweise noch angemeldet; melden Sie sich auch dort ab.",
		"You may still be signed in at your sign-in service; sign out there too.",
	}
)

// textCRMError stands in the place of an error's text.
func textCRMError(status int) text {
	n := strconv.Itoa(status)
	t := text{
		"Das CRM meldet einen Fehler (" + n + "). Sein Text wurde zurückgehalten, weil er personenbezogene Daten enthalten könnte.",
		"The CRM reports an error (" + n + "). Its text was withheld because it could contain personal data.",
	}
	if status == http.StatusNotFound {
		t = text{"Das CRM findet das Gesuchte nicht.", "The CRM can't find this."}.and(t)
	}
	return t
}

// decisionText says in both languages why the policy refused, and what to do.
func decisionText(d access.Decision) text {
	de := ""
	switch d.Reason {
	case policy.ReasonAsksMasked:
		if d.Field == "*" {
			return text{
				"Diese Antwort (ein Bericht, eine Datei oder ein Assistent) lässt sich nicht verdecken und wird deshalb zurückgehalten: Ihre Rolle sieht nicht alles, was darin stehen kann.",
				"This answer (a report, a file or a wizard) can't be masked and is therefore withheld: your role doesn't see everything that can stand in it.",
			}
		}
		de = "Die Anfrage fragt nach „" + d.Field + "“. Das Feld sehen Sie nicht im Klartext; es kann deshalb weder gesucht noch sortiert noch als Datei geöffnet werden."
	case policy.ReasonWritesMasked:
		de = "Das Feld „" + d.Field + "“ dürfen Sie mit Ihrer Rolle nicht schreiben."
	case policy.ReasonCredential:
		de = "Die Anfrage nennt „" + d.Field + "“, ein Kennwort oder einen Schlüssel. Das darf hier niemand sehen, suchen oder ändern."
	case policy.ReasonNoRole:
		de = "Das Regelwerk kennt keine Ihrer Rollen. Bitten Sie Ihre Administration um eine Rolle für dieses CRM."
	case policy.ReasonNoPolicy, policy.ReasonDenied:
		de = "Ihre Rolle lässt diese Handlung an diesen Datensätzen nicht zu."
	case reasonNoConsent:
		return textNoConsent
	default:
		de = textFault.de
	}
	return text{de, d.Text}
}

// profileText says in both languages why the profile refused.
func profileText(no *profile.Refusal) text {
	de := map[string]string{
		"unknown_route":     "Diese Adresse steht nicht im Profil des CRM und wird deshalb nicht weitergeleitet.",
		"unknown_call":      "Dieser Aufruf steht nicht im Profil des CRM und wird deshalb nicht weitergeleitet.",
		"unknown_type":      "Datensätze dieser Art stehen nicht im Profil des CRM.",
		"unknown_field":     "Ein Feld der Anfrage steht nicht im Profil des CRM.",
		"unknown_parameter": "Ein Parameter der Adresse steht nicht im Profil des CRM.",
		"type":              "Der Inhaltstyp der Anfrage wird an dieser Adresse nicht angenommen.",
		"body":              "An dieser Adresse wird kein Inhalt angenommen.",
		"malformed":         "Die Anfrage hat nicht die Form, die das Profil des CRM beschreibt.",
		"denied":            "Diese Funktion des CRM ist über das Gateway nicht erreichbar.",
	}[no.Reason]
	if de == "" {
		de = no.Text
	}
	return text{de, no.Text}
}
