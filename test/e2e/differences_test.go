package e2e

import "strings"

// difference is something that doesn't work through the gate as it does without
// it, and the sentence of docs/crm/tryton.md that says why.
type difference struct {
	user string // "" is anybody
	step string // "" is any
	call string // "" is none: the step goes another way
	why  string // how the reason begins
	rule string
}

const (
	ruleSearchBox = "The search box finds parties by name and code"
	ruleGlobal    = "The search over everything (»Aktion«) is refused"
	ruleReport    = "Letters, labels and other reports are refused"
	ruleMail      = "Writing mail is refused"
	ruleFile      = "Files can't be opened"
	ruleErrors    = "Error messages that could quote a value are withheld"
	ruleEdit      = "A masked value can't be changed"
	ruleSession   = "When the session at the gateway has ended"
)

// differences is the whole list. As master_data nothing differs.
func differences() []difference {
	const asked = "error UserError: Die Anfrage fragt nach „"
	return []difference{
		{"vera", "searchByPhone", "", "", ruleSearchBox},
		{"vera", "contactRefused", "", "", ruleErrors},
		{"vera", "globalSearch", "", "", ruleGlobal},
		{"vera", "globalSearch", "model.ir.model.global_search", asked + "rec_name", ruleGlobal},
		{"vera", "letter", "", "", ruleReport},
		{"vera", "letter", "report.party.letter.execute", "error UserError: Diese Antwort", ruleReport},
		{"vera", "email", "", "", ruleMail},
		{"vera", "email", "model.ir.attachment.search_read", asked + "data", ruleMail},
		{"vera", "attachmentRefused", "model.ir.attachment.read", asked + "data", ruleFile},
		{"vera", "phoneEditRefused", "model.party.contact_mechanism.on_change_value", "error UserError: Nicht gespeichert: ", ruleEdit},
		{"vera", "phoneEditRefused", "model.party.contact_mechanism.on_change_with_url", "error UserError: Nicht gespeichert: ", ruleEdit},
		{"vera", "phoneEditRefused", "model.party.party.write", "error UserError: Nicht gespeichert: ", ruleEdit},
		{"vera", "sessionEnded", "model.party.party.write", "error UserError: Ihre Sitzung ist beendet.", ruleSession},
		{"vera", "reloadSignsIn", "common.db.login", "error LoginException: password", ruleSession},
	}
}

// unlisted are failures that say nothing of the CRM: what fails whenever the
// client is loaded, with and without the gate; the gateway's own pages; and what
// a message box is decorated with, once the session has ended.
func unlisted(step, call, why string) bool {
	switch call {
	case "POST /.crmgate/sign-out":
		return true
	case "GET /images/tryton-warning.svg":
		return step == "sessionEnded" && why == "HTTP 401"
	case "GET /locale/de_DE.json", "GET /custom.js", "GET /custom.css":
		return why == "HTTP 405"
	case "GET /favicon.ico":
		return why == "HTTP 404"
	case "POST /crm/bus":
		return why == "HTTP 501"
	}
	return false
}

// listed finds the difference that explains a failure; the zero one where it
// needs no explanation.
func listed(user, step, call, why string) (difference, bool) {
	if unlisted(step, call, why) {
		return difference{}, true
	}
	for _, d := range differences() {
		if (d.user == "" || d.user == user) && (d.step == "" || d.step == step) && d.call == call && d.call != "" && strings.HasPrefix(why, d.why) {
			return d, true
		}
	}
	return difference{}, false
}
