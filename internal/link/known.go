package link

// wellKnown are domains whose names are lent most often by those who want passwords or
// money: providers of mail and sign-in, shops, parcels, banks and public offices, as far
// as people in Germany, Austria and Switzerland know them. The names are protected under
// any ending; the list is part of the manual.
func wellKnown() []string {
	return []string{
		"microsoft.com", "microsoftonline.com", "office.com", "outlook.com", "sharepoint.com", "live.com",
		"google.com", "gmail.com", "youtube.com", "apple.com", "icloud.com", "amazon.de", "ebay.de", "kleinanzeigen.de",
		"paypal.com", "klarna.com", "stripe.com", "facebook.com", "instagram.com", "whatsapp.com", "linkedin.com", "xing.com",
		"dropbox.com", "docusign.com", "docusign.net", "adobe.com", "github.com", "gitlab.com", "zoom.us", "slack.com",
		"salesforce.com", "hubspot.com", "netflix.com", "spotify.com", "booking.com",
		"dhl.de", "hermesworld.com", "deutschepost.de", "dpd.com", "ups.com", "fedex.com",
		"sparkasse.de", "volksbank.de", "commerzbank.de", "deutsche-bank.de", "postbank.de", "ing.de", "comdirect.de",
		"hypovereinsbank.de", "targobank.de", "santander.de", "norisbank.de", "consorsbank.de", "raiffeisen.at", "erstebank.at", "postfinance.ch",
		"telekom.de", "vodafone.de", "gmx.net", "web.de", "freenet.de", "ionos.de", "strato.de", "datev.de", "sipgate.de",
		"elster.de", "bundesfinanzministerium.de", "arbeitsagentur.de", "bundesbank.de", "zoll.de", "finanzonline.at",
	}
}

// lures are words that stand beside a borrowed name.
func lures() []string {
	return []string{
		"login", "logon", "signin", "sso", "auth", "secure", "security", "sicher", "sicherheit", "account", "accounts", "konto", "kunden",
		"kundenservice", "kundencenter", "service", "support", "hilfe", "help", "helpdesk", "verify", "verification", "verifizierung",
		"bestaetigung", "bestätigung", "confirm", "update", "aktualisierung", "password", "passwort", "reset", "portal", "intranet", "vpn",
		"mail", "webmail", "office", "online", "banking", "pay", "payment", "zahlung", "rechnung", "invoice", "billing", "refund",
		"paket", "sendung", "tracking", "delivery", "alert", "warning", "unlock", "id", "mfa", "2fa", "tan", "pushtan",
	}
}
