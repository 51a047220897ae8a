package transfer

import (
	"strings"
	"time"
)

// Decision is one of the Commission's on an adequate level of protection (Art. 45 GDPR,
// or Art. 25 (6) of Directive 95/46/EC, in force by Art. 45 (9)).
type Decision struct {
	Country string `json:"country"`
	// Act is the decision, with the one that changed it last.
	Act string `json:"act"`
	// On is when it was made.
	On string `json:"on"`
	// Until is the last day on which it is in force by itself; "" is until it is taken back.
	Until string `json:"until,omitempty"`
	// Scope says for whom alone it holds, in English and German; "" is for all.
	Scope   string `json:"scope,omitempty"`
	ScopeDE string `json:"scope_de,omitempty"`
	// Certified says that it holds for recipients who have certified themselves, so that
	// a transfer has to name who that is.
	Certified bool `json:"certified,omitempty"`
}

// Checked is the day on which the table was looked through. The source of all of it is
// https://commission.europa.eu/law/law-topic/data-protection/international-dimension-data-protection/adequacy-decisions_en
// with the Official Journal; Brazil: (EU) 2026/179, OJ of 28 January 2026; United
// Kingdom: the Commission's announcement of 19 December 2025; United States: (EU)
// 2023/1795, upheld by the General Court on 3 September 2025 (T-553/23), an appeal was
// pending when this was written. The European Patent Organisation (15 July 2025) is no
// country, and can't be a location.
const Checked = "2026-11-24"

// Outlooked is how long after Checked the table counts as looked through.
const outlooked = 12 // months

// decisions are those in force on the day Checked.
func decisions() []Decision {
	return []Decision{
		{Country: "AD", Act: "2010/625/EU", On: "2010-10-19"},
		{Country: "AR", Act: "2003/490/EC", On: "2003-06-30"},
		{Country: "BR", Act: "(EU) 2026/179", On: "2026-01-26"},
		{
			Country: "CA", Act: "2002/2/EC", On: "2001-12-20",
			Scope: "commercial organisations that are subject to the PIPEDA", ScopeDE: "nur Unternehmen, für die der PIPEDA gilt",
		},
		{Country: "CH", Act: "2000/518/EC", On: "2000-07-26"},
		{Country: "FO", Act: "2010/146/EU", On: "2010-03-05"},
		{Country: "GB", Act: "(EU) 2021/1772, renewed on 2025-12-19", On: "2021-06-28", Until: "2031-12-27"},
		{Country: "GG", Act: "2003/821/EC", On: "2003-11-21"},
		{
			Country: "IL", Act: "2011/61/EU", On: "2011-01-31",
			Scope: "automated processing, within the State of Israel as international law defines it", ScopeDE: "automatisierte Verarbeitung, im Staat Israel in den Grenzen des Völkerrechts",
		},
		{Country: "IM", Act: "2004/411/EC", On: "2004-04-28"},
		{Country: "JE", Act: "2008/393/EC", On: "2008-05-08"},
		{
			Country: "JP", Act: "(EU) 2019/419", On: "2019-01-23",
			Scope: "recipients that are subject to the APPI with its supplementary rules", ScopeDE: "nur Empfänger, für die das APPI mit seinen ergänzenden Vorschriften gilt",
		},
		{
			Country: "KR", Act: "(EU) 2022/254", On: "2021-12-17",
			Scope: "recipients that are subject to the PIPA; not religious missions, parties' nominations, and credit information", ScopeDE: "nur Empfänger, für die das PIPA gilt; nicht Missionstätigkeit, Kandidatenaufstellung und Kreditauskünfte",
		},
		{Country: "NZ", Act: "2013/65/EU", On: "2012-12-19"},
		{
			Country: "US", Act: "(EU) 2023/1795", On: "2023-07-10", Certified: true,
			Scope: "recipients certified under the EU-US Data Privacy Framework", ScopeDE: "nur Empfänger, die nach dem EU-US Data Privacy Framework zertifiziert sind",
		},
		{
			Country: "UY", Act: "2012/484/EU", On: "2012-08-21",
		},
	}
}

// DecisionOn returns the decision on a country, nil where there is none.
func DecisionOn(code string) *Decision {
	for _, d := range decisions() {
		if d.Country == code {
			return &d
		}
	}
	return nil
}

// ScopeIn is for whom it holds, in the language de or en.
func (d *Decision) ScopeIn(lang string) string {
	if lang == "de" {
		return d.ScopeDE
	}
	return d.Scope
}

// ends returns the first moment at which it isn't in force any more; false for one
// without an end.
func (d *Decision) ends() (time.Time, bool) {
	last, err := time.Parse(time.DateOnly, d.Until)
	return last.AddDate(0, 0, 1), err == nil
}

// String is the decision as a line of the register says it.
func (d *Decision) String() string {
	parts := []string{d.Act}
	if d.Until != "" {
		parts = append(parts, "until "+d.Until)
	}
	if d.Scope != "" {
		parts = append(parts, d.Scope)
	}
	return strings.Join(parts, "; ")
}

// old reports whether the table has to be looked through again.
func old(now time.Time) bool {
	at, err := time.Parse(time.DateOnly, Checked)
	return err != nil || !now.Before(at.AddDate(0, outlooked, 0))
}
