package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Place is where data are, and what lets them be there.
type Place struct {
	// Country is a code of ISO 3166-1 alpha-2.
	Country string `json:"country"`
	Area    Area   `json:"area"`
	// Decision is the Commission's on the country, nil where there is none or where it
	// holds for certified recipients, and none is named.
	Decision *Decision `json:"decision,omitempty"`
}

// Judge says of each country what lets data be there. An error names a country for which
// nothing does, or a line that is good for nothing, with the remedy.
func Judge(countries []string, transfers []Transfer) ([]Place, error) {
	var places []Place
	for _, text := range countries {
		code, err := Country(text)
		if err != nil {
			return nil, fmt.Errorf("location: %w", err)
		}
		if slices.ContainsFunc(places, func(had Place) bool { return had.Country == code }) {
			return nil, fmt.Errorf("location: %s stands there twice", code)
		}
		p := Place{Country: code, Area: AreaOf(code)}
		if p.Area == Third {
			if err := p.rest(transfers); err != nil {
				return nil, err
			}
		}
		places = append(places, p)
	}
	return places, needed(places, transfers)
}

// rest finds what a transfer to a third country rests on.
func (p *Place) rest(transfers []Transfer) error {
	d := DecisionOn(p.Country)
	name := Name(p.Country, "en")
	switch {
	case d != nil && (!d.Certified || slices.ContainsFunc(transfers, func(t Transfer) bool { return t.Basis == DPF })):
		p.Decision = d
	case slices.ContainsFunc(transfers, func(t Transfer) bool { return t.serves(p.Country) }):
	case d != nil:
		return fmt.Errorf("location %s: the adequacy decision on %s holds for certified recipients only: name the recipient, "+
			"transfer dpf \"Example, Inc.\" \"on the list on 2026-11-02\", or another basis (scc, bcr, derogation)", p.Country, name)
	default:
		return fmt.Errorf("location %s: %s is outside the EU and the EEA, and no adequacy decision on it was known on %s: "+
			"say what the transfer rests on (transfer scc 2 2026-03-01 <reference>, transfer bcr …, transfer derogation …), or have the data elsewhere", p.Country, name, Checked)
	}
	return nil
}

// needed refuses transfers that are for no place.
func needed(places []Place, transfers []Transfer) error {
	for i := range transfers {
		t := &transfers[i]
		if err := t.Check(); err != nil {
			return err
		}
		if len(places) == 0 {
			return fmt.Errorf("transfer %s: to where? name the country: location US", t.Basis)
		}
		takes := func(p Place) bool { return p.Area == Third && t.serves(p.Country) }
		if slices.ContainsFunc(places, takes) {
			continue
		}
		if t.Basis == DPF {
			return errors.New("transfer dpf is for recipients in the United States, and location doesn't name US: correct one of them")
		}
		return fmt.Errorf("transfer %s: every location lies in the EU or the EEA, and needs none; name somebody elsewhere as a recipient of their own (register { recipient … })", t.Basis)
	}
	return nil
}

// Doubt is what somebody has to look at, though nothing stops.
type Doubt struct {
	// What is a closed word.
	What    string
	Country string
	// Until is the day that it is about, where there is one.
	Until string
}

// The doubts: a decision that has run out since the table was looked through, and may have
// been renewed; one that does so soon; a table that nobody has looked through for a year;
// a basis that is for single cases.
const (
	Expired   = "adequacy_expired"
	Expiring  = "adequacy_ends"
	Old       = "adequacy_table_old"
	Exception = "transfer_derogation"
)

// soon is how long before its end a decision is told of.
const soon = 180 * 24 * time.Hour

// Doubts are what has to be looked at by that time.
func Doubts(places []Place, transfers []Transfer, now time.Time) []Doubt {
	var all []Doubt
	relies := false
	for _, p := range places {
		if p.Decision == nil {
			continue
		}
		relies = true
		end, ends := p.Decision.ends()
		switch {
		case ends && !now.Before(end):
			all = append(all, Doubt{Expired, p.Country, p.Decision.Until})
		case ends && now.Add(soon).After(end):
			all = append(all, Doubt{Expiring, p.Country, p.Decision.Until})
		}
	}
	if relies && old(now) {
		all = append(all, Doubt{What: Old, Until: Checked})
	}
	if slices.ContainsFunc(transfers, func(t Transfer) bool { return t.Basis == Derogation }) {
		all = append(all, Doubt{What: Exception})
	}
	return all
}

// Says is the doubt in a sentence for the process log, with what to do.
func (d Doubt) Says() (what, remedy string) {
	const look = "Look at the Commission's list of adequacy decisions"
	switch d.What {
	case Expired:
		return fmt.Sprintf("the adequacy decision on %s ran out on %s", Name(d.Country, "en"), d.Until),
			look + ": if it was renewed, update crmgate; if not, say what the transfer rests on (transfer scc …), or end it"
	case Expiring:
		return fmt.Sprintf("the adequacy decision on %s runs out on %s", Name(d.Country, "en"), d.Until),
			look + ", and prepare another basis (transfer scc …)"
	case Old:
		return "the table of adequacy decisions was looked through on " + d.Until + ", over a year ago",
			look + " for the countries that location names, and update crmgate"
	case Exception:
		return "a transfer rests on a derogation (Art. 49 GDPR), which is for single cases, not for a system in daily use",
			"Agree on standard contractual clauses (transfer scc …), or have the data protection officer look at it"
	}
	return d.What, ""
}

// String is a place as a line of the register says it.
func (p Place) String() string {
	switch {
	case p.Decision != nil:
		return "adequacy decision " + p.Decision.String()
	case p.Area == Third:
		return "third country"
	}
	return strings.ToUpper(string(p.Area))
}
