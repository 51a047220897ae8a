package report

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// row makes a row. Who it was is taken from the intent, or from an answer where the
// intent can't be read any more.
func (m *accessMaker) row(s *seen) AccessRow {
	row := AccessRow{Node: m.node, Entry: s.seq, Records: s.records, Shown: ShownOf(s.treated), Changes: s.changes, Actions: []access.Action{}, Roles: []string{}}
	who := s.answer
	if s.intent != nil {
		who = &s.intent.Entry
	}
	if who == nil { // a piece whose first one is in a month that was destroyed
		who = new(audit.Entry)
	}
	row.Time, row.Site, row.Observed = who.Time, who.Gate, who.Observed != nil
	if name, ok := strings.CutPrefix(who.Factor, "machine "); ok {
		row.Machine = name
	}
	if roles, others := m.known.split(who.Roles); row.Machine == "" {
		row.Roles, row.OtherRoles = append(row.Roles, roles...), others
	}
	row.Outcome = outcome(s, &row)
	if s.intent == nil {
		return row
	}
	d := s.intent.Entry.Decision
	if d != nil && d.Refused && !d.Observe {
		row.Outcome, row.Reason = OutcomeRefused, d.Reason
	}
	for _, a := range s.intent.Entry.Accesses {
		if a.Action != "" && !slices.Contains(row.Actions, a.Action) {
			row.Actions = append(row.Actions, a.Action)
		}
	}
	return row
}

func outcome(s *seen, row *AccessRow) string {
	switch {
	case len(row.Shown) > 0:
		return OutcomeShown
	case s.held:
		return OutcomeNamed
	case len(s.changes) > 0:
		return OutcomeWrote
	case row.Observed:
		return OutcomeUnread
	}
	return OutcomeNone
}
