package provider

// texts are the words of the pages, by key.
type texts map[string]string

func textsFor(lang string) texts {
	if lang == "de" {
		return german()
	}
	return english()
}

func german() texts {
	return texts{
		"demo":           "Demo-Anmeldedienst: hier melden sich nur erfundene Personen an.",
		"sign_in":        "Anmelden",
		"login":          "Anmeldename",
		"password":       "Passwort",
		"next":           "Weiter",
		"second_factor":  "Zweiter Faktor",
		"hello":          "Angemeldet als",
		"code":           "Sechsstelliger Code",
		"code_hint":      "Ihre Authenticator-App zeigt ihn an.",
		"shown":          "In der Demo zeigt Ihr Authenticator:",
		"shown_for":      "gültig noch %d Sekunden",
		"confirm":        "Anmelden",
		"other":          "Als jemand anders anmelden",
		"sign_out":       "Abmelden",
		"sign_out_ask":   "Möchten Sie sich vom Demo-Anmeldedienst abmelden?",
		"signed_out":     "Abgemeldet",
		"signed_out_now": "Sie sind abgemeldet und können dieses Fenster schließen.",
		"expired":        "Diese Anmeldung gilt nicht mehr",
		"expired_why":    "Sie ist älter als 15 Minuten oder schon benutzt. Bitte gehen Sie zurück zur Anwendung und beginnen Sie dort neu.",
		"browser":        "Diese Anmeldung gehört zu einem anderen Browser",
		"browser_why":    "Bitte beginnen Sie in diesem Browser neu, indem Sie die Anwendung öffnen. Cookies müssen erlaubt sein.",
		"wrong_password": "Anmeldename oder Passwort ist falsch.",
		"wrong_code":     "Der Code stimmt nicht oder ist abgelaufen.",
		"wrong_employee": "Die Anwendung erwartet jemand anders. Bitte melden Sie sich dort zuerst ab.",
		"locked":         "Zu viele Fehlversuche. Bitte versuchen Sie es in %d Sekunden noch einmal.",
	}
}

func english() texts {
	return texts{
		"demo":           "Demo provider: only invented people sign in here.",
		"sign_in":        "Sign in",
		"login":          "Login",
		"password":       "Password",
		"next":           "Continue",
		"second_factor":  "Second factor",
		"hello":          "Signing in as",
		"code":           "Six-digit code",
		"code_hint":      "Your authenticator app shows it.",
		"shown":          "In the demo your authenticator shows:",
		"shown_for":      "good for another %d seconds",
		"confirm":        "Sign in",
		"other":          "Sign in as somebody else",
		"sign_out":       "Sign out",
		"sign_out_ask":   "Do you want to sign out of the demo provider?",
		"signed_out":     "Signed out",
		"signed_out_now": "You are signed out and may close this window.",
		"expired":        "This sign-in is no longer valid",
		"expired_why":    "It is older than 15 minutes or has been used. Please go back to the application and start again.",
		"browser":        "This sign-in belongs to another browser",
		"browser_why":    "Please start again in this browser by opening the application. Cookies have to be allowed.",
		"wrong_password": "The login or the password is wrong.",
		"wrong_code":     "The code is wrong or has expired.",
		"wrong_employee": "The application expects somebody else. Please sign out there first.",
		"locked":         "Too many wrong attempts. Please try again in %d seconds.",
	}
}
