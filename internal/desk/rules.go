package desk

import (
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// The addresses of the desk for who has acknowledged the rules.
const (
	RulesPath      = Path + "/rules"
	RulesNamesPath = RulesPath + "/names"
)

// RulesDays is how far back somebody has to have signed in to be counted.
const RulesDays = 30

// few is the number from which on people are counted: below it a number could tell of
// somebody.
const few = 5

// RulesView is the body of the page on who has acknowledged the rules.
type RulesView struct {
	Days  int
	Sites []RulesSite
	// Short says that not all sign-ins were read.
	Short bool
}

// RulesSite is what is outstanding at one site, or at several with the same rules.
type RulesSite struct {
	ID, Site, Version string
	Count             Outstanding
	// MayName offers the names; Named says that they are Names.
	MayName, Named bool
	Names          []Named
}

// Named is somebody by name, as far as their sign-in tells.
type Named struct {
	Pseudonym string
	Names     *audit.Names
}

// Outstanding is a number of people that tells of nobody.
type Outstanding struct {
	// Few says that it is less than five, Count how many it is otherwise.
	Few   bool
	Count int
	// Of is of how many; 0 where that would tell of somebody.
	Of int
}

// CountOutstanding makes a number of people one that can be shown.
func CountOutstanding(left, all int) Outstanding {
	if left < few {
		return Outstanding{Few: true}
	}
	o := Outstanding{Count: left}
	if left == all || all-left >= few {
		o.Of = all
	}
	return o
}

// rulesSetting names a setting of the rules to acknowledge.
func rulesSetting(name string) page.Text {
	switch name {
	case "rules_version":
		return page.Text{DE: "Regeln zu bestätigen, Fassung", EN: "rules to acknowledge, version"}
	case "rules_every":
		return page.Text{DE: "Regeln erneut zu bestätigen nach", EN: "rules to acknowledge again after"}
	case "rules_for":
		return page.Text{DE: "Regeln bestätigen nur", EN: "rules are acknowledged only by"}
	case "rules_except":
		return page.Text{DE: "ohne die Regeln zu bestätigen", EN: "without acknowledging the rules"}
	}
	return page.Text{DE: "sieht, wer die Regeln nicht bestätigt hat", EN: "sees who hasn't acknowledged the rules"}
}
