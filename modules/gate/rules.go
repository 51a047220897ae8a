package gate

import (
	"net/http"
	"net/url"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/rules"
)

// rulesKnown lets those through whom the rules don't concern, or who have acknowledged
// the version in force. A page that was navigated to leads to the rules and back, all
// else is answered as a step-up is; nothing is forwarded. Whoever has acknowledged costs
// a look into memory.
func (q *request) rulesKnown() bool {
	if !q.rulesConcern() || q.o.rules.Remembers(q.person()) {
		return true
	}
	_, known, ok := q.acknowledged()
	switch {
	case !ok:
		return false
	case known:
		return true
	case q.r.Method == http.MethodGet && q.isNavigation() && !q.framed():
		q.backTo(rulesFor(q.c.Target()))
	default:
		q.rulesNeeded()
	}
	return false
}

// rulesConcern reports whether the employee has to acknowledge. A machine has nobody
// who could, and somebody who is explained isn't here.
func (q *request) rulesConcern() bool {
	return q.o.rules != nil && q.employee.machine == "" && q.h.HouseRules.concern(q.employee.roles())
}

// person is the employee as the provider knows them.
func (q *request) person() rules.Person {
	id := &q.employee.session.Identity
	return rules.Person{Issuer: id.Issuer, Subject: id.Subject}
}

// pseudonym is the employee's.
func (q *request) pseudonym() string { return q.o.log.Employee(q.person().Issuer, q.person().Subject) }

// acknowledged asks whether the employee has. Where that can't be said it has answered.
func (q *request) acknowledged() (k rules.Known, known, ok bool) {
	k, known, err := q.o.rules.Ask(q.r.Context(), q.person(), q.pseudonym())
	if err != nil {
		q.rulesDown(err)
		return k, false, false
	}
	return k, known, true
}

func (q *request) rulesDown(err error) {
	q.h.logger.Error("the rules' acknowledgements", zap.String("request", q.id), zap.Error(err))
	q.answer(plain{
		status: http.StatusServiceUnavailable, reason: "rules_store", text: textRulesStore,
		header: map[string]string{"Retry-After": "2"},
	})
}

// rulesFor is the address of the rules with the way back.
func rulesFor(target string) string {
	if target = oidc.ReturnTo(target); target == "/" {
		return rules.Path
	}
	return rules.Path + "?" + url.Values{rules.FieldReturnTo: {target}}.Encode()
}

// rulesNeeded answers what is no navigation: an entry first, as for every refusal, then
// the CRM's own shape for its client, and a page for a form.
func (q *request) rulesNeeded() {
	e := q.entry(audit.Intent)
	call := "null"
	if q.x != nil {
		e.Accesses, call = q.x.Accesses, q.x.RequestID()
	}
	e.Decision = &audit.Decision{Refused: true, Reason: "rules", Policy: q.h.policy.Version()}
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	if q.shaped(http.StatusUnauthorized) {
		said := textRulesAt(q.baseURL() + rules.Path).in(q.r.Header.Get("Accept-Language"))
		if a, ok := q.h.profile.ShapesAt(q.c.Method, q.c.Path).SignedOut(said, call); ok {
			q.writeShaped(a.Status, a.Headers, a.Body, "rules")
			return
		}
	}
	q.answer(plain{
		status: http.StatusUnauthorized, reason: "rules", text: textRules, login: rules.Path,
		title: page.Text{DE: "Bitte erst die Regeln bestätigen", EN: "Please acknowledge the rules first"},
		link:  &page.Link{Href: rules.Path, Text: page.Text{DE: "Regeln in neuem Tab öffnen", EN: "Open the rules in a new tab"}, NewTab: true},
	})
}

// rulesWay leads from the home page to the rules, and says when they were acknowledged.
func (q *request) rulesWay() []page.Link {
	if q.o.rules == nil || q.employee.machine != "" {
		return nil
	}
	l := page.Link{Href: rules.Path, Text: page.Text{DE: "Die Regeln zum Umgang mit Daten", EN: "The rules on handling data"}}
	k, known, err := q.o.rules.Ask(q.r.Context(), q.person(), q.pseudonym())
	switch {
	case err != nil:
		q.h.logger.Error("the rules' acknowledgements", zap.String("request", q.id), zap.Error(err))
	case known:
		l.Text.DE += " (bestätigt am " + rules.Day(k.At).DE + ")"
		l.Text.EN += " (acknowledged on " + rules.Day(k.At).EN + ")"
	case q.rulesConcern():
		l.Text.DE += " (noch zu bestätigen)"
		l.Text.EN += " (to be acknowledged)"
	}
	return []page.Link{l}
}

var (
	textRules = text{
		"Bevor das CRM sich öffnet, bestätigen Sie bitte die Regeln zum Umgang mit Daten. Öffnen Sie sie in einem neuen Tab, beantworten Sie die Fragen und senden Sie dann hier noch einmal: Was Sie eingegeben haben, wurde nicht weitergeleitet und ist nicht verloren.",
		"Before the CRM opens, please acknowledge the rules on handling data. Open them in a new tab, answer the questions, and then send again here: what you entered was not forwarded, and it is not lost.",
	}
	textRulesStore = text{
		"Es lässt sich gerade nicht lesen, ob Sie die Regeln bestätigt haben. Bitte versuchen Sie es gleich noch einmal.",
		"Whether you have acknowledged the rules can't be read right now. Please try again in a moment.",
	}
)

func textRulesAt(where string) text {
	return text{
		"Bitte bestätigen Sie erst die Regeln zum Umgang mit Daten. Öffnen Sie " + where + " in einem neuen Tab und wiederholen Sie dann hier den Schritt.",
		"Please acknowledge the rules on handling data first. Open " + where + " in a new tab, and then repeat the step here.",
	}
}
