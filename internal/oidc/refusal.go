package oidc

// Refusal is why somebody was not signed in. Code is a closed word for the log
// and the metrics; the sentences are for the person, say what to do next, and
// hold nothing of the request.
//
// Every error of Begin, Finish and Refresh wraps exactly one of the Refusals below, or the
// end of the caller's own context, or a failure of the keys (for which 503 is
// the answer).
type Refusal struct {
	Code    string
	German  string
	English string
}

// Error returns the code: sentences are for pages, the wrapping text for logs.
func (r *Refusal) Error() string { return "sign-in refused: " + r.Code }

// The refusals.
var (
	// ErrState is a state that this gateway didn't make for this browser.
	ErrState = &Refusal{
		Code:    "state",
		German:  "Diese Anmeldung wurde nicht in diesem Browser begonnen oder unterwegs verändert. Öffnen Sie das CRM neu und melden Sie sich dort an. Bleibt es dabei, lassen Sie Cookies für diese Adresse zu.",
		English: "This sign-in was not started in this browser, or it was altered on the way. Open the CRM again and sign in there. If that doesn't help, allow cookies for this address.",
	}
	// ErrExpired is a sign-in that took longer than ten minutes, or whose code
	// was used before.
	ErrExpired = &Refusal{
		Code:    "expired",
		German:  "Die Anmeldung hat zu lange gedauert oder wurde schon verwendet. Melden Sie sich bitte noch einmal an.",
		English: "The sign-in took too long or was used already. Please sign in again.",
	}
	// ErrNoSecondFactor is an ID token that doesn't prove a second factor.
	ErrNoSecondFactor = &Refusal{
		Code:    "mfa_missing",
		German:  "Ihr Anmeldedienst hat keinen zweiten Faktor bestätigt. Melden Sie sich ab und mit Ihrem zweiten Faktor (App, Sicherheitsschlüssel oder Passkey) wieder an. Bleibt es dabei, muss Ihre Administration ihn für diese Anwendung vorschreiben.",
		English: "Your sign-in service did not confirm a second factor. Sign out and sign in again with your second factor (app, security key or passkey). If that doesn't help, your administrator has to require it for this application.",
	}
	// ErrNotResistant is an ID token that proves a second factor, but none that
	// can't be phished.
	ErrNotResistant = &Refusal{
		Code:    "not_phishing_resistant",
		German:  "Für diese Anwendung ist ein Sicherheitsschlüssel oder Passkey nötig; Ihr Anmeldedienst hat einen anderen zweiten Faktor bestätigt. Melden Sie sich mit Sicherheitsschlüssel oder Passkey an.",
		English: "This application takes a security key or passkey; your sign-in service confirmed another second factor. Sign in with a security key or passkey.",
	}
	// ErrStepUp is a fresh sign-in that was demanded and didn't come.
	ErrStepUp = &Refusal{
		Code:    "step_up_failed",
		German:  "Dieser Schritt verlangt, dass Sie sich eben noch einmal angemeldet haben. Ihr Anmeldedienst hat das nicht bestätigt. Versuchen Sie es erneut. Bleibt es dabei, geben Sie Ihrer Administration Bescheid; Ihre Sitzung gilt weiter.",
		English: "This step demands that you have just signed in anew. Your sign-in service did not confirm that. Try again. If that doesn't help, tell your administrator; your session goes on.",
	}
	// ErrOtherPerson is a step-up from which somebody else came back.
	ErrOtherPerson = &Refusal{
		Code:    "other_person",
		German:  "Für diesen Schritt hat sich jemand anderes angemeldet als in dieser Sitzung. Melden Sie sich zuerst ab, wenn Sie die Person wechseln wollen.",
		English: "Somebody else signed in for this step than in this session. Sign out first if you want to change the person.",
	}
	// ErrRefreshGone is a refresh token that the provider no longer takes: its
	// session was ended there, or the token was used by somebody else.
	ErrRefreshGone = &Refusal{
		Code:    "refresh_gone",
		German:  "Ihr Anmeldedienst hat Ihre Sitzung beendet. Melden Sie sich bitte neu an.",
		English: "Your sign-in service has ended your session. Please sign in again.",
	}
	// ErrDenied is a no from the provider or from the person.
	ErrDenied = &Refusal{
		Code:    "denied",
		German:  "Der Anmeldedienst hat die Anmeldung abgelehnt oder sie wurde abgebrochen. Versuchen Sie es erneut. Bleibt es dabei, bitten Sie Ihre Administration, Ihnen diese Anwendung freizugeben.",
		English: "The sign-in service refused the sign-in, or it was cancelled. Try again. If that doesn't help, ask your administrator to assign this application to you.",
	}
	// ErrGroupOverage is a token that leaves the groups out because there are
	// too many (Entra ID: over 200). They are unknown then, not none.
	ErrGroupOverage = &Refusal{
		Code:    "group_overage",
		German:  "Sie sind in so vielen Gruppen, dass der Anmeldedienst sie nicht mehr übermittelt. Ihre Administration muss für diese Anwendung App-Rollen verwenden oder nur die ihr zugewiesenen Gruppen übermitteln lassen.",
		English: "You are in so many groups that the sign-in service no longer sends them. Your administrator has to use app roles for this application, or send only the groups assigned to it.",
	}
	// ErrToken is an ID token or a userinfo answer that must not be believed.
	ErrToken = &Refusal{
		Code:    "token",
		German:  "Die Antwort des Anmeldedienstes ließ sich nicht überprüfen. Melden Sie sich noch einmal an. Bleibt es dabei, geben Sie Ihrer Administration Bescheid: Uhrzeit und Einstellungen beider Seiten sind zu prüfen.",
		English: "The sign-in service's answer could not be verified. Sign in again. If that doesn't help, tell your administrator: the clocks and settings of both sides need a look.",
	}
	// ErrProviderDown is a provider that can't be reached.
	ErrProviderDown = &Refusal{
		Code:    "provider_down",
		German:  "Der Anmeldedienst ist gerade nicht erreichbar. Versuchen Sie es in einer Minute noch einmal. Wer schon angemeldet ist, kann weiterarbeiten.",
		English: "The sign-in service can't be reached right now. Try again in a minute. Whoever is signed in already can go on working.",
	}
	// ErrMisconfigured is a provider that answers, but not as configured.
	ErrMisconfigured = &Refusal{
		Code:    "misconfigured",
		German:  "Die Anmeldung ist nicht richtig eingerichtet. Geben Sie Ihrer Administration Bescheid: Ursache und Abhilfe stehen im Protokoll des Gateways.",
		English: "Sign-in is not set up correctly. Tell your administrator: the gateway's log names the cause and the remedy.",
	}
)

// Refusals lists every refusal.
func Refusals() []*Refusal {
	return []*Refusal{
		ErrState, ErrExpired, ErrNoSecondFactor, ErrNotResistant, ErrStepUp, ErrOtherPerson, ErrRefreshGone, ErrDenied, ErrGroupOverage,
		ErrToken, ErrProviderDown, ErrMisconfigured,
	}
}
