package desk

import (
	"time"

	"github.com/crmgate/crmgate/internal/page"
)

// settingWord names a setting of a site's sessions or of its desk.
func settingWord(name string) page.Text {
	switch name {
	case "idle":
		return page.Text{DE: "Ende ohne Tätigkeit nach", EN: "ends when idle for"}
	case "max":
		return page.Text{DE: "Ende spätestens nach", EN: "ends at the latest after"}
	case "rules_version", "rules_every", "rules_for", "rules_except", "rules_names":
		return rulesSetting(name)
	case "auditors":
		return page.Text{DE: "darf das Protokoll lesen", EN: "may read the log"}
	case "officers":
		return page.Text{DE: "darf Namen sehen", EN: "may see names"}
	case "consent":
		return page.Text{DE: "stimmt der Einsicht zu", EN: "consents to looks"}
	case "purpose_lasts":
		return page.Text{DE: "ein Zweck gilt", EN: "a purpose lasts"}
	case "own_accesses":
		return page.Text{DE: "Beschäftigte sehen ihre eigenen Zugriffe", EN: "employees see their own accesses"}
	}
	return page.Text{DE: name, EN: name}
}

// settingValue is what a setting is set to.
func settingValue(name, value string) page.Text {
	switch name {
	case "idle", "max", "purpose_lasts", "rules_every":
		if d, err := time.ParseDuration(value); err == nil && d >= time.Minute && d%time.Minute == 0 {
			return EmployeesView{Lasts: d}.Long()
		}
	case "own_accesses":
		if value == "true" {
			return page.Text{DE: "ja", EN: "yes"}
		}
		return page.Text{DE: "nein", EN: "no"}
	}
	return page.Text{DE: value, EN: value}
}
